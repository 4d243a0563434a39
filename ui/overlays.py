"""What lies over the canvas: the phase strip at its top, and beneath it the banner when there is something to say."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Signal

from gradviz.snapshot import Failure

from .banner import Banner
from .canvas.scene import NetworkCanvas
from .controls.input import let_go
from .legend import legend_size
from .phase_strip import PhaseStrip
from .theme import Theme

BANNER_ROOM = 44.0
NARROW = 560  # pixels of the canvas

DISMISS, RESTART, CLIP, STOP = "Dismiss", "Restart", "Clip and run again", "Stop"
LOOKS = {"failure": "warning", "progress": "progress", "reviving": "progress", "leftover": "progress"}  # else "error"
DISCARD, RESTORE = "Discard", "Restore"
FIND = "Find the table…"


class Overlays(QObject):
    """Keeps phase strip and banner in their places, and one message on the banner at a time.

    A failure waits until an error has been dismissed; it comes again as long as it lasts.
    """

    last_finite_wanted = Signal(int)  # the step before the failure
    clipping_wanted = Signal()
    restart_wanted = Signal()
    leftover_answered = Signal(bool)  # whether it shall be restored
    stop_wanted = Signal()  # of the opening of a session
    table_wanted = Signal()  # the user will say where it is

    def __init__(self, canvas: NetworkCanvas) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self.phases = PhaseStrip(canvas)
        self.banner = Banner(canvas)
        self.banner.hide()
        self.banner.clicked.connect(self._on_clicked)
        self._kind = ""
        self._failure: Failure | None = None
        self._leftover: int | None = None  # step of a run that is offered, as long as nobody has answered
        canvas.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self.phases.set_theme(theme)
        self.banner.set_theme(theme)

    def show_error(self, text: str) -> None:
        self._say(text, (DISMISS,), "error")

    def show_missing_table(self, text: str) -> None:
        """Say what is wrong with the table of a session, and offer to point to it."""
        self._say(text, (DISMISS, FIND), "error")

    def show_lost(self, step: int, again: bool) -> None:
        """Say that the engine has ended by itself, and whether it is being started again."""
        if again:
            self._say(f"The engine stopped unexpectedly at step {step:,}. It is being started again there.", (), "reviving")
        else:
            text = f"The engine has stopped again and again, now at step {step:,}. The pictures are the last it sent."
            self._say(text, (RESTART,), "lost")

    def show_reviving(self, step: int, last_step: int) -> None:
        """Say how far the run has been taken up again."""
        self._say(f"The engine stopped unexpectedly. Taking the run up again: step {step:,} of {last_step:,}", (), "reviving")

    def show_revived(self, step: int) -> None:
        """Say that the run stands again where it stood."""
        if self._kind in ("reviving", ""):
            text = f"The engine had stopped unexpectedly and was started again. The run goes on from step {step:,}."
            self._say(text, (DISMISS,), "error")

    def show_leftover(self, step: int) -> None:
        """Offer what a run has left that did not end properly; it waits until there is nothing more urgent to say."""
        self._leftover = step
        if not self._kind:
            self._say(f"The last run ended unexpectedly at step {step:,}.", (DISCARD, RESTORE), "leftover")

    def show_failure(self, failure: Failure | None) -> None:
        """Say which number is not finite and what can be done, as long as it is so."""
        self._failure = failure
        if failure is None:
            if self._kind == "failure":
                self._hide()
        elif not self._kind:
            text = f"Stopped at step {failure.step}: {failure.layer_name} is no longer finite ({failure.phase})."
            back = f"Go to step {failure.step - 1:,}"
            # in a narrow window the words need the room; the timeline goes back too
            self._say(text, (back, CLIP) if self._canvas.width() > NARROW else (CLIP,), "failure")

    def show_opening(self, step: int, last_step: int) -> None:
        """Say how far the run of a session has been trained again."""
        self._say(f"Opening: step {step:,} of {last_step:,}", (STOP,), "progress")

    def end_opening(self, _: object = None) -> None:
        """Nothing is being opened any more."""
        if self._kind == "progress":
            self._hide()
            self.show_failure(self._failure)

    def _say(self, text: str, buttons: tuple[str, ...], kind: str) -> None:
        self._kind = kind
        self.banner.say(text, buttons, LOOKS.get(kind, "error"))
        if not self.banner.isVisible():
            self.banner.show()
            self.place()

    def _hide(self) -> None:
        self._kind = ""
        let_go(self.banner)
        self.banner.hide()
        self.place()
        if self._leftover is not None:
            self.show_leftover(self._leftover)

    def _on_clicked(self, button: str) -> None:
        failure = self._failure if self._kind == "failure" else None
        if button in (DISCARD, RESTORE):
            self._leftover = None
        self._hide()
        if button in (DISCARD, RESTORE):
            self.leftover_answered.emit(button == RESTORE)
        elif button == RESTART:
            self.restart_wanted.emit()
        elif button == FIND:
            self.table_wanted.emit()
        elif button == STOP:
            self.stop_wanted.emit()
        elif button == CLIP:
            self.clipping_wanted.emit()
        elif failure is not None:
            self.last_finite_wanted.emit(failure.step - 1)
        else:
            self.show_failure(self._failure)

    def place(self) -> None:
        """Put both where they belong."""
        canvas = self._canvas
        self.phases.move(16, 12)
        self.phases.adjustSize()
        self.phases.setVisible(self.phases.width() + legend_size().width() + 44 < canvas.width())
        self.banner.setGeometry(16, 56, canvas.width() - 32, int(BANNER_ROOM) - 2)
        canvas.top_inset = BANNER_ROOM if self.banner.isVisibleTo(canvas) else 0.0
        canvas.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._canvas and event.type() == QEvent.Type.Resize:
            self.place()
        return super().eventFilter(watched, event)
