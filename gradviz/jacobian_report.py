"""The maps of a network for one example, as `gradviz.jacobian` wants them, and what the Jacobian view of the lab tells of them."""

from __future__ import annotations

import numpy as np

from gradviz.arrays import Floats
from gradviz.data import Data
from gradviz.jacobian import Factor, log10_mean_square, spectra_backwards, spectrum
from gradviz.network import Network, Pass, build, parameter_name
from gradviz.objective import output_count, resolve_loss
from gradviz.recurrent import RecurrentPass
from gradviz.snapshot import Architecture, Moment
from gradviz.spec import Spec
from gradviz.spectra import JacobianMap, JacobianReport
from gradviz.threads import one_thread
from gradviz.time_steps import RECURRENT, PassReader
from gradviz.training import AnyPass, Batches, Trainer

MOST_MAPS = 32  # of which the singular values are found one by one: as many columns as can be told apart
MOST_WORK = 1e9  # multiply-adds that one measurement may cost, under 0.1 s; beyond it fewer directions are looked at
FEWEST_DIRECTIONS = 8
PER_CALL = 2e4  # multiply-adds that could be done in the time that a factor takes however small it is


def jacobian_report(trainer: Trainer, architecture: Architecture, moment: Moment | None = None, example: int = 0) -> JacobianReport:
    """Of the mini-batch of the step that was done last; before the first step and while a signal is on its way, that of the one that is up.

    Args:
        trainer: whose last pass is looked at.
        architecture: of its network.
        moment: where in the step in work the run stands.
        example: position in the mini-batch.

    Raises:
        ValueError: when there is no such example.
    """
    if not 0 <= example < trainer.batches.size:
        raise ValueError(f"example {example} is not in the mini-batch; it has examples 0 to {trainer.batches.size - 1}")
    run, vector, chosen = trainer.run, trainer.passed_with, trainer.chosen
    fresh = moment is None and not trainer.steps
    if fresh or trainer.level or (moment is not None and not moment.lost):  # the run's own pass is not whole
        chosen = trainer.batches.peek() if fresh else trainer.chosen
        (run, _), vector = trainer.look_ahead(chosen), trainer.network.vector
    with np.errstate(all="ignore"):
        chain = factors(run, vector, example)
    return _report(chain, architecture, "own", trainer.steps, example, int(chosen[example]))


@one_thread()
def orthogonal_report(spec: Spec, data: Data, architecture: Architecture, example: int = 0) -> JacobianReport:
    """Of the same net before any training with orthogonal first weights (Saxe et al. 2014), with its gain and its first mini-batch.

    Raises:
        ValueError: when there is no such example.
        SpecError, TargetError: when the loss does not fit the data.
    """
    loss = resolve_loss(spec.training.loss, data)
    chosen = data.train[Batches(len(data.train), spec.training.batch_size, spec.training.seed).next()]
    if not 0 <= example < len(chosen):
        raise ValueError(f"example {example} is not in the mini-batch; it has examples 0 to {len(chosen) - 1}")
    own = spec.replace("network.initializer", "orthogonal").replace("network.set_values", ())
    network = build(own.network, data.features, output_count(loss, data), loss, spec.training.seed)
    run = Pass(network, len(chosen), update_running=False)
    with np.errstate(all="ignore"):
        run.inputs[:] = data.inputs[chosen].T
        run.forward()
        chain = factors(run, network.vector, example)
    return _report(chain, architecture, "orthogonal", 0, example, int(chosen[example]))


def factors(run: AnyPass, vector: Floats, example: int) -> list[tuple[int, int, Factor]]:
    """(from layer, to layer, Jacobian) of each map of the net, the first one from the input (0), the last one to the output.

    A residual block is one map, 1 + F′. In a recurrent net the maps are those from state to state; of an LSTM a state is c and h.

    Args:
        run: a pass whose signal has gone through.
        vector: the flat parameters it was made with.
        example: position in its batch.
    """
    if isinstance(run, RecurrentPass):
        return _in_time(PassReader(run.network, run, vector), example)
    network = run.network
    layers = {layer: _layer(network, run, vector, layer, example) for layer in range(1, network.depth + 1)}
    found, start = [], 0
    ends = {begin: end for end, begin in network.skips.items()}
    while start < network.depth:
        end = ends.get(start, start + 1)
        found.append((start, end, Factor(tuple(layers[layer] for layer in range(start + 1, end + 1)), start in ends)))
        start = end
    return found


def _layer(network: Network, run: Pass, vector: Floats, layer: int, example: int) -> tuple[Floats, Floats]:
    """Weight and slope of one layer: f′, with batch norm times what it scales by, its mean and spread held."""
    weight = vector[network.slices[parameter_name(layer, "weight")]].reshape(network.fan_ins[layer - 1], -1)
    own = run.layers[layer - 1]
    slope = np.ones(network.widths[layer - 1])
    if own.activate is not None:
        alpha = network.slices.get(parameter_name(layer, "alpha"))
        slope = own.activate.slopes_at(own.values, None if alpha is None else float(vector[alpha][0]))[:, example].astype(float)
        slope[np.isnan(own.pre_activations[:, example])] = np.nan  # where a comparison would give ReLU a slope of 0
    if own.batch_norm is not None:
        slope = slope * vector[network.slices[parameter_name(layer, "scale")]] / own.batch_norm.spread
    return np.asarray(weight, float), slope


def _in_time(reader: PassReader, example: int) -> list[tuple[int, int, Factor]]:
    """The maps from state to state, ∂h_t/∂h_{t−1}, and that of the read-out."""
    time, hidden = reader.run.time, reader.hidden
    weight, read_out = (np.asarray(reader.weight(name), float) for name in (RECURRENT, "out.weight"))
    found = []
    for t in range(1, time + 1):
        if not reader.lstm:
            found.append((t - 1, t, Factor(((weight, reader.state_slopes(t)[:, example].astype(float)),))))
            continue
        blocks = dict(zip(reader.network.gates, np.split(weight, len(reader.network.gates), axis=1), strict=True))
        through = {name: blocks[name] * reader.gate_factor(name, t)[:, example] for name in blocks}  # transposed, as weights are
        forget, output = reader.gate("forget", t)[:, example], reader.state_by_memory(t)[:, example]
        memory_by_state = through["input"] + through["forget"] + through["candidate"]
        # rows: what comes in (c, h), columns: what goes out (c, h)
        top = np.hstack([np.diag(forget), np.diag(forget * output)])
        bottom = np.hstack([memory_by_state, memory_by_state * output + through["output"]])
        found.append((t - 1, t, Factor(((np.vstack([top, bottom]), np.ones(2 * hidden)),))))
    if reader.lstm:
        read_out = np.vstack([np.zeros_like(read_out), read_out])
    return [*found, (time, time + 1, Factor(((read_out, np.ones(read_out.shape[1])),)))]


@one_thread()
def _report(
    chain: list[tuple[int, int, Factor]], architecture: Architecture, weights: str, step: int, example: int, number: int
) -> JacobianReport:
    maps = [factor for _, _, factor in chain]
    inner = maps[1:-1]
    most = directions_within(maps)
    shown = sorted({round(place) for place in np.linspace(0, len(chain) - 1, min(len(chain), MOST_MAPS))})
    # of the map that ends where hidden factor i begins: ∂h_last/∂h there
    onward = spectra_backwards(inner, shown, most) if inner else spectra_backwards([_unit(maps[0])], (1,), most)
    names = [layer.name for layer in architecture.layers]
    found = []
    squares = {}
    for place in shown:
        start, end, factor = chain[place]
        name = f"{names[start - 1]} → {names[end - 1]}" if end > start + 1 else names[end - 1]
        own = spectrum([factor], most)
        squares[place] = own.log10_mean_square
        behind = None if place == len(chain) - 1 else onward[place] if inner else onward[1]
        found.append(JacobianMap(name, end, own, behind))
    return JacobianReport(
        weights=weights,
        step=step,
        example=example,
        example_number=number,
        names=(names[chain[0][1] - 1], names[chain[-1][0] - 1]),
        maps=tuple(found),
        chain=len(inner),
        hidden=onward[0] if inner else onward[1],
        whole=spectrum(maps, most),
        log10_product=float(
            np.sum([squares[place] if place in squares else log10_mean_square(maps[place], most) for place in range(1, len(maps) - 1)])
        ),
        units=max(factor.outputs for factor in maps),
        recurrent=architecture.recurrent,
        directions=min(most, max(factor.outputs for factor in maps)),
    )


def _unit(factor: Factor) -> Factor:
    units = factor.outputs
    return Factor(((np.eye(units), np.ones(units)),))


def directions_within(maps: list[Factor]) -> int:
    """In how many directions the maps can be looked at for `MOST_WORK`."""
    units = max(factor.outputs for factor in maps)
    most = units
    while most > FEWEST_DIRECTIONS and _work(maps, most) > MOST_WORK:
        most = max(FEWEST_DIRECTIONS, most // 2)
    return most


def _work(maps: list[Factor], most: int) -> float:
    total = 0.0
    for factor in maps:
        for weight, _ in factor.layers:
            rows, columns = weight.shape
            used = min(most, rows, columns)
            # once along the chain and once by itself: a product and a QR decomposition each
            total += PER_CALL + 2 * (rows * columns * used + 4 * rows * used * used)
    units = min(most, max(factor.outputs for factor in maps))
    return total + 2 * MOST_MAPS * 4.0 * units**3
