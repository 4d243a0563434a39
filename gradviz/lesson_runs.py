"""Lessons played in the engine: the scene set up, and the question answered by running it.

Apart from gradviz.lessons, so that a window can read and show lessons without loading the engine.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gradviz.experiment import Experiment
from gradviz.lessons import Action, Lesson, selecting
from gradviz.quantities import quantity
from gradviz.snapshot import Look, Snapshot


class Answer(NamedTuple):
    """What came of a question when it was run."""

    case: int | None  # which of the cases is right; None when none is
    value: float
    snapshot: Snapshot  # with what the places of the texts need


def play_scene(lesson: Lesson, seed: int | None = None) -> Experiment:
    """The experiment as the lesson shows it first; ``seed`` in place of the lesson's own."""
    spec = lesson.spec if seed is None else lesson.spec.replace("training.seed", seed)
    experiment = Experiment(spec)
    _train(experiment, lesson.scene.steps)
    return experiment


def answer(lesson: Lesson, seed: int | None = None) -> Answer:
    """Run the scene and then the lesson's question, which takes no longer than its steps."""
    experiment, look = play_scene(lesson, seed), lesson.look
    for action in lesson.question.actions:
        look = act(experiment, look, action)
    _train(experiment, lesson.question.steps)
    snapshot = experiment.measure(look)
    value = quantity(snapshot, lesson.question.quantity)
    holding = [number for number, case in enumerate(lesson.question.cases) if case.holds(value)]
    return Answer(holding[0] if holding else None, value, snapshot)


def act(experiment: Experiment, look: Look, action: Action) -> Look:
    """Do one action in the engine; returns what is looked at from now on. Playing and pages of the dock are the window's.

    Raises:
        ValueError: for an action that there is not, or a step that has not been reached.
        SpecError: for a setting that cannot be.
    """
    match action.do:
        case "set":
            experiment.apply(experiment.spec.replace(action.path, action.value))
        case "step":
            _step(experiment)
        case "step_layer":
            next(experiment.phases())
        case "step_phase":
            phases = experiment.phases()
            next(phases)
            while (at := experiment.moment) is not None and at.done < at.total and at.next_kind == at.kind:
                next(phases)
        case "back" | "go_to":
            wanted = experiment.step_count - (0 if experiment.mid_step else 1) if action.do == "back" else int(action.value)
            experiment.go_to(min(max(0, wanted), experiment.last_step))
        case "reset":
            experiment.restart()
        case "select":
            return selecting(look, None if action.value is None else tuple(action.value))
        case "lab":
            return msgspec.structs.replace(look, lab=action.value)
        case "read":
            return msgspec.structs.replace(look, lab_read=int(action.value))
        case "play" | "pause" | "page":
            pass
        case _:
            raise ValueError(f"there is no action {action.do!r}")
    return look


def _step(experiment: Experiment) -> None:
    """To the end of the step in work, or one more; in the past, the next one as it was."""
    if not experiment.mid_step and experiment.step_count < experiment.last_step:
        experiment.go_to(experiment.step_count + 1)
    else:
        _train(experiment, 1)


def _train(experiment: Experiment, steps: int) -> None:
    """So many whole steps, or fewer when a number stops being finite."""
    for _ in range(steps):
        if experiment.trainer.failure is not None:
            return
        experiment.advance()
