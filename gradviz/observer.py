"""What somebody wants to see of an experiment's present moment, measured and put into one snapshot; nothing is changed by looking."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from gradviz.arrays import Floats
from gradviz.census import census
from gradviz.chain import chain_rule
from gradviz.clipping_report import clipping_report
from gradviz.compressor_report import compressor_report
from gradviz.diagnosis import diagnose
from gradviz.distribution import distribution, layer_to_look_at
from gradviz.hardware_report import hardware_report
from gradviz.held_verdicts import HeldVerdicts
from gradviz.initialisation_study import initialisation_study
from gradviz.inspection import inspect_block, inspect_unit, inspect_weight, strongest_weight, weakest_weight
from gradviz.jacobian_report import jacobian_report, orthogonal_report
from gradviz.lab_reports import InitialisationStudy, Lab, LinearMap
from gradviz.linear_map import linear_map
from gradviz.mean_field import mean_field
from gradviz.measure import GradientMeter, Meter
from gradviz.measure_recurrent import RecurrentMeter
from gradviz.network import parameter_name
from gradviz.oscillation import oscillating_ranges
from gradviz.prediction import predict
from gradviz.pretraining_report import pretraining_report
from gradviz.recurrent_chain import time_chain_rule
from gradviz.recurrent_inspection import (
    first_at_work,
    inspect_shared_weight,
    inspect_time_block,
    inspect_time_unit,
    loudest_row,
    pick_edge,
    pick_in_stage,
    pick_into_unit,
    time_distribution,
    time_step_to_look_at,
)
from gradviz.residual_report import residual_report
from gradviz.selected import ChainRule, Inspection, UnitInspection, WeightInspection
from gradviz.snapshot import Census, Held, Look, Snapshot, Theory
from gradviz.spectra import JacobianReport
from gradviz.training import feed_forward

if TYPE_CHECKING:
    from gradviz.experiment import Experiment

SURFACE_WORK = 50_000_000  # multiply-adds that one decision surface may cost
SURFACE_GRIDS = (16, 48)
CENSUS_WORK = 3e8  # multiply-adds that one count of dead units may cost, under 0.1 s; a set that would cost more is sampled evenly


class Observer:
    """Looks at one trainer of an experiment; what does not change from step to step is worked out once."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._made_meter: GradientMeter | None = None
        self._study: InitialisationStudy | None = None
        self._map: LinearMap | None = None
        self._judged = HeldVerdicts()
        self._known_theory: tuple[tuple[object, ...], Theory] | None = None  # beside all that it depends on
        self._orthogonal: JacobianReport | None = None
        self._flattest: int | None = None
        self._pair: tuple[str, str] | None = None
        self._place: tuple[tuple[int, str, int, int], tuple[int, int]] | None = None  # (line, kind, layer, unit) -> row and column
        self._copy: tuple[tuple[int, tuple[str, int, int, int]], tuple[str, int, int, int]] | None = None  # (line, picked) -> weight

    @property
    def _meter(self) -> GradientMeter:
        if self._made_meter is None:
            kind = RecurrentMeter if self._recurrent else Meter
            self._made_meter = kind(self._experiment.trainer, self._experiment.architecture)
        return self._made_meter

    @property
    def _recurrent(self) -> bool:
        return self._experiment.architecture.recurrent

    @np.errstate(all="ignore")  # of an exploding run even means and norms are too large
    def observe(self, look: Look, history_after: int) -> Snapshot:
        """See `Experiment.measure`."""
        experiment, moment = self._experiment, self._experiment.moment
        trainer, network, data = experiment.trainer, experiment.network, experiment.data
        if look.example is not None and not 0 <= look.example < trainer.batches.size:
            raise ValueError(f"example {look.example} is not in the mini-batch of {trainer.batches.size}")
        before, after, deltas, whole = self._meter.norms(moment)
        chain, lab = self._chain(look) if look.chain else None, self._lab(look)
        snapshot = experiment.snapshot(
            details=self._meter.details(moment, look.example) if self._anything_measured() else None,
            prediction=predict(data, network.predict, network.loss, self._surface_grid()) if look.prediction else None,
            history=experiment.history.table(history_after),
            inspection=None if look.edge is None else self.inspect(*look.edge),
            picked=None if look.picked is None else self._picked(*look.picked, look.held),
            chain=chain,
            lab=lab,
            held=self._held(look),
            census=self._census() if look.prediction and self._anything_measured() else None,
            example=look.example,
            verdicts=self._judged.follow(tuple(diagnose(experiment)), experiment.step_count) if look.prediction else (),
            theory=self.theory(),
            oscillations=self._oscillations() if look.prediction else (),
            pretraining=pretraining_report(experiment),
            data_summary=f"{len(data.train):,} training, {len(data.test):,} test examples",
        )
        return msgspec.structs.replace(
            snapshot,
            gradient_norms=before,
            clipped_norms=after,
            delta_norms=deltas,
            total_norm=float(whole[0]),
            clipped_norm=float(whole[1]),
        )

    def _held(self, look: Look) -> Held:
        """What of what is looked at was not asked for by name."""
        place = self._place[1] if self._place is not None and (look.picked is None or look.picked[0] != "edge") else None
        layer = self._flattest if self._flattest is not None and not look.lab_layer else 0
        return Held(layer, self._pair if look.lab_pair is None else None, place, self._copy and self._copy[1])

    def inspect(self, layer: int, row: int, column: int) -> Inspection | None:
        """The exact weights and gradients behind one shown edge; raises ValueError when there is none."""
        if self._recurrent:
            return inspect_time_block(self._experiment.trainer, self._experiment.architecture, layer, row, column)
        network, _ = feed_forward(self._experiment.trainer)
        return inspect_block(network, self.gradient(), self._experiment.architecture, layer, row, column)

    def theory(self) -> Theory:
        """What mean-field theory says of the settings in force, before any step."""
        spec, data = self._experiment.spec, self._experiment.data
        training = spec.training
        depends = (spec.network, spec.data, training.method, training.loss, training.batch_size, training.seed)
        if self._known_theory is None or self._known_theory[0] != depends:
            self._known_theory = depends, mean_field(spec, data)
        return self._known_theory[1]

    def _census(self) -> Census | None:
        if self._recurrent or self._experiment.spec.training.method == "evolution":  # which learns with units that have no slope, too
            return None
        network, _ = feed_forward(self._experiment.trainer)
        return census(network, self._experiment.data.inputs, self._experiment.data.train, CENSUS_WORK)

    def _oscillations(self) -> tuple[tuple[int, int], ...]:
        history = self._experiment.history.table()
        guessing = self._experiment.guessing_loss
        # before fine-tuning the loss is that of one level after another, and jumps between them
        rows = slice(int(np.searchsorted(history.steps, self._experiment.spec.pretraining_steps, side="right")), None)
        return tuple(oscillating_ranges(history.steps[rows], history.loss[rows], history.loss_low[rows], history.loss_high[rows], guessing))

    def _lab(self, look: Look) -> Lab | None:
        experiment = self._experiment
        trainer, moment = experiment.trainer, experiment.moment
        if not look.lab:
            self._flattest = self._pair = None  # chosen anew when somebody looks again
            return None
        if look.lab == "clipping":
            if trainer.level:
                return None  # nothing is clipped while one layer is trained by itself
            report = clipping_report(trainer, experiment.history, look.lab_pair or look.held.pair or self._pair, moment)
            if look.lab_pair is None and report is not None:
                self._pair = report.names  # the two largest once, and these from then on
            return report
        if look.lab == "hardware":
            slices, history, guessing = experiment.network.slices, experiment.history.table(), experiment.guessing_loss
            return hardware_report(self.gradient(), slices, experiment.architecture, self._reached, history, guessing, look.lab_loss)
        if look.lab == "compressor":  # a demonstration beside the network
            return compressor_report(look.lab_lag, look.lab_read, experiment.spec.training.seed)
        if look.lab == "jacobian":
            return self._jacobian(look)
        if self._recurrent:
            return time_distribution(trainer, self._lab_layer(look), moment) if look.lab == "activation" else None
        if look.lab == "activation":
            return distribution(trainer, self._lab_layer(look), moment)
        if look.lab == "residual":
            return residual_report(trainer, experiment.spec, moment)
        if look.lab == "linear":
            if look.prediction or self._map is None:  # it is compared with the net on all data, which costs as much as a prediction
                self._map = linear_map(feed_forward(trainer)[0], experiment.data.inputs)
            return self._map
        if look.lab == "initialisation":
            if self._study is None:  # of the first weights: the same at every step
                self._study = initialisation_study(experiment.spec, experiment.data)
            return self._study
        if look.lab == "population":
            return trainer.report(begun=moment is not None and moment.kind == "evaluate")
        raise ValueError(f"the lab has no view {look.lab!r}")

    def _jacobian(self, look: Look) -> JacobianReport:
        experiment, example = self._experiment, look.example or 0
        if not look.lab_orthogonal or self._recurrent:  # whose first weights are orthogonal anyway
            return jacobian_report(experiment.trainer, experiment.architecture, experiment.moment, example)
        if self._orthogonal is None or self._orthogonal.example != example:  # of the first weights: the same at every step
            self._orthogonal = orthogonal_report(experiment.spec, experiment.data, experiment.architecture, example)
        return self._orthogonal

    def _lab_layer(self, look: Look) -> int:
        """The layer that is asked for, else the flattest one, chosen once: another one at every step could not be followed."""
        if 1 <= look.lab_layer < self._experiment.network.depth:
            return look.lab_layer
        if 1 <= look.held.lab_layer < self._experiment.network.depth:
            self._flattest = look.held.lab_layer
        if self._flattest is None:
            choose = time_step_to_look_at if self._recurrent else layer_to_look_at
            self._flattest = choose(self._experiment.trainer, self._experiment.moment)
        return self._flattest

    def gradient(self) -> Floats:
        """The flat gradient before clipping; NaN when nothing has run."""
        if not self._anything_measured():
            return np.full_like(self._experiment.network.vector, np.nan)
        return self._meter.gradient(self._experiment.moment)

    def _anything_measured(self) -> bool:
        return self._experiment.step_count > 0 or self._experiment.moment is not None

    def _reached(self, layer: int) -> bool:
        moment = self._experiment.moment
        return self._anything_measured() and (moment is None or moment.reached(layer))

    def _surface_grid(self) -> int:
        """Points along each side of the decision surface: fewer for a large net, so that asking it stays affordable."""
        return int(np.clip((SURFACE_WORK / self._experiment.network.vector.size) ** 0.5, *SURFACE_GRIDS))

    def _picked(self, kind: str, layer: int, unit: int, source: int, held: Held) -> WeightInspection | UnitInspection | None:
        experiment, gradient = self._experiment, self.gradient()
        if self._recurrent:
            return self._picked_in_time((kind, layer, unit, source), gradient, held)
        if kind == "unit":
            return inspect_unit(experiment.trainer, experiment.moment, gradient, layer, unit)
        if kind != "edge":
            return None
        row, column, count = strongest_weight(gradient, experiment.trainer, experiment.architecture, layer, source, unit)
        return inspect_weight(experiment.trainer, experiment.moment, gradient, experiment.states(), layer, row, column, count)

    def _chain(self, look: Look) -> ChainRule | None:
        """The chain rule of what is selected; None while the loss it begins with is not known."""
        experiment = self._experiment
        moment, trainer = experiment.moment, experiment.trainer
        if not self._anything_measured() or (moment is not None and not moment.lost):
            return None
        if trainer.level:
            return None  # no path leads from the task's loss to a layer that is trained by itself
        if self._recurrent:
            example = look.example or 0
            return self._chain_in_time(look.picked or ("layer", first_at_work(trainer, example), 0, 0), example, look.held)
        gradient = self.gradient()
        kind, layer, unit, source = look.picked or ("layer", 1, 0, 0)
        if kind == "edge":
            row, column, _ = strongest_weight(gradient, trainer, experiment.architecture, layer, source, unit)
        elif kind == "unit":
            inspect_unit(trainer, moment, gradient, layer, unit)  # tells when there is no such unit
            row, column = self._place_of((kind, layer, unit), look.held)
            layer = max(1, layer)
        else:
            layer = max(1, layer)
            row, column = self._place_of((kind, layer, 0), look.held)
        return chain_rule(experiment, parameter_name(layer, "weight"), (row, column), look.example or 0)

    def _picked_in_time(
        self, picked: tuple[str, int, int, int], gradient: Floats, held: Held
    ) -> WeightInspection | UnitInspection | None:
        experiment, (kind, stage, unit, _) = self._experiment, picked
        if kind == "unit":
            return inspect_time_unit(experiment.trainer, experiment.moment, gradient, stage, unit)
        if kind != "edge":
            return None
        copy = self._copy_of(picked, 0, held)
        return inspect_shared_weight(experiment.trainer, experiment.moment, gradient, experiment.states(), stage, copy)

    def _chain_in_time(self, picked: tuple[str, int, int, int], example: int, held: Held) -> ChainRule:
        experiment, stage = self._experiment, max(1, picked[1])
        name, row, column, _ = self._copy_of(picked, example, held)
        rule = time_chain_rule(experiment, name, stage, (row, column), example)
        if picked[0] == "layer" and rule.dz_dw == 0.0 and self._copy is not None:
            # another symbol came in than the one this weight is for
            row = loudest_row(experiment.trainer, stage, example)
            self._copy = self._copy[0], (name, row, column, 1)
            rule = time_chain_rule(experiment, name, stage, (row, column), example)
        return rule

    def _copy_of(self, picked: tuple[str, int, int, int], example: int, held: Held) -> tuple[str, int, int, int]:
        """The weight that stands for what is picked, chosen once: another one, or another gate's, could not be followed."""
        experiment, (kind, stage, unit, source) = self._experiment, picked
        trainer, moment, architecture = experiment.trainer, experiment.moment, experiment.architecture
        sought = experiment.line, picked
        if held.copy is not None and self._has(*held.copy[:3]):
            self._copy = sought, held.copy
        elif self._copy is None or self._copy[0] != sought:
            if kind == "edge":
                copy = pick_edge(trainer, moment, architecture, stage, source, unit)
            elif kind == "unit":
                copy = pick_into_unit(trainer, moment, architecture, stage, unit)
            else:
                copy = pick_in_stage(trainer, moment, architecture, max(1, stage), example)
            self._copy = sought, copy
        return self._copy[1]

    def _has(self, name: str, row: int, column: int) -> bool:
        parameter = self._experiment.network.parameters.get(name)
        return parameter is not None and parameter.ndim == 2 and row < parameter.shape[0] and column < parameter.shape[1]

    def _place_of(self, picked: tuple[str, int, int], held: Held) -> tuple[int, int]:
        """Row and column of the weight that stands for a layer or a unit in the chain rule, chosen once for the same reason."""
        sought, shape = (self._experiment.line, *picked), self._weights_of(picked[1]).shape
        if held.place is not None and held.place[0] < shape[0] and held.place[1] < shape[1]:
            self._place = sought, held.place
        elif self._place is None or self._place[0] != sought:
            self._place = sought, self._choose(*picked)
        return self._place[1]

    def _weights_of(self, layer: int) -> Floats:
        """The gradient of a layer's weights; raises ValueError when there is no such layer."""
        network = self._experiment.network
        if not 0 <= layer <= network.depth:
            raise ValueError(f"layer {layer} does not exist")
        return self.gradient()[network.slices[parameter_name(max(1, layer), "weight")]].reshape(-1, network.widths[max(1, layer) - 1])

    def _choose(self, kind: str, layer: int, unit: int) -> tuple[int, int]:
        """A layer's weakest weight; the strongest one into a unit, out of it where it is an input."""
        if kind == "layer":
            return weakest_weight(self.gradient(), self._experiment.trainer, layer)
        sizes = np.nan_to_num(np.abs(self._weights_of(layer)), nan=np.inf)
        return (int(np.argmax(sizes[:, unit])), unit) if layer else (unit, int(np.argmax(sizes[unit])))
