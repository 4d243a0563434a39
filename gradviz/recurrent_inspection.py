"""Exact numbers of what somebody points at in a recurrent net: a block of weights, one weight, one unit of a time step.

The weight behind a shown edge is shared by all time steps. So there are two gradients: what this time step adds, which is what the
edge shows, and the whole one, the sum over all time steps, which trains.
"""

from __future__ import annotations

import msgspec
import numpy as np

from gradviz.activations import LIMIT
from gradviz.arrays import Floats
from gradviz.checkpoints import State
from gradviz.distribution import BINS, distribution_of
from gradviz.inspection import block_of, weight_history
from gradviz.lab_reports import Distribution
from gradviz.recurrent_cells import LSTMCell
from gradviz.selected import Inspection, UnitInspection, WeightInspection
from gradviz.snapshot import Architecture, Moment
from gradviz.time_steps import READ_OUT, PassReader, gate_of, known_pass, pass_aside, recurrent, shown_name, strongest_copy
from gradviz.training import Trainer

FORGET = "forget"


def reader_of(trainer: Trainer) -> PassReader:
    """Of the trainer's own pass."""
    network, run = recurrent(trainer)
    return PassReader(network, run, trainer.passed_with)


def inspect_time_block(trainer: Trainer, architecture: Architecture, stage: int, row: int, column: int) -> Inspection:
    """The exact weights behind one shown edge, and what this time step adds to their gradients; of an LSTM those of one gate.

    Raises:
        ValueError: when there is no such stage or edge.
    """
    rows, columns = block_of(architecture, stage, row, column)
    reader = reader_of(trainer)
    name, _, found, _ = strongest_copy(reader, architecture, stage, slice(*rows), slice(*columns))
    units = architecture.layers[stage - 1].units
    gate = found // units
    cut = np.s_[slice(*rows), slice(gate * units + columns[0], gate * units + columns[1])]
    weights = trainer.network.parameters[name][cut].astype(float)
    with np.errstate(all="ignore"):
        gradients = reader.added(name, stage)[cut]
    weights.flags.writeable = gradients.flags.writeable = False
    return Inspection(stage, rows, columns, weights, gradients, gate_of(architecture.gates, units, name, found))


def pick_edge(
    trainer: Trainer, moment: Moment | None, architecture: Architecture, stage: int, source: int, unit: int
) -> tuple[str, int, int, int]:
    """The weight behind a shown edge to which this time step adds most: name, row, column, and of how many weights.

    Raises:
        ValueError: when there is no such stage or edge.
    """
    rows, columns = block_of(architecture, stage, source, unit)
    return strongest_copy(_informed(trainer, moment, stage), architecture, stage, slice(*rows), slice(*columns))


def pick_into_unit(trainer: Trainer, moment: Moment | None, architecture: Architecture, stage: int, unit: int) -> tuple[str, int, int, int]:
    """The same of all weights into a unit; out of it where it is an input (stage 0)."""
    check_unit(trainer, stage, unit)
    one = slice(unit, unit + 1)
    rows, columns = (one, slice(None)) if stage == 0 else (slice(None), one)
    return strongest_copy(_informed(trainer, moment, max(1, stage)), architecture, max(1, stage), rows, columns)


def pick_in_stage(
    trainer: Trainer, moment: Moment | None, architecture: Architecture, stage: int, example: int
) -> tuple[str, int, int, int]:
    """The same of all weights into a stage, for one example: the strongest, so that what vanishes does not do so by accident."""
    if not 1 <= stage <= len(architecture.layers):
        raise ValueError(f"stage {stage} does not exist; there are {len(architecture.layers) - 1} time steps, then the read-out")
    chosen = slice(example, example + 1)
    return strongest_copy(_informed(trainer, moment, stage), architecture, stage, slice(None), slice(None), chosen)


def first_at_work(trainer: Trainer, example: int) -> int:
    """The first time step whose weights do something in this example of the last pass: a short sequence is preceded by zeros."""
    reader = reader_of(trainer)
    steps = range(1, reader.network.time + 1)
    return next((t for t in steps if reader.before(shown_name(t, reader.network.depth), t)[:, example].any()), 1)


def loudest_row(trainer: Trainer, stage: int, example: int) -> int:
    """The row of the weights into a stage through which most is sent in one example of the last pass."""
    reader = reader_of(trainer)
    sent = reader.before(shown_name(stage, reader.network.depth), stage)[:, example]
    return int(np.argmax(np.nan_to_num(np.abs(sent), nan=np.inf)))


def _informed(trainer: Trainer, moment: Moment | None, stage: int) -> PassReader:
    return PassReader(recurrent(trainer)[0], known_pass(trainer, moment, stage), trainer.passed_with)


def inspect_shared_weight(
    trainer: Trainer, moment: Moment | None, gradient: Floats, states: list[State], stage: int, picked: tuple[str, int, int, int]
) -> WeightInspection:
    """One weight as it works in one time step: ``picked`` as by `pick_edge`, the rest as in `inspection.inspect_weight`.

    ``gradient`` and ``clipped_gradient`` are of all time steps together, ``added`` is what this one adds.
    """
    network, run = recurrent(trainer)
    name, row, column, of_block = picked
    reader, shared = reader_of(trainer), name != READ_OUT
    place = network.slices[name].start + row * network.parameters[name].shape[1] + column
    started = trainer.steps > 0 or moment is not None
    reached = started and (moment is None or moment.reached(stage))
    whole = started and (moment is None or moment.reached(run.first if shared else stage))
    clipped = moment is None or moment.kind in ("clip", "update")
    sent, gate = reader.before(name, stage)[row], gate_of(network.gates, network.hidden, name, column)
    with np.errstate(all="ignore"):
        added = float(sent @ reader.deltas(stage)[column]) if reached else np.nan
        mean = float(sent.mean()) if started and (moment is None or stage == 1 or moment.sent(stage - 1)) else np.nan
    own = float(gradient[place]) if whole else np.nan
    steps, values = weight_history(trainer, states, name, place)
    return WeightInspection(
        parameter=name,
        layer=stage,
        row=row,
        column=column % network.hidden if gate else column,
        weight=float(network.vector[place]),
        gradient=own,
        clipped_gradient=float(trainer.run.gradient[place]) if whole and clipped else own,
        change=float(trainer.optimizer.change[place]) if trainer.steps else np.nan,
        sent=mean,
        steps=steps,
        values=values,
        block=of_block,
        gate=gate,
        added=added if shared else None,
    )


def check_unit(trainer: Trainer, stage: int, unit: int) -> None:
    """Raises ValueError when a stage (0: the input) has no such unit."""
    network, _ = recurrent(trainer)
    if not (0 <= stage <= network.depth and 0 <= unit < (network.inputs if stage == 0 else network.widths[stage - 1])):
        raise ValueError(f"time step {stage} has no unit {unit}")


def inspect_time_unit(trainer: Trainer, moment: Moment | None, gradient: Floats, stage: int, unit: int) -> UnitInspection:
    """One unit in one time step, an output, or an input of the first time step (stage 0); see `UnitInspection`.

    Raises:
        ValueError: when there is no such unit.
    """
    check_unit(trainer, stage, unit)
    network, run = recurrent(trainer)
    reader, cell = reader_of(trainer), run.cell
    unknown = np.full(run.batch, np.nan)
    started = trainer.steps > 0 or moment is not None
    if stage == 0:
        value = np.array(run.inputs[0, unit], float) if started else unknown
        return UnitInspection(0, unit, unknown, unknown, value, unknown)
    sent = started and (moment is None or moment.sent(stage))
    reached = started and (moment is None or moment.reached(stage))
    gates = None
    with np.errstate(all="ignore"):
        if stage == network.depth:
            z: Floats = np.array(run.outputs[unit], float)
            slopes, outputs, deltas = np.ones_like(z), z, run.output_deltas[unit]
            biases = [("out.bias", unit)]
        elif isinstance(cell, LSTMCell):
            z, outputs = reader.memory(stage)[unit], np.array(cell.states[stage - 1, unit], float)
            slopes, deltas = reader.slopes(reader.squashed(stage)[unit]), cell.memory_gradients[stage - 1, unit]
            biases = [("cell.bias", gate * network.hidden + unit) for gate in range(len(network.gates))]
            gates = np.array(cell.gate_values[stage - 1, :, unit], float) if sent else np.full((len(network.gates), run.batch), np.nan)
        else:
            z, outputs = reader.sums(stage)[unit], np.array(cell.states[stage - 1, unit], float)
            slopes, deltas = reader.slopes(outputs), cell.deltas[stage - 1, unit]
            biases = [("cell.bias", unit)]
        own = np.array(deltas, float) * run.batch
    whole = started and (moment is None or moment.reached(stage if stage == network.depth else run.first))
    parameters = []
    for name, at in biases:
        place = network.slices[name].start + at
        parameters.append((f"{name}[{at}]", float(network.vector[place]), float(gradient[place]) if whole else np.nan))
    return UnitInspection(
        layer=stage,
        unit=unit,
        pre_activations=z if sent else unknown,
        slopes=slopes if reached else unknown,
        outputs=outputs if sent else unknown,
        deltas=own if reached else unknown,
        parameters=tuple(parameters),
        gates=gates,
    )


def time_distribution(trainer: Trainer, t: int, moment: Moment | None = None, bins: int = BINS, limit: float = LIMIT) -> Distribution:
    """How z_t lies on the activation over the mini-batch; of an LSTM the z of the forget gate, on the sigmoid.

    The forget gate, because it is the factor along the cell path. Which mini-batch it is of, and what is raised: see `distribution`.
    """
    network, _ = recurrent(trainer)
    if not 1 <= t <= network.time:
        raise ValueError(f"time step {t} does not exist; there are time steps 1 to {network.time}")
    with np.errstate(all="ignore"):
        reader = _sent_reader(trainer, moment, t)
        z = reader.sums(t).reshape(len(network.gates), network.hidden, -1)
        gate = FORGET if reader.lstm else ""
        z = z[network.gates.index(FORGET)] if gate else z[0]
        name = "sigmoid" if gate else network.activation
        return msgspec.structs.replace(distribution_of(z, t, name, 0.0, bins, limit), gate=gate)


def time_step_to_look_at(trainer: Trainer, moment: Moment | None = None) -> int:
    """The time step with the smallest mean factor: f′(z_t), or the forget gate of an LSTM; the first of several."""
    with np.errstate(all="ignore"):
        reader = _sent_reader(trainer, moment, recurrent(trainer)[0].time)
        steps = range(1, reader.network.time + 1)
        means = [float((reader.gate(FORGET, t) if reader.lstm else np.abs(reader.state_slopes(t))).mean()) for t in steps]
    return int(np.argmin(np.nan_to_num(means, nan=np.inf))) + 1


def _sent_reader(trainer: Trainer, moment: Moment | None, t: int) -> PassReader:
    """Of the last pass, or of one made aside while there is none in which the signal has come so far."""
    network, run = recurrent(trainer)
    if (moment is None and not trainer.steps) or (moment is not None and not moment.sent(t)):
        run, _ = pass_aside(trainer, trainer.batches.peek() if moment is None else trainer.chosen)
    return PassReader(network, run, trainer.passed_with)
