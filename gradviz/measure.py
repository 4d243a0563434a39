"""What to measure of a training step that has just been done, apart from how it is drawn."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.clipping import norm
from gradviz.network import Network, Pass, parameter_name
from gradviz.norms import norms
from gradviz.snapshot import Architecture, Details, Moment
from gradviz.training import Trainer

UNKNOWN_AT_FIRST = (
    "gradient_rms",
    "clipped_rms",
    "bias_gradient_norms",
    "delta_rms",
    "update_norms",
    "mean_slopes",
    "dead_fractions",
)
"""What is known of a layer only when back-propagation has reached it."""


class GradientMeter:
    """What is known of the gradient at a moment; the drawn details are measured by its two kinds."""

    def __init__(self, trainer: Trainer, architecture: Architecture) -> None:
        self._trainer, self._architecture = trainer, architecture

    @abstractmethod
    def details(self, moment: Moment | None = None, example: int | None = None) -> Details:
        """Everything that is drawn of the last step, or of the step in work; arrays are read-only and in float64.

        Args:
            moment: where in the step in work the run stands; what it has not reached is of the step before, NaN if there is none.
            example: position in the mini-batch of the one example that is looked at.
        """

    def norms(self, moment: Moment | None) -> tuple[Floats, Floats, Floats, Floats]:
        """(layers,) ‖∂L/∂W‖ before and after clipping and ‖∂L/∂z‖, and (2,) the whole gradient's norm before and after.

        Of a step in work they are those of the layers it has reached, and of the step before for the others; the whole
        gradient's norm is then that of what has been reached.
        """
        trainer = self._trainer
        if moment is None or moment.measured:
            whole = np.array([trainer.total_norm, trainer.clipped_norm])
            return trainer.gradient_norms, trainer.clipped_norms, trainer.delta_norms, whole
        network, run = trainer.network, trainer.run
        reached = np.array([moment.reached(layer) for layer in range(1, network.depth + 1)])
        now = run.norms()
        before = np.where(reached, now[: network.depth], trainer.gradient_norms)
        after = np.where(reached, now[: network.depth], trainer.clipped_norms)
        deltas = np.where(reached, now[network.depth :], trainer.delta_norms)
        parts = [part for layer, part in zip(network.whole_at, network.layer_slices, strict=True) if moment.reached(layer)]
        whole = np.full(2, norm(run.gradient[parts[0].start : parts[-1].stop]) if parts else np.nan)
        for array in (before, after, deltas):
            array.flags.writeable = False
        return before, after, deltas, whole

    def gradient(self, moment: Moment | None) -> Floats:
        """The flat gradient before clipping: of the step in work where it has been reached, of the step before elsewhere."""
        trainer = self._trainer
        if moment is None or not trainer.clips or moment.measured:
            return trainer.raw_gradient
        mixed = trainer.raw_gradient.copy()
        for layer, part in zip(trainer.network.whole_at, trainer.network.layer_slices, strict=True):
            if moment.reached(layer):
                mixed[part] = trainer.run.gradient[part]
        return mixed

    def _forget_other_levels(self, fields: dict[str, Floats]) -> None:
        """While a layer is trained by itself, nothing is measured of the others; but it is known that they do not move."""
        measured = ("activation_means", "activation_stds", *(name for name in UNKNOWN_AT_FIRST if name != "update_norms"))
        for layer in range(1, self._trainer.network.depth + 1):
            if layer != self._trainer.level:
                for name in measured:
                    fields[name][layer - 1] = np.nan
                fields["unit_deltas"][self._architecture.unit_slice(layer)] = np.nan
                fields["edge_gradients"][self._architecture.edge_slice(layer)] = np.nan

    def _forget_unreached(self, fields: dict[str, Floats], moment: Moment) -> None:
        """In the first step, and for a single example, there is no step before: what has not been reached is not known."""
        for layer in range(1, self._trainer.network.depth + 1):
            if moment.reached(layer):
                continue
            row = layer - 1
            for name in UNKNOWN_AT_FIRST:
                fields[name][row : row + 1] = np.nan
            fields["unit_deltas"][self._architecture.unit_slice(layer)] = np.nan
            fields["edge_gradients"][self._architecture.edge_slice(layer)] = np.nan
            if not moment.sent(layer):
                fields["activation_means"][row] = fields["activation_stds"][row] = np.nan
        for number, (_, to) in enumerate(self._architecture.skips):
            if not moment.reached(to):
                fields["skip_gradients"][number] = np.nan


class Meter(GradientMeter):
    """Measures one trainer of a feed-forward net; what does not change from step to step is worked out once."""

    def __init__(self, trainer: Trainer, architecture: Architecture) -> None:
        super().__init__(trainer, architecture)
        network, run = trainer.network, trainer.run
        assert isinstance(network, Network)
        assert isinstance(run, Pass)
        self._network, self._run = network, run
        units = np.array(network.widths)
        self._units = units
        self._unit_starts = np.concatenate(([0], np.cumsum(units)[:-1]))
        names = [parameter_name(layer, "weight") for layer in range(1, network.depth + 1)]
        self._weights = [network.slices[name] for name in names]
        self._counts = np.array([part.stop - part.start for part in self._weights], float)
        biases = [network.slices.get(parameter_name(layer, "bias")) for layer in range(1, network.depth + 1)]
        self._biases = [part or slice(0, 0) for part in biases]
        # weights that are shown one by one, as positions in the flat vector, beside where they go among the edges
        shown = [
            (np.arange(part.start, part.stop), architecture.edge_slice(layer))
            for layer, part in enumerate(self._weights, 1)
            if not architecture.layers[layer - 1].pooled
        ]
        empty = np.empty(0, np.int64)
        self._single_from = np.concatenate([source for source, _ in shown] or [empty])
        self._single_to = np.concatenate([np.arange(to.start, to.stop) for _, to in shown] or [empty])
        self._pools = [
            _Pool(part, (network.fan_ins[layer - 1], network.widths[layer - 1]), architecture, layer)
            for layer, part in enumerate(self._weights, 1)
            if architecture.layers[layer - 1].pooled
        ]
        self._edges = architecture.edge_slice(network.depth).stop
        self._roots = np.sqrt(self._counts)

    def details(self, moment: Moment | None = None, example: int | None = None) -> Details:
        """See `GradientMeter.details`."""
        trainer, run = self._trainer, self._run
        with np.errstate(all="ignore"):
            gradient = self.gradient(moment) if example is None else self._gradient_of(example)
            norms_before, norms_after, delta_norms, _ = self.norms(moment)
            if example is None:
                unit_deltas = row_norms(run.deltas)
            else:
                unit_deltas = np.abs(run.deltas[:, example].astype(float)) * run.batch
                norms_before = norms_after = norms([gradient[part] for part in self._weights])
                squares = np.add.reduceat(unit_deltas * unit_deltas, self._unit_starts)
                delta_norms = np.sqrt(squares)
            change = trainer.optimizer.change
            hidden = np.concatenate([_moments(layer.outputs) for layer in run.layers], axis=1)
            means = np.add.reduceat(hidden[0], self._unit_starts) / self._units
            squares = np.add.reduceat(hidden[1], self._unit_starts) / self._units
            # the slope at a NaN is unknown, also where a comparison says it is α or 0
            known = np.concatenate([np.isfinite(layer.pre_activations).all(axis=1) for layer in run.layers])
            slopes = np.where(known, run.slopes.mean(axis=1), np.nan)
            dead = known & ~run.slopes.any(axis=1)
            fields = dict(
                gradient_rms=norms_before / self._roots,
                clipped_rms=norms_after / self._roots,
                bias_gradient_norms=norms([gradient[part] for part in self._biases]),
                weight_norms=norms([trainer.network.vector[part] for part in self._weights]),
                update_norms=norms([change[part] for part in self._weights]),
                delta_rms=delta_norms / np.sqrt(self._units),
                activation_means=means,
                activation_stds=np.sqrt(np.maximum(squares - means * means, 0.0)),
                mean_slopes=np.add.reduceat(slopes, self._unit_starts) / self._units,
                dead_fractions=np.add.reduceat(dead.astype(float), self._unit_starts) / self._units,
                unit_deltas=unit_deltas,
                edge_gradients=self._pooled(gradient),
                edge_weights=self._single(trainer.network.vector),
                edge_updates=self._single(change),
                skip_gradients=np.array([self._skip_gradient(to, example) for _, to in self._architecture.skips], float),
            )
            # an example stands in the mini-batch of this step; the step before had another in its place
            alone = moment is not None and (not trainer.steps or example is not None)
            if alone or trainer.level:
                fields = {name: np.array(values) for name, values in fields.items()}
            if trainer.level:
                self._forget_other_levels(fields)
            if moment is not None and alone:
                self._forget_unreached(fields, moment)
        for array in fields.values():
            array.flags.writeable = False
        return Details(**fields)

    def _gradient_of(self, example: int) -> Floats:
        """The flat gradient of one example's own loss (weights and biases; 0 for batch norm and α, which are not drawn)."""
        run, network = self._run, self._network
        gradient = np.zeros_like(network.vector)
        feed = run.inputs
        for part, bias, layer in zip(self._weights, self._biases, run.layers, strict=True):
            deltas = layer.sum_deltas[:, example] * run.batch
            np.multiply.outer(feed[:, example], deltas, out=gradient[part].reshape(len(feed), len(deltas)))
            if bias.stop:
                gradient[bias] = deltas
            feed = layer.outputs
        return gradient

    def _skip_gradient(self, layer: int, example: int | None) -> float:
        """RMS over units of what the skip that ends at this layer carries."""
        carried = self._run.layers[layer - 1].gradient
        lengths = row_norms(carried) if example is None else carried[:, example] * self._run.batch
        return float(np.linalg.norm(lengths) / np.sqrt(len(lengths)))

    def _single(self, vector: Floats) -> Floats:
        edges = np.full(self._edges, np.nan)
        edges[self._single_to] = vector[self._single_from]
        return edges

    def _pooled(self, vector: Floats) -> Floats:
        edges = self._single(vector)
        for pool in self._pools:
            pool.write(vector, edges)
        return edges


class _Pool:
    """The weights of one tall layer, gathered into blocks: each the RMS of its weights."""

    def __init__(self, part: slice, shape: tuple[int, int], architecture: Architecture, layer: int) -> None:
        info = architecture.layers[layer - 1]
        self._part, self._shape, self._to = part, shape, architecture.edge_slice(layer)
        self._rows = block_starts(shape[0], info.edge_rows)
        self._columns = block_starts(shape[1], info.edge_columns)
        heights, widths = np.diff(np.append(self._rows, shape[0])), np.diff(np.append(self._columns, shape[1]))
        self._counts = np.outer(heights, widths).astype(float)

    def write(self, vector: Floats, edges: Floats) -> None:
        block = vector[self._part].reshape(self._shape).astype(float, copy=False)
        # a power of two takes the squares into range without rounding; NaN and infinity pass through
        largest = float(np.abs(block).max(initial=0.0))
        scale = 2.0 ** np.floor(np.log2(largest)) if 0.0 < largest < np.inf else 1.0
        scaled = block / scale
        columns = np.add.reduceat(np.multiply(scaled, scaled, out=scaled), self._columns, axis=1)
        sums = np.add.reduceat(columns, self._rows, axis=0)
        edges[self._to] = (np.sqrt(sums / self._counts) * scale).ravel()


def block_starts(count: int, blocks: int) -> NDArray[np.int64]:
    """First index of each of ``blocks`` nearly equal parts of ``count`` units."""
    return np.arange(blocks) * count // blocks


def _moments(values: Floats) -> Floats:
    """(2, units): each unit's mean and mean square over the batch."""
    batch = values.shape[1]
    moments: Floats = np.stack((values.sum(axis=1), np.einsum("ij,ij->i", values, values))) / batch
    return moments


def row_norms(values: Floats) -> Floats:
    """The length of each row, without overflow or underflow of the squares."""
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", values, values, dtype=float))
    odd = ~((lengths > 1e-140) & (lengths < 1e150))
    if odd.any():
        rows = values[odd].astype(float)
        largest = np.abs(rows).max(axis=1, initial=0.0)
        scale = np.where((largest > 0) & np.isfinite(largest), largest, 1.0)
        lengths[odd] = np.sqrt(np.square(rows / scale[:, None]).sum(axis=1)) * scale
    return lengths
