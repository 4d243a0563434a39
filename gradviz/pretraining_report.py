"""What the level in work can tell again of a few test examples: the picture of greedy layer-wise pre-training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradviz.history import frozen
from gradviz.pretraining_trainer import PretrainingTrainer
from gradviz.snapshot import PretrainingReport

if TYPE_CHECKING:
    from gradviz.experiment import Experiment

EXAMPLES = 6
POINTS = 60  # where an example is a point in the plane


def pretraining_report(experiment: Experiment) -> PretrainingReport | None:
    """How far pre-training has come; None where the run has none."""
    trainer, data, step = experiment.trainer, experiment.data, experiment.step_count
    if not isinstance(trainer, PretrainingTrainer):
        return None
    levels, each = experiment.spec.network.depth, experiment.spec.training.steps_per_level
    pretraining = trainer.pretraining
    if pretraining is None:
        return PretrainingReport(0, levels, step - levels * each, each)
    shown = data.inputs[(data.test if len(data.test) else data.train)[: POINTS if data.features == 2 else EXAMPLES]]
    told = pretraining.reconstruction(shown)
    shape = (-1, 1, data.features)
    if data.image_shape is not None:
        shown, told = (values * data.input_std + data.input_mean for values in (shown, told))
        shape = (-1, *data.image_shape)
    return PretrainingReport(
        level=pretraining.level,
        levels=levels,
        step=pretraining.step_of_level,
        steps=each,
        error=trainer.loss,
        test_error=experiment.history.last_test_loss,
        originals=frozen(shown.reshape(shape)),
        told=frozen(told.reshape(shape)),
    )
