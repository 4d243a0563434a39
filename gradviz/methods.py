"""The ways to find weights: the name that a spec gives, and the trainer that does it."""

from __future__ import annotations

from gradviz.pretraining_trainer import PretrainingTrainer
from gradviz.training import Trainer

TRAINERS: dict[str, type[Trainer]] = {"gradient": Trainer, "pretraining": PretrainingTrainer}
