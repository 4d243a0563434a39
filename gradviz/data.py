"""Data sets: generated, shipped with the program, or the user's own, as arrays that are ready to train on.

Everything random comes from the seed alone, and the split into training and test from nothing else.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradviz import generated
from gradviz.csv_rows import DataError as DataError
from gradviz.resources import RESOURCES
from gradviz.sequence_sets import adding_table, recall_table, vowels_table
from gradviz.tables import Table, parse, read_file

Floats = NDArray[np.float64]
MAX_LABEL = 999  # largest class label in arrays of one's own; each class costs an output unit


@dataclass(frozen=True)
class Request:
    """What a data set may depend on; generated ones use the first three, files the next two, one example and sequences one each."""

    samples: int
    noise: float
    seed: int
    path: str = ""
    target: str = ""
    example: tuple[float, float] = (0.0, 0.0)
    lag: int = 100


@dataclass(frozen=True)
class DataSet:
    """One entry of `DATASETS`.

    Attributes:
        generated: whether ``samples`` counts, and ``noise`` too unless its examples are sequences.
        task: "classes" or "regression"; a CSV file may turn out to be either.
        make: gives the table, before scaling and splitting.
        image_shape: (rows, columns) of the picture that one example is.
        exact: the numbers are taken as they are: no scaling.
        sequence: what an example is a sequence of, which says how it is drawn: "symbols" (one-hot, the first one asked for),
            "marked" (numbers and marks, the marked ones to be added) or "series" (any numbers); "" where it is none.
    """

    title: str
    description: str
    generated: bool
    task: str
    make: Callable[[Request], Table]
    image_shape: tuple[int, int] | None = None
    exact: bool = False
    sequence: str = ""


@dataclass(frozen=True, eq=False)
class Data:
    """Arrays to train on; read-only.

    Attributes:
        inputs: (n, features) float64, or (n, time, features) of sequences, standardised by the training part's mean and standard
            deviation. A sequence that is shorter than the others has zeros in front.
        targets: (n,) int64 classes counted from 0, or (n, outputs) float64, standardised likewise.
        train, test: (examples,) row indices in random order; together each row once. ``test`` may be empty, ``train`` never is.
        class_names: empty for regression.
        task: "classes" or "regression".
        input_mean, input_std: (features,): original = inputs · std + mean.
        target_mean, target_std: (outputs,) for regression, (0,) for classes.
        sequence: as in `DataSet`.
        lengths: (n,) how many time steps of each sequence, the last ones, are real; None when all are, or there is no time.
    """

    inputs: Floats
    targets: NDArray[Any]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    input_names: tuple[str, ...]
    class_names: tuple[str, ...]
    task: str
    image_shape: tuple[int, int] | None
    input_mean: Floats
    input_std: Floats
    target_mean: Floats
    target_std: Floats
    title: str
    sequence: str = ""
    lengths: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def features(self) -> int:
        """Input units a network needs; of a sequence those of one time step."""
        return int(self.inputs.shape[-1])

    @property
    def is_sequence(self) -> bool:
        """Whether an example is a sequence of inputs, one after another."""
        return self.inputs.ndim == 3

    @property
    def time(self) -> int:
        """Time steps of an example; 1 where it is no sequence."""
        return int(self.inputs.shape[1]) if self.is_sequence else 1

    @property
    def outputs(self) -> int:
        """Output units a network needs: 1 for two classes, else one per class; for regression the target columns."""
        if self.task == "regression":
            return int(self.targets.shape[1])
        return len(self.class_names) if len(self.class_names) > 2 else 1


def load(
    name: str,
    *,
    samples: int,
    noise: float,
    test_fraction: float,
    seed: int,
    path: str = "",
    target: str = "",
    example: tuple[float, float] = (0.0, 0.0),
    lag: int = 100,
) -> Data:
    """The data set called ``name``, standardised and split.

    Args:
        name: a key of `DATASETS`.
        samples: examples to generate (generated sets only).
        noise: standard deviation of the displacement (generated points and curves only).
        test_fraction: share kept aside; at least one example stays for training.
        seed: determines the points, their displacement and the split.
        path: the CSV file ("csv" only).
        target: its column to predict: name, number from 1, or "" for the last ("csv" only).
        example: input and target ("one_example" only).
        lag: time steps that what is asked for has to be carried ("recall", lag + 1 time steps; "adding", lag time steps).

    Raises:
        DataError: unknown name, a file that cannot be used, or too many and too long sequences.
    """
    if name not in DATASETS:
        raise DataError(f"There is no data set {name!r:.60}; there are {', '.join(DATASETS)}.")
    entry = DATASETS[name]
    table = entry.make(Request(samples, noise, seed, path, target, example, lag))
    rows = len(table.inputs)
    order = generated.stream(seed, "split").permutation(rows)
    kept = max(1, rows - round(rows * test_fraction))
    # left in drawn order, so that the first few of either part are a fair sample even of a table sorted by class
    train, test = order[:kept], order[kept:]

    scaled = _as_they_are if entry.exact else _standardised
    inputs, input_mean, input_std = scaled(table.inputs, train, table.lengths)
    targets: NDArray[Any] = table.targets
    target_mean, target_std = np.zeros(0), np.zeros(0)
    if not table.class_names:
        targets, target_mean, target_std = scaled(np.asarray(table.targets, dtype=np.float64), train)
    return Data(
        inputs=inputs,
        targets=targets.copy(),
        train=train,
        test=test,
        input_names=table.input_names,
        class_names=table.class_names,
        task="classes" if table.class_names else "regression",
        image_shape=entry.image_shape,
        input_mean=input_mean,
        input_std=input_std,
        target_mean=target_mean,
        target_std=target_std,
        title=entry.title,
        sequence=entry.sequence,
        lengths=table.lengths,
    )


def from_arrays(inputs: ArrayLike | None, targets: ArrayLike | None) -> Data:
    """Arrays of one's own, taken as they are: no scaling, no split, all for training.

    Args:
        inputs: (n, features) numbers, or (n, time, features) for sequences.
        targets: (n,) integers or booleans are class labels counted from 0, and there are max + 1 classes (at least 2);
            (n,) or (n, outputs) floats, or (n, outputs) integers, are regression targets.

    Raises:
        DataError: shapes that do not fit, nothing there, NaN or infinity, negative labels, or no numbers.
    """
    x, y = _numeric("inputs", inputs), _numeric("targets", targets)
    if x.ndim not in (2, 3):
        raise DataError(f"inputs have shape {x.shape}; they must be (examples, features), or (examples, time, features) for sequences.")
    if y.ndim not in (1, 2):
        raise DataError(f"targets have shape {y.shape}; they must be (examples,) or (examples, outputs).")
    if x.size == 0 or y.size == 0:
        raise DataError(f"inputs of shape {x.shape} and targets of shape {y.shape} hold nothing to learn from.")
    if len(x) != len(y):
        raise DataError(f"inputs have {len(x)} rows but targets have {len(y)}; they must have the same number.")
    for name, values in (("inputs", x), ("targets", y)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            raise DataError(f"{name}{[int(n) for n in bad[0]]} is {values[tuple(bad[0])]}; every number must be finite.")

    classes = y.ndim == 1 and y.dtype.kind in "iub"
    names: tuple[str, ...] = ()
    if classes:
        lowest, highest = int(y.min()), int(y.max())
        if lowest < 0:
            raise DataError(f"targets hold the class label {lowest}; labels count from 0. Give floats for regression.")
        if highest > MAX_LABEL:
            raise DataError(f"targets hold the class label {highest}, above {MAX_LABEL}. Give floats for regression.")
        names = tuple(str(label) for label in range(max(2, highest + 1)))
    wide = y.astype(np.float64) if y.ndim == 2 else y.astype(np.float64)[:, None]
    outputs = 0 if classes else wide.shape[1]
    return Data(
        inputs=np.array(x, dtype=np.float64),
        targets=y.astype(np.int64) if classes else wide,
        train=np.arange(len(x)),
        test=np.arange(0),
        input_names=generated.input_names(x.shape[-1]),
        class_names=names,
        task="classes" if classes else "regression",
        image_shape=None,
        input_mean=np.zeros(x.shape[-1]),
        input_std=np.ones(x.shape[-1]),
        target_mean=np.zeros(outputs),
        target_std=np.ones(outputs),
        title="Your own arrays",
        sequence="series" if x.ndim == 3 else "",
    )


def _numeric(name: str, values: ArrayLike | None) -> NDArray[Any]:
    if values is None:
        raise DataError(f"{name} are missing; inputs and targets belong together.")
    try:
        found = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} are not an array ({error}).") from None
    if found.dtype.kind not in "fiub":
        raise DataError(f"{name} are of type {found.dtype}; they must be real numbers.")
    return found


def _standardised(values: Floats, train: NDArray[np.int64], lengths: NDArray[np.int64] | None = None) -> tuple[Floats, Floats, Floats]:
    """Values with mean 0 and standard deviation 1 over the training rows; columns constant there are only shifted.

    Of sequences of these lengths only the last time steps count, and the others, which are none, are 0.
    """
    part = values[train]
    real = None
    if lengths is not None:
        real = np.arange(values.shape[1]) >= values.shape[1] - lengths[:, None]
        part = part[real[train]]
    constant = part.min(axis=0) == part.max(axis=0)
    # The rounded mean of a constant column is off by an ulp, and its deviation an ulp instead of 0: set both exactly.
    mean = np.where(constant, part[0], part.mean(axis=0))
    std = np.where(constant, 1.0, part.std(axis=0))
    std[std == 0.0] = 1.0  # differences so small that their squares underflow
    scaled: Floats = (values - mean) / std
    if real is not None:
        scaled[~real] = 0.0
    return scaled, mean, std


def _as_they_are(values: Floats, train: NDArray[np.int64], lengths: NDArray[np.int64] | None = None) -> tuple[Floats, Floats, Floats]:
    return values, np.zeros(values.shape[-1]), np.ones(values.shape[-1])


@cache
def _shipped_table(file: str) -> Table:
    content = (RESOURCES / "data" / file).read_bytes()
    return parse((gzip.decompress(content) if file.endswith(".gz") else content).decode())


def _shipped(file: str, request: Request) -> Table:
    return _shipped_table(file)


def _cloud(shape: generated.Shape, classes: int, request: Request) -> Table:
    return generated.cloud(shape, classes, request.samples, request.noise, request.seed)


def _sine(request: Request) -> Table:
    return generated.sine(request.samples, request.noise, request.seed)


def _one_example(request: Request) -> Table:
    x, y = request.example
    return Table(np.array([[x]]), np.array([[y]]), generated.input_names(1), ())


def _recall(request: Request) -> Table:
    return recall_table(request.samples, request.lag, request.seed)


def _adding(request: Request) -> Table:
    return adding_table(request.samples, request.lag, request.seed)


def _vowels(request: Request) -> Table:
    return vowels_table("japanese_vowels.csv.gz")


def _own(request: Request) -> Table:
    try:
        return read_file(request.path, request.target)
    except DataError as error:
        raise DataError(f"{Path(request.path).name or 'No file'}: {error}") from None


DATASETS: dict[str, DataSet] = {
    "moons": DataSet("Two moons", "Two half circles that reach into each other.", True, "classes", partial(_cloud, generated.moons, 2)),
    "circles": DataSet(
        "Circles", "A circle inside another; no straight line parts them.", True, "classes", partial(_cloud, generated.circles, 2)
    ),
    "xor": DataSet(
        "XOR", "Opposite quarters belong together; no straight line parts them.", True, "classes", partial(_cloud, generated.xor, 2)
    ),
    "spirals": DataSet(
        "Two spirals", "Two arms wound around each other; needs depth.", True, "classes", partial(_cloud, generated.spirals, 2)
    ),
    "blobs": DataSet("Blobs", "Four heaps, one class each; easy.", True, "classes", partial(_cloud, generated.blobs, 4)),
    "sine": DataSet("Sine curve", "Regression: two periods of a sine, from one input.", True, "regression", _sine),
    "digits": DataSet(
        "Handwritten digits",
        "1,797 pictures of 8 × 8 pixels, ten classes.",
        False,
        "classes",
        partial(_shipped, "digits.csv.gz"),
        (8, 8),
    ),
    "breast_cancer": DataSet(
        "Breast cancer",
        "569 tumours, 30 measures of their cell nuclei, two classes.",
        False,
        "classes",
        partial(_shipped, "breast_cancer.csv"),
    ),
    "wine": DataSet("Wine", "178 wines, 13 chemical measures, three growers.", False, "classes", partial(_shipped, "wine.csv")),
    "iris": DataSet("Iris", "150 flowers, 4 measures, three species.", False, "classes", partial(_shipped, "iris.csv")),
    "recall": DataSet(
        "Recall the first symbol",
        "Sequences: say at the end which of four symbols came first, after a long stretch of symbols that mean nothing.",
        True,
        "classes",
        _recall,
        exact=True,
        sequence="symbols",
    ),
    "adding": DataSet(
        "Adding problem",
        "Sequences: say at the end the sum of the two numbers that were marked; always answering 1 has a mean squared error of 1/6.",
        True,
        "regression",
        _adding,
        exact=True,
        sequence="marked",
    ),
    "japanese_vowels": DataSet(
        "Japanese vowels",
        "Sequences: 640 utterances of 7 to 29 frames, 12 measures of the sound each; nine speakers.",
        False,
        "classes",
        _vowels,
        sequence="series",
    ),
    "one_example": DataSet(
        "One example", "One input x and its target y, to work a product out by hand.", False, "regression", _one_example, exact=True
    ),
    "csv": DataSet("Your own CSV file", "Any table of numbers, with one column to predict.", False, "classes", _own),
}
"""Every data set by its name in `spec.DataSpec.name`."""

SEQUENCES: tuple[str, ...] = tuple(name for name, entry in DATASETS.items() if entry.sequence)
"""The sets whose examples are sequences, which take a recurrent network."""
