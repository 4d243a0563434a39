"""Where everything of the network stands: columns, units, strips, the ends of the edges, and what lies under a point.

Plain geometry in logical pixels, without painting and without numbers of any run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from gradviz.snapshot import Architecture

from .columns import Columns

TALLEST = 16  # more units than this stand as a strip
RADIUS = 9.0
ROW_PITCH = 34.0
STRIP_WIDTH = 18.0
GAPS_FROM = 4.0  # pixels from column to column
LOSS_SIZE = 26.0
LEGEND_ROOM = 48.0
ARC_HEIGHT = 50.0
CAPTION_ROOM = 36.0  # from the top to the names, where a caption stands above them …
ARC_CAPTION_ROOM = 92.0  # … and where there are arcs between the two
HEAD_ROOM, ROAD_ROOM = 36.0, 58.0  # the same in a recurrent net, without and with a road; its directions stand where the caption does
GATE_ROW, GATE_BAR = 16.0, 12.0  # from row to row of gates, and the height of a bar that is wide open
GATES = ("forget", "input", "output")  # those that are shown, the most telling one first
INPUT_ARROW = 11.0
LEAST_BODY = 36.0  # of the units, before captions are given up
LABEL_DROP = 13.5  # from the brackets under the columns to the middle of their labels
GLYPHS_FROM, EDGES_FROM = 40.0, 14.0  # column pitch below which there are no glyphs; no edges and circles
REACH = 3.0  # how near to an edge a click counts

Array = NDArray[np.floating[Any]]


class Gap(NamedTuple):
    """The edges into one layer: from (x0, y0[row]) to (x1, y1[column]) for every row and column."""

    layer: int
    x0: float
    x1: float
    y0: Array
    y1: Array


@dataclass(frozen=True)
class Layout:
    """The geometry of one drawing; equal layouts put everything in the same place.

    ``top`` is the room that others take above the drawing (legend, banner), ``marks`` whether the row under the columns is needed,
    ``clips`` whether it may hold clip marks. ``caption`` makes room for a line above the names that says what is in work, ``foot``
    for a row under everything that says what the columns have to do with it.
    """

    architecture: Architecture
    columns: Columns
    height: float
    top: float = LEGEND_ROOM
    marks: bool = True
    clips: bool = False
    caption: bool = False
    foot: bool = False

    @property
    def pitch(self) -> float:
        return self.columns.pitch

    @property
    def depth(self) -> int:
        """Number of layers, the output layer included; the number of the last one."""
        return len(self.architecture.layers)

    @property
    def has_glyphs(self) -> bool:
        return self.pitch >= GLYPHS_FROM

    @property
    def has_edges(self) -> bool:
        return self.pitch >= EDGES_FROM

    @property
    def has_arcs(self) -> bool:
        return bool(self.architecture.skips) and self.pitch >= 5 and not self.architecture.recurrent

    @property
    def has_road(self) -> bool:
        """Whether there is a cell path to be drawn as one road over the columns."""
        return self.architecture.kind == "lstm"

    @property
    def time(self) -> int:
        """Number of the last time step of a recurrent net."""
        return self.depth - 1

    # ---- from top to bottom

    @property
    def names_y(self) -> float:
        """Middle of the row of column names."""
        lead = min(38.0, max(14.0, (self.height - self.top) * 0.1))
        if self.architecture.recurrent:
            if self.has_headline:
                return self.top + max(lead, ROAD_ROOM if self.has_road else HEAD_ROOM)
            return self.top + (34.0 if self.has_road else lead)
        if not self.has_arcs:
            return self.top + max(lead, CAPTION_ROOM * self.has_caption)
        return self.top + max(max(lead, 22.0) + 33.0 + 4.0 * (lead < 30.0), ARC_CAPTION_ROOM * self.has_caption)

    @cached_property
    def has_caption(self) -> bool:
        """Whether there is room for the caption above the names."""
        if self.architecture.recurrent:
            return self.caption and self.has_headline
        return self.caption and self.height - self.top - self._head_room - 12.0 - 20.0 * self.marks >= LEAST_BODY

    @property
    def has_headline(self) -> bool:
        """Whether a recurrent net has room for a line above its names: its directions, or the caption."""
        return self.architecture.recurrent and self.height - self.top >= (170.0 if self.has_road else 145.0)

    @cached_property
    def has_foot(self) -> bool:
        """Whether there is room for the row under everything."""
        if self.architecture.recurrent:
            return self.foot and self.height - self.body_top - self._below - self._foot_room >= LEAST_BODY
        return self.foot and self.height - self.top - self._head_room - self._foot_room >= LEAST_BODY

    @property
    def _head_room(self) -> float:
        return 30.0 + (ARC_CAPTION_ROOM if self.has_arcs else CAPTION_ROOM)

    @property
    def _foot_room(self) -> float:
        return self._bracket_drop + LABEL_DROP + 9.0

    @property
    def caption_y(self) -> float:
        """Middle of the line above names and arcs."""
        return self.top + 12.0

    @property
    def road_y(self) -> float:
        """Middle of the cell path."""
        return self.names_y - 23.0

    @property
    def arc_foot(self) -> float:
        return self.names_y - (20.0 if self.has_caption else 17.0)  # a frame may stand beneath

    @property
    def glyph_y(self) -> float:
        return self.names_y + 17.0

    @cached_property
    def body_top(self) -> float:
        return self.names_y + (30.0 if self.has_glyphs else 18.0)

    @cached_property
    def body_bottom(self) -> float:
        rows = 20.0 * self.marks + 20.0 * self.has_strips
        room = max(40.0, rows) if self._is_roomy else max(12.0, rows)
        if self.architecture.recurrent:
            room = self._below + 26.0
        if self.has_foot:
            room = max(room, self._foot_room + self._below)
        return max(self.body_top + 24.0, self.height - room)

    @property
    def marks_y(self) -> float:
        """Middle of the row under the columns: batch norm, clipping, number of units."""
        return self.body_bottom + self._below + self._marks_drop

    # ---- of a recurrent net, between columns and marks: the inputs of the time steps, and the gates

    @property
    def _inputs_drop(self) -> float:
        return 20.0 if self.has_strips and self.has_edges else 5.0  # under strips stand their numbers of units

    @property
    def inputs_y(self) -> float:
        """Tips of the arrows by which each time step gets its input."""
        return self.body_bottom + self._inputs_drop

    @cached_property
    def gate_rows(self) -> int:
        """How many of `GATES` there is room for, each in a row; none where there are no gates."""
        if "forget" not in self.architecture.gates:
            return 0
        room = self.height - self.body_top - self._inputs_drop - INPUT_ARROW - 54.0
        return next((rows for rows, body in ((3, 70.0), (1, 48.0)) if room - GATE_ROW * rows >= body), 0)

    @property
    def _below(self) -> float:
        if not self.architecture.recurrent:
            return 0.0
        return self._inputs_drop + INPUT_ARROW + (7.0 + GATE_ROW * self.gate_rows if self.gate_rows else 0.0)

    def gate_y(self, row: int) -> float:
        """Foot of the bars of a row of gates."""
        return self.inputs_y + INPUT_ARROW + 7.0 + GATE_ROW * row + GATE_BAR

    @property
    def _is_roomy(self) -> bool:
        return self.height > 330.0

    @property
    def _marks_drop(self) -> float:
        if self.architecture.recurrent:
            return 12.0
        return 29.0 if self.has_strips else 20.0 if self._is_roomy else 11.0

    @property
    def _bracket_drop(self) -> float:
        if self.marks:
            return self._marks_drop + 17.0
        return 26.0 if self.has_strips else 15.0 if self._is_roomy else 12.0

    @property
    def bracket_y(self) -> float:
        """Foot of the brackets under the columns; their labels stand at ``label_y``."""
        return self.body_bottom + self._below + self._bracket_drop

    @property
    def label_y(self) -> float:
        return self.bracket_y + LABEL_DROP

    @property
    def frame_bottom(self) -> float:
        """Foot of a frame around a column, above what may stand close beneath."""
        return self.body_bottom + (2.5 if self.has_strips or (self.marks and not self._is_roomy) else 5.0)

    @property
    def middle(self) -> float:
        return (self.body_top + self.body_bottom) / 2

    @property
    def body(self) -> float:
        return self.body_bottom - self.body_top

    # ---- units

    def units(self, column: int) -> int:
        """Number of units of a column; column 0 is the input."""
        return self.architecture.inputs if column == 0 else self.architecture.layers[column - 1].units

    def is_strip(self, column: int) -> bool:
        return self.units(column) > TALLEST or (column > 0 and not self.has_edges)

    @cached_property
    def has_strips(self) -> bool:
        return any(self.is_strip(column) for column in range(self.depth + 1))

    @cached_property
    def _tallest(self) -> int:
        return max(self.units(column) for column in range(self.depth + 1))

    @cached_property
    def row_pitch(self) -> float:
        counts = [layer.units for layer in self.architecture.layers if layer.units <= TALLEST]
        return self._spacing(max(counts, default=1), ROW_PITCH)

    def _spacing(self, count: int, largest: float) -> float:
        return min(largest, (self.body - 2 * RADIUS) / max(1, count - 1))

    @property
    def radius(self) -> float:
        return max(1.5, min(RADIUS, self.row_pitch * 0.42, self.pitch * 0.3))

    @property
    def input_size(self) -> float:
        """Side of an input's square."""
        room = self.pitch * 0.6 if self.has_edges else 2 * RADIUS
        return max(3.0, min(2 * RADIUS, 0.8 * self._spacing(self.architecture.inputs, 2 * self.row_pitch), room))

    @property
    def input_x(self) -> float:
        """Middle of the input column; where there are no edges it keeps clear of the first strip."""
        return self.columns.x(0) if self.has_edges else min(self.columns.x(0), self.columns.x(1) - 20.0)

    @property
    def strip_width(self) -> float:
        if not self.has_edges and self.pitch < GAPS_FROM:
            return self.pitch  # gaps as narrow as a pixel would come and go along the picture
        return min(STRIP_WIDTH, self.pitch * (0.5 if self.has_edges else 0.8))

    def strip(self, column: int) -> QRectF:
        """Outline of a column that is a strip; the taller the layer, the taller the strip."""
        share = max(0.4, math.sqrt(self.units(column) / self._tallest))
        height = self.body * share
        width = self.strip_width if column else min(STRIP_WIDTH, max(8.0, self.strip_width))
        x = self.columns.x(column) if column else self.input_x
        return QRectF(x - width / 2, self.middle - height / 2, width, height)

    def rows(self, column: int) -> Array:
        """Middle of each unit, from the top."""
        return self.anchors(column, self.units(column))

    def anchors(self, column: int, count: int) -> Array:
        """Heights at which ``count`` ends of edges meet a column: its units, or the blocks of a strip."""
        if self.is_strip(column):
            outline = self.strip(column)
            return outline.top() + (np.arange(count) + 0.5) * (outline.height() / count)
        spacing = self._spacing(count, 2 * self.row_pitch) if column == 0 else self.row_pitch
        return self.middle + (np.arange(count) - (count - 1) / 2) * spacing

    def unit_point(self, column: int, unit: int) -> QPointF:
        return QPointF(self.columns.x(column), float(self.rows(column)[unit]))

    @property
    def loss_point(self) -> QPointF:
        last = self.columns.x(self.depth) + (self.strip_width / 2 if self.is_strip(self.depth) else self.radius)
        return QPointF(max(self.columns.x(self.depth + 1), last + LOSS_SIZE / 2 + 10), self.middle)

    # ---- edges

    def visible_layers(self) -> range:
        return self.columns.visible()

    def gap(self, layer: int) -> Gap:
        """The edges into a layer."""
        info = self.architecture.layers[layer - 1]
        x0, x1 = (self.columns.x(column) for column in (layer - 1, layer))
        half = self.strip_width / 2
        return Gap(
            layer,
            x0 + (half if self.is_strip(layer - 1) else self.input_size / 2 if layer == 1 else 0.0),
            x1 - half * self.is_strip(layer),
            self.anchors(layer - 1, info.edge_rows),
            self.anchors(layer, info.edge_columns),
        )

    def gaps(self) -> Iterator[Gap]:
        """The edges of all layers that can be seen."""
        if self.has_edges:
            yield from (self.gap(layer) for layer in self.visible_layers())

    def width_factor(self, layer: int) -> float:
        """Edges between hidden layers stand closer, and are drawn thinner."""
        return min(1.0, self.row_pitch / 44.0) if 1 < layer < self.depth else 1.0

    @cached_property
    def edge_starts(self) -> NDArray[np.int64]:
        """(layers + 1,) where the edges of each layer begin in `Details.edge_gradients`; the last entry is their number."""
        counts = [info.edge_rows * info.edge_columns for info in self.architecture.layers]
        return np.concatenate(([0], np.cumsum(counts)))

    @cached_property
    def unit_starts(self) -> NDArray[np.int64]:
        """(layers + 1,) where the units of each layer begin in `Details.unit_deltas`; the last entry is their number."""
        return np.concatenate(([0], np.cumsum([info.units for info in self.architecture.layers])))

    def edge_slice(self, layer: int) -> slice:
        return slice(int(self.edge_starts[layer - 1]), int(self.edge_starts[layer]))

    def unit_slice(self, layer: int) -> slice:
        return slice(int(self.unit_starts[layer - 1]), int(self.unit_starts[layer]))

    # ---- what lies under a point

    def layer_at(self, point: QPointF) -> int | None:
        """The layer whose column the point is in, from its name down to the foot."""
        column = self.columns.column_at(point.x())
        near = abs(point.x() - self.columns.x(column)) <= max(self.pitch / 2, 1.0)
        top = self.road_y - 8.0 if self.has_road else self.names_y - 12.0
        return column if near and 1 <= column <= self.depth and point.y() >= top else None

    def is_beside_units(self, point: QPointF) -> bool:
        """Whether a point is above or beneath the units and edges of its column, where the column itself is meant."""
        return point.y() <= self.body_top or (self.gate_rows > 0 and self.inputs_y <= point.y() <= self.gate_y(self.gate_rows - 1) + 4)

    def unit_at(self, point: QPointF) -> tuple[int, int] | None:
        """(layer, unit) under the point; layer 0 is the input column."""
        column = self.columns.column_at(point.x())
        if not 0 <= column <= self.depth:
            return None
        if self.is_strip(column):
            outline = self.strip(column)
            if not outline.adjusted(-1, 0, 1, 0).contains(point):
                return None
            count = self.units(column)
            return column, min(count - 1, int((point.y() - outline.top()) / outline.height() * count))
        rows = self.rows(column)
        unit = int(np.argmin(np.abs(rows - point.y())))
        if column == 0:
            near = max(abs(point.x() - self.input_x), abs(point.y() - rows[unit])) <= self.input_size / 2 + 3
        else:
            near = math.hypot(point.x() - self.columns.x(column), point.y() - rows[unit]) <= self.radius + 3
        return (column, unit) if near else None

    def edge_at(self, point: QPointF, drawn: NDArray[np.bool_] | None = None) -> tuple[int, int, int] | None:
        """(layer, row, column) of the nearest edge within 3 pixels; one that is drawn goes before one that is not."""
        layer = int((point.x() - self.columns.x(0)) // self.pitch) + 1
        if not self.has_edges or not 1 <= layer <= self.depth:
            return None
        gap = self.gap(layer)
        if not gap.x0 <= point.x() <= gap.x1:
            return None
        share = (point.x() - gap.x0) / (gap.x1 - gap.x0)
        heights = gap.y0[:, None] * (1 - share) + gap.y1 * share
        slopes = (gap.y1 - gap.y0[:, None]) / (gap.x1 - gap.x0)
        distances = (np.abs(heights - point.y()) / np.sqrt(1 + slopes * slopes)).ravel()
        order = distances if drawn is None else distances + np.where(drawn[self.edge_slice(layer)], 0.0, REACH)
        nearest = int(np.argmin(order))
        if distances[nearest] > REACH:
            return None
        return layer, nearest // len(gap.y1), nearest % len(gap.y1)
