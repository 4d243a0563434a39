"""What is minimised: which loss fits the data, how many outputs it needs, and what guessing would reach."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.data import Data
from gradviz.spec import SpecError


def resolve_loss(name: str, data: Data) -> str:
    """The loss in force: ``auto`` picks by the data.

    Raises:
        SpecError: when cross-entropy is asked for and the data have no classes.
    """
    if name == "auto":
        if data.task == "regression":
            return "mse"
        return "binary_cross_entropy" if len(data.class_names) == 2 else "cross_entropy"
    if name == "cross_entropy" and data.task == "regression":
        raise SpecError("training.loss", name, "mse or auto, because the target of these data is a number and not a class")
    return name


def output_count(loss: str, data: Data) -> int:
    """How many outputs the network needs."""
    if data.task == "regression":
        return int(data.targets.shape[1])
    classes = len(data.class_names)
    return 1 if classes == 2 and loss != "cross_entropy" else classes


def guessing_loss(loss: str, targets: NDArray[Any]) -> float:
    """The loss of a network that ignores its input and always answers the frequencies (or the mean) of the targets.

    ``targets`` are encoded, (outputs, examples) or, for cross-entropy, (examples,).
    """
    if loss == "cross_entropy":
        shares = np.bincount(targets) / len(targets)
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum())
    means = targets.mean(axis=1, dtype=float)
    if loss == "mse":
        return float(targets.var(axis=1, dtype=float).mean())
    inside = np.clip(means, 1e-300, 1.0)
    outside = np.clip(1.0 - means, 1e-300, 1.0)
    return float(-(means * np.log(inside) + (1.0 - means) * np.log(outside)).mean())
