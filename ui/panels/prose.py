"""Running text with measured numbers in it: wrapped, on a fixed line pitch, the numbers in semibold with every digit on hover.

The same document is drawn on the screen and into exports, where it stays text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QSize
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent, QTextDocument, QTextOption
from PySide6.QtWidgets import QLabel, QSizePolicy, QToolTip, QWidget

from ..theme import THEMES, Theme, font
from .lesson_words import Run, plain

HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")


@dataclass(frozen=True)
class Style:
    """How a text is set: pixels, line pitch, weight, and the role of its ink in the theme."""

    pixels: int = 13
    pitch: int = 18
    weight: int = 400
    ink: str = "ink2"


LEAD = Style(15, 21, 400, "ink1")
TITLE = Style(20, 26, 600, "ink1")
BODY = Style()
STRONG_BODY = Style(ink="ink1")
SMALL = Style(12, 17)
CAPTION = Style(11, 14, 400, "ink3")
HEADING = Style(13, 18, 600, "ink1")


def document(runs: Sequence[Run], style: Style, theme: Theme, width: float) -> QTextDocument:
    """The text, laid out over ``width`` logical pixels."""
    made = QTextDocument()
    made.setDocumentMargin(0)
    made.setDefaultFont(font(style.pixels, style.weight))
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WordWrap)
    made.setDefaultTextOption(option)
    ink = getattr(theme, style.ink)
    words = "".join(_span(run, number, theme) for number, run in enumerate(runs))
    made.setHtml(f'<p style="margin:0; line-height:{style.pitch}px; -qt-line-height-type:fixed; color:{ink};">{words}</p>')
    made.setTextWidth(max(1.0, width))
    return made


def _span(run: Run, number: int, theme: Theme) -> str:
    text = html.escape(run.text).replace("\n", "<br>")
    if not run.kind:
        # a line does not begin with "= 3"; and U+2010 is a hyphen that tabular figures do not make as wide as a figure
        return HYPHEN.sub("\u2010", text.replace(" = ", "\u00a0=\u00a0"))
    ink = {"number": theme.ink1, "nan": theme.nan}.get(run.kind, theme.ink3)
    weight = 400 if run.kind == "unknown" else 600
    return f'<a href="{number}" style="color:{ink}; font-weight:{weight}; text-decoration:none;">{text}</a>'


class Prose(QLabel):
    """A wrapped text that is as high as its words need. Its height does not shrink while only its numbers change."""

    def __init__(self, style: Style = BODY, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._style = style
        self._runs: tuple[Run, ...] = ()
        self._laid: QTextDocument | None = None
        self._laid_width = -1
        self._words: object = None
        self._floor = (0, 0)  # a width, and the height that was needed at it
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.show_runs((Run(text),) if text else ())

    @property
    def words(self) -> str:
        """What is written."""
        return plain(self._runs)

    def show_text(self, text: str) -> None:
        self.show_runs((Run(text),) if text else ())

    def show_runs(self, runs: tuple[Run, ...]) -> None:
        """Write this from now on."""
        if runs == self._runs and self._words is not None:
            return
        words = tuple(run.name or run.text for run in runs)
        if words != self._words:
            self._words, self._floor = words, (0, 0)
        height = self.heightForWidth(self.width())
        self._runs, self._laid = runs, None
        self.setAccessibleName(plain(runs))
        if self.heightForWidth(self.width()) != height or not height:
            self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self.theme, self._laid = theme, None
        self.update()

    def heightForWidth(self, width: int) -> int:
        if not self._runs:
            return 0
        needed = round(self._document(width).size().height())
        if self._floor[0] != width or self._floor[1] < needed:
            self._floor = (width, needed)
        return self._floor[1]

    def sizeHint(self) -> QSize:
        return QSize(280, self.heightForWidth(280 if self.width() < 40 else self.width()))

    def minimumSizeHint(self) -> QSize:
        return QSize(40, self._style.pitch)

    def _document(self, width: int) -> QTextDocument:
        if self._laid is None or width != self._laid_width:
            self._laid, self._laid_width = document(self._runs, self._style, self.theme, width), width
        return self._laid

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._document(self.width()).drawContents(painter)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            anchor = self._document(self.width()).documentLayout().anchorAt(QPointF(event.pos()))
            if anchor:
                hint = html.escape(self._runs[int(anchor)].hint)
                QToolTip.showText(event.globalPos(), f"<p>{hint}</p>", self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)
