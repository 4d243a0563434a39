"""What the network says about its data: a surface, a curve, a few images or sequences, or a table of right and wrong.

Asked often while the network trains, so everything that depends on the data alone is made once, and no more than some
hundred examples are asked about.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.data import Data
from gradviz.known import once_per_data
from gradviz.snapshot import Prediction

Answer = Callable[[Floats], Floats]
Extent = tuple[float, float, float, float]

GRID = 48
IMAGES = 12
SEQUENCES = 4
MOST_EXAMPLES = 500
MOST_STEPS = 25_000  # time steps that are asked about at once: of long sequences fewer examples
LEAST_EXAMPLES = 100
MARGIN = 0.08  # of the data's extent, around it
NO_ANSWER = -1  # in place of a class where the outputs are not finite


def predict(data: Data, answer: Answer, loss: str = "", grid: int = GRID) -> Prediction:
    """Ask the network about its data.

    Args:
        data: what it learns.
        answer: maps inputs (examples, features), or (examples, time, features) of sequences, to outputs (examples, outputs) in
            evaluation mode.
        loss: name of the loss, which says what an output means: with "mse" the answer itself, with
            "binary_cross_entropy" a logit, with "cross_entropy" one logit per class. When empty, that of the task.
        grid: points along each side of a decision surface.

    Returns:
        The prediction in standardised coordinates, and images as they were before. Where an output is not finite, a
        surface or confidence is NaN, a class `NO_ANSWER`, and the answer a wrong one; where none is, the accuracy is NaN.
    """
    if data.is_sequence:
        return _sequences(data, answer, loss)
    if data.task == "regression":
        loss = loss or "mse"
        return _curve(data, answer, loss) if data.features == 1 else _scatter(data, answer, loss)
    loss = loss or _class_loss(data)
    asked = _asked(data)
    answered = classes_of(scores(answer(data.inputs[asked]), loss))
    accuracy = _accuracy(answered, data.targets[asked])
    if data.image_shape is not None:
        return _images(data, answer, loss, accuracy)
    if data.features == 2:
        return _surface(data, answer, loss, accuracy, grid)
    return Prediction("confusion", accuracy, data.class_names, confusion=_confusion(data, asked, answered))


def _accuracy(answered: NDArray[np.int64], targets: NDArray[Any]) -> float:
    """The share of right answers; NaN without any answer, where 0 would say that all of them are wrong."""
    return float(np.mean(answered == targets)) if (answered != NO_ANSWER).any() else math.nan


def _class_loss(data: Data) -> str:
    return "binary_cross_entropy" if data.outputs == 1 else "cross_entropy"


def _asked(data: Data) -> NDArray[np.int64]:
    """The examples that the network is asked about: of the test set if there is one."""
    most = max(LEAST_EXAMPLES, min(MOST_EXAMPLES, MOST_STEPS // data.time))
    return (data.test if len(data.test) else data.train)[:most]


def _confusion(data: Data, asked: NDArray[np.int64], answered: NDArray[np.int64]) -> NDArray[np.int64]:
    count = len(data.class_names)
    confusion = np.zeros((count, count), np.int64)
    known = answered != NO_ANSWER
    np.add.at(confusion, (data.targets[asked][known], answered[known]), 1)
    return confusion


def scores(outputs: Floats, loss: str) -> Floats:
    """(examples, outputs) how much each output speaks for its class; NaN in the rows with an output that is not finite."""
    # No exponent here is positive, so nothing overflows; 1 / (1 + e^−z) for z < 0 is e^z / (1 + e^z).
    values = np.where(np.isfinite(outputs).all(axis=1, keepdims=True), outputs, np.nan)
    if loss == "binary_cross_entropy":
        small = np.exp(-np.abs(values))
        return np.where(values >= 0, 1.0, small) / (1.0 + small)
    if loss == "cross_entropy":
        with np.errstate(over="ignore"):  # between the ends of the floating-point range: the smaller counts for nothing
            raised = np.exp(values - values.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))
    return values


def classes_of(scores: Floats) -> NDArray[np.int64]:
    """(examples,) the class each row of `scores` speaks for; a single column stands for class 1."""
    found = (scores[:, 0] > 0.5).astype(np.int64) if scores.shape[1] == 1 else scores.argmax(axis=1)
    return np.where(np.isnan(scores).any(axis=1), NO_ANSWER, found)


def _surface(data: Data, answer: Answer, loss: str, accuracy: float, grid: int) -> Prediction:
    mesh, extent = _mesh(data, grid)
    said = scores(answer(mesh), loss)
    values = said[:, -1] if len(data.class_names) == 2 else np.where(np.isnan(said[:, 0]), np.nan, classes_of(said))
    shown, in_test = _shown(data)
    return Prediction(
        "surface",
        accuracy,
        data.class_names,
        extent=extent,
        grid=values.reshape(grid, grid),
        points=data.inputs[shown],
        point_labels=data.targets[shown],
        point_in_test=in_test,
    )


def _curve(data: Data, answer: Answer, loss: str) -> Prediction:
    left, right = _range(data.inputs[:, 0])
    x = np.linspace(left, right, 4 * GRID)
    shown, in_test = _shown(data)
    return Prediction(
        "curve",
        None,
        extent=(left, right, *_range(data.targets[:, 0])),
        curve_x=x,
        curve_y=_value(answer(x[:, None]), loss),
        points=np.stack((data.inputs[shown, 0], data.targets[shown, 0]), axis=1),
        point_labels=np.zeros(len(shown), np.int64),
        point_in_test=in_test,
    )


def _scatter(data: Data, answer: Answer, loss: str) -> Prediction:
    shown, in_test = _shown(data)
    both = _range(data.targets[:, 0])
    return Prediction(
        "scatter",
        None,
        extent=(*both, *both),
        points=np.stack((data.targets[shown, 0], _value(answer(data.inputs[shown]), loss)), axis=1),
        point_labels=np.zeros(len(shown), np.int64),
        point_in_test=in_test,
    )


def _images(data: Data, answer: Answer, loss: str, accuracy: float) -> Prediction:
    assert data.image_shape is not None
    shown = (data.test if len(data.test) else data.train)[:IMAGES]
    said = scores(answer(data.inputs[shown]), loss)
    answers = classes_of(said)
    return Prediction(
        "images",
        accuracy,
        data.class_names,
        images=(data.inputs[shown] * data.input_std + data.input_mean).reshape(-1, *data.image_shape),
        labels=data.targets[shown],
        answers=answers,
        confidences=_confidences(said, answers),
    )


def _confidences(said: Floats, answers: NDArray[np.int64]) -> Floats:
    """(examples,) how much speaks for the answered class, from 0 to 1."""
    # the column of the answered class; where there is no answer any column does, all being NaN
    sure = said[np.arange(len(said)), answers] if said.shape[1] > 1 else np.where(answers == 1, said[:, 0], 1.0 - said[:, 0])
    return np.clip(sure, 0.0, 1.0)


def _sequences(data: Data, answer: Answer, loss: str) -> Prediction:
    asked, inputs = _asked_sequences(data)
    outputs = answer(inputs)
    shown = asked[:SEQUENCES]
    lengths = np.full(len(shown), data.time) if data.lengths is None else data.lengths[shown]
    pictures = np.array(inputs[:SEQUENCES])  # a copy, else all the others would go to the window with it
    if data.task == "regression":
        true, answered = data.targets[asked, 0], _value(outputs, loss or "mse")
        both = _range(data.targets[:, 0])
        return Prediction(
            "sequences",
            None,
            extent=(*both, *both),
            points=np.stack((true, answered), axis=1),
            point_labels=np.zeros(len(asked), np.int64),
            point_in_test=np.full(len(asked), len(data.test) > 0),
            sequences=pictures,
            sequence=data.sequence,
            lengths=lengths,
            labels=true[:SEQUENCES],
            answers=answered[:SEQUENCES],
        )
    said = scores(outputs, loss or _class_loss(data))
    answers = classes_of(said)
    return Prediction(
        "sequences",
        _accuracy(answers, data.targets[asked]),
        data.class_names,
        sequences=pictures,
        sequence=data.sequence,
        lengths=lengths,
        labels=data.targets[shown],
        answers=answers[:SEQUENCES],
        confidences=_confidences(said, answers)[:SEQUENCES],
        confusion=_confusion(data, asked, answers),
    )


@once_per_data
def _asked_sequences(data: Data) -> tuple[NDArray[np.int64], Floats]:
    """The examples that are asked about, and their inputs in one piece: picking them out anew would cost more than many an answer."""
    asked = _asked(data)
    inputs = data.inputs[asked]
    inputs.setflags(write=False)
    return asked, inputs


def _value(outputs: Floats, loss: str) -> Floats:
    """(examples,) the first output as the number it answers."""
    first = outputs[:, :1]
    return np.asarray((scores(first, loss) if loss == "binary_cross_entropy" else first)[:, 0], dtype=np.float64)


def _range(values: Floats) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = MARGIN * (high - low) or 1.0
    return low - margin, high + margin


@once_per_data
def _mesh(data: Data, grid: int) -> tuple[Floats, Extent]:
    """(grid², 2) inputs, lowest y first, and the extent they cover."""
    (left, right), (bottom, top) = _range(data.inputs[:, 0]), _range(data.inputs[:, 1])
    x, y = np.meshgrid(np.linspace(left, right, grid), np.linspace(bottom, top, grid))
    return np.stack((x.ravel(), y.ravel()), axis=1), (left, right, bottom, top)


@once_per_data
def _shown(data: Data) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The examples to draw, and which of them are in the test set."""
    train, test = data.train[:MOST_EXAMPLES], data.test[:MOST_EXAMPLES]
    return np.concatenate((train, test)), np.repeat([False, True], [len(train), len(test)])
