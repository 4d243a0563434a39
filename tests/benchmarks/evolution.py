"""Networks per second that a population of 200 evaluates at once, against a loop over single nets doing the same.

Both find the loss and the accuracy of every individual on the same examples. The loop is run twice: with `Network.predict`, and
with the forward pass of training on its preallocated buffers.

    python -m tests.benchmarks.evolution
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradviz.losses import loss_named
from gradviz.network import Pass, build
from gradviz.population import Population
from gradviz.spec import NetworkSpec
from gradviz.threads import use_threads
from tests.benchmarks.result import Result, in_turn, rate

SIZE = 200
CASES = (  # depth, width, activation, examples; the wider the nets, the more a loop does in each of its calls
    (2, 4, "step", 240),
    (2, 8, "step", 240),  # xor and circles as the tests solve them: 300 examples, a fifth of them for testing
    (2, 8, "relu", 240),
    (2, 8, "tanh", 240),
    (4, 8, "step", 240),
    (2, 16, "step", 240),
    (2, 8, "step", 500),
)
LOSS = "binary_cross_entropy"
ROUNDS = 7
SECONDS = 0.15  # of one turn


def run() -> Iterator[Result]:
    use_threads(1)  # for the loop, whose products are small too
    for depth, width, activation, examples in CASES:
        spec = NetworkSpec(depth=depth, width=width, activation=activation)
        for dtype in (np.float32, np.float64):
            yield from _compare(spec, examples, dtype)


def _compare(spec: NetworkSpec, examples: int, dtype: type[np.floating[Any]]) -> Iterator[Result]:
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((examples, 2)).astype(dtype)
    classes = (inputs[:, 0] * inputs[:, 1] > 0).astype(np.int64)
    network = build(spec, 2, 1, LOSS, 0, dtype)
    population = Population(network, SIZE, inputs, classes)
    population.genomes[:] = rng.standard_normal(population.genomes.shape)
    loss = loss_named(LOSS)
    encoded = loss.encode(classes, 1).astype(dtype)
    delta = np.empty((1, examples), dtype)
    single = Pass(network, examples, update_running=False)
    single.inputs[:] = inputs.T
    losses, accuracies = np.empty(SIZE), np.empty(SIZE)

    def predicting() -> None:
        for individual, genome in enumerate(population.genomes):
            np.copyto(network.vector, genome)
            outputs = network.predict(inputs).T
            losses[individual] = loss.evaluate(outputs, encoded, delta)
            accuracies[individual] = np.mean((outputs[0] > 0) == classes)

    def passing() -> None:
        for individual, genome in enumerate(population.genomes):
            np.copyto(network.vector, genome)
            single.forward()
            losses[individual] = single.evaluate(encoded)
            accuracies[individual] = np.mean((single.outputs[0] > 0) == classes)

    competitors = [lambda action=action: SIZE * rate(action, SECONDS) for action in (population.evaluate, predicting, passing)]
    in_turn(1, *competitors)  # warm caches
    together, by_predict, by_pass = in_turn(ROUNDS, *competitors)
    name = f"population of {SIZE}, {spec.depth}×{spec.width} {spec.activation}, {examples} examples, {np.dtype(dtype).name}"
    yield Result(name, together, "networks/s", "loop over Network.predict", by_predict)
    yield Result(name, together, "networks/s", "loop over Pass.forward", by_pass)


if __name__ == "__main__":
    for result in run():
        print(result.line(), flush=True)
