"""Moments of runs that never were: snapshots with plausible numbers, made at once and in every state a panel must be able to show."""

from __future__ import annotations

import numpy as np

from gradviz.arrays import Floats
from gradviz.history_table import HistoryTable
from gradviz.snapshot import Architecture, Details, Failure, LayerInfo, Prediction, Snapshot
from gradviz.spec import NetworkSpec, Spec, TrainingSpec

TALLEST = 16  # taller layers are shown as strips and their edges in blocks
BLOCKS = 8
FACTORS = {"vanishing": 0.24, "healthy": 0.97, "exploding": 2.4, "nan": 1.8, "dead": 0.8}
ACTIVATION = {"vanishing": "sigmoid", "healthy": "tanh", "exploding": "leaky_relu", "nan": "leaky_relu", "dead": "relu"}


def fabricate(
    depth: int = 10,
    width: int = 8,
    kind: str = "vanishing",
    skip_every: int = 0,
    batch_norm: bool = False,
    inputs: int = 2,
    clipped: bool = False,
    details: bool = True,
    widths: tuple[int, ...] | None = None,
    outputs: int = 1,
    playing: bool = False,
) -> Snapshot:
    """A snapshot of step 412, or of step 0 when nothing is to be known (``details`` false).

    ``kind``: "vanishing" (× 0.24 per layer backwards), "healthy", "exploding", "nan" (not finite from L4 on) or "dead"
    (layers 3 and 4, and all before them, have gradients of exactly 0).
    """
    rng = np.random.default_rng(7)
    spec = Spec(
        NetworkSpec(depth=depth, width=width, widths=widths, activation=ACTIVATION[kind], skip_every=skip_every, batch_norm=batch_norm),
        training=TrainingSpec(clip="norm" if clipped else "none", clip_threshold=0.5),
    )
    architecture = build_architecture(spec, inputs, outputs)
    count = depth + 1
    if not details:
        unknown = np.full(count, np.nan)
        nan = float("nan")
        return Snapshot(0, nan, unknown, unknown, unknown, nan, nan, 0.1, None, spec, architecture, loss_name="binary_cross_entropy")

    typical = (0.016 if kind != "exploding" else 1.5) * FACTORS[kind] ** np.arange(depth, -1, -1.0)
    if kind == "dead":
        typical[: min(4, depth)] = 0.0
    if kind == "nan":
        typical[: min(3, depth)] = 6e84
        typical[min(3, depth) :] = np.nan
    edges = [rng.normal(size=layer.edge_rows * layer.edge_columns) * size for layer, size in zip(architecture.layers, typical, strict=True)]
    edges = [np.abs(values) if layer.pooled else values for values, layer in zip(edges, architecture.layers, strict=True)]
    units = [np.abs(rng.normal(size=layer.units)) * size * 3 for layer, size in zip(architecture.layers, typical, strict=True)]
    if kind == "dead":
        for values in units[4:-1]:
            values[rng.random(len(values)) < 0.3] = 0.0
    gradients = np.concatenate(edges)
    pooled = np.concatenate([np.full(layer.edge_rows * layer.edge_columns, layer.pooled) for layer in architecture.layers])
    weights, updates = rng.normal(size=gradients.size) * 0.4, gradients * -0.1
    weights, updates = (np.where(pooled, np.abs(values), values) for values in (weights, updates))  # of a block, the RMS
    rms = np.array([np.sqrt(np.mean(np.square(values / 1e80))) * 1e80 for values in edges])
    norms = rms * np.sqrt([layer.fan_in * layer.units for layer in architecture.layers])
    total = float(np.sqrt(np.sum(np.square(norms / 1e80))) * 1e80)
    share = 0.5 / total if clipped and total > 0.5 else (0.5 if clipped else 1.0)
    slopes = np.full(count, 0.24 if kind == "vanishing" else 0.8)
    slopes[-1] = 1.0
    measured = Details(
        gradient_rms=rms,
        clipped_rms=rms * share,
        bias_gradient_norms=np.zeros(count) if batch_norm else norms / 3,
        weight_norms=np.sqrt([layer.units for layer in architecture.layers]),
        update_norms=norms * share * 0.1,
        delta_rms=np.array([np.sqrt(np.mean(np.square(values / 1e80))) * 1e80 for values in units]),
        activation_means=np.full(count, 0.5),
        activation_stds=np.full(count, 0.1),
        mean_slopes=slopes,
        dead_fractions=np.array([float(np.mean(values == 0)) for values in units]),
        unit_deltas=np.concatenate(units),
        edge_gradients=gradients,
        edge_weights=weights,
        edge_updates=updates,
        skip_gradients=np.array([typical[to - 1] * 3 for _, to in architecture.skips], float),
    )
    failure = Failure(20, min(4, depth), architecture.layers[min(4, depth) - 1].name, "forward") if kind == "nan" else None
    loss = np.nan if kind == "nan" else 0.694
    return Snapshot(
        step=412,
        loss=loss,
        gradient_norms=norms,
        clipped_norms=norms * share if clipped else norms,
        delta_norms=measured.delta_rms * np.sqrt([layer.units for layer in architecture.layers]),
        total_norm=total,
        clipped_norm=total * share if clipped else total,
        learning_rate=0.1,
        failure=failure,
        spec=spec,
        architecture=architecture,
        guessing_loss=0.693,
        loss_name="binary_cross_entropy",
        test_loss=0.7,
        details=measured,
        prediction=_surface() if inputs == 2 and outputs == 1 else None,
        history=_history(rms, loss, rng),
        data_summary="400 training, 100 test examples",
        playing=playing,
        steps_per_second=60.0 if playing else 0.0,
    )


def build_architecture(spec: Spec, inputs: int, outputs: int) -> Architecture:
    """What the engine would build of this spec for data with so many inputs and outputs."""
    network = spec.network
    sizes = [inputs, *network.layer_widths, outputs]
    layers = []
    for number in range(1, len(sizes)):
        fan_in, units, hidden = sizes[number - 1], sizes[number], number <= network.depth
        ends_block = bool(network.skip_every) and hidden and number > 1 and (number - 1) % network.skip_every == 0
        layers.append(
            LayerInfo(
                name=f"L{number}" if hidden else "Out",
                fan_in=fan_in,
                units=units,
                activation=network.layer_activations[number - 1] if hidden else "identity",
                batch_norm=network.batch_norm and hidden,
                skip_from=number - network.skip_every if ends_block else None,
                edge_rows=fan_in if fan_in <= TALLEST else BLOCKS,
                edge_columns=units if units <= TALLEST else BLOCKS,
                pooled=max(fan_in, units) > TALLEST,
            )
        )
    parameters = sum(layer.fan_in * layer.units + layer.units for layer in layers)
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    names = [tuple(f"{letter}{i + 1}".translate(subscripts) for i in range(count)) for letter, count in (("x", inputs), ("y", outputs))]
    return Architecture(tuple(layers), names[0], names[1], parameters)


def _surface() -> Prediction:
    rng = np.random.default_rng(3)
    axis = np.linspace(-2.0, 2.0, 41)
    x, y = np.meshgrid(axis, axis)
    grid = 1 / (1 + np.exp(-4 * (np.sin(1.6 * x) - y)))
    points = rng.uniform(-1.8, 1.8, size=(120, 2))
    labels = (np.sin(1.6 * points[:, 0]) > points[:, 1]).astype(np.int64)
    tested = np.arange(120) % 5 == 0
    return Prediction(
        "surface", 0.91, ("0", "1"), (-2.0, 2.0, -2.0, 2.0), grid=grid, points=points, point_labels=labels, point_in_test=tested
    )


def _history(rms: Floats, loss: float, rng: np.random.Generator) -> HistoryTable:
    steps = np.arange(1, 413)
    wobble = np.exp(rng.normal(size=(412, rms.size)) * 0.3)
    losses = 0.69 + 0.02 * rng.normal(size=412)
    rows = rms * wobble
    if np.isnan(loss):
        rows = np.where(np.arange(412)[:, None] < 400, 0.01 * wobble * np.exp(np.arange(412) / 40)[:, None], rows)
        losses[400:] = np.nan
    totals = np.sqrt(np.square(rows / 1e80).sum(axis=1)) * 1e80
    return HistoryTable(
        steps=steps,
        loss=losses,
        loss_low=losses - 0.005,
        loss_high=losses + 0.005,
        gradient_rms=rows,
        total_norms=np.stack((totals, totals), axis=1),
        test_steps=steps[::20],
        test_loss=losses[::20] + 0.01,
        changes=((200, "learning rate 0.1 → 0.5"),),
    )
