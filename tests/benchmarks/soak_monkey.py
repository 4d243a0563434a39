"""Random actions on the real window: clicks, keys, wheel, drags, knobs, presets, jumps in time, lessons, exports, damaged files.

Exceptions, what Qt warns of, an engine that is lost, and errors told that are not meant for a user's eyes are problems. The same seed
presses the same things, although what is under the pointer depends on how far the run has come.

Where Python waits for Qt, as in ``sendEvent``, PySide6 6.11 on Python ≤ 3.11 turns an exception that the interpreter itself has raised (an
index out of range) in a method that Qt calls into a segmentation fault: such a fault may stand for an exception.
"""

from __future__ import annotations

import random
import re
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any
from unittest.mock import patch

from PySide6.QtCore import (
    QCoreApplication,
    QEvent,
    QMessageLogContext,
    QPoint,
    QPointF,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtGui import QGuiApplication, QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMenu, QWidget
from shiboken6 import Shiboken

from gradviz.lessons import lessons
from gradviz.spec import SpecError, all_fields
from tests.benchmarks.soak_files import kinds, mutate
from ui.compare.offers import offers
from ui.comparison import SIDES
from ui.main_window import MainWindow
from ui.panels import LAB
from ui.presets import presets
from ui.shortcuts import SHORTCUTS

HARMLESS = "This plugin does not support"  # what the offscreen platform says of every window
# of what is told, what no user should have to read
INTERNAL = re.compile(r"Traceback|[A-Z]\w*(Error|Exception)\b|object at 0x|NoneType|[Uu]nexpected(ly| error)|has no attribute")
RANGE = 12  # of a number's values, from its least on: nets that can be trained while thousands of actions go on
WALKS = ("step", "step_layer", "step_phase", "back", "back_layer", "back_phase")
KEYS = (
    Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Backspace, Qt.Key.Key_Delete,
    Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_0, Qt.Key.Key_7, Qt.Key.Key_E, Qt.Key.Key_Period, Qt.Key.Key_Menu,
)  # fmt: skip
MODIFIERS = (Qt.KeyboardModifier.NoModifier,) * 4 + (Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier)


class Monkey:
    """Presses things in a window; what went wrong is in ``problems``."""

    def __init__(self, window: MainWindow, seed: int, folder: Path) -> None:
        self.window, self.folder = window, folder
        self.dice = random.Random(seed)
        self.problems: list[str] = []
        self.done: list[str] = []  # names of the actions
        self._files = 0
        self._popups = QTimer(window)
        self._popups.setInterval(15)
        self._popups.timeout.connect(self._meet_popup)
        self._actions: list[tuple[int, Callable[[], None]]] = [
            (20, self.click), (8, self.press_key), (8, self.press_shortcut), (6, self.turn_wheel), (6, self.drag), (14, self.turn_knob),
            (4, self.load_preset), (8, self.jump), (6, self.walk), (3, self.play), (3, self.undo), (2, self.redo), (3, self.open_lesson),
            (4, self.show_lab), (2, self.look_at_example), (1, self.train_rival), (2, self.change_theme), (2, self.resize),
            (5, self.export), (1, self.animate), (2, self.keep_session), (2, self.open_session), (3, self.open_damaged),
            (1, self.begin_compare), (8, self.compare), (1, self.toggle_theory), (1, self.show_orthogonal),
        ]  # fmt: skip

    def __enter__(self) -> Monkey:
        self._before = sys.excepthook, qInstallMessageHandler(self._on_message)
        sys.excepthook = self._on_exception
        self._patches = [patch.object(QFileDialog, name, self._answer) for name in ("getSaveFileName", "getOpenFileName")]
        show_error = self.window.overlays.show_error
        self._patches.append(patch.object(self.window.overlays, "show_error", lambda text: self._on_told(text, show_error)))
        for replaced in self._patches:
            replaced.start()
        self.window.run.lost.connect(self._on_lost)
        self._popups.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._popups.stop()
        self.window.run.lost.disconnect(self._on_lost)
        for replaced in self._patches:
            replaced.stop()
        sys.excepthook = self._before[0]
        qInstallMessageHandler(self._before[1])

    def act(self, count: int) -> None:
        """Do so many things, with a moment for the window after each."""
        weights, actions = zip(*self._actions, strict=True)
        for _ in range(count):
            action = self.dice.choices(actions, weights)[0]
            self.done.append(action.__name__)
            try:
                action()
            except SpecError:
                pass  # a combination that a control does not offer: refused with a reason
            except Exception:
                self._note(traceback.format_exc(limit=-4))
            self.breathe(self.dice.choice((0.0, 0.0, 0.005, 0.02)))

    def breathe(self, seconds: float) -> None:
        """Let the window work."""
        end = time.monotonic() + seconds
        QApplication.processEvents()
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.002)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    # ---- pressing things

    def _somewhere(self) -> tuple[QWidget, QPoint]:
        tops = [self.window, *(top for top in QApplication.topLevelWidgets() if isinstance(top, QDialog) and top.isVisible())]
        top = self.dice.choice(tops)
        shown = [widget for widget in top.findChildren(QWidget) if widget.isVisible() and widget.isEnabled()]
        widgets = [widget for widget in shown if not widget.size().isEmpty()]
        widget = self.dice.choice(widgets) if widgets else top
        return widget, self._point(widget)

    def _plot(self) -> QWidget:
        """Canvas or timeline, where the hand can reach them: two runs compared, or the game, take their place."""
        reached = [panel for panel in (self.window.canvas, self.window.timeline) if panel.isVisible()]
        return self.dice.choice((*reached, self._somewhere()[0]))

    def _point(self, widget: QWidget) -> QPoint:
        return QPoint(self.dice.randrange(max(1, widget.width())), self.dice.randrange(max(1, widget.height())))

    def click(self) -> None:
        widget, place = self._somewhere()
        button = self.dice.choice((Qt.MouseButton.LeftButton,) * 5 + (Qt.MouseButton.RightButton,))
        (QTest.mouseDClick if self.dice.random() < 0.1 else QTest.mouseClick)(widget, button, self.dice.choice(MODIFIERS), place)

    def press_key(self) -> None:
        widget = QApplication.focusWidget() or self.window.canvas
        QTest.keyClick(widget, self.dice.choice(KEYS), self.dice.choice(MODIFIERS))

    def press_shortcut(self) -> None:
        shortcut = self.dice.choice([item for item in SHORTCUTS if item.command != "close"])
        if self.dice.random() < 0.5:
            getattr(self.window, shortcut.command)()
        else:
            QTest.keySequence(self.window, QKeySequence(self.dice.choice(shortcut.keys)))

    def turn_wheel(self) -> None:
        widget = self._plot()
        place = QPointF(self._point(widget))
        turned = QPoint(self.dice.choice((0, 0, 120)), self.dice.choice((-480, -120, 120, 480)))
        event = QWheelEvent(
            place, QPointF(widget.mapToGlobal(place.toPoint())), QPoint(), turned, Qt.MouseButton.NoButton, self.dice.choice(MODIFIERS),
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, event)

    def drag(self) -> None:
        widget = self._plot()
        QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=self._point(widget))
        for _ in range(self.dice.randint(1, 5)):
            QTest.mouseMove(widget, self._point(widget))
            QApplication.processEvents()
            if not Shiboken.isValid(widget):
                return  # it has gone while it was dragged, as a menu does
        QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=self._point(widget))

    def _meet_popup(self) -> None:
        """What opens over the window is used or closed: a menu waits for an answer in a loop of its own."""
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            actions = [action for action in popup.actions() if action.isEnabled() and not action.isSeparator() and action.menu() is None]
            if actions and self.dice.random() < 0.5:
                self.dice.choice(actions).trigger()
        if popup is not None:
            popup.close()
        modal = QApplication.activeModalWidget()
        if modal is not None:
            modal.close()

    # ---- doing things

    def turn_knob(self) -> None:
        window, dice = self.window, self.dice
        info = dice.choice([info for info in all_fields() if info.kind in ("int", "float", "bool", "choice") and info.path != "data.path"])
        value: Any = dice.random() < 0.5
        if info.kind == "choice":
            value = dice.choice(window.run.wanted_spec.choices(info.path))[0]
        elif info.minimum is not None and info.maximum is not None:
            low, high = info.minimum, min(info.maximum, info.minimum + RANGE)
            value = dice.randint(int(low), int(high)) if info.kind == "int" else dice.uniform(low, high)
        window.change(info.path, value)

    def load_preset(self) -> None:
        self.window.load_preset(self.dice.choice(presets()).name)

    def jump(self) -> None:
        snapshot = self.window.run.snapshot
        if snapshot is not None:
            self.window.driven.go_to(self.dice.randint(0, max(1, snapshot.last_step)))

    def walk(self) -> None:
        self.window.driven.walk(self.dice.choice(WALKS))

    def play(self) -> None:
        self.window.toggle_playing()

    def undo(self) -> None:
        self.window.undo()

    def redo(self) -> None:
        self.window.redo()

    def open_lesson(self) -> None:
        window, dice = self.window, self.dice
        window.show_lessons()
        lesson, panel = dice.choice(lessons()), window.lesson
        assert panel is not None, "the page of lessons has just been shown"
        panel.open_lesson(lesson.name)
        panel.scene_wanted.emit(lesson)
        if dice.random() < 0.5:
            panel.question_wanted.emit(lesson.question)
        else:
            panel.actions_wanted.emit(dice.choice(lesson.tries).actions)

    def show_lab(self) -> None:
        self.window.show_lab(self.dice.choice(LAB))

    def look_at_example(self) -> None:
        self.window.look_at_example(self.dice.choice((None, 0, 3, 31)))

    def train_rival(self) -> None:
        self.window.run.set_rival(self.dice.random() < 0.5)

    def begin_compare(self) -> None:
        if self.window.compare is None:
            self.window.toggle_compare()

    def compare(self) -> None:
        """What only two runs side by side offer; nothing while there is one."""
        mode, dice = self.window.compare, self.dice
        if mode is None:
            return
        page, side = mode.page, dice.choice(SIDES)
        match dice.randrange(7):
            case 0 | 1:
                offered = offers(mode.pair.run_of(side).wanted_spec)
                if offered:
                    offer = dice.choice(offered)
                    page.change_wanted.emit(side, offer.path, offer.value)
            case 2:
                page.swap_wanted.emit()
            case 3:
                page.settings_wanted.emit(side)
            case 4:
                page.step_wanted.emit(dice.randint(0, 300))
            case 5:
                page.adopt_wanted.emit(side)
            case _:
                page.drop_wanted.emit(side)

    def toggle_theory(self) -> None:
        self.window.toggle_theory()

    def show_orthogonal(self) -> None:
        self.window.show_lab("jacobian")
        self.window.look(lab_orthogonal=self.dice.random() < 0.5)

    def change_theme(self) -> None:
        self.window.toggle_theme()

    def resize(self) -> None:
        self.window.setWindowState(Qt.WindowState.WindowNoState)
        self.window.resize(self.dice.randint(900, 1700), self.dice.randint(600, 1050))

    # ---- files

    def _answer(self, parent: object, title: str, suggestion: str = "", kinds: str = "", *_: object) -> tuple[str, str]:
        """Stands for both file dialogs: cancelled, or a file in the folder."""
        if self.dice.random() < 0.3:
            return "", ""
        if "Save" in title:
            return str(self._path(Path(suggestion).suffix or ".svg")), kinds.split(";;")[0]
        return str(self._damaged()), ""

    def _path(self, suffix: str) -> Path:
        self._files += 1
        return self.folder / f"{self._files % 20}{suffix}"

    def export(self) -> None:
        window, dice = self.window, self.dice
        menu = window.export_menu
        match dice.randrange(5):
            case 0:
                name = dice.choice(["figure", "window", *(panel.name for panel in menu.offered_panels())])
                menu.write_picture(name, self._path(dice.choice((".png", ".svg", ".pdf"))))
            case 1:
                menu.write_numbers(dice.choice(menu.offered_panels()).name, self._path(dice.choice((".csv", ".npz"))))
            case 2:
                window.run.save_net(dice.choice(("weights", "numpy", "torch")), self._path(dice.choice((".safetensors", ".py"))))
            case 3:
                menu.copy_numbers(dice.choice(menu.offered_panels()).name)
            case _:
                dice.choice((menu.copy_figure, menu.copy_window))()

    def animate(self) -> None:
        """Begin an animation, or cancel the one that is being made."""
        menu, dice = self.window.export_menu, self.dice
        if menu.movie is None and self.window.run.snapshot is not None:
            menu.save_animation()
        if menu.movie is None or dice.random() < 0.3:
            return
        if menu.movie.working:
            menu.movie.reject()
        else:
            menu.movie.sizes.setCurrentIndex(0)
            menu.movie.last.setValue(menu.movie.first.value() + dice.randint(0, 20))
            menu.movie.save_as(self._path(dice.choice((".gif", ".apng", ".webp"))))

    def keep_session(self) -> None:
        self.dice.choice((lambda: self.window.sessions.write(self._path(".gradviz.json")), self.window.copy_session))()

    def open_session(self) -> None:
        files = sorted(self.folder.glob("*.gradviz.json"))
        if files and self.dice.random() < 0.7:
            self.window.sessions.open(self.dice.choice(files))
        else:
            self.window.sessions.paste()

    def _damaged(self) -> Path:
        name = self.dice.choice(("session", "table"))
        kind = kinds()[name]
        path = self.folder / f"damaged{kind.suffix}"
        path.write_bytes(mutate(self.dice.choice(kind.wholes), self.dice))
        return path

    def open_damaged(self) -> None:
        self.window.sessions.open_any(self._damaged())

    # ---- what went wrong

    def _note(self, problem: str) -> None:
        """Kept, and told at once: a run that is stopped, or dies, would take it along."""
        self.problems.append(f"after {len(self.done)} actions, {self.done[-1] if self.done else 'none yet'}: {problem}")
        print(self.problems[-1], file=sys.stderr, flush=True)

    def _on_message(self, kind: QtMsgType, _: QMessageLogContext, text: str) -> None:
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and HARMLESS not in text:
            self._note(f"Qt says {text}")

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._note("".join(traceback.format_exception(kind, error, trace, limit=-4)))
        sys.last_value = sys.last_traceback = None  # or a painter that was at work would go on, and Qt warn of it at every frame

    def _on_lost(self, step: int, again: bool) -> None:
        self._note(f"the engine was lost at step {step}")  # nobody has killed it

    def _on_told(self, text: str, show: Callable[[str], None]) -> None:
        if INTERNAL.search(text):
            self._note(f"told: {text}")
        show(text)

    def come_to_rest(self, seconds: float = 1.5) -> None:
        """The same simple run, at the same place, in a window of the same size: what is compared must be alike."""
        window = self.window
        if window.export_menu.movie is not None:
            window.export_menu.movie.stop()
        for top in QApplication.topLevelWidgets():
            if isinstance(top, QDialog):
                top.close()
        window.setWindowState(Qt.WindowState.WindowNoState)
        window.resize(1400, 900)
        if window.game is not None:
            window.game.leave()
        if window.compare is not None:
            window.compare.leave()
        window.run.stop_opening()
        window.run.set_rival(False)
        for _ in range(10):  # as many as are kept for undo
            window.load_preset("vanishing")
            self.breathe(0.05)
        window.set_playing(False)
        window.run.undo_stack.clear()
        window.show_overview()
        window.show_settings()
        window.clear_selection()
        QGuiApplication.clipboard().clear()
        self.breathe(seconds)
        end = time.monotonic() + 30
        while not window.run.settled and time.monotonic() < end:
            self.breathe(0.1)
