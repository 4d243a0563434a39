"""Data sets: generated, shipped with the program, or the user's own, as arrays that are ready to train on.

Everything random comes from the seed alone. The points, their displacement and the split into training and test are
drawn from separate streams, so that more noise moves the same points further and leaves the split as it was.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gradviz.resources import RESOURCES
from gradviz.tables import DataError as DataError
from gradviz.tables import Table, parse, read_file

Floats = NDArray[np.float64]
MAX_LABEL = 999  # largest class label in arrays of one's own; each class costs an output unit


@dataclass(frozen=True)
class Request:
    """What a data set may depend on; generated ones use the first three, files the last two."""

    samples: int
    noise: float
    seed: int
    path: str = ""
    target: str = ""


@dataclass(frozen=True)
class DataSet:
    """One entry of `DATASETS`.

    Attributes:
        generated: whether ``samples`` and ``noise`` count.
        task: "classes" or "regression"; a CSV file may turn out to be either.
        make: gives the table, before scaling and splitting.
        image_shape: (rows, columns) of the picture that one example is.
    """

    title: str
    description: str
    generated: bool
    task: str
    make: Callable[[Request], Table]
    image_shape: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Data:
    """Arrays to train on; read-only.

    Attributes:
        inputs: (n, features) float64, standardised by the training part's mean and standard deviation.
        targets: (n,) int64 classes counted from 0, or (n, outputs) float64, standardised likewise.
        train, test: (examples,) row indices in random order; together each row once. ``test`` may be empty, ``train`` never is.
        class_names: empty for regression.
        task: "classes" or "regression".
        input_mean, input_std: (features,): original = inputs · std + mean.
        target_mean, target_std: (outputs,) for regression, (0,) for classes.
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

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    @property
    def features(self) -> int:
        return self.inputs.shape[1]

    @property
    def outputs(self) -> int:
        """Output units a network needs: 1 for two classes, else one per class; for regression the target columns."""
        if self.task == "regression":
            return int(self.targets.shape[1])
        return len(self.class_names) if len(self.class_names) > 2 else 1


def load(name: str, *, samples: int, noise: float, test_fraction: float, seed: int, path: str = "", target: str = "") -> Data:
    """The data set called ``name``, standardised and split.

    Args:
        name: a key of `DATASETS`.
        samples: examples to generate (generated sets only).
        noise: standard deviation of the displacement (generated sets only).
        test_fraction: share kept aside; at least one example stays for training.
        seed: determines the points, their displacement and the split.
        path: the CSV file ("csv" only).
        target: its column to predict: name, number from 1, or "" for the last ("csv" only).

    Raises:
        DataError: unknown name, or a file that cannot be used.
    """
    if name not in DATASETS:
        raise DataError(f"There is no data set {name!r:.60}; there are {', '.join(DATASETS)}.")
    entry = DATASETS[name]
    table = entry.make(Request(samples, noise, seed, path, target))
    rows = len(table.inputs)
    order = _stream(seed, "split").permutation(rows)
    kept = max(1, rows - round(rows * test_fraction))
    # left in drawn order, so that the first few of either part are a fair sample even of a table sorted by class
    train, test = order[:kept], order[kept:]

    inputs, input_mean, input_std = _standardised(table.inputs, train)
    targets: NDArray[Any] = table.targets
    target_mean, target_std = np.zeros(0), np.zeros(0)
    if not table.class_names:
        targets, target_mean, target_std = _standardised(np.asarray(table.targets, dtype=np.float64), train)
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
    )


def from_arrays(inputs: ArrayLike, targets: ArrayLike) -> Data:
    """Arrays of one's own, taken as they are: no scaling, no split, all for training.

    Args:
        inputs: (n, features) numbers.
        targets: (n,) integers or booleans are class labels counted from 0, and there are max + 1 classes (at least 2);
            (n,) or (n, outputs) floats, or (n, outputs) integers, are regression targets.

    Raises:
        DataError: shapes that do not fit, nothing there, NaN or infinity, negative labels, or no numbers.
    """
    x, y = _numeric("inputs", inputs), _numeric("targets", targets)
    if x.ndim != 2:
        raise DataError(f"inputs have shape {x.shape}; they must be (examples, features).")
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
        input_names=_input_names(x.shape[1]),
        class_names=names,
        task="classes" if classes else "regression",
        image_shape=None,
        input_mean=np.zeros(x.shape[1]),
        input_std=np.ones(x.shape[1]),
        target_mean=np.zeros(outputs),
        target_std=np.ones(outputs),
        title="Your own arrays",
    )


def _numeric(name: str, values: ArrayLike) -> NDArray[Any]:
    try:
        found = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{name} are not an array ({error}).") from None
    if found.dtype.kind not in "fiub":
        raise DataError(f"{name} are of type {found.dtype}; they must be real numbers.")
    return found


def _standardised(values: Floats, train: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Values with mean 0 and standard deviation 1 over the training rows; columns constant there are only shifted."""
    part = values[train]
    constant = part.min(axis=0) == part.max(axis=0)
    # The rounded mean of a constant column is off by an ulp, and its deviation an ulp instead of 0: set both exactly.
    mean = np.where(constant, part[0], part.mean(axis=0))
    std = np.where(constant, 1.0, part.std(axis=0))
    std[std == 0.0] = 1.0  # differences so small that their squares underflow
    return (values - mean) / std, mean, std


def _stream(seed: int, purpose: str) -> np.random.Generator:
    return np.random.default_rng([seed, ("points", "noise", "split").index(purpose)])


def _input_names(features: int) -> tuple[str, ...]:
    return tuple("x" + str(n).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")) for n in range(1, features + 1))


# -- generated ------------------------------------------------------------------------------------------------------

Shape = Callable[[np.random.Generator, NDArray[np.int64]], Floats]


def _cloud(shape: Shape, classes: int, request: Request) -> Table:
    """Points of equally large classes placed by ``shape``, each displaced by normally distributed noise."""
    labels = np.arange(request.samples) % classes
    points = shape(_stream(request.seed, "points"), labels)
    points += request.noise * _stream(request.seed, "noise").standard_normal(points.shape)
    return Table(points, labels, _input_names(2), tuple(str(label) for label in range(classes)))


def _moons(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    angle = rng.uniform(0.0, np.pi, len(labels))
    lower = labels == 1
    x = np.where(lower, 1.0 - np.cos(angle), np.cos(angle))
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle))
    return np.column_stack([x, y])


def _circles(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    angle = rng.uniform(0.0, 2.0 * np.pi, len(labels))
    radius = np.where(labels == 1, 0.5, 1.0)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def _xor(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    # The margin along both axes keeps the classes apart as long as there is no noise.
    size = rng.uniform(0.1, 1.0, (len(labels), 2))
    x_sign = rng.choice([-1.0, 1.0], len(labels))
    y_sign = np.where(labels == 1, -x_sign, x_sign)
    return size * np.column_stack([x_sign, y_sign])


def _spirals(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    # Square roots of uniform numbers spread the points evenly along the arm instead of crowding them at the centre.
    along = 0.1 + 0.9 * np.sqrt(rng.uniform(0.0, 1.0, len(labels)))
    angle = 3.5 * np.pi * along + np.pi * labels
    return np.column_stack([along * np.cos(angle), along * np.sin(angle)])


def _blobs(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    centres = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    return centres[labels] + 0.25 * rng.standard_normal((len(labels), 2))


def _sine(request: Request) -> Table:
    x = _stream(request.seed, "points").uniform(-np.pi, np.pi, (request.samples, 1))
    y = np.sin(2.0 * x) + request.noise * _stream(request.seed, "noise").standard_normal(x.shape)
    return Table(x, y, ("x",), ())


# -- files ----------------------------------------------------------------------------------------------------------


@cache
def _shipped_table(file: str) -> Table:
    content = (RESOURCES / "data" / file).read_bytes()
    return parse((gzip.decompress(content) if file.endswith(".gz") else content).decode())


def _shipped(file: str, request: Request) -> Table:
    return _shipped_table(file)


def _own(request: Request) -> Table:
    return read_file(request.path, request.target)


DATASETS: dict[str, DataSet] = {
    "moons": DataSet("Two moons", "Two half circles that reach into each other.", True, "classes", partial(_cloud, _moons, 2)),
    "circles": DataSet("Circles", "A circle inside another; no straight line parts them.", True, "classes", partial(_cloud, _circles, 2)),
    "xor": DataSet("XOR", "Opposite quarters belong together; no straight line parts them.", True, "classes", partial(_cloud, _xor, 2)),
    "spirals": DataSet("Two spirals", "Two arms wound around each other; needs depth.", True, "classes", partial(_cloud, _spirals, 2)),
    "blobs": DataSet("Blobs", "Four heaps, one class each; easy.", True, "classes", partial(_cloud, _blobs, 4)),
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
    "csv": DataSet("Your own CSV file", "Any table of numbers, with one column to predict.", False, "classes", _own),
}
"""Every data set by its name in `spec.DataSpec.name`."""
