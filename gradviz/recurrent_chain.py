"""The chain rule through time: the way from the loss back to the copy of a shared weight that works in one time step.

In a plain RNN the strongest path is found over the units, time step by time step, as `chain` does it over layers. In an LSTM it is
led along the cell path, from forget gate to forget gate; what comes by other ways is in the totals. The sum over all paths is
found forwards (forward accumulation, Griewank and Walther 2008, section 3.1), which does not lean on back-propagation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.chain import Run, log2_size, log10_size, strongest_answer
from gradviz.recurrent_cells import LSTMCell
from gradviz.selected import ChainRule, Rung, ThroughTime
from gradviz.snapshot import Moment
from gradviz.time_steps import READ_OUT, RECURRENT, PassReader, gate_of, pass_aside, recurrent
from gradviz.training import Trainer


def time_chain_rule(experiment: Run, name: str, time_step: int, index: tuple[int, int], example: int = 0) -> ChainRule:
    """The gradient that one time step adds to that of a weight, as a product of factors; see `chain.chain_rule`.

    Args:
        experiment: an `Experiment` of a recurrent net.
        name: "cell.input_weight", "cell.recurrent_weight" or "out.weight".
        time_step: whose copy of the weight, counted from 1; of the read-out the number after the last time step.
        index: (row, column) of the weight matrix; the columns of an LSTM are those of its gates, one gate after the other.
        example: position in the mini-batch of the example whose factors are given.

    Raises:
        ValueError: when there is no such weight, time step or example.
    """
    network, _ = recurrent(experiment.trainer)
    shape = network.parameters[name].shape if name in network.parameters else ()
    if len(shape) != 2:
        raise ValueError(f"{name!r} is not a weight matrix; there are cell.input_weight, cell.recurrent_weight and out.weight")
    if not all(0 <= at < size for at, size in zip(index, shape, strict=True)):
        raise ValueError(f"{name} has no entry {index}; its shape is {shape}")
    if (time_step == network.depth) != (name == READ_OUT) or not 1 <= time_step <= network.depth:
        raise ValueError(f"{name} does not work in stage {time_step}; there are {network.time} time steps, then the read-out")
    if not 0 <= example < experiment.trainer.batches.size:
        raise ValueError(f"example {example} is not in the mini-batch; it has examples 0 to {experiment.trainer.batches.size - 1}")
    kind = _LSTMChain if network.kind == "lstm" else _TimeChain
    with np.errstate(all="ignore"):
        return kind(experiment.trainer, experiment.moment, name, time_step, index, example).make()


class _Stop(NamedTuple):
    """One factor on the way back, and to what it leads: its total and the stage that has to be reached to know it."""

    kind: str
    layer: int
    unit: int
    source: int
    factor: float
    total: float
    stage: int


class _TimeChain:
    """Works out one `ChainRule` of a plain RNN; arrays are (units, batch)."""

    def __init__(self, trainer: Trainer, moment: Moment | None, name: str, stage: int, index: tuple[int, int], example: int) -> None:
        self.trainer = trainer
        self.network, run = recurrent(trainer)
        self.name, self.stage, (self.row, self.column), self.example = name, stage, index, example
        fresh = moment is None and not trainer.steps
        self.aside = fresh or (moment is not None and not moment.lost)
        self.moment = None if self.aside else moment
        self.chosen = trainer.batches.peek() if fresh else trainer.chosen
        if self.aside:
            run, self.targets = pass_aside(trainer, self.chosen)
        else:
            self.targets = trainer.batch_targets
        self.run, self.cell, self.vector = run, run.cell, trainer.passed_with
        whole = self.moment is None or self.moment.kind in ("clip", "update")
        self.gradient = trainer.raw_gradient if whole and not self.aside else run.gradient
        self.reader = PassReader(self.network, run, self.vector)
        self.hidden, self.time = self.network.hidden, self.network.time
        self.gate = gate_of(self.network.gates, self.hidden, name, self.column)
        self.unit = self.column % self.hidden if self.gate else self.column

    def make(self) -> ChainRule:
        network, trainer, i = self.network, self.trainer, self.example
        place = network.slices[self.name].start + self.row * network.parameters[self.name].shape[1] + self.column
        sent = self.reader.before(self.name, self.stage)[self.row]
        tangents = self.tangents()
        total = float(np.sum(self.run.output_deltas * tangents * sent))
        answer, dy_dz, rest, output = strongest_answer(network.loss, self.run.outputs[:, i], self.targets[..., i], tangents[:, i])
        start = log2_size(answer.dj_dy * answer.dy_dz)
        if output is not None:
            start[np.arange(len(start)) != output] = -np.inf
        rungs = self.rungs(answer.dj_dy, answer.dy_dz, list(self.path(start)), float(sent[i]))
        reached = self.reached(self.stage)
        own, whole = self.contribution(), float(self.gradient[place]) if self.reached(self.run.first) else np.nan
        clipped = trainer.clips and trainer.steps > 0 and (self.moment is None or self.moment.kind in ("clip", "update"))
        return ChainRule(
            parameter=self.name,
            layer=self.stage,
            row=self.row,
            column=self.unit,
            example=i,
            example_number=int(self.chosen[i]),
            batch=self.run.batch,
            target=answer.target,
            prediction=answer.prediction,
            output=answer.output,
            dj_dy=answer.dj_dy,
            dy_dz=dy_dz,
            dz_dw=float(sent[i]),
            rest=rest,
            example_gradient=float(sent[i]) * (answer.dj_dy * dy_dz + rest),
            gradient=own if reached else np.nan,
            sum_over_paths=total,
            log10_paths=self.log10_paths(),
            rungs=tuple(rungs),
            reached=reached,
            clipped_gradient=float(self.run.gradient[place]) if clipped and not self.aside else None,
            weight_old=float(self.vector[place]),
            weight_new=float(network.vector[place]) if trainer.updated else None,
            learning_rate=trainer.spec.learning_rate,
            optimizer=trainer.spec.optimizer,
            time=None if self.name == READ_OUT else self.through_time(rungs, whole),
        )

    def contribution(self) -> float:
        """∂J/∂w of this copy over the mini-batch, as back-propagation has it."""
        before, deltas = self.reader.before(self.name, self.stage)[self.row], self.reader.deltas(self.stage)[self.column]
        return float(before @ deltas)

    def through_time(self, rungs: list[Rung], whole: float) -> ThroughTime:
        repeated = [rung for rung in rungs if self.repeats(rung)]
        last, here = self.carried(self.time), self.carried(self.stage)
        return ThroughTime(
            steps=self.time,
            stopped=self.run.first,
            gate=self.gate,
            whole=self.reached(self.run.first),
            shared_gradient=whole,
            factors=sum(rung.kind != "slope" for rung in repeated),
            log10_factors=sum(log10_size(rung.factor) for rung in repeated),
            log10_carried=log10_size(here / last if last else 0.0) if self.reached(self.stage) else np.nan,  # of nothing, nothing
        )

    def reached(self, stage: int) -> bool:
        return self.moment is None or self.moment.reached(stage)

    # ---- what differs between the cells

    def repeats(self, rung: Rung) -> bool:
        """Whether a factor is one of those that come once per time step between this one and the last."""
        return (rung.kind == "weight" and rung.layer <= self.time) or (rung.kind == "slope" and rung.layer < self.time)

    def carried(self, t: int) -> float:
        """Length of this example's gradient by what is carried from time step to time step."""
        return float(np.linalg.norm(self.cell.state_gradients[t - 1][:, self.example].astype(float)))

    def tangents(self) -> Floats:
        """(outputs, batch) change of the outputs for a change of 1 of the weighted sum that the weight is part of."""
        if self.stage > self.time:
            found = np.zeros((self.network.outputs, self.run.batch))
            found[self.column] = 1.0
            return found
        recurrent_weight = self.reader.weight(RECURRENT).T
        sums = state = np.zeros((self.hidden, self.run.batch))
        sums[self.unit] = 1.0
        for t in range(self.stage, self.time + 1):
            if t > self.stage:
                sums = recurrent_weight @ state
            state = self.reader.state_slopes(t) * sums
        last: Floats = self.reader.weight(READ_OUT).T @ state
        return last

    def log10_paths(self) -> float:
        """log10 of the number of paths from the weight to the outputs."""
        if self.stage > self.time:
            return 0.0
        return float((self.time - self.stage) * np.log10(self.hidden) + np.log10(self.network.outputs))

    def path(self, at_outputs: Floats) -> Iterator[_Stop]:
        """The strongest path from the outputs, which begin with ``at_outputs`` log2, back to the weighted sum."""
        at, slopes, recurrent_weight = at_outputs, self.example_slopes(), log2_size(self.reader.weight(RECURRENT))
        through: dict[int, NDArray[np.intp]] = {}  # of each stage the unit behind it through which the best path to each of its units comes
        for stage in range(self.network.depth, self.stage, -1):
            ways = (log2_size(self.reader.weight(READ_OUT)) if stage > self.time else recurrent_weight) + at
            through[stage - 1] = ways.argmax(axis=1)
            at = ways.max(axis=1) + log2_size(slopes[stage - 2])
        units = [self.unit]
        for stage in range(self.stage, self.network.depth):
            units.append(int(through[stage][units[-1]]))
        unit = units.pop()
        yield self.at_output(unit)
        for stage in range(self.network.depth, self.stage, -1):
            source = units.pop()
            yield self.over_weight(stage, unit, source)
            slope = float(slopes[stage - 2, source])
            yield _Stop("slope", stage - 1, source, source, slope, self.share(self.cell.deltas[stage - 2], source), stage - 1)
            unit = source

    def example_slopes(self) -> Floats:
        """(time, hidden) f′(z_t) of this example."""
        return self.reader.slopes(self.cell.states[:, :, self.example])

    # ---- the rungs

    def _weight(self, stage: int) -> Floats:
        return self.reader.weight(READ_OUT if stage > self.time else RECURRENT)

    def share(self, of_batch: Floats, unit: int) -> float:
        """This example's own gradient from that of the mini-batch's mean."""
        return self.run.batch * float(of_batch[unit, self.example])

    def at_output(self, unit: int) -> _Stop:
        depth = self.network.depth
        return _Stop("output", depth, unit, unit, np.nan, self.share(self.run.output_deltas, unit), depth)

    def over_weight(self, stage: int, column: int, source: int) -> _Stop:
        """Back over a weight of this stage, to the state of the time step before."""
        factor = float(self._weight(stage)[source, column])
        unit = column if stage > self.time else column % self.hidden
        return _Stop("weight", stage, unit, source, factor, self.share(self.cell.state_gradients[stage - 2], source), stage - 1)

    def rungs(self, dj_dy: float, dy_dz: Floats, path: list[_Stop], sent: float) -> list[Rung]:
        first = path[0]._replace(factor=float(dy_dz[path[0].unit]))
        delta = self.share(self.reader.deltas(self.stage), self.column)
        last = _Stop("input", self.stage, self.unit, self.row, sent, delta * sent, self.stage)
        found = [Rung("loss", 0, first.unit, first.unit, dj_dy, dj_dy, log10_size(dj_dy), dj_dy)]
        for kind, layer, unit, source, factor, total, stage in (first, *path[1:], last):
            product, log10 = found[-1].product * factor, found[-1].log10_product + log10_size(factor)
            reached = self.reached(stage)
            found.append(Rung(kind, layer, unit, source, factor, product, log10, total if reached else np.nan, reached))
        return found


class _LSTMChain(_TimeChain):
    """The same for an LSTM, whose path runs along the cell: of one unit, from forget gate to forget gate."""

    @property
    def lstm(self) -> LSTMCell:
        assert isinstance(self.cell, LSTMCell)
        return self.cell

    def repeats(self, rung: Rung) -> bool:
        return rung.kind == "forget"

    def carried(self, t: int) -> float:
        return float(np.linalg.norm(self.lstm.memory_gradients[t - 1][:, self.example].astype(float)))

    def tangents(self) -> Floats:
        if self.stage > self.time:
            return super().tangents()
        reader, gates = self.reader, self.network.gates
        recurrent_weight = reader.weight(RECURRENT).T
        sums = np.zeros((len(gates) * self.hidden, self.run.batch))
        sums[self.column] = 1.0
        memory = state = np.zeros((self.hidden, self.run.batch))
        for t in range(self.stage, self.time + 1):
            if t > self.stage:
                sums = recurrent_weight @ state
            by_gate = dict(zip(gates, sums.reshape(len(gates), self.hidden, -1), strict=True))
            memory = reader.gate("forget", t) * memory
            for gate in ("input", "forget", "candidate"):
                memory = memory + reader.gate_factor(gate, t) * by_gate[gate]
            state = reader.gate_factor("output", t) * by_gate["output"] + reader.state_by_memory(t) * memory
        last: Floats = reader.weight(READ_OUT).T @ state
        return last

    def log10_paths(self) -> float:
        if self.stage > self.time:
            return 0.0
        wide = np.log(self.hidden)
        by_state = by_memory = np.log(self.network.outputs)
        for _ in range(self.time - self.stage):  # from the state and the memory of the time step before, each by all its ways
            # a state reaches every unit's output gate, which writes the state, and three gates, which write the memory
            state = np.logaddexp(wide + by_state, wide + np.log(3.0) + by_memory)
            kept = by_memory
            by_state = state
            by_memory = np.logaddexp(state, kept)  # a memory reaches its own state and, through the forget gate, the memory behind
        return float((by_state if self.gate == "output" else by_memory) / np.log(10.0))

    def path(self, at_outputs: Floats) -> Iterator[_Stop]:
        """The path along the cell; ``at_outputs`` as in a plain RNN."""
        if self.stage > self.time:
            yield from super().path(at_outputs)
            return
        if self.gate == "output" and self.stage < self.time:
            gate, unit = self._next_gate(at_outputs)
            yield from self._highway(at_outputs, unit, self.stage + 1)
            yield self._gate(gate, self.stage + 1, unit)
            column = self.network.gates.index(gate) * self.hidden + unit
            yield self.over_weight(self.stage + 1, column, self.unit)
        elif self.gate == "output":
            output = self._best_output(at_outputs, self.unit)
            yield self.at_output(output)
            yield self.over_weight(self.network.depth, output, self.unit)
        else:
            yield from self._highway(at_outputs, self.unit, self.stage)
        yield self._gate(self.gate, self.stage, self.unit)

    def _best_output(self, at_outputs: Floats, unit: int) -> int:
        return int(np.argmax(log2_size(self.reader.weight(READ_OUT)[unit]) + at_outputs))

    def _next_gate(self, at_outputs: Floats) -> tuple[str, int]:
        """Through which gate of which unit of the next time step a state's strongest way to the cell path leads."""
        i, t, weight = self.example, self.stage + 1, self.reader.weight(RECURRENT)[self.unit].reshape(-1, self.hidden)
        onward = (log2_size(self.reader.weight(READ_OUT)) + at_outputs).max(axis=1)
        onward = onward + log2_size(self.reader.state_by_memory(self.time)[:, i])
        for later in range(self.time, t, -1):
            onward = onward + log2_size(self.reader.gate("forget", later)[:, i])
        gates = ("input", "forget", "candidate")
        numbers = [self.network.gates.index(gate) for gate in gates]
        factors = [log2_size(self.reader.gate_factor(gate, t)[:, i] * weight[n]) for gate, n in zip(gates, numbers, strict=True)]
        best, unit = np.unravel_index(int(np.argmax(np.array(factors) + onward)), (len(gates), self.hidden))
        return gates[int(best)], int(unit)

    def _highway(self, at_outputs: Floats, unit: int, end: int) -> Iterator[_Stop]:
        """From the outputs to the memory of a unit, back in time to c of the time step ``end``."""
        i, time = self.example, self.time
        output = self._best_output(at_outputs, unit)
        yield self.at_output(output)
        yield self.over_weight(self.network.depth, output, unit)
        yield _Stop("cell", time, unit, unit, float(self.reader.state_by_memory(time)[unit, i]), self._by_memory(time, unit), time)
        forgets = self.lstm.gate_values[:, self.network.gates.index("forget"), unit, i]
        for t in range(time, end, -1):
            yield _Stop("forget", t, unit, unit, float(forgets[t - 1]), self._by_memory(t - 1, unit), t - 1)

    def _by_memory(self, t: int, unit: int) -> float:
        return self.share(self.lstm.memory_gradients[t - 1], unit)

    def _gate(self, gate: str, t: int, unit: int) -> _Stop:
        """From the memory or the state to the weighted sum of one gate."""
        column = self.network.gates.index(gate) * self.hidden + unit
        factor = float(self.reader.gate_factor(gate, t)[unit, self.example])
        return _Stop("gate", t, unit, unit, factor, self.share(self.reader.deltas(t), column), t)
