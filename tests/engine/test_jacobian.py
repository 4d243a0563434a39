"""Singular values of Jacobians: against finite differences, against exact products, and what becomes of 0, NaN and tiny ones."""

import math
from fractions import Fraction

import numpy as np
import pytest

from gradviz.experiment import Experiment
from gradviz.jacobian import Factor, directions, spectra_backwards, spectrum
from gradviz.jacobian_report import FEWEST_DIRECTIONS, MOST_MAPS, directions_within, factors, orthogonal_report
from gradviz.network import Pass
from gradviz.quantities import quantity
from gradviz.recurrent import RecurrentPass
from gradviz.snapshot import Look
from gradviz.spec import Spec
from gradviz.spectra import JacobianReport


def experiment(network: dict, data: dict | None = None, **training: object) -> Experiment:
    return Experiment(Spec.from_dict({"network": network, "data": data or {"name": "moons"}, "training": training}))


def report(own: Experiment, **look: object) -> JacobianReport:
    found = own.measure(Look(lab="jacobian", **look)).lab
    assert isinstance(found, JacobianReport)
    return found


def plain(weight: np.ndarray, slope: np.ndarray | None = None) -> Factor:
    return Factor(((weight, np.ones(weight.shape[1]) if slope is None else slope),))


def gaussian(rng: np.random.Generator, units: int, count: int) -> list[Factor]:
    return [plain(rng.standard_normal((units, units)) / math.sqrt(units)) for _ in range(count)]


def exact_determinant(factors: list[Factor]) -> float:
    """log10 |det| of the product, summed factor by factor."""
    return sum(np.linalg.slogdet(factor.matrix())[1] for factor in factors) / math.log(10)


def exact_product(factors: list[Factor]) -> list[list[Fraction]]:
    """Multiplied out in rational numbers: nothing is rounded."""
    size = factors[0].inputs
    found = [[Fraction(int(row == column)) for column in range(size)] for row in range(size)]
    for factor in factors:
        own = [[Fraction(float(value)) for value in row] for row in factor.matrix()]
        found = [[sum((a * found[k][j] for k, a in enumerate(row)), Fraction(0)) for j in range(size)] for row in own]
    return found


def test_singular_values_of_one_matrix_are_those_of_the_decomposition() -> None:
    rng = np.random.default_rng(1)
    weight, slope = rng.standard_normal((7, 5)), rng.uniform(0.1, 1.0, 5)
    expected = np.log10(np.linalg.svd(np.diag(slope) @ weight.T, compute_uv=False))
    np.testing.assert_allclose(spectrum([plain(weight, slope)], 7).log10, expected, rtol=1e-12)


@pytest.mark.parametrize(("units", "count"), [(2, 60), (2, 300)])
def test_a_long_product_keeps_its_smallest_singular_value(units: int, count: int) -> None:
    """Of 2 × 2 matrices both follow from the product's trace and determinant, worked out here in rational numbers."""
    chain = gaussian(np.random.default_rng(3), units, count)
    a, b, c, d = (value for row in exact_product(chain) for value in row)
    square, determinant = a * a + b * b + c * c + d * d, abs(a * d - b * c)
    ratio = determinant / square  # σ1² + σ2² and σ1 σ2: with σ2 ≪ σ1, σ1² is their sum but for (σ2 / σ1)², far below rounding
    assert float(ratio) < 1e-12
    log = lambda value: (math.log10(value.numerator) - math.log10(value.denominator))  # noqa: E731
    largest = log(square) / 2
    np.testing.assert_allclose(spectrum(chain, units).log10, [largest, log(determinant) - largest], rtol=1e-10)


@pytest.mark.parametrize(("units", "count"), [(8, 100), (24, 60)])
def test_singular_values_of_a_deep_product_multiply_to_its_determinant(units: int, count: int) -> None:
    chain = gaussian(np.random.default_rng(5), units, count)
    found = spectrum(chain, units)
    assert found.log10[0] - found.log10[-1] > 30  # of a plain product only the first ones would be left
    assert found.zeros == found.lost == 0
    np.testing.assert_allclose(found.log10.sum(), exact_determinant(chain), rtol=1e-11)
    backwards = [plain(factor.matrix()) for factor in reversed(chain)]  # the transposes, from the other end: the same singular values
    np.testing.assert_allclose(spectrum(backwards, units).log10, found.log10, atol=1e-9)


def test_products_beyond_floating_point_numbers_keep_their_size() -> None:
    rng = np.random.default_rng(2)
    for scale, sign in ((1e-200, -1), (1e200, 1)):
        chain = [plain(scale * np.linalg.qr(rng.standard_normal((5, 5)))[0]) for _ in range(20)]
        np.testing.assert_allclose(spectrum(chain, 5).log10, sign * 4000.0, rtol=1e-12)


def test_units_without_slope_give_exact_zeros_and_rounding_none() -> None:
    rng = np.random.default_rng(4)
    slopes = (rng.random((6, 8)) < 0.7).astype(float)
    chain = [plain(rng.standard_normal((8, 8)), slope) for slope in slopes]
    found = spectrum(chain, 8)
    narrowest = int(slopes.sum(axis=1).min())
    assert (found.zeros, found.lost, len(found.log10)) == (8 - narrowest, 0, narrowest)
    whole = np.linalg.multi_dot([factor.matrix() for factor in reversed(chain)])
    np.testing.assert_allclose(found.log10, np.log10(np.linalg.svd(whole, compute_uv=False)[:narrowest]), atol=1e-9)
    assert found.log10_condition == math.inf


def test_nothing_gets_through_a_layer_of_dead_units() -> None:
    chain = [plain(np.eye(3)), plain(np.eye(3), np.zeros(3)), plain(np.eye(3))]
    found = spectra_backwards(chain, (0, 1, 2, 3), 3)
    assert [(found[i].zeros, len(found[i].log10)) for i in (0, 1, 2, 3)] == [(3, 0), (3, 0), (0, 3), (0, 3)]
    assert found[0].log10_mean_square == -math.inf
    assert math.isnan(found[0].log10_condition)


def test_what_rounding_leaves_no_digits_of_is_said_to_be_lost() -> None:
    found = spectrum([plain(np.ones((6, 6)))], 6)  # of rank 1
    assert (len(found.log10), found.zeros, found.lost) == (1, 0, 5)
    np.testing.assert_allclose(found.log10, [math.log10(6)])


@pytest.mark.parametrize("noise", [1e-3, 1e-5, 1e-7])
def test_nearly_singular_maps_keep_three_digits(noise: float) -> None:
    rng = np.random.default_rng(6)
    chain = [plain(np.ones((6, 6)) + noise * rng.standard_normal((6, 6))) for _ in range(12)]
    found = spectrum(chain, 6)
    assert found.lost == 0
    assert found.log10[0] - found.log10[-1] > 40
    np.testing.assert_allclose(found.log10.sum(), exact_determinant(chain), atol=1e-3)


def test_nothing_is_told_that_what_is_lost_could_have_outgrown() -> None:
    """Nearly nilpotent: the direction that the first map loses to rounding (10⁻³⁰) is all that is left after six of them."""
    chain = [plain(np.eye(6, k=1) + 1e-5 * np.eye(6)) for _ in range(20)]
    found = spectrum(chain, 6)
    whole = exact_product(chain)
    largest = max(abs(value) for row in whole for value in row)
    assert math.log10(largest.numerator) - math.log10(largest.denominator) < -60
    assert (len(found.log10), found.zeros, found.lost) == (0, 0, 6)


def test_nan_and_infinity_are_told() -> None:
    for bad in (np.nan, np.inf):
        weight = np.eye(3)
        weight[1, 1] = bad
        found = spectra_backwards([plain(weight), plain(np.eye(3))], (0, 1), 3)
        assert (found[0].finite, found[1].finite) == (False, True)
        assert math.isnan(found[0].log10_mean_square)


def test_a_bottleneck_is_zeros_behind_it() -> None:
    rng = np.random.default_rng(7)
    found = spectrum([plain(rng.standard_normal((6, 2))), plain(rng.standard_normal((2, 6)))], 6)
    assert (len(found.log10), found.zeros, found.lost) == (2, 4, 0)


def test_in_fewer_directions_singular_values_lie_between_the_extremes() -> None:
    chain = gaussian(np.random.default_rng(8), 40, 3)
    every, few = spectrum(chain, 40), spectrum(chain, 10)
    assert few.count == 10
    assert every.log10[0] >= few.log10[0] >= few.log10[-1] >= every.log10[-1]
    np.testing.assert_allclose(directions(40, 10).T @ directions(40, 10), np.eye(10), atol=1e-12)


def test_without_a_factor_there_is_no_product() -> None:
    with pytest.raises(ValueError, match="at least one factor"):
        spectrum([], 3)


# ---- of networks

NETS = {
    "tanh": {"depth": 4, "width": 5, "activation": "tanh"},
    "widths": {"depth": 3, "widths": (6, 3, 5), "activation": "sigmoid"},
    "skips": {"depth": 5, "width": 4, "activation": "gelu", "skip_every": 2},
    "batch norm": {"depth": 3, "width": 5, "activation": "silu", "batch_norm": True},
    "learnt slope": {"depth": 3, "width": 5, "activation": "prelu"},
    "per layer": {"depth": 3, "width": 5, "activation": "tanh", "activations": ("elu", "softplus", "tanh")},
}


@pytest.mark.parametrize("name", NETS)
def test_every_map_is_what_a_small_change_does(name: str) -> None:
    """Central differences on each map by itself, batch norm's statistics held."""
    own = experiment(NETS[name], learning_rate=0.01)
    for _ in range(3):
        own.advance()
    run, vector = own.trainer.run, own.trainer.passed_with
    assert isinstance(run, Pass)
    for start, end, factor in factors(run, vector, 2):
        at = (run.inputs if start == 0 else run.layers[start - 1].outputs)[:, 2].astype(float)
        size = 1e-6
        columns = [
            (through(run, vector, start, end, at + size * unit) - through(run, vector, start, end, at - size * unit)) / (2 * size)
            for unit in np.eye(len(at))
        ]
        np.testing.assert_allclose(factor.matrix(), np.array(columns).T, atol=2e-8)


def through(run: Pass, vector: np.ndarray, start: int, end: int, value: np.ndarray) -> np.ndarray:
    """What the layers after ``start`` up to ``end`` make of one example, with batch norm's statistics as in the pass."""
    from gradviz.activations import ACTIVATIONS

    network, kept = run.network, value
    for layer in range(start + 1, end + 1):
        name = f"layer{layer:02d}"
        get = lambda kind, name=name: vector[network.slices[f"{name}.{kind}"]]  # noqa: E731
        value = value @ get("weight").reshape(-1, network.widths[layer - 1])
        norm = run.layers[layer - 1].batch_norm
        if norm is None:
            value = value + get("bias")
        else:
            mean = norm.inputs.mean(axis=1)
            value = (value - mean) / norm.spread * get("scale") + get("shift")
        alpha = float(get("alpha")[0]) if f"{name}.alpha" in network.slices else network.activation_parameter(layer)
        value = ACTIVATIONS[network.activations[layer - 1]].function(value, alpha)
    return value + kept if end in network.skips else value


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_time_step_is_what_a_small_change_of_the_state_does(kind: str) -> None:
    own = experiment({"kind": kind, "width": 4, "activation": "tanh"}, {"name": "recall", "lag": 6})
    own.advance()
    run = own.trainer.run
    assert isinstance(run, RecurrentPass)
    maps = factors(run, own.trainer.passed_with, 0)
    assert len(maps) == run.time + 1
    weight = own.trainer.passed_with  # the weights the pass was made with
    own.network.vector[:] = weight
    for t in (2, run.time):
        size, columns = 1e-6, []
        for unit in np.eye(maps[t - 1][2].inputs):
            columns.append((stepped(own, t, size * unit) - stepped(own, t, -size * unit)) / (2 * size))
        np.testing.assert_allclose(maps[t - 1][2].matrix(), np.array(columns).T, atol=2e-8)


def stepped(own: Experiment, t: int, change: np.ndarray) -> np.ndarray:
    """The state after time step t, of an LSTM c and h, where the one before it was changed in the first example."""
    run = own.network.make_pass(own.trainer.batches.size)
    run.fetch(own.trainer._inputs, own.trainer.chosen)
    hidden = own.network.hidden
    for earlier in range(1, t):
        run.cell.forward(earlier)
    run.cell.states[t - 2][:, 0] += change[-hidden:]
    if len(change) > hidden:
        run.cell.memories[t - 2][:, 0] += change[:hidden]
    run.cell.forward(t)
    state = run.cell.states[t - 1][:, 0]
    return np.concatenate([run.cell.memories[t - 1][:, 0], state]) if len(change) > hidden else state.copy()


def test_the_report_multiplies_the_maps_it_tells_of() -> None:
    own = experiment(NETS["skips"])
    own.advance()
    found = report(own, example=1)
    chain = [factor.matrix() for _, _, factor in factors(own.trainer.run, own.trainer.passed_with, 1)]
    hidden = np.linalg.multi_dot(list(reversed(chain[1:-1])))
    np.testing.assert_allclose(found.hidden.log10, np.log10(np.linalg.svd(hidden, compute_uv=False)), atol=1e-9)
    np.testing.assert_allclose(found.whole.log10, np.log10(np.linalg.norm(chain[-1] @ hidden @ chain[0], 2)), atol=1e-9)
    assert [one.name for one in found.maps] == ["L1", "L1 → L3", "L3 → L5", "Out"]
    assert found.maps[0].onward is not None
    np.testing.assert_array_equal(found.maps[0].onward.log10, found.hidden.log10)
    assert found.maps[-1].onward is None
    squares = [np.mean(np.linalg.svd(matrix, compute_uv=False) ** 2) for matrix in chain[1:-1]]
    np.testing.assert_allclose(found.log10_product, np.log10(squares).sum(), atol=1e-9)
    assert (found.example, found.example_number) == (1, int(own.trainer.chosen[1]))


def test_orthogonal_weights_without_bends_are_an_isometry_and_gaussian_ones_are_not() -> None:
    for width, depth in ((8, 10), (16, 30)):
        own = experiment({"depth": depth, "width": width, "activation": "identity", "initializer": "lecun_normal"})
        found, other = report(own), report(own, lab_orthogonal=True)
        np.testing.assert_allclose(other.hidden.log10, 0.0, atol=1e-12)
        assert (other.weights, other.step, found.weights) == ("orthogonal", 0, "own")
        assert found.hidden.log10_condition > 3
        own.advance()
        np.testing.assert_allclose(report(own, lab_orthogonal=True).hidden.log10, 0.0, atol=1e-12)
        assert report(own).step == 1


def test_orthogonal_weights_and_those_of_a_net_that_has_them_are_one_report() -> None:
    own = experiment({"depth": 5, "width": 6, "activation": "tanh", "initializer": "orthogonal", "gain": 1.1})
    np.testing.assert_array_equal(report(own).hidden.log10, report(own, lab_orthogonal=True).hidden.log10)


def test_deep_and_wide_nets_are_sampled_and_say_so() -> None:
    own = experiment({"depth": 120, "width": 3, "activation": "tanh", "initializer": "orthogonal"})
    found = report(own)
    assert (len(found.maps), found.chain) == (MOST_MAPS, 119)
    assert (found.maps[0].end, found.maps[-1].end) == (1, 121)
    maps = [plain(np.empty((1024, 1024))) for _ in range(19)]
    assert FEWEST_DIRECTIONS <= directions_within(maps) < 64
    assert directions_within([plain(np.empty((8, 8)))] * 10) == 8


def test_one_hidden_layer_has_an_empty_product() -> None:
    found = report(experiment({"depth": 1, "width": 4}))
    assert found.chain == 0
    assert found.log10_product == 0.0
    np.testing.assert_array_equal(found.hidden.log10, np.zeros(4))


def test_an_exploded_net_is_reported() -> None:
    own = experiment({"depth": 4, "width": 4, "activation": "relu", "initializer": "he_normal"}, learning_rate=10.0)
    own.network.parameters["layer02.weight"][0, 0] = np.nan
    own.advance()
    found = report(own)
    assert (found.maps[0].own.finite, found.maps[2].own.finite) == (True, False)  # L3's slopes are those of what is not a number
    assert not found.hidden.finite
    assert math.isnan(quantity(own.measure(Look(lab="jacobian")), "jacobian.largest"))


def test_inside_a_step_the_maps_are_those_of_one_pass() -> None:
    own = experiment({"depth": 3, "width": 4, "activation": "tanh"}, learning_rate=0.5)
    own.advance()
    phases = own.phases()
    next(phases)  # the first layer's signal is new, the others' is old
    inside = report(own).hidden.log10
    for _ in phases:
        pass
    np.testing.assert_allclose(report(own).hidden.log10, inside, atol=1e-12)


def test_quantities_of_the_product() -> None:
    own = experiment({"depth": 6, "width": 5, "activation": "identity", "initializer": "orthogonal", "gain": 0.5})
    snapshot = own.measure(Look(lab="jacobian"))
    for name, expected in (("largest", 0.5**5), ("smallest", 0.5**5), ("condition", 1.0), ("mean_square", 0.25**5), ("product", 0.25**5)):
        assert quantity(snapshot, f"jacobian.{name}") == pytest.approx(expected)
    assert (quantity(snapshot, "jacobian.zero"), quantity(snapshot, "jacobian.count")) == (0, 5)


def test_an_example_that_is_not_there_is_refused() -> None:
    own = experiment({"depth": 2, "width": 3}, batch_size=8)
    with pytest.raises(ValueError, match="example 8 is not in the mini-batch"):
        orthogonal_report(own.spec, own.data, own.architecture, 8)
