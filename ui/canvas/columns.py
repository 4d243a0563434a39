"""Where the layers stand from left to right: one set of columns for the network, the profile and all that lines up with them."""

from __future__ import annotations

from dataclasses import dataclass, replace

LEFT_MARGIN = 100.0
RIGHT_MARGIN = 60.0
MAX_PITCH = 136.0  # zoomed in further, columns only drift apart
FEWEST_COLUMNS = 7  # a shallow net keeps this pitch's spacing instead of spreading over the whole width


@dataclass(frozen=True)
class Columns:
    """Column positions in logical pixels.

    ``layers`` counts hidden layers and the output layer. Column 0 is the input, 1 … layers the layers, layers + 1 the loss.
    ``zoom`` 1 fits the whole net into ``width``; ``offset`` is how many pixels the columns are scrolled to the left.
    """

    width: float
    layers: int
    zoom: float = 1.0
    offset: float = 0.0

    @property
    def room(self) -> float:
        """Width between the margins."""
        return max(1.0, self.width - LEFT_MARGIN - RIGHT_MARGIN)

    @property
    def pitch(self) -> float:
        """Distance between neighbouring columns."""
        return self.room / max(self.layers + 1, FEWEST_COLUMNS) * self.zoom

    @property
    def start(self) -> float:
        """Centre of the input column before scrolling; columns that leave room stand in the middle of it."""
        return LEFT_MARGIN + max(0.0, self.room - self.pitch * (self.layers + 1)) / 2

    def x(self, column: float) -> float:
        """Centre of a column."""
        return self.start + self.pitch * column - self.offset

    def column_at(self, x: float) -> int:
        """Number of the nearest column, clamped to those there are."""
        return min(self.layers + 1, max(0, round((x - self.start + self.offset) / self.pitch)))

    @property
    def largest_offset(self) -> float:
        return max(0.0, self.pitch * (self.layers + 1) - self.room) if self.zoom > 1.0 else 0.0

    @property
    def largest_zoom(self) -> float:
        return max(1.0, MAX_PITCH / replace(self, zoom=1.0).pitch)

    def scrolled(self, pixels: float) -> Columns:
        """The same columns moved to the left by so many pixels, as far as there are any."""
        return replace(self, offset=min(self.largest_offset, max(0.0, self.offset + pixels)))

    def zoomed(self, factor: float, around: float) -> Columns:
        """Zoomed by ``factor`` with the point at x = ``around`` staying where it is."""
        zoom = min(self.largest_zoom, max(1.0, self.zoom * factor))
        wider = replace(self, zoom=zoom, offset=0.0)
        column = (around - self.start + self.offset) / self.pitch
        return wider.scrolled(wider.x(column) - around)

    def resized(self, width: float) -> Columns:
        """The same part of the net in another width."""
        wider = replace(self, width=width, offset=0.0)
        return wider.scrolled(self.offset * wider.pitch / self.pitch)

    def visible(self) -> range:
        """Numbers of the layers (1 … layers) whose columns can be seen, with one more on either side."""
        first = int((self.offset - self.start) / self.pitch) - 1
        last = int((self.offset - self.start + self.width) / self.pitch) + 2
        return range(max(1, first), min(self.layers, last) + 1)
