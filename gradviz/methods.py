"""The methods by which weights are found, each with its trainer; all are made and used in the same way."""

from __future__ import annotations

from gradviz.evolution_trainer import EvolutionTrainer
from gradviz.pretraining_trainer import PretrainingTrainer
from gradviz.training import Trainer

TRAINERS: dict[str, type[Trainer]] = {"gradient": Trainer, "pretraining": PretrainingTrainer, "evolution": EvolutionTrainer}
