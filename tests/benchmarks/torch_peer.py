"""The benchmark's training step in PyTorch: tanh, float64, plain SGD and the norm of each layer's weight gradient.

Twice: as everybody writes it (modules, an optimiser), and stripped to bare tensors, as lean as eager mode allows. Both
use single `foreach` calls for the norms and the update, and keep the data where they are. It runs in a process of its
own, so that the thread pools of PyTorch and of NumPy's BLAS cannot disturb each other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from multiprocessing.connection import Connection

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from tests.benchmarks.result import rate

LEARNING_RATE = 0.1


def serve(connection: Connection, depth: int, width: int, batch_size: int, inputs: np.ndarray, targets: np.ndarray) -> None:
    """Answer each (style, threads, seconds) with the steps per second of that round, until None comes."""
    torch.manual_seed(0)
    batches = Batches(torch.from_numpy(inputs), torch.from_numpy(targets).double().reshape(-1, 1), batch_size)
    steps = {"modules": with_modules(depth, width, batches), "tensors": with_bare_tensors(depth, width, batches)}
    while (request := connection.recv()) is not None:
        style, threads, seconds = request
        torch.set_num_threads(threads)
        connection.send(rate(steps[style], seconds))


class Batches:
    """Mini-batches without replacement, shuffled anew for each epoch."""

    def __init__(self, inputs: torch.Tensor, targets: torch.Tensor, size: int) -> None:
        self.inputs, self.targets, self.size = inputs, targets, size
        self._order, self._position = torch.randperm(len(inputs)), 0

    def next(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self._position + self.size > len(self._order):
            self._order, self._position = torch.randperm(len(self._order)), 0
        chosen = self._order[self._position : self._position + self.size]
        self._position += self.size
        return self.inputs[chosen], self.targets[chosen]


def with_modules(depth: int, width: int, batches: Batches) -> Callable[[], object]:
    widths = [batches.inputs.shape[1], *[width] * depth]
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.Tanh()]
    network = nn.Sequential(*layers, nn.Linear(width, 1)).double()
    weights = [layer.weight for layer in network if isinstance(layer, nn.Linear)]
    optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)

    def step() -> tuple[float, torch.Tensor]:
        inputs, targets = batches.next()
        optimizer.zero_grad(set_to_none=True)
        loss = functional.binary_cross_entropy_with_logits(network(inputs), targets)
        torch.autograd.backward(loss)
        norms = torch.stack(torch._foreach_norm([weight.grad for weight in weights if weight.grad is not None]))
        optimizer.step()
        return loss.item(), norms

    return step


def with_bare_tensors(depth: int, width: int, batches: Batches) -> Callable[[], object]:
    widths = [batches.inputs.shape[1], *[width] * depth, 1]
    layers = [nn.Linear(fan_in, fan_out).double() for fan_in, fan_out in pairwise(widths)]
    weights, biases = [layer.weight for layer in layers], [layer.bias for layer in layers]
    parameters = [*weights, *biases]

    def step() -> tuple[float, torch.Tensor]:
        hidden, targets = batches.next()
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            hidden = torch.tanh(functional.linear(hidden, weight, bias))
        loss = functional.binary_cross_entropy_with_logits(functional.linear(hidden, weights[-1], biases[-1]), targets)
        gradients = torch.autograd.grad(loss, parameters)
        norms = torch.stack(torch._foreach_norm(gradients[: len(weights)]))
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)
        return loss.item(), norms

    return step
