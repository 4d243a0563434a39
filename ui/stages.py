"""What the columns of a picture are called: layers, or in a recurrent net time steps, and which gradient is told of each."""

from __future__ import annotations

from dataclasses import dataclass

from gradviz.snapshot import Architecture
from gradviz.spec import Spec


@dataclass(frozen=True)
class StageWords:
    """The words for one kind of net."""

    one: str
    many: str
    title: str  # of a picture with the gradient of each
    head: str  # of a column of names
    size: str  # of the gradient of each, as one typical number …
    norm: str  # … and as the length of all of it
    returned: str  # the derivative behind δ
    bars: tuple[str, str, str]  # what a bar is, longest first

    def count(self, number: int) -> str:
        return f"{number:,} {self.one if number == 1 else self.many}"

    def stage(self, number: int, last: int) -> str:
        """One stage as it is told; ``last`` is the number of the output layer."""
        return "output layer" if number == last else f"{self.one} {number:,}"


LAYERS = StageWords(
    "layer",
    "layers",
    "Gradient per layer",
    "Layer",
    "|∂J/∂w|",
    "‖∂J/∂W‖",
    "∂J/∂z",
    ("bars: typical |∂J/∂w| of the weights into each layer", "bars: typical |∂J/∂w|", "bars: |∂J/∂w|"),
)
TIME_STEPS = StageWords(
    "time step",
    "time steps",
    "Gradient per time step",
    "Time step",
    "|∂J/∂hₜ|",
    "‖∂J/∂hₜ‖",
    "∂J/∂zₜ",
    ("bars: typical |∂J/∂hₜ| of each time step’s state, at Out |∂J/∂w|", "bars: typical |∂J/∂hₜ|", "bars: |∂J/∂hₜ|"),
)


def stage_words(recurrent: bool) -> StageWords:
    return TIME_STEPS if recurrent else LAYERS


def words_of(architecture: Architecture) -> StageWords:
    return stage_words(architecture.recurrent)


def training_step(spec: Spec) -> str:
    """What one step of the training is called: where a population evolves, it is a generation."""
    return "generation" if spec.training.method == "evolution" else "step"


def size_of(architecture: Architecture, number: int) -> str:
    """Which gradient the typical number of stage ``number`` is of: a recurrent net's last stage has weights of its own."""
    words = LAYERS if number == len(architecture.layers) else words_of(architecture)
    return words.size


def norm_of(architecture: Architecture, number: int) -> str:
    """Like `size_of`, of the length."""
    words = LAYERS if number == len(architecture.layers) else words_of(architecture)
    return words.norm


def returned_of(architecture: Architecture, number: int) -> str:
    """Like `size_of`, of the derivative by the sums."""
    words = LAYERS if number == len(architecture.layers) else words_of(architecture)
    return words.returned


def cut_of(architecture: Architecture, truncate: int) -> int:
    """The first time step that truncated back-propagation still reaches; 1 where nothing is cut off."""
    steps = len(architecture.layers) - 1
    return max(1, steps - truncate + 1) if architecture.recurrent and truncate else 1
