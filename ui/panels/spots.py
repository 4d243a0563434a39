"""The numbers on a drawing: each can be pointed at, and copied with every digit by a double click."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QGuiApplication, QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

from ..numbers import full, plain


@dataclass(frozen=True)
class Spot:
    """A place on the panel that shows a number: what it is, and its value with every digit."""

    area: QRectF
    label: str
    value: float
    text: str = ""  # instead of the value, where it is too small or too large for a floating-point number

    @property
    def words(self) -> str:
        return f"{self.label} = {self.text or full(self.value)}"

    @property
    def copied(self) -> str:
        return _typed(self.text) if self.text else plain(self.value)


def spot_at(spots: Iterable[Spot], at: QPointF) -> Spot | None:
    """The number at this place, if there is one."""
    return next((spot for spot in spots if spot.area.contains(at)), None)


def show_hint(widget: QWidget, event: QHelpEvent, spot: Spot | None) -> None:
    """Tell of the number under the pointer, or of none any more."""
    if spot is None:
        QToolTip.hideText()
    else:
        QToolTip.showText(event.globalPos(), spot.words, widget, spot.area.toAlignedRect())


def copy_spot(widget: QWidget, event: QMouseEvent, spot: Spot) -> None:
    """Put the number on the clipboard, and say so."""
    QGuiApplication.clipboard().setText(spot.copied)
    QToolTip.showText(event.globalPosition().toPoint(), f"Copied {spot.copied}", widget)


def _typed(text: str) -> str:
    """``3.2×10⁻⁴¹²`` as a program reads it: ``3.2e-412``."""
    plain_digits = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
    return text.replace("×10", "e").translate(plain_digits)
