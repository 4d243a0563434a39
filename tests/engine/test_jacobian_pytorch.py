"""PyTorch's automatic differentiation as a second opinion on the singular values of Jacobians, in float64."""

from typing import Any

import numpy as np
import pytest

from gradviz.jacobian_report import jacobian_report
from gradviz.network import Network, Pass
from tests.engine.test_jacobian import NETS, experiment
from tests.engine.test_pytorch import ACTIVATE

torch = pytest.importorskip("torch")


def forward(network: Network, run: Pass, value: Any, start: int, end: int) -> Any:
    """One example from the outputs of layer ``start`` to those of ``end``, with the statistics of batch norm held."""
    outputs = {start: value}
    for layer in range(start + 1, end + 1):
        own = {kind: network.parameters.get(f"layer{layer:02d}.{kind}") for kind in ("weight", "bias", "scale", "shift", "alpha")}
        own = {kind: None if array is None else torch.tensor(array) for kind, array in own.items()}
        value = value @ own["weight"]
        norm = run.layers[layer - 1].batch_norm
        if norm is None:
            value = value + own["bias"]
        else:
            inputs = torch.tensor(norm.inputs)
            value = torch.nn.functional.batch_norm(
                value[None], inputs.mean(1), inputs.var(1, correction=0), own["scale"], own["shift"], False, eps=1e-5
            )[0]
        value = ACTIVATE[network.activations[layer - 1]](value, own["alpha"])
        if layer in network.skips:
            value = value + outputs[network.skips[layer]]
        outputs[layer] = value
    return value


@pytest.mark.parametrize("name", NETS)
def test_singular_values_are_those_of_automatic_differentiation(name: str) -> None:
    own = experiment(NETS[name], {"name": "digits"})
    network, last = own.network, own.network.depth - 1
    assert isinstance(network, Network)
    run, _ = own.trainer.look_ahead(own.trainer.batches.peek())
    found = jacobian_report(own.trainer, own.architecture, None, 3)
    assert isinstance(run, Pass)

    def values(start: int, end: int) -> np.ndarray:
        at = torch.tensor((run.inputs if start == 0 else run.layers[start - 1].outputs)[:, 3].copy())
        jacobian = torch.func.jacrev(lambda value: forward(network, run, value, start, end))(at)
        return np.log10(torch.linalg.svdvals(jacobian).numpy())

    def same(told: np.ndarray, expected: np.ndarray) -> None:
        assert len(told) == np.count_nonzero(expected > expected[0] - 12)  # all but those that are 0 up to rounding
        np.testing.assert_allclose(told, expected[: len(told)], atol=1e-9)

    same(found.hidden.log10, values(1, last))
    same(found.whole.log10, values(0, last + 1))
    starts = {end: start for end, start in network.skips.items()}
    for one in found.maps:
        same(one.own.log10, values(starts.get(one.end, one.end - 1), one.end))
        if one.onward is not None and one.end < last:
            same(one.onward.log10, values(one.end, last))
