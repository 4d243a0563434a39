"""The chain rule for one weight, factor by factor: the way from the loss back to it, and the sum over all ways.

The factors are those of one example. The strongest path is found by dynamic programming over the units (the path whose
product is largest); the sum over all paths is found forwards, from the weight to the outputs, so that it does not
lean on the back-propagation it is compared with (forward accumulation, Griewank and Walther 2008, section 3.1).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.layers import Layer
from gradviz.losses import Factors, loss_named
from gradviz.network import Network, Pass, parameter_name
from gradviz.selected import ChainRule, Rung
from gradviz.snapshot import Moment
from gradviz.training import Trainer, feed_forward

NEVER = 1e4  # stands for log2 of 0 and of ∞: a path with the fewest such factors is still found


class Run(Protocol):
    """What is needed of an experiment."""

    trainer: Trainer

    @property
    def moment(self) -> Moment | None: ...


def chain_rule(experiment: Run, name: str, index: tuple[int, int], example: int = 0) -> ChainRule:
    """The gradient of one weight as a product of factors, of the step that was done last or is in work.

    Before the first step, and while the signal is still going forward, it is that of the mini-batch that is up.

    Args:
        experiment: an `Experiment`.
        name: the weight matrix, such as "layer01.weight".
        index: (row, column): the unit of the layer before, and the unit of this layer, counted from 0.
        example: position in the mini-batch of the example whose factors are given.

    Raises:
        ValueError: when there is no such weight or example.
    """
    network, _ = feed_forward(experiment.trainer)
    layer = _layer_of(network, name)
    row, column = index
    if not (0 <= row < network.fan_ins[layer - 1] and 0 <= column < network.widths[layer - 1]):
        raise ValueError(f"{name} has no entry {(row, column)}; its shape is {(network.fan_ins[layer - 1], network.widths[layer - 1])}")
    if not 0 <= example < experiment.trainer.batches.size:
        raise ValueError(f"example {example} is not in the mini-batch; it has examples 0 to {experiment.trainer.batches.size - 1}")
    with np.errstate(all="ignore"):
        return _ChainRule(experiment.trainer, experiment.moment, layer, row, column, example).make(name)


def strongest_answer(loss: str, z: Floats, target: NDArray[Any], tangents: Floats) -> tuple[Factors, float, float, int | None]:
    """The answer ŷ through which most of one example's gradient comes.

    Args:
        loss: its name.
        z: (outputs,) of the example.
        target: its encoded target.
        tangents: (outputs,) ∂z/∂ of the weighted sum that the weight is part of.

    Returns:
        The factors of ŷ, ∂ŷ/∂ of that sum, what comes through the other answers, and the output unit at which paths must begin (None
        where all outputs make up one answer).
    """
    kind = loss_named(loss)
    numbers = range(len(z)) if kind.per_output else range(1)
    answers = [kind.factors(z.astype(float), target, number) for number in numbers]
    shares = [answer.dj_dy * float(answer.dy_dz @ tangents) for answer in answers]
    best = int(np.argmax(np.nan_to_num(np.abs(shares), nan=np.inf)))
    rest = float(sum(share for number, share in enumerate(shares) if number != best))
    return answers[best], float(answers[best].dy_dz @ tangents), rest, best if kind.per_output else None


def _layer_of(network: Network, name: str) -> int:
    found = re.fullmatch(r"layer(\d+)\.weight", name)
    if found is None or name not in network.parameters:
        raise ValueError(f"{name!r} is not a weight matrix; there are layer01.weight to {parameter_name(network.depth, 'weight')}")
    return int(found[1])


class _Stop(NamedTuple):
    """A stop on the way back: the factor that led there. ``kind`` and the units as in `Rung`."""

    kind: str
    layer: int
    unit: int
    source: int


class _ChainRule:
    """Works out one `ChainRule`; the arrays are those of the pass, (units, batch)."""

    def __init__(self, trainer: Trainer, moment: Moment | None, layer: int, row: int, column: int, example: int) -> None:
        self.trainer = trainer
        self.network, self.run = feed_forward(trainer)
        self.layer, self.row, self.column, self.example = layer, row, column, example
        self.moment = moment
        self.chosen = trainer.chosen
        fresh = moment is None and not trainer.steps
        if fresh or (moment is not None and not moment.lost):
            # nothing to look at yet: look ahead on buffers of its own
            self.chosen = trainer.batches.peek() if fresh else trainer.chosen
            run, self.targets = trainer.look_ahead(self.chosen)
            assert isinstance(run, Pass)
            self.run = run
            self.moment = None
            self.gradient = self.run.gradient
        else:
            self.targets = trainer.batch_targets
            self.gradient = trainer.raw_gradient if moment is None or moment.measured else self.run.gradient
        self.batch = self.run.batch
        self.vector = trainer.passed_with
        self.slopes = [self._slopes_of(number) for number in range(layer, self.network.depth)]

    def make(self, name: str) -> ChainRule:
        network, i = self.network, self.example
        place = network.slices[name].start + self.row * network.widths[self.layer - 1] + self.column
        sent = self._sent()
        tangents = self._tangents(np.ones(self.batch))
        out_deltas = self.run.layers[-1].deltas
        mixed = any(self._norm(n) is not None for n in range(self.layer, network.depth + 1))
        total = float(np.sum(out_deltas * (self._tangents(sent) if mixed else tangents * sent)))
        if mixed:
            alone = np.zeros(self.batch)
            alone[i] = 1.0
            tangents = self._tangents(alone)
        answer, dy_dz, rest, output = strongest_answer(network.loss, self.run.outputs[:, i], self.targets[..., i], tangents[:, i])
        if mixed:
            others = out_deltas * tangents
            rest += float(np.sum(others) - np.sum(others[:, i])) * self.batch
        rungs = self._rungs(answer.dj_dy, answer.dy_dz, output, float(sent[i]))
        clipping, updated = self.trainer.clips, self.trainer.updated
        clipped = clipping and self.trainer.steps > 0 and (self.moment is None or self.moment.measured)
        return ChainRule(
            parameter=name,
            layer=self.layer,
            row=self.row,
            column=self.column,
            example=i,
            example_number=int(self.chosen[i]),
            batch=self.batch,
            target=answer.target,
            prediction=answer.prediction,
            output=answer.output,
            dj_dy=answer.dj_dy,
            dy_dz=dy_dz,
            dz_dw=float(sent[i]),
            rest=rest,
            example_gradient=float(sent[i]) * (answer.dj_dy * dy_dz + rest),
            gradient=float(self.gradient[place]) if self._reached(self.layer) else np.nan,
            sum_over_paths=total,
            log10_paths=self._log10_paths(),
            rungs=tuple(rungs),
            reached=self._reached(self.layer),
            clipped_gradient=float(self.run.gradient[place]) if clipped and self.run is self.trainer.run else None,
            weight_old=float(self.vector[place]),
            weight_new=float(network.vector[place]) if updated else None,
            learning_rate=self.trainer.spec.learning_rate,
            optimizer=self.trainer.spec.optimizer if self.trainer.follows_gradient else "none",
        )

    # ---- what the pass holds

    def _reached(self, layer: int) -> bool:
        return self.moment is None or self.moment.reached(layer)

    def _weight(self, layer: int) -> Floats:
        place = self.network.slices[parameter_name(layer, "weight")]
        weight: Floats = self.vector[place].reshape(self.network.fan_ins[layer - 1], self.network.widths[layer - 1])
        return weight

    def _layer(self, layer: int) -> Layer:
        return self.run.layers[layer - 1]

    def _sent(self) -> Floats:
        """(batch,) ∂z/∂w: what the unit before sent."""
        feed = self.run.inputs if self.layer == 1 else self._layer(self.layer - 1).outputs
        sent: Floats = feed[self.row].astype(float)
        return sent

    def _slopes_of(self, layer: int) -> Floats:
        """(units, batch) f′(z), worked out anew: back-propagation may not have come there yet."""
        activate = self._layer(layer).activate
        assert activate is not None, "only the output layer has no activation"
        alpha = self.network.slices.get(parameter_name(layer, "alpha"))
        return activate.slopes_at(self._layer(layer).values, None if alpha is None else float(self.vector[alpha][0]))

    def _slope(self, layer: int) -> Floats:
        return self.slopes[layer - self.layer]

    def _norm(self, layer: int) -> tuple[Floats, Floats] | None:
        """(units,) scale / spread and (units, batch) normalised inputs of the layer's batch norm."""
        norm = self._layer(layer).batch_norm
        if norm is None:
            return None
        scale = self.network.slices[parameter_name(layer, "scale")]
        return self.vector[scale] / norm.spread, norm.normalised

    # ---- all paths

    def _tangents(self, at_weight: Floats) -> Floats:
        """(outputs, batch) change of the outputs for a change (batch,) of the weighted sum that the weight is part of."""
        depth, skips = self.network.depth, self.network.skips
        hidden: dict[int, Floats] = {}
        sums = np.zeros((self.network.widths[self.layer - 1], self.batch))
        sums[self.column] = at_weight
        for layer in range(self.layer, depth + 1):
            if layer > self.layer:
                sums = self._weight(layer).T @ hidden[layer - 1]
            norm = self._norm(layer)
            if norm is not None:
                gain, normalised = norm
                spread = sums - sums.mean(axis=1, keepdims=True) - normalised * (sums * normalised).mean(axis=1, keepdims=True)
                sums = gain[:, None] * spread
            if layer == depth:
                break
            hidden[layer] = sums * self._slope(layer)
            source = skips.get(layer)
            if source is not None and source in hidden:
                hidden[layer] = hidden[layer] + hidden[source]
        return sums

    def _log10_paths(self) -> float:
        """log10 of the number of paths from the weight to the outputs, skips included."""
        counts = {self.layer: 0.0}
        depth, widths = self.network.depth, self.network.widths
        for layer in range(self.layer + 1, depth + 1):
            # from one unit of the layer before into each of this one; a sum at the end of a block adds the skip's ways
            ways = counts[layer - 1] + (np.log10(widths[layer - 2]) if layer - 1 > self.layer else 0.0)
            source = self.network.skips.get(layer)
            if source is not None and source >= self.layer and layer < depth:
                own = counts[source] if source > self.layer else counts[source] - np.log10(widths[layer - 1])
                ways = float(np.logaddexp(ways * np.log(10), own * np.log(10)) / np.log(10))
            counts[layer] = ways
        return float(counts[depth] + (np.log10(widths[-1]) if depth > self.layer else 0.0))

    # ---- the strongest path

    def _rungs(self, dj_dy: float, dy_dz: Floats, output: int | None, sent: float) -> list[Rung]:
        path = self._strongest_path(dj_dy * dy_dz, output)
        rungs = [Rung("loss", 0, path[0].unit, path[0].unit, dj_dy, dj_dy, log10_size(dj_dy), dj_dy)]
        product, log10 = dj_dy, log10_size(dj_dy)
        for stop in (*path, _Stop("input", self.layer, self.column, self.row)):
            factor = self._factor(stop, dy_dz, sent)
            product, log10 = product * factor, log10 + log10_size(factor)
            rungs.append(self._rung(stop, factor, product, log10))
        return rungs

    def _rung(self, stop: _Stop, factor: float, product: float, log10: float) -> Rung:
        i, n = self.example, self.batch
        kind, layer, unit, source = stop
        branch = skip = None
        arrives = layer - 1 if kind == "weight" else self.network.skips[layer] if kind == "skip" else layer
        reached = self._reached(arrives)
        if not reached:
            total = np.nan
        elif kind in ("weight", "skip"):
            total = n * float(self._layer(arrives).gradient[source, i])
            readers = [to for to, start in self.network.skips.items() if start == arrives]
            if readers:
                skip = n * float(sum(self._layer(to).gradient[source, i] for to in readers))
                branch = n * float(self._weight(arrives + 1)[source] @ self._layer(arrives + 1).sum_deltas[:, i])
        elif kind == "input":
            total = n * float(self._layer(layer).sum_deltas[unit, i]) * factor
        else:
            deltas = self._layer(layer).sum_deltas if kind == "batch_norm" else self._layer(layer).deltas
            total = n * float(deltas[unit, i])
        return Rung(kind, layer, unit, source, factor, product, log10, total, reached, branch, skip)

    def _factor(self, stop: _Stop, dy_dz: Floats, sent: float) -> float:
        kind, layer, unit, source = stop
        if kind == "output":
            return float(dy_dz[unit])
        if kind == "weight":
            return float(self._weight(layer)[source, unit])
        if kind == "slope":
            return float(self._slope(layer)[unit, self.example])
        if kind == "batch_norm":
            return float(self._through_norm(layer)[unit])
        return sent if kind == "input" else 1.0

    def _through_norm(self, layer: int) -> Floats:
        """(units,) what an example's own input of batch norm does to its own output."""
        norm = self._norm(layer)
        assert norm is not None
        gain, normalised = norm
        result: Floats = gain * (1.0 - (1.0 + normalised[:, self.example] ** 2) / self.batch)
        return result

    def _strongest_path(self, at_outputs: Floats, output: int | None) -> list[_Stop]:
        """The stops from the outputs back to the weighted sum of the weight's unit; ``output`` restricts where it begins."""
        depth, skips = self.network.depth, self.network.skips
        readers = {start: to for to, start in skips.items()}
        start = log2_size(at_outputs)
        if output is not None:
            start[np.arange(len(start)) != output] = -np.inf
        at_sums, at_hidden = {depth: start}, dict[int, Floats]()
        before: dict[int, NDArray[np.intp]] = {}  # the unit through which the best path to each unit of the layer comes; −1: the skip
        for layer in range(depth, self.layer, -1):
            through = log2_size(self._weight(layer)) + at_sums[layer]
            before[layer - 1] = through.argmax(axis=1)
            best = through.max(axis=1)
            reader = readers.get(layer - 1)
            if reader is not None:
                by_skip = at_hidden[reader] > best
                before[layer - 1] = np.where(by_skip, -1, before[layer - 1])
                best = np.where(by_skip, at_hidden[reader], best)
            at_hidden[layer - 1] = best
            sums = best + log2_size(self._slope(layer - 1)[:, self.example])
            if self._norm(layer - 1) is not None:
                sums = sums + log2_size(self._through_norm(layer - 1))
            at_sums[layer - 1] = sums
        return self._walk_back(before, readers)

    def _walk_back(self, before: dict[int, NDArray[np.intp]], readers: dict[int, int]) -> list[_Stop]:
        """Follow the best path from the weight's unit to the outputs, and turn it round."""
        depth = self.network.depth
        stops: list[_Stop] = []
        layer, unit, in_unit = self.layer, self.column, True
        while layer < depth:
            if in_unit:
                if self._norm(layer) is not None:
                    stops.append(_Stop("batch_norm", layer, unit, unit))
                stops.append(_Stop("slope", layer, unit, unit))
            came_from = int(before[layer][unit])
            if came_from < 0:
                layer, in_unit = readers[layer], False
                stops.append(_Stop("skip", layer, unit, unit))
            else:
                stops.append(_Stop("weight", layer + 1, came_from, unit))
                layer, unit, in_unit = layer + 1, came_from, True
        stops.append(_Stop("output", depth, unit, unit))
        return stops[::-1]


def log2_size(values: Floats) -> Floats:
    """log2 |values|, with `NEVER` for what has none: paths are compared by it, and should show where 0 or NaN came in."""
    found: Floats = np.nan_to_num(np.log2(np.abs(values.astype(float))), nan=NEVER, posinf=NEVER, neginf=-NEVER)
    return found


def log10_size(value: float) -> float:
    return float(np.log10(abs(value)))
