"""The second part of the activation lab: a sigmoid sharpened into a step with a slider."""

from __future__ import annotations

from collections.abc import Iterable

from gradviz.function_lab import sharp_sigmoid, sharp_sigmoid_slope
from gradviz.spec import FieldInfo

from ..controls.numbers import SliderInput
from .activation_slider import SliderRow
from .lab_blocks import Cards, Figure, Title, Words
from .lab_page import Block
from .sharpness_view import GENTLEST, SHARPEST, SharpPlot, number, points

SHARPNESS = FieldInfo("", "", "Sharpness k", "How steeply the sigmoid σ(kx) rises.", "float", 4.0, GENTLEST, SHARPEST, log=True)
COLUMNS = ("quantity", "x", "value")
TEXT = (
    "As k grows, σ(kx) tends to the Heaviside step: 0 for x < 0, 1 for x ≥ 0.",
    "Its derivative gets higher and narrower and keeps its area. It tends to the Dirac delta: 0 everywhere except at 0, "
    "and still with area 1.",
    "As an activation the step is of no use to back-propagation: its gradient is exactly 0 at every z but 0, where it has none; "
    "there this program takes 0 too. Nothing before it learns.",
)


class SharpPart:
    """The blocks of the part; it depends on no snapshot."""

    def __init__(self) -> None:
        self.title = Title("Sigmoid to step")
        self.title.captions = ("functions alone, not this network", "not this network")
        self.slider = SliderRow(SHARPNESS.title, SliderInput(SHARPNESS), SHARPNESS.help)
        self.cards, self.plot, self.text = Cards(), SharpPlot(), Words()
        self.text.show_text(*TEXT)
        self.blocks: tuple[Block, ...] = (self.title, self.slider, self.cards, self.plot, self.text)
        self.slider.wanted.connect(self.show_sharpness)
        self.show_sharpness(SHARPNESS.default)

    def show_sharpness(self, k: float) -> None:
        """Draw σ(kx) for this k; raises ValueError unless it is positive and finite."""
        self.plot.show_sharpness(k)
        self.slider.show_value(k)
        slope = self.plot.slope
        width = 2 * slope.half_width
        self.cards.show_figures(
            Figure("Peak", slope.peak, number(slope.peak), ("k/4",), hint="peak of the derivative"),
            Figure("Width", width, number(width), ("at half height", "half height"), hint="width at half the height"),
            Figure("Area", slope.area, f"{slope.area:.3f}", ("summed numerically", "measured"), hint="area under the derivative"),
        )

    def spoken(self) -> str:
        """The picture in words."""
        slope = self.plot.slope
        return f"Sigmoid of {number(slope.sharpness)} x: the peak of its derivative is {number(slope.peak)}, its area {slope.area:.3f}."

    def rows(self) -> Iterable[tuple[object, ...]]:
        """The numbers behind the picture: `COLUMNS`."""
        slope = self.plot.slope
        for name in ("sharpness", "peak", "half_width", "area"):
            yield name, None, getattr(slope, name)
        x = points(slope.sharpness)
        for quantity, function in (("sigmoid", sharp_sigmoid), ("derivative", sharp_sigmoid_slope)):
            for at, value in zip(x.tolist(), function(x, slope.sharpness).tolist(), strict=True):
                yield quantity, at, value
