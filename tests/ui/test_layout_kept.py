"""What the user arranged is there again in the next window: its size, the panels' shares, the theme and the dock's page.

The virtual screen is 800 × 800 and the window at least 900 wide, so that only the height of the window can be told here;
tests/smoke tells its whole size on a larger screen.
"""

import sys

import pytest
from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QSplitter
from pytestqt.qtbot import QtBot

from gradviz.spec import DataSpec, NetworkSpec, Spec
from tests.ui.live import opened
from ui.application import run_window
from ui.main_window import MainWindow
from ui.presets import preset_named

SPEC = Spec(NetworkSpec(depth=3, width=3), DataSpec(samples=40))


def splitters(window: MainWindow) -> tuple[QSplitter, ...]:
    return window.body, window.centre, window.overview


def test_the_sizes_are_kept(qtbot: QtBot) -> None:
    first = opened(qtbot, SPEC)
    untouched = [splitter.sizes() for splitter in splitters(first)]
    assert first.height() != 640
    first.resize(900, 640)
    first.body.setSizes([300, 340, 258])
    first.centre.setSizes([200, 200, 156])
    first.overview.setSizes([300, 218])
    arranged = [splitter.sizes() for splitter in splitters(first)]
    assert all(one != other for one, other in zip(arranged, untouched, strict=True))
    first.close()
    second = opened(qtbot, SPEC)
    assert second.height() == 640
    assert [splitter.sizes() for splitter in splitters(second)] == arranged
    second.close()


@pytest.mark.parametrize(("key", "page"), [(Qt.Key.Key_C, "chain"), (Qt.Key.Key_I, "inspect")])
def test_the_page_in_front_of_the_dock_is_kept(qtbot: QtBot, key: Qt.Key, page: str) -> None:
    first = opened(qtbot, SPEC)
    assert first.dock.page == "overview"
    qtbot.keyClick(first, key)
    first.close()
    second = opened(qtbot, SPEC)
    assert second.dock.page == page
    assert second.canvas.chain_shown == (page == "chain")
    qtbot.keyClick(second, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    second.close()
    third = opened(qtbot, SPEC)
    assert third.dock.page == "overview"
    third.close()


def test_a_preset_that_is_about_a_page_shows_it(qtbot: QtBot) -> None:
    first = opened(qtbot, SPEC)
    first.show_inspect()
    first.close()
    second = opened(qtbot, preset_named("worked-relu").spec, preset=preset_named("worked-relu"))
    assert second.dock.page == "chain"
    second.close()


def test_a_page_that_is_no_more_is_forgotten(qtbot: QtBot) -> None:
    QSettings().setValue("dock/page", "weather")
    window = opened(qtbot, SPEC)
    assert window.dock.page == "overview"
    window.close()


def test_the_theme_is_kept(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole program, three times: switched, then as it was left, then the theme the command line asks for."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    seen = []

    def look_and_close(switch: bool) -> None:
        windows = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, MainWindow) and widget.isVisible()]
        if not windows:
            QTimer.singleShot(50, lambda: look_and_close(switch))
            return
        (window,) = windows
        qtbot.addWidget(window)
        seen.append(window.theme.name)
        if switch:
            window.toggle_theme()
        window.close()

    for theme, switch in ((None, True), (None, False), ("dark", False)):
        QTimer.singleShot(0, lambda switch=switch: look_and_close(switch))  # type: ignore[misc]
        assert run_window(None, theme) == 0
    assert seen == ["dark", "light", "dark"]
