"""What the network says about its data: the right kind, the right answers, and NaN where there is none."""

import numpy as np
import pytest

from gradviz.arrays import Floats
from gradviz.data import Data, from_arrays, load
from gradviz.experiment import Experiment
from gradviz.prediction import NO_ANSWER, classes_of, predict, scores
from gradviz.spec import Spec


def made(name: str, samples: int = 100, noise: float = 0.0) -> Data:
    return load(name, samples=samples, noise=noise, test_fraction=0.2, seed=0)


def oracle(data: Data, scale: float = 5.0) -> dict[bytes, Floats]:
    """Outputs that are right for every example, by its inputs."""
    rows = scale * (2.0 * data.targets[:, None] - 1 if data.outputs == 1 else np.eye(data.outputs)[data.targets])
    return {x.tobytes(): row for x, row in zip(data.inputs, rows, strict=True)}


@pytest.mark.parametrize("name", ["moons", "blobs", "digits", "wine", "breast_cancer"])
def test_a_net_that_is_right_has_all_right(name: str) -> None:
    data = made(name)
    known = oracle(data)
    other = np.zeros(data.outputs)  # at the points of the surface

    def answer(inputs: Floats) -> Floats:
        return np.array([known.get(x.tobytes(), other) for x in inputs])

    prediction = predict(data, answer)
    assert prediction.accuracy == 1.0
    if prediction.confusion is not None:
        np.testing.assert_array_equal(prediction.confusion, np.diag(np.bincount(data.targets[data.test])))
    if prediction.images is not None:
        assert prediction.images.shape == (12, 8, 8)
        assert (round(prediction.images.min()), round(prediction.images.max())) == (0, 16)
        np.testing.assert_array_equal(prediction.answers, data.targets[data.test[:12]])
        np.testing.assert_allclose(prediction.confidences, np.exp(5) / (np.exp(5) + 9))


def test_a_surface_has_the_probability_of_class_1_from_the_lowest_y() -> None:
    data = made("moons")
    prediction = predict(data, lambda inputs: inputs[:, 1:] - 0.25, grid=5)
    left, right, bottom, top = prediction.extent
    assert left < data.inputs[:, 0].min() < data.inputs[:, 0].max() < right
    assert prediction.grid is not None
    y = np.linspace(bottom, top, 5)
    np.testing.assert_allclose(prediction.grid, np.tile(1 / (1 + np.exp(0.25 - y)), (5, 1)).T)


def test_several_classes_give_the_index_of_the_largest_output() -> None:
    prediction = predict(made("blobs"), lambda inputs: np.where(inputs[:, :1] > 0, [0, 0, 3, 0], [0, 7, 0, 0]), grid=4)
    assert prediction.grid is not None
    np.testing.assert_array_equal(prediction.grid, [[1, 1, 2, 2]] * 4)


def test_the_loss_says_what_an_output_means() -> None:
    data = made("moons")
    as_value = predict(data, lambda inputs: np.full((len(inputs), 1), 0.4), "mse", grid=2)
    as_logit = predict(data, lambda inputs: np.full((len(inputs), 1), 0.4), grid=2)
    two_logits = predict(data, lambda inputs: np.tile([0.0, 0.4], (len(inputs), 1)), "cross_entropy", grid=2)
    assert as_value.grid is not None
    assert as_logit.grid is not None
    assert two_logits.grid is not None
    np.testing.assert_array_equal(as_value.grid, 0.4)
    np.testing.assert_allclose(as_logit.grid, 1 / (1 + np.exp(-0.4)))
    np.testing.assert_allclose(two_logits.grid, as_logit.grid)
    share = float(np.mean(data.targets[data.test] == 1))
    assert (as_value.accuracy, as_logit.accuracy) == (pytest.approx(1 - share), pytest.approx(share))


def test_regression_gives_a_curve_or_true_against_answered() -> None:
    data = made("sine")
    prediction = predict(data, lambda inputs: 2 * inputs)
    assert (prediction.kind, prediction.accuracy) == ("curve", None)
    assert prediction.curve_x is not None
    np.testing.assert_array_equal(prediction.curve_y, 2 * prediction.curve_x)
    two = from_arrays(np.arange(6.0).reshape(3, 2), [0.5, 1.5, 2.5])
    prediction = predict(two, lambda inputs: inputs[:, 1:])
    assert prediction.kind == "scatter"
    np.testing.assert_array_equal(prediction.points, [[0.5, 1], [1.5, 3], [2.5, 5]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_no_answer(bad: float) -> None:
    outputs = np.array([[1.0, 2.0], [bad, 1.0], [3.0, -800.0]])
    for loss in ("cross_entropy", "binary_cross_entropy", "mse"):
        np.testing.assert_array_equal(classes_of(scores(outputs, loss)), [1, NO_ANSWER, 0])
    for name in ("moons", "digits", "wine"):
        data = made(name)
        prediction = predict(data, lambda inputs, n=data.outputs: np.full((len(inputs), n), bad))
        assert prediction.accuracy is not None
        assert np.isnan(prediction.accuracy)  # 0 would say that there are answers
        assert prediction.grid is None or np.isnan(prediction.grid).all()
        assert prediction.confidences is None or np.isnan(prediction.confidences).all()
        assert prediction.confusion is None or prediction.confusion.sum() == 0


def test_huge_logits_are_certain_and_raise_nothing() -> None:
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(scores(np.array([[1e300], [-1e300]]), "binary_cross_entropy"), [[1.0], [0.0]])
        np.testing.assert_array_equal(scores(np.array([[1e308, -1e308]]), "cross_entropy"), [[1.0, 0.0]])


# -- sequences


@pytest.mark.parametrize("name", ["recall", "japanese_vowels"])
def test_of_sequences_with_classes_a_few_are_shown_and_all_counted(name: str) -> None:
    data = load(name, samples=100, noise=0.0, test_fraction=0.2, seed=0, lag=10)
    known = oracle(data)
    prediction = predict(data, lambda inputs: np.array([known[x.tobytes()] for x in inputs]))
    assert (prediction.kind, prediction.accuracy, prediction.grid, prediction.points) == ("sequences", 1.0, None, None)
    np.testing.assert_array_equal(prediction.confusion, np.diag(np.bincount(data.targets[data.test], minlength=data.outputs)))
    shown = data.test[:4]
    np.testing.assert_array_equal(prediction.sequences, data.inputs[shown])
    np.testing.assert_array_equal(prediction.labels, data.targets[shown])
    np.testing.assert_array_equal(prediction.answers, data.targets[shown])
    np.testing.assert_allclose(prediction.confidences, np.exp(5) / (np.exp(5) + data.outputs - 1))
    np.testing.assert_array_equal(prediction.lengths, [11] * 4 if data.lengths is None else data.lengths[shown])


def test_of_the_adding_problem_true_and_answered_sums_are_told() -> None:
    data = load("adding", samples=100, noise=0.0, test_fraction=0.2, seed=0, lag=10)
    prediction = predict(data, lambda inputs: (inputs[..., :1] * inputs[..., 1:]).sum(axis=1))
    assert (prediction.kind, prediction.accuracy, prediction.confusion) == ("sequences", None, None)
    assert prediction.points is not None
    np.testing.assert_allclose(prediction.points[:, 0], prediction.points[:, 1])
    assert len(prediction.points) == 20
    np.testing.assert_allclose(prediction.labels, data.targets[data.test[:4], 0])
    np.testing.assert_allclose(prediction.answers, prediction.labels)


@pytest.mark.parametrize(("features", "classes"), [(1, False), (2, True), (1, True)])
def test_sequences_have_neither_a_curve_nor_a_surface(features: int, classes: bool) -> None:
    inputs = np.random.default_rng(0).normal(size=(9, 5, features))
    data = from_arrays(inputs, np.arange(9) % 2 if classes else np.arange(9.0))
    prediction = predict(data, lambda asked: asked[:, -1, :1])
    assert (prediction.kind, prediction.sequence) == ("sequences", "series")
    bad = predict(data, lambda asked: np.full((len(asked), 1), np.nan))
    assert bad.accuracy is None or (classes and np.isnan(bad.accuracy))
    assert (bad.confusion is not None and int(bad.confusion.sum())) == (0 if classes else False)


def test_of_long_sequences_fewer_are_asked_about() -> None:
    asked: list[int] = []

    def answer(inputs: Floats) -> Floats:
        asked.append(len(inputs))
        return np.zeros((len(inputs), 4))

    for lag in (10, 150, 1000):
        predict(load("recall", samples=2000, noise=0.0, test_fraction=0.4, seed=0, lag=lag), answer)
    assert asked == [500, 165, 100]


def test_a_step_whose_answers_have_overflowed_has_no_accuracy() -> None:
    experiment = Experiment(Spec().replace("network.activation", "identity").replace("training.learning_rate", 10.0))
    while experiment.trainer.failure is None:
        before = experiment.measure()
        experiment.advance()
    shown = [before.prediction, experiment.measure().prediction]
    for prediction in shown:
        assert prediction is not None
        assert prediction.accuracy is not None
        assert prediction.grid is not None
        assert np.isnan(prediction.accuracy) == np.isnan(prediction.grid).all()
    assert np.isnan(shown[1].accuracy)
