"""The timeline says over the loss where it oscillates."""

import msgspec
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gradviz.snapshot import Snapshot
from ui.panels.timeline import TimelinePanel
from ui.theme import THEMES

from .fabricate import fabricate


def drawn(qtbot: QtBot, snapshot: Snapshot, theme: str) -> tuple[QImage, QRectF, float, float]:
    panel = TimelinePanel()
    qtbot.addWidget(panel)
    panel.set_theme(THEMES[theme])
    panel.resize(976, 282)
    panel.show_snapshot(snapshot)
    frame = panel._frame(QRectF(panel.rect()))
    return panel.grab().toImage(), frame.loss, frame.x(100), frame.x(250)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_stretch_that_oscillates_is_marked_and_no_other(qtbot: QtBot, theme: str) -> None:
    plain = fabricate()
    marked = msgspec.structs.replace(plain, oscillations=((100, 250),))
    (before, loss, left, right), (after, *_) = drawn(qtbot, plain, theme), drawn(qtbot, marked, theme)
    rows = range(int(loss.top()) - 14, int(loss.top()) - 2)
    changed = [x for x in range(before.width()) if any(before.pixel(x, y) != after.pixel(x, y) for y in rows)]
    assert changed
    assert min(changed) >= left - 2
    assert max(changed) <= right + 2
    assert len(changed) > 0.7 * (right - left)
    beneath = range(int(loss.top()) + 2, before.height())
    assert all(before.pixel(x, y) == after.pixel(x, y) for x in range(0, before.width(), 7) for y in beneath)
