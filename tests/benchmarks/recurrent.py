"""Training steps per second of recurrent nets, against nn.RNN and nn.LSTM of PyTorch on the same data.

Ours measures ‖∂L/∂h_t‖ of every time step as well. PyTorch is spared that: its recurrent modules do not give these gradients away.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection

import numpy as np

from gradviz.losses import loss_named
from gradviz.optimizers import OPTIMIZERS
from gradviz.recurrent import RecurrentNetwork, RecurrentPass
from gradviz.sequences import adding
from gradviz.threads import use_threads
from tests.benchmarks.result import Result, in_turn, rate

EXAMPLES, TIME, BATCH = 512, 50, 32
HIDDEN = (16, 128)
KINDS = {"rnn": "RNN", "lstm": "LSTM"}
LEARNING_RATE = 0.01
ROUNDS = 5
SECONDS = 1.0  # of one turn


def run() -> Iterator[Result]:
    for hidden in HIDDEN:
        for kind, title in KINDS.items():
            yield _compare(kind, title, hidden)


def _compare(kind: str, title: str, hidden: int) -> Result:
    data = adding(EXAMPLES, TIME)
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_serve_torch, args=(theirs, kind, hidden, data.inputs, data.targets), daemon=True)
    process.start()
    torch = [partial(_torch_rate, ours, threads) for threads in (1, 2)]
    step = _own_step(kind, hidden, data.inputs, data.targets)
    competitors: list[Callable[[], float]] = [lambda: rate(step, SECONDS), *torch]
    in_turn(1, *competitors)  # warm caches and thread pools
    value, *peers = in_turn(ROUNDS, *competitors)
    ours.send(None)
    process.join()
    return Result(f"training {title} hidden {hidden} time {TIME} batch {BATCH}", value, "steps/s", f"PyTorch nn.{title}", max(peers))


def _own_step(kind: str, hidden: int, inputs: np.ndarray, targets: np.ndarray) -> Callable[[], object]:
    network = RecurrentNetwork(kind, inputs.shape[2], hidden, 1)
    run, optimizer = RecurrentPass(network, BATCH, TIME), OPTIMIZERS["sgd"](network.vector.size, network.dtype)
    sequences, encoded = np.ascontiguousarray(inputs.transpose(1, 2, 0)), loss_named("mse").encode(targets, 1)
    rng = np.random.default_rng(0)

    def step() -> tuple[float, np.ndarray]:
        use_threads(1)
        chosen = rng.permutation(EXAMPLES)[:BATCH]
        run.fetch(sequences, chosen)
        run.forward()
        loss = run.evaluate(encoded[:, chosen])
        run.backward()
        norms = run.state_gradient_norms()
        optimizer.step(network.vector, run.gradient, LEARNING_RATE, 0.0)
        return loss, norms

    return step


def _serve_torch(connection: Connection, kind: str, hidden: int, inputs: np.ndarray, targets: np.ndarray) -> None:
    """In a process of its own: answer each number of threads with the steps per second of that round, until None comes."""
    import torch  # only this process loads PyTorch
    from torch import nn

    torch.manual_seed(0)
    # time first is the faster layout of the two, so their data lie so
    sequences, wanted = torch.from_numpy(inputs).transpose(0, 1).contiguous(), torch.from_numpy(targets).reshape(-1, 1)
    cell = {"rnn": nn.RNN, "lstm": nn.LSTM}[kind](inputs.shape[2], hidden).double()
    read_out = nn.Linear(hidden, 1).double()
    optimizer = torch.optim.SGD([*cell.parameters(), *read_out.parameters()], lr=LEARNING_RATE)

    def step() -> float:
        chosen = torch.randperm(EXAMPLES)[:BATCH]
        optimizer.zero_grad(set_to_none=True)
        states, _ = cell(sequences[:, chosen])
        loss = nn.functional.mse_loss(read_out(states[-1]), wanted[chosen])
        torch.autograd.backward(loss)
        optimizer.step()
        return loss.item()

    while (threads := connection.recv()) is not None:
        torch.set_num_threads(threads)
        connection.send(rate(step, SECONDS))


def _torch_rate(connection: Connection, threads: int) -> float:
    connection.send(threads)
    answer: float = connection.recv()
    return answer
