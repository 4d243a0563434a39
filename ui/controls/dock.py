"""The dock itself: a row for every field of the spec, in groups, and the change that each of them wants.

The rows show the spec that is in force. What the user does becomes a changed copy of it, sent out with the path of the
field; the window answers with `Controls.show_spec`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QVBoxLayout, QWidget

from gradviz.spec import FieldInfo, Spec, SpecError, all_fields, field_info

from ..theme import THEMES, Theme
from .group import Group, Thumbnail
from .layer_menu import build_layer_menu
from .presentation import CLOSED, group_of, hint_for
from .row import Row
from .style import dock_stylesheet
from .texts import FileInput

ROWS_BESIDE_PICTURE = 4  # data set, samples, noise, lag: their inputs then stand under one another


class Controls(QWidget):
    """All settings of the experiment."""

    change_wanted = Signal(object, str)  # the new Spec, and the path of the field that differs; live while dragging
    csv_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = THEMES["dark"]
        self._spec = Spec()
        self.rows: dict[str, Row] = {}
        self.groups: dict[str, Group] = {}
        self.thumbnail = Thumbnail()
        self.setAccessibleName("Settings")
        self.setAutoFillBackground(True)
        self.setMinimumWidth(264)  # narrower, the inputs would be cut; the splitter may still fold the dock away
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._add_groups()
        self._column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scroll)
        self.set_theme(self.theme)
        self.show_spec(self._spec)

    def sizeHint(self) -> QSize:
        return QSize(264, 800)

    @property
    def spec(self) -> Spec:
        """The spec that is shown."""
        return self._spec

    # ---- what the window tells it

    def show_spec(self, spec: Spec) -> None:
        """Show the spec that is in force; nothing is emitted, and what is dragged or typed into stays as it is."""
        self._spec = spec
        for row in self.rows.values():
            row.show_spec(spec)
        stop = spec.training.stop_after
        self.groups["Stop"].header.show_summary(f"at {stop:,}" if stop else "off")

    def show_summary(self, data: str, parameters: int) -> None:
        """How much data there are, and how many parameters the network has."""
        self.groups["Data"].header.show_summary(data)
        self.groups["Network"].header.show_summary(f"{parameters:,} parameter{'s' if parameters != 1 else ''}")

    def show_points(self, points: NDArray[np.floating] | None, labels: NDArray[np.generic] | None = None) -> None:
        """Points (n, 2) with class numbers (n,) for the small picture of the data; None hides it."""
        self.thumbnail.show_points(points, labels)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.setStyleSheet(dock_stylesheet(theme))
        for row in self.rows.values():
            row.set_theme(theme)
        for group in self.groups.values():
            group.header.theme = theme
            group.header.update()
        self.thumbnail.theme = theme
        self.thumbnail.update()

    def layer_menu(self, spec: Spec, layer: int, parent: QWidget) -> QMenu:
        """A menu that gives one hidden layer an activation or a width of its own; its changes come as `change_wanted`."""

        def want(path: str, value: object) -> None:
            self.change_wanted.emit(spec.replace(path, value), path)

        menu = build_layer_menu(spec, layer, self.theme, want, parent)
        menu.setStyleSheet(dock_stylesheet(self.theme))
        return menu

    # ---- inside

    def _add_groups(self) -> None:
        fields = all_fields()
        per_layer = {info.path: info for info in fields if info.kind in ("ints", "choices")}
        grouped: dict[str, list[FieldInfo]] = {}
        for info in fields:
            grouped.setdefault(group_of(info), []).append(info)
        for title in sorted(grouped, key=lambda title: title in CLOSED):  # those that begin closed come last
            group = self.groups[title] = Group(title, opened=title not in CLOSED)
            rows = [self._make_row(info, per_layer.get(f"{info.path}s")) for info in grouped[title]]
            if title == "Data":
                beside = [row for row in rows[:ROWS_BESIDE_PICTURE] if hint_for(row.info).titled]
                widest = max(row.heading.minimumSizeHint().width() for row in beside)
                for row in beside:
                    row.heading.setFixedWidth(widest + 8)
                group.add_beside(self.thumbnail, list(rows[:ROWS_BESIDE_PICTURE]))
                rows = rows[ROWS_BESIDE_PICTURE:]
            for row in rows:
                group.rows.addWidget(row)
            self._column.addWidget(group)

    def _make_row(self, info: FieldInfo, per_layer: FieldInfo | None) -> Row:
        row = self.rows[info.path] = Row(info, per_layer)
        row.wanted.connect(lambda value: self._on_wanted(row, value))
        row.released.connect(lambda: row.show_spec(self._spec))
        if isinstance(row.input, FileInput):
            row.input.asked.connect(self.csv_wanted)
        return row

    def _on_wanted(self, row: Row, value: object) -> None:
        path = row.info.path
        if path == "data.name" and value == "csv":
            row.show_spec(self._spec)
            self.csv_wanted.emit()
            return
        try:
            spec = self._spec.replace(path, value)
        except SpecError as error:
            row.show_spec(self._spec)
            whose = "" if error.field == path else f" for {field_info(error.field).title}"
            row.show_error(f"{_shown(value)} is not possible. Allowed{whose}: {error.allowed}.")
            return
        row.show_error("")
        if spec == self._spec:
            row.show_spec(spec)
            return
        self.show_spec(spec)
        self.change_wanted.emit(spec, path)


def _shown(value: object) -> str:
    text = f"“{value}”" if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 40 else text[:38] + "…"
