"""The verdict in the status bar: few words, and on a click the rule, the evidence and what may help."""

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Verdict
from ui.status import StatusBar
from ui.theme import THEMES
from ui.verdict import WORDS, VerdictPill, words_of

from .fabricate import fabricate

VANISHING = Verdict(
    "vanishing",
    (1, 2, 3),
    "‖∂J/∂W‖ of the first layer is less than 10⁻³ of the last one's",
    4.1e-6,
    1e-3,
    "The first layers hardly learn.",
    (("ReLU", "network.activation", "relu"), ("batch norm", "network.batch_norm", True)),
)


@pytest.fixture
def pill(qtbot: QtBot) -> VerdictPill:
    made = VerdictPill()
    qtbot.addWidget(made)
    return made


def test_a_run_too_young_to_judge_has_no_pill(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    bar.show_snapshot(fabricate(), 60.0)
    assert not bar.verdict.isVisibleTo(bar)
    bar.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(VANISHING,)), 60.0)
    assert bar.verdict.isVisibleTo(bar)


@pytest.mark.parametrize("kind", list(WORDS))
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_kind_has_words_and_is_drawn(pill: VerdictPill, kind: str, theme: str) -> None:
    pill.theme = THEMES[theme]
    verdict = msgspec.structs.replace(VANISHING, kind=kind)
    pill.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(verdict,)))
    assert WORDS[kind][0] in pill.accessibleName()
    pill.resize(pill.sizeHint())
    image = pill.grab().toImage()
    assert len({image.pixel(x, image.height() // 2) for x in range(image.width())}) > 3


def test_words_name_the_layers() -> None:
    assert words_of(VANISHING) == "Vanishing: L1 to L3"
    assert words_of(msgspec.structs.replace(VANISHING, layers=(4,))) == "Vanishing: L4"
    assert words_of(msgspec.structs.replace(VANISHING, layers=())) == "Vanishing"
    assert words_of(VANISHING, "t") == "Vanishing: t1 to t3"


def test_a_click_shows_rule_evidence_and_remedies(qtbot: QtBot, pill: VerdictPill) -> None:
    pill.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(VANISHING,)))
    pill.show()
    card = pill.open_card()
    texts = " ".join(label.text() for label in card.findChildren(QLabel))
    for part in (VANISHING.explanation, VANISHING.rule, "4.1×10⁻⁶", "0.0010"):
        assert part in texts
    buttons = {button.text(): button for button in card.findChildren(QPushButton)}
    assert list(buttons) == ["Show L1 to L3", "Try: ReLU", "Try: batch norm"]
    with qtbot.waitSignal(pill.remedy_wanted) as heard:
        qtbot.mouseClick(buttons["Try: batch norm"], Qt.MouseButton.LeftButton)
    assert heard.args == ["network.batch_norm", True]
    assert not card.isVisible()
    with qtbot.waitSignal(pill.layers_wanted) as heard:
        qtbot.mouseClick(pill.open_card().findChildren(QPushButton)[0], Qt.MouseButton.LeftButton)
    assert heard.args == [(1, 2, 3)]


def test_nothing_on_the_card_is_cut(pill: VerdictPill) -> None:
    words = "A skip over every second layer: one copy of the gradient passes unchanged"
    proposal = (words, "network.skip_every", 2)
    long = msgspec.structs.replace(VANISHING, explanation="The first layers hardly learn. " * 8, remedies=(proposal,))
    pill.show_snapshot(msgspec.structs.replace(fabricate(), verdicts=(long, VANISHING)))
    pill.show()
    card = pill.open_card()
    for label in card.findChildren(QLabel):
        assert label.height() >= (label.heightForWidth(label.width()) if label.wordWrap() else label.sizeHint().height())
    for button in card.findChildren(QPushButton):
        assert button.width() >= button.sizeHint().width()
