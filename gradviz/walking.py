"""Through a training step phase by phase and back again, as one walks with the arrow keys."""

from __future__ import annotations

from gradviz.experiment import Experiment


def finish_phase(experiment: Experiment) -> None:
    """To the end of the phase in work, or of the next one: all layers forward, the loss, all layers back, …"""
    phases = experiment.phases()
    next(phases)
    moment = experiment.moment
    while moment is not None and moment.done < moment.total and moment.next_kind == moment.kind:
        next(phases)
        moment = experiment.moment


def back(experiment: Experiment) -> None:
    """To the beginning of the step in work, or one whole step back."""
    experiment.go_to(experiment.step_count if experiment.mid_step else max(0, experiment.step_count - 1))


def back_layer(experiment: Experiment) -> None:
    """To before the last thing that was done: one layer, the loss, clipping, or the update."""
    step, done = _phases_done(experiment)
    if done:
        experiment.go_to(step, done - 1)


def back_phase(experiment: Experiment) -> None:
    """To the beginning of the phase in work, or of the one before."""
    step, done = _phases_done(experiment)
    kinds = [kind for kind, _ in experiment.trainer.order_of(step + 1)]
    ends = [0, *(end for end in range(1, done) if kinds[end - 1] != kinds[end])]
    if done:
        experiment.go_to(step, ends[-1])


def _phases_done(experiment: Experiment) -> tuple[int, int]:
    """The whole steps before the one in work (or the last one), and how many of its phases are done."""
    if experiment.mid_step:
        assert experiment.moment is not None, "it is known where in the step the run stands"
        return experiment.step_count, experiment.moment.done
    step = experiment.step_count
    return step - 1, len(experiment.trainer.order_of(step)) if step else 0
