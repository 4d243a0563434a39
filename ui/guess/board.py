"""What the class sees: the change, the question and the answers in large type; uncovered, what was measured and who was right."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtGui import QColor, QPalette, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from gradviz.prediction_game import ANSWERS, Game

from ..controls.input import focus_by_tab
from ..theme import THEMES, Theme, font
from . import words
from .answer import AnswerButton

ROOM = 960.0, 600.0  # width and height for which the type is made; larger boards have larger type
MOST = 1.6
BESIDE = 0.72  # the type's share while both nets stand beside it
KEYS = "{first} to {last} count a vote, Backspace takes the last one back; or type how many. Enter runs it"


class Board(QWidget):
    """It shows a `Game` and says what is wanted."""

    voted = Signal(int)
    counted = Signal(int, int)  # position of an answer, its votes
    taken_back = Signal(object)  # position of an answer, or None for the last vote
    run_wanted = Signal()
    next_wanted = Signal()
    again_wanted = Signal()
    nets_wanted = Signal()
    keep_wanted = Signal()
    leave_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self.setAutoFillBackground(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Predict first")
        self.place, self.score = _label(wrap=False), _label(wrap=False)
        self.change, self.result = _label(), _label()
        self.net, self.question, self.how = _label(), _label(), _label()
        self.told, self.final = _label(), _label()
        self.hint = _label()
        self.answers = tuple(AnswerButton(str(number), answer.text) for number, answer in enumerate(ANSWERS, 1))
        self.leave = _button("Leave", "Back to the run there was (Esc)", self.leave_wanted)
        self.leave.setProperty("flat", True)
        self.back = _button("Take back", "The last vote does not count (Backspace)", self.taken_back, None)
        self.nets = _button("Nets", "Both nets beside the answer, or only the answer (V)", self.nets_wanted)
        self.keep = _button("Compare these two", "Leave the game and go on with these two runs (K)", self.keep_wanted)
        self.again = _button("Once more", "The same rounds from the first one on", self.again_wanted)
        self.go = _button("Run", "", self.run_wanted)
        self.next = _button("Next round", "Enter", self.next_wanted)
        for button in (self.go, self.next):
            button.setProperty("primary", True)
        for number, answer in enumerate(self.answers):
            answer.clicked.connect(lambda _=False, number=number: self._on_clicked(number))
            answer.counted.connect(lambda votes, number=number: self.counted.emit(number, votes))
            answer.taken_back.connect(lambda number=number: self.taken_back.emit(number))
        self._lay_out()
        self._nets_at = ""
        self.set_theme(self.theme)

    def _lay_out(self) -> None:
        top, foot = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self.place)
        top.addStretch(1)
        top.addWidget(self.score)
        top.addWidget(self.leave)
        foot.addWidget(self.hint, 1)
        for button in (self.back, self.again, self.nets, self.keep, self.go, self.next):
            foot.addWidget(button)
        self._answers = QVBoxLayout()
        for answer in self.answers:
            self._answers.addWidget(answer)
        self._column = QVBoxLayout(self)
        self._column.addLayout(top)
        for part in (self.change, self.net, self.question, self.how, self.result, self.told, self.final):
            self._column.addWidget(part)
        self._column.addLayout(self._answers, 10)
        self._column.addStretch(1)
        self._column.addLayout(foot)

    def _on_clicked(self, answer: int) -> None:
        self.setFocus()  # from here on the keys count votes again
        self.voted.emit(answer)

    def show_game(self, game: Game, running: str = "", said: str = "") -> None:
        """Show where the game stands; ``running`` is how far both are trained, ``said`` what else there is to tell."""
        item, outcome = game.round, game.outcome
        right = outcome.answer if outcome is not None else None
        where = f"Predict first · Round {game.number + 1} of {len(game.rounds)}"
        self.place.setText(where if self._nets_at == "beside" else f"{where} · {item.title}")
        self.score.setText(words.score(game.score))
        self.change.setText(item.change)
        self.net.setText(f"In: {words.net(item)}")
        self.question.setText(words.question(item))
        self.how.setText(words.measured_how(item))
        if outcome is not None:
            told = words.result(outcome)
            self.result.setText(f"Gradient of L1: {told}" if self._nets_at == "below" else told)
            lines = (words.gradients(outcome), words.per_layer(outcome), words.how_many(game.votes, right))
            self.told.setText("\n".join(filter(None, lines)))
        for part in (self.net, self.question, self.how):
            part.setVisible(outcome is None)
        for answer in self.answers:
            answer.setVisible(self._nets_at != "below")
        for shown in (self.result, self.nets, self.keep):
            shown.setVisible(outcome is not None)
        self.told.setVisible(outcome is not None and self._nets_at != "below")
        self.final.setText(words.final(game.score))
        self.final.setVisible(outcome is not None and game.is_last and bool(self.final.text()))
        self.score.setVisible(not self.final.isVisibleTo(self))
        self.go.setVisible(outcome is None)
        self.back.setVisible(outcome is None)
        self.next.setVisible(outcome is not None and not game.is_last)
        self.again.setVisible(outcome is not None and game.is_last)
        waiting = outcome is None and not running
        if not waiting and any(answer.field.hasFocus() for answer in self.answers):
            self.setFocus()  # the fields go
        self.go.setText("Running …" if running else "Run")
        most = max(game.votes)
        for number, answer in enumerate(self.answers):
            answer.setEnabled(waiting)
            answer.show_votes(game.votes[number], most, None if outcome is None else number == right)
        self.go.setEnabled(waiting)
        self.back.setEnabled(waiting and most > 0)
        hint = "" if outcome is not None else KEYS.format(first=1, last=len(self.answers))
        self.hint.setText(said or running or hint)
        self._fit()

    def show_nets(self, where: str) -> None:
        """Where both nets stand: "beside" it, "below" it, where it has room for the result alone, or nowhere (``""``)."""
        self._nets_at = where
        self.nets.setText("Answer only" if where else "Both nets")

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Window, QColor(theme.canvas))
        self.setPalette(palette)
        for part in (self.place, self.score, self.net, self.how, self.hint):
            _ink(part, theme.ink2)
        for part in (self.change, self.question, self.result, self.told, self.final):
            _ink(part, theme.ink1)
        for answer in self.answers:
            answer.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The type as large as the board allows."""
        scale = min(MOST, max(1.0, min(self.width() / ROOM[0], self.height() / ROOM[1])))
        large = max(1.0, BESIDE * self.height() / ROOM[1]) if self._nets_at == "beside" else scale
        small = font(round(14 * min(scale, 1.4)))
        for part in (self.place, self.score, self.how, self.hint, self.net):
            part.setFont(small)
        self.change.setFont(font(round((28 if self._nets_at else 36) * large), 600))
        self.question.setFont(font(round(28 * large), 500))
        self.result.setFont(font(round((28 if self._nets_at == "below" else 44) * large), 600))
        self.told.setFont(font(round(17 * large)))
        self.final.setFont(font(round(22 * large), 600))
        for button in (self.leave, self.back, self.nets, self.keep, self.again, self.go, self.next):
            button.setFont(font(round(15 * min(scale, 1.4)), 600 if button.property("primary") else 400))
            button.setFixedHeight(round(36 * min(scale, 1.4)))
        gap = round(6 * scale)
        self._column.setContentsMargins(4 * gap, 2 * gap, 4 * gap, 2 * gap)
        self._column.setSpacing(gap)
        self._answers.setSpacing(max(4, gap - 2))
        self.question.setContentsMargins(0, gap, 0, 0)  # what belongs together stands together
        for last in (self.how, self.told):
            last.setContentsMargins(0, 0, 0, gap)


def _label(wrap: bool = True) -> QLabel:
    made = QLabel()
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    made.setMinimumWidth(40)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
    return made


def _button(text: str, help: str, signal: SignalInstance, *arguments: object) -> QPushButton:
    made = QPushButton(text)
    made.setToolTip(help)
    focus_by_tab(made)
    made.clicked.connect(lambda _=False: signal.emit(*arguments))
    return made


def _ink(label: QLabel, ink: str) -> None:
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(ink))
    label.setPalette(palette)
