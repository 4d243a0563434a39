"""The exact numbers behind the timeline: the card at a point of it, and the table of the whole run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF

from gradviz.history_table import HistoryTable
from gradviz.snapshot import Architecture, Ghost
from gradviz.spec import Spec

from ..numbers import full, short
from ..stages import size_of, training_step
from .panel import Table
from .timeline_frame import Frame
from .timeline_marks import fork_place

MOST_FLAGS_TOLD = 8
NEAR = 9.0  # pixels from a fork within which it is meant


@dataclass(frozen=True)
class Card:
    """What there is to tell about a point; ``step`` is the one it belongs to, None for flags and forks."""

    title: str
    rows: list[tuple[str, str]]
    step: int | None = None


def card_at(
    frame: Frame, at: QPointF, history: HistoryTable, ghost: Ghost | None, architecture: Architecture, spec: Spec | None = None
) -> Card | None:
    """The card for a point of the timeline, None where there is nothing."""
    one = training_step(spec) if spec is not None else "step"
    if at.y() <= frame.loss.top() + 2:
        flags = [change for change in history.changes if abs(frame.x(change[0]) + 3 - at.x()) <= 7]
        if flags:
            return Card("Changed while running", [(f"{one} {step:,}", text) for step, text in flags[-MOST_FLAGS_TOLD:]])
    if ghost is not None:
        away = at - fork_place(frame, ghost.branch_step)
        if abs(away.x()) <= NEAR and abs(away.y()) <= NEAR:
            return Card(f"Branch from {one} {ghost.branch_step:,}", [(f"the old line ran to {one} {int(ghost.history.steps[-1]):,}", "")])
    if not (frame.heat.left() <= at.x() <= frame.heat.right() and frame.loss.top() <= at.y() <= frame.heat.bottom()):
        return None
    row, old_row = _row_at(frame, at.x(), history), _row_at(frame, at.x(), ghost.history) if ghost is not None else None
    before = []
    if ghost is not None and old_row is not None and int(ghost.history.steps[old_row]) > ghost.branch_step:
        old_step, old_loss = int(ghost.history.steps[old_row]), float(ghost.history.loss[old_row])
        before = [(f"before the branch, {one} {old_step:,}", full(old_loss))]
    if row is None:
        return Card("The line before the branch", [("loss, " + before[0][0].split(", ")[1], before[0][1])]) if before else None
    step = int(history.steps[row])
    level = spec.level_at(step) if spec is not None else 0
    named = "loss" if history.population is None else "loss of the best"
    rows = [(f"reconstruction error of L{level}" if level else named, full(float(history.loss[row]))), *before]
    if history.population is not None:
        first, median, last, sigma, success = history.population[row].tolist()
        rows += [("half of the population between", f"{short(first)} and {short(last)}"), ("its median", full(median))]
        rows += [("σ of the mutations", full(sigma)), ("share of them that succeeded", full(success))]
    tested = np.nonzero(history.test_steps <= step)[0]
    if len(tested):
        index = int(tested[-1])
        if spec is None or spec.level_at(int(history.test_steps[index])) == level:  # else it is of another level
            name = "on the test set" if level else "test loss"
            rows.append((f"{name} after {one} {int(history.test_steps[index]):,}", full(float(history.test_loss[index]))))
    layer = frame.layer_at(at.y())
    if layer is not None and level in (0, layer):
        name = f"{architecture.layers[layer - 1].name}: typical {size_of(architecture, layer)}"
        rows.append((name, full(float(history.gradient_rms[row, layer - 1]))))
    return Card(f"{one.capitalize()} {step:,}", rows, step)


def _row_at(frame: Frame, x: float, history: HistoryTable) -> int | None:
    """The row of a history that is drawn at a place; None beyond its end."""
    step = frame.step_at(x)
    if len(history.steps) == 0 or step > float(history.steps[-1]) + frame.span / frame.heat.width() * 4:
        return None
    return min(len(history.steps) - 1, int(np.searchsorted(history.steps, step, side="left")))


def history_rows(history: HistoryTable, line: str, after: int = 0) -> list[tuple[object, ...]]:
    """The rows of a table for the steps after ``after``: (line, step, losses, test, norms, RMS of each layer)."""
    tests = np.searchsorted(history.steps, history.test_steps, side="left")  # the row in whose steps the test loss was measured
    measured = {int(row): index for index, row in enumerate(tests)}
    rows: list[tuple[object, ...]] = []
    for row, step in enumerate(history.steps.tolist()):
        if step <= after:
            continue
        index = measured.get(row)
        test = (None, None) if index is None else (int(history.test_steps[index]), float(history.test_loss[index]))
        trained = (float(history.loss[row]), float(history.loss_low[row]), float(history.loss_high[row]))
        population = [] if history.population is None else history.population[row].tolist()
        rows.append((line, step, *trained, *test, *population, *history.total_norms[row].tolist(), *history.gradient_rms[row].tolist()))
    return rows


def timeline_table(history: HistoryTable | None, ghost: Ghost | None, layers: list[str]) -> Table:
    """The whole run, and behind it what the line before the branch did after the branch."""
    losses: tuple[str, ...] = ("loss", "loss_low", "loss_high", "test_step", "test_loss")
    norms = ("gradient_norm", "gradient_norm_after_clipping", *(f"gradient_rms_{name}" for name in layers))
    if history is not None and history.population is not None:
        losses += ("population_quartile_1", "population_median", "population_quartile_3", "sigma", "success")
    rows = history_rows(history, "now") if history is not None else []
    if ghost is not None:
        rows += history_rows(ghost.history, "before the branch", ghost.branch_step)
    return Table(("line", "step", *losses, *norms), tuple(rows))
