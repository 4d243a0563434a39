"""What the network says about its data: a surface, a curve, a few images, or a table of right and wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.data import Data
from gradviz.snapshot import Prediction

Floats = NDArray[np.floating[Any]]
Answer = Callable[[Floats], Floats]

GRID = 48
IMAGES = 12
MOST_EXAMPLES = 500  # asked about at once, which bounds the cost
MARGIN = 0.08  # of the data's extent, around it


def predict(data: Data, answer: Answer) -> Prediction:
    """Ask the network about its data.

    ``answer`` maps (examples, features) to outputs (examples, outputs): logits for classes (one output: of class 1).
    """
    if data.task == "regression":
        return _curve(data, answer) if data.inputs.shape[1] == 1 else _scatter(data, answer)
    asked = (data.test if len(data.test) else data.train)[:MOST_EXAMPLES]
    outputs = answer(data.inputs[asked])
    right = classes_of(outputs) == data.targets[asked]
    # an output that is not a number is no answer, and so not a right one
    accuracy = float(np.mean(right & np.isfinite(outputs).all(axis=1)))
    if data.image_shape is not None:
        return _images(data, answer, accuracy)
    if data.inputs.shape[1] == 2:
        return _surface(data, answer, accuracy)
    count = len(data.class_names)
    confusion = np.zeros((count, count), np.int64)
    np.add.at(confusion, (data.targets[asked], classes_of(outputs)), 1)
    return Prediction("confusion", accuracy, data.class_names, confusion=confusion)


def classes_of(outputs: Floats) -> NDArray[np.int64]:
    """The class each row of outputs answers."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(np.int64)
    return outputs.argmax(axis=1)


def probabilities(outputs: Floats) -> Floats:
    """(examples, classes) softmax of the logits; of a single output, the sigmoid as (examples, 1)."""
    with np.errstate(all="ignore"):
        if outputs.shape[1] == 1:
            single: Floats = 1.0 / (1.0 + np.exp(-outputs))
            return single
        raised = np.exp(outputs - outputs.max(axis=1, keepdims=True))
        return raised / raised.sum(axis=1, keepdims=True)


def _shown(data: Data) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The examples to draw, and which of them are in the test set."""
    shown = np.concatenate((data.train[:MOST_EXAMPLES], data.test[:MOST_EXAMPLES]))
    return shown, np.isin(shown, data.test)


def _extent(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _surface(data: Data, answer: Answer, accuracy: float) -> Prediction:
    (left, right), (bottom, top) = _extent(data.inputs[:, 0]), _extent(data.inputs[:, 1])
    x, y = np.meshgrid(np.linspace(left, right, GRID), np.linspace(bottom, top, GRID))
    shares = probabilities(answer(np.stack((x.ravel(), y.ravel()), axis=1)))
    if shares.shape[1] <= 2:
        values = shares[:, -1]
    else:
        values = np.where(np.isfinite(shares).all(axis=1), shares.argmax(axis=1).astype(float), np.nan)
    shown, in_test = _shown(data)
    return Prediction(
        "surface",
        accuracy,
        data.class_names,
        extent=(left, right, bottom, top),
        grid=values.reshape(GRID, GRID),
        points=data.inputs[shown],
        point_labels=data.targets[shown],
        point_in_test=in_test,
    )


def _curve(data: Data, answer: Answer) -> Prediction:
    left, right = _extent(data.inputs[:, 0])
    x = np.linspace(left, right, 4 * GRID)
    shown, in_test = _shown(data)
    points = np.stack((data.inputs[shown, 0], data.targets[shown, 0]), axis=1)
    return Prediction(
        "curve",
        None,
        extent=(left, right, *_extent(points[:, 1])),
        curve_x=x,
        curve_y=answer(x[:, None])[:, 0].astype(float),
        points=points,
        point_labels=np.zeros(len(shown), np.int64),
        point_in_test=in_test,
    )


def _scatter(data: Data, answer: Answer) -> Prediction:
    shown, in_test = _shown(data)
    true, said = data.targets[shown, 0], answer(data.inputs[shown])[:, 0]
    both = _extent(true)
    return Prediction(
        "scatter",
        None,
        extent=(*both, *both),
        points=np.stack((true, said), axis=1).astype(float),
        point_labels=np.zeros(len(shown), np.int64),
        point_in_test=in_test,
    )


def _images(data: Data, answer: Answer, accuracy: float) -> Prediction:
    assert data.image_shape is not None
    shown = (data.test if len(data.test) else data.train)[:IMAGES]
    outputs = answer(data.inputs[shown])
    answers, shares = classes_of(outputs), probabilities(outputs)
    return Prediction(
        "images",
        accuracy,
        data.class_names,
        images=data.inputs[shown].reshape(-1, *data.image_shape),
        labels=data.targets[shown],
        answers=answers,
        confidences=shares[np.arange(len(shown)), answers],
    )
