"""The third part of the activation lab: whether a function is linear, tried at numbers of one's own or random ones."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gradviz.activations import ACTIVATIONS
from gradviz.function_lab import Linearity, counter_example, linearity

from .lab_blocks import Title, Words
from .lab_page import Block
from .linearity_controls import LinearityControls
from .linearity_view import EquationPlot, tries_words

COLUMNS = ("quantity", "value")
FIRST_TRY = (1.0, 2.0, -1.0)  # x, y, a


class LinearPart:
    """The blocks of the part; the function is that of the net until another is chosen."""

    def __init__(self) -> None:
        self.title = Title("Is it linear?")
        self.title.captions = ("functions alone, not this network", "not this network")
        self.controls, self.formula = LinearityControls(), Words(caption=True)
        self.additive, self.homogeneous, self.text = EquationPlot("additive"), EquationPlot("homogeneous"), Words()
        self.blocks: tuple[Block, ...] = (self.title, self.controls, self.formula, self.additive, self.homogeneous, self.text)
        self.numbers = FIRST_TRY
        self.chosen = ""  # empty: the activation in force
        self._in_force = ("sigmoid", 0.0)
        self._random = np.random.default_rng(1)

    def show(self, in_force: tuple[str, float]) -> None:
        """Fill all blocks; ``in_force``: activation and parameter of the layer that is looked at."""
        self._in_force = in_force
        tried = self.tried()
        activation = ACTIVATIONS[tried.name]
        self.controls.show_tried(tried.name, self.numbers)
        alpha = f", α = {tried.parameter:.4g}" if activation.parameter else ""
        self.formula.show_text(f"f(z) = {activation.formula}{alpha}")
        self.additive.show_tried(tried)
        self.homogeneous.show_tried(tried)
        self.text.show_text(tries_words(tried.name, round(tried.parameter, 3)))

    @property
    def function(self) -> tuple[str, float]:
        """Name and parameter of the function that is tried."""
        name = self.chosen or self._in_force[0]
        return name, self._in_force[1] if name == self._in_force[0] else ACTIVATIONS[name].parameter

    def tried(self) -> Linearity:
        """Both equations at the present numbers."""
        name, parameter = self.function
        return linearity(name, *self.numbers, parameter)

    def choose(self, name: str) -> None:
        """Try another function from now on."""
        self.chosen = name
        self.controls.say("")

    def take(self, x: float, y: float, a: float) -> None:
        """Try other numbers."""
        self.numbers = (x, y, a)
        self.controls.say("")

    def take_random(self) -> None:
        """Draw the numbers anew, in tenths."""
        x, y = (float(value) for value in self._random.integers(-40, 41, 2) / 10)
        self.take(x, y, float(self._random.integers(-30, 31)) / 10)

    def find_counter_example(self) -> None:
        """Take numbers where both equations fail clearly; says so when there are none."""
        name, parameter = self.function
        found = counter_example(name, self._random, parameter)
        if found is None:
            self.controls.say(f"None found for {ACTIVATIONS[name].title}: both sides were equal wherever it was tried.")
        else:
            self.take(found.x, found.y, found.a)

    def spoken(self) -> str:
        """The picture in words."""
        x, y, a = (f"{value:g}" for value in self.numbers)
        title = ACTIVATIONS[self.function[0]].title
        return f"{title} at x = {x}, y = {y}, a = {a}: sums {self.additive.verdict}, multiples {self.homogeneous.verdict}."

    def rows(self) -> Iterable[tuple[object, ...]]:
        """The numbers behind the picture: `COLUMNS`."""
        tried = self.tried()
        for name in tried.__struct_fields__:
            yield name, getattr(tried, name)
