"""An experiment in one hand: spec, data, network, trainer and history; the public interface of the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from gradviz.arrays import Floats
from gradviz.changes import describe_change
from gradviz.checkpoints import Checkpoints, State
from gradviz.data import Data, DataError, from_arrays, load
from gradviz.history import History
from gradviz.line import Line
from gradviz.losses import TargetError, loss_named
from gradviz.messages import Left
from gradviz.methods import TRAINERS
from gradviz.network import build
from gradviz.objective import guessing_loss, output_count, resolve_loss
from gradviz.observer import Observer
from gradviz.recurrent import build_recurrent
from gradviz.selected import Inspection
from gradviz.snapshot import Ghost, Look, Moment, Snapshot
from gradviz.spec import Spec, SpecError, all_fields
from gradviz.threads import threads_worth_using, use_threads
from gradviz.training import AnyNetwork, Phase

# loss, gradient norms (layers,), global norm before and after clipping, what is told of a population
_Measured = tuple[float, Floats, float, float, Floats | None]

WHOLE = Look()
MOST_LEFT_LINES = 2  # that can be returned to; each has checkpoints of its own
MOST_TEST_EXAMPLES = 1000  # enough for the test loss; keeps its cost bounded
MOST_TEST_SEQUENCES = 250


class Experiment:
    """One run of one spec.

    With ``inputs`` (examples, features), for a recurrent net (examples, time, features), and ``targets`` (examples,) or
    (examples, outputs) the run uses these arrays as they are, without scaling or split, instead of the spec's data set.

    Raises:
        SpecError: when the loss does not fit the data, or the network would be too large.
        DataError: when the data cannot be read or do not fit together.
    """

    def __init__(self, spec: Spec, inputs: Floats | None = None, targets: NDArray[Any] | None = None) -> None:
        self._own_data: Data | None = None
        self._walk: Iterator[Phase] | None = None
        self._moment: Moment | None = None
        self._walks = 0  # an iterator over phases that is not of the last walk has ended
        if inputs is not None or targets is not None:
            if inputs is None or targets is None:
                raise DataError("inputs and targets belong together; one of them is missing")
            self._own_data = from_arrays(inputs, targets)
        self._begin(spec, self._load(spec))

    def data_for(self, spec: Spec) -> Data:
        """The data that a run of ``spec`` would have; raises `DataError`."""
        same = spec.data == self.spec.data and spec.training.seed == self.spec.training.seed
        return self.data if same else self._load(spec)

    def _load(self, spec: Spec) -> Data:
        if self._own_data is not None:
            return self._own_data
        data = spec.data
        return load(
            data.name,
            samples=data.samples,
            noise=data.noise,
            test_fraction=data.test_fraction,
            seed=spec.training.seed,
            path=data.path,
            target=data.target,
            example=(data.example_input, data.example_target),
            lag=data.lag,
        )

    def _begin(self, spec: Spec, data: Data) -> None:
        network = self._build(spec, data)
        if spec.network.weights_from:  # only here: going back restores a checkpoint, which needs no file
            from gradviz.first_weights import begin_with, with_mark  # hardly any run needs it

            spec = with_mark(spec)
            begin_with(network, spec.network.weights_from)
            network.set_values(spec.network.set_values)
        self._attach(spec, data, network)
        history = History(network.measured_counts, population=self.trainer.population is not None)
        self._line = Line(spec, data, history, Checkpoints(self.trainer.work))
        self._left_lines: list[Line] = []  # the one that was left last at the end
        self._settings = 0  # which of the line's settings are in force
        self._leave_step()
        self._ghost: Ghost | None = None
        self._measure_test_loss()

    def _build(self, spec: Spec, data: Data) -> AnyNetwork:
        loss = resolve_loss(spec.training.loss, data)
        outputs, seed = output_count(loss, data), spec.training.seed
        dtype = np.float32 if spec.training.precision == "float32" else np.float64
        if data.is_sequence != spec.network.recurrent:
            allowed = "rnn or lstm for data that are sequences" if data.is_sequence else "mlp, unless the data are sequences (data.name)"
            raise SpecError("network.kind", spec.network.kind, allowed)
        if data.is_sequence:
            return build_recurrent(spec.network, data.inputs.shape[1:], outputs, loss, seed, dtype, spec.training.truncate or None)
        return build(spec.network, data.features, outputs, loss, seed, dtype)

    def _attach(self, spec: Spec, data: Data, network: AnyNetwork) -> None:
        """Make the trainer for this spec, data and network; nothing of self changes when that fails."""
        loss = loss_named(network.loss)
        train, test = data.train, data.test[: MOST_TEST_SEQUENCES if data.is_sequence else MOST_TEST_EXAMPLES]
        try:
            targets = loss.encode(data.targets[train], network.outputs)
            test_targets = loss.encode(data.targets[test], network.outputs)
        except TargetError as error:
            raise SpecError("training.loss", network.loss, f"a loss that fits the data ({error})") from None
        with np.errstate(over="ignore"):  # a number that is too large for float32 becomes infinite, and the first step tells
            if targets.dtype.kind == "f":
                targets, test_targets = targets.astype(network.dtype), test_targets.astype(network.dtype)
            inputs = np.ascontiguousarray(np.moveaxis(data.inputs[train], 0, -1), dtype=network.dtype)
        trainer = TRAINERS[spec.training.method](network, spec.training, inputs, targets)
        self.spec, self.data, self.network, self.trainer = spec, data, network, trainer
        self._test_inputs, self._test_targets = data.inputs[test], test_targets
        names = data.class_names if network.outputs == len(data.class_names) else ("",) * network.outputs
        self.architecture = network.architecture(tuple(data.input_names), tuple(names))
        with np.errstate(all="ignore"):
            self.guessing_loss = guessing_loss(network.loss, targets)
        self._observer = Observer(self)
        self._threads = threads_worth_using(trainer)
        use_threads(self._threads)

    @property
    def step_count(self) -> int:
        """How many training steps have been done."""
        return self.trainer.steps

    def step(self) -> Snapshot:
        """Do one whole training step and say what came of it; never raises for non-finite numbers."""
        self.advance()
        return self.snapshot()

    def advance(self) -> None:
        """Do one whole training step without saying what came of it; `measure` tells later.

        A step that is being walked through is finished instead. Where the run has been taken back, a branch begins.
        """
        if self._walk is not None:
            self.finish_step()
            return
        use_threads(self._threads)
        measured = self._measured()
        self._take_up_settings()
        self._leave_past(measured)
        self._keep_first()
        self.trainer.step()
        self._moment = None
        self._record()

    def phases(self) -> Iterator[Phase]:
        """Do one training step phase by phase; each phase is done when it is yielded.

        A step that was left in the middle is continued. In the past the step is walked through again as it was.
        """
        if self._walk is None:
            self._take_up_settings()  # a walk through the past comes to where they were changed as to any other step
            self._keep_first()
            self._walk = self._walk_step()
        return self._walk

    def _walk_step(self) -> Iterator[Phase]:
        use_threads(self._threads)
        step, layers = self.trainer.steps + 1, self.network.depth
        order, level = [*self.trainer.order_of(step), self.trainer.order_of(step + 1)[0]], self.spec.level_at(step)
        self._walks += 1
        own = self._walks
        for done, phase in enumerate(self.trainer.phases(), 1):
            self._moment = Moment(step, phase.kind, phase.layer, done, len(order) - 1, layers, *order[done], level)
            if done == len(order) - 1:
                self._walk = None
                if step > self._line.last_step:
                    self._record()
            yield phase
            if own != self._walks:
                return  # the run has gone elsewhere meanwhile
            use_threads(self._threads)

    def finish_step(self) -> None:
        """Finish the step that is being walked through; does nothing between steps."""
        for _ in self._walk or ():
            pass
        self._moment = None

    def _leave_step(self) -> None:
        """Forget the step that is being walked through."""
        self._walk, self._moment = None, None
        self._walks += 1

    @property
    def moment(self) -> Moment | None:
        """Where inside a training step the run stands; None between steps that nobody walks through."""
        return self._moment

    @property
    def mid_step(self) -> bool:
        """Whether a step is being walked through and not whole yet."""
        return self._walk is not None and self._moment is not None

    @property
    def history(self) -> History:
        """The record of the line the run is on, whole also after going back."""
        return self._line.history

    @property
    def last_step(self) -> int:
        """Where the recorded line ends: greater than `step_count` after going back."""
        return self._line.last_step

    @property
    def line(self) -> int:
        """The number of the line the run is on; another one after each restart, branch or return."""
        return self._line.number

    @property
    def settings(self) -> tuple[tuple[int, Spec], ...]:
        """What the line has been trained with: (after which step, the spec in force from then on), the first one at step 0.

        An experiment that is given the same specs at the same steps comes out the same, bit for bit.
        """
        return tuple((item.step, item.spec) for item in self._line.settings)

    @property
    def left(self) -> Left | None:
        """The line whose history is the ghost; None where there is none."""
        if self._ghost is None:
            return None
        line = self._left_lines[-1]
        settings = tuple((item.step, item.spec) for item in line.settings)
        return Left(settings, line.last_step, self._ghost.branch_step, line.parent == self._line.number)

    @property
    def recorded_line(self) -> Line:
        """The line the run is on, as it is recorded; for who keeps it elsewhere or brings it back."""
        return self._line

    def state(self) -> State:
        """A checkpoint of the present state."""
        return self.trainer.state(self._settings)

    def states(self) -> list[State]:
        """The checkpoints of the line, the first one first."""
        return self._line.checkpoints.all()

    @property
    def size(self) -> int:
        """About how many bytes it holds: records, checkpoints and data of its lines, parameters, and the buffers of a training step."""
        lines = [self._line, *self._left_lines]
        kept = sum(line.checkpoints.size + line.history.size for line in lines)
        data = {id(item.data): item.data for line in lines for item in line.settings}
        kept += sum(own.inputs.nbytes + own.targets.nbytes for own in data.values())
        numbers = 4 * self.network.vector.size + self.network.numbers_kept() * self.trainer.batches.size
        numbers += self.data.inputs.size  # the trainer's copy, in the order that it needs
        return kept + numbers * self.network.dtype.itemsize

    def has_left(self, line: int) -> bool:
        """Whether there is a line of this number to return to."""
        return any(left.number == line for left in self._left_lines)

    def _keep_first(self) -> None:
        # only now, so that weights which were written by hand before the first step belong to it
        if not self.trainer.steps and not self._line.last_step:
            self._line.checkpoints.keep(self.trainer.state(self._settings))

    def _record(self) -> None:
        trainer, line = self.trainer, self._line
        line.last_step = trainer.steps
        line.history.append(trainer.steps, *self._measured())
        if line.history.wants_test(trainer.steps) or (self.spec.training.method == "pretraining" and self._is_end_of_level(trainer.steps)):
            self._measure_test_loss()
        if line.checkpoints.wants(trainer.steps):
            line.checkpoints.keep(trainer.state(self._settings))

    def _is_end_of_level(self, step: int) -> bool:
        """Whether a level of pre-training, or fine-tuning, begins or ends with this step."""
        level = self.spec.level_at(step)
        return level != self.spec.level_at(step - 1) or level != self.spec.level_at(step + 1)

    def _measured(self) -> _Measured:
        trainer = self.trainer
        return trainer.loss, trainer.gradient_norms, trainer.total_norm, trainer.clipped_norm, trainer.population

    # ---- back in time

    def go_to(self, step: int, phases: int = 0) -> Snapshot:
        """Take the whole run back (or forward again) to the moment after ``step`` steps, bit for bit as it was.

        Nothing of the line that was recorded is lost: one can go forward again. Playing on from the past (`step`, `advance`,
        `apply`) begins a branch, and the line that is left stays as a ghost. (Weights that were written by hand into
        `Network.parameters` after the first step are no part of the line; `NetworkSpec.set_values` is.)

        Args:
            step: 0 to `last_step`.
            phases: also walk so many phases into the step that follows.

        Raises:
            ValueError: for a step that has not been reached.
        """
        if not 0 <= step <= self.last_step:
            raise ValueError(f"step {step} has not been reached; the run has steps 0 to {self.last_step}")
        whole = self._walk is None
        self._leave_step()
        self._travel(step, whole)
        for _ in range(phases):
            next(self.phases())
        return self.snapshot()

    def _travel(self, step: int, whole: bool) -> None:
        """Restore and replay; ``whole`` says whether the present state is that of a whole step."""
        line = self._line
        state = line.checkpoints.before(step)
        if state is None:
            return  # nothing has run yet
        here = self.trainer.steps
        if not (whole and here < step and here >= state.steps):
            self._restore(state)
        use_threads(self._threads)
        while True:
            self._take_up_settings()
            if self.trainer.steps == step:
                return
            self.trainer.step()
            if line.checkpoints.wants(self.trainer.steps):
                line.checkpoints.revisit(self.trainer.steps, lambda: self.trainer.state(self._settings))

    def _restore(self, state: State) -> None:
        if state.settings != self._settings:
            settings = self._line.settings[state.settings]
            self._attach(settings.spec, settings.data, self._build(settings.spec, settings.data))
            self._settings = state.settings
        use_threads(self._threads)
        self.trainer.restore(state)

    def adopt(self, state: State) -> None:
        """Add a checkpoint to the line that was made elsewhere, and leave the run there; `State.slices` are found anew."""
        self._leave_step()
        self._restore(state)
        self._line.checkpoints.keep(msgspec.structs.replace(state, slices=self.network.slices))

    def take_line(self, line: Line) -> None:
        """Put the run on a line that was recorded elsewhere, at its end; one without checkpoints as yet gets them by `adopt`."""
        self._leave_step()
        self._line, self._settings = line, -1 if line.last_step or line.checkpoints.all() else 0
        self._travel(line.last_step, whole=False)

    @property
    def left_line(self) -> Line | None:
        """The line that `left` tells of, as it is recorded."""
        return None if self._ghost is None else self._left_lines[-1]

    def have_left(self, line: Line, fork: int) -> None:
        """Take a line in, recorded elsewhere, as the one that this run has left after step ``fork``."""
        self._left_lines = [line]
        self._ghost = Ghost(fork, line.history.table())

    def forget_after(self, step: int) -> None:
        """Go back to ``step`` and forget what of the line came later.

        Raises:
            ValueError: for a step that has not been reached.
        """
        line = self._line
        self.go_to(step)
        if step < line.last_step or self._settings + 1 < len(line.settings):
            line.history = line.history.until(step, self._measured())
            line.checkpoints = line.checkpoints.until(step)
            line.last_step = step
            del line.settings[self._settings + 1 :]

    def _take_up_settings(self) -> None:
        """Change the settings as they were changed here."""
        settings = self._line.settings
        while self._settings + 1 < len(settings) and settings[self._settings + 1].step == self.trainer.steps:
            self._settings += 1
            self._change_to(settings[self._settings].spec, settings[self._settings].data)

    def _leave_past(self, measured: _Measured) -> None:
        """Begin a branch if the run has been taken back; ``measured`` is what its last step measured."""
        old, step = self._line, self.trainer.steps
        if step == old.last_step and self._settings + 1 == len(old.settings):
            return
        self._left_lines = [left for left in self._left_lines if left.number < old.number]  # a branch that was taken back is gone now
        self._switch(old.branch(step, self._settings, old.history.until(step, measured)))

    def _switch(self, line: Line) -> None:
        old = self._line
        self._left_lines = [*(left for left in self._left_lines if left is not line), old][-MOST_LEFT_LINES:]
        self._line, self._ghost = line, Ghost(line.fork(old), old.history.table())

    def return_to_old_line(self, number: int | None = None) -> None:
        """Go to the end of a line that was left, the last one by default; the one that is left for it becomes the ghost.

        Raises:
            ValueError: when there is no such line, or no more.
        """
        line = next((left for left in reversed(self._left_lines) if number in (None, left.number)), None)
        if line is None:
            raise ValueError("there is no such line to return to")
        self._switch(line)
        self._leave_step()
        self._settings = -1  # of the other line: none of this one's
        self._travel(self._line.last_step, whole=False)

    def _measure_test_loss(self) -> None:
        if len(self._test_inputs):
            loss = self.trainer.test_loss(self._test_inputs, self._test_targets)
            self._line.history.append_test(self.trainer.steps, loss)

    def snapshot(self, **more: Any) -> Snapshot:
        """The present moment as far as it is known at every step; ``more`` are fields of `Snapshot` measured beside it."""
        trainer = self.trainer
        return Snapshot(
            step=trainer.steps,
            loss=trainer.loss,
            gradient_norms=trainer.gradient_norms,
            clipped_norms=trainer.clipped_norms,
            delta_norms=trainer.delta_norms,
            total_norm=trainer.total_norm,
            clipped_norm=trainer.clipped_norm,
            learning_rate=self.spec.training.learning_rate,
            failure=trainer.failure,
            spec=self.spec,
            architecture=self.architecture,
            moment=self._moment,
            population=trainer.population if trainer.steps or self._moment is not None else None,
            batch=trainer.batches.size,
            last_step=self.last_step,
            ghost=self._ghost,
            guessing_loss=self.guessing_loss,
            loss_name="mse" if trainer.level else self.network.loss,
            test_loss=self.history.last_test_loss,
            **more,
        )

    def measure(self, look: Look = WHOLE, history_after: int = 0) -> Snapshot:
        """The present moment with all its details.

        Args:
            look: what is wanted beside them. ``picked`` is what is selected: ("edge", layer, column, row) as shown,
                ("unit", layer, unit, 0) or ("layer", layer, 0, 0). ``chain`` takes the gradient of the selected weight apart:
                of a unit its strongest weight, of a layer (the first with nothing selected) the weakest one, of a time step the strongest.
            history_after: of the run so far only the part after this step.

        Raises:
            ValueError: when there is no such edge, unit or example.
        """
        return self._observer.observe(look, history_after)

    def inspect(self, layer: int, row: int, column: int) -> Inspection | None:
        """The exact weights and gradients behind one shown edge; raises ValueError when there is none."""
        return self._observer.inspect(layer, row, column)

    def restarts(self, spec: Spec) -> bool:
        """Whether changing to ``spec`` begins a new run, because the parameters would not fit or would be drawn anew."""
        if any(info.restarts and self.spec.get(info.path) != spec.get(info.path) for info in all_fields()):
            return True
        if self.spec.data == spec.data and self.spec.training.loss == spec.training.loss:
            return False
        data = self._load(spec)
        same_outputs = output_count(resolve_loss(spec.training.loss, data), data) == self.network.outputs
        return data.inputs.shape[1:] != self.data.inputs.shape[1:] or not same_outputs

    def apply(self, spec: Spec) -> bool:
        """Change to ``spec``: go on with the same run where the parameters fit, else restart from its seed.

        Returns:
            Whether the run was restarted.

        Raises:
            SpecError, DataError: when the spec cannot be run; the experiment is then as it was.
        """
        if spec == self.spec:
            return False
        if self.restarts(spec):
            self._begin(spec, self._load(spec))
            return True
        self.finish_step()
        if not self._take_back(spec):
            self._go_on_with(spec)
        return False

    def follow(self, changes: Sequence[tuple[int, Spec]], until: int, left: Left | None = None) -> Iterator[None]:
        """Train step by step as another run was, bit for bit: to step ``until``, with other settings after the steps that are named.

        ``changes`` are those of `settings` without the first one, with which this run has begun; ``left`` is what the other run had as
        `left`, which is trained too. It yields after every step.

        Raises:
            SpecError, DataError: when the settings cannot be changed to; also when that would begin a new run.
        """
        if left is not None:
            lines = (tuple(changes), until), (left.settings[1:], left.last_step)
            (first, end), (second, second_end) = lines if left.returned else lines[::-1]
            yield from self.follow(first, end)
            self.go_to(left.fork)
            shared = self.settings[1 : self._settings + 1]
            if second[: len(shared)] == shared:
                yield from self.follow(second[len(shared) :], second_end)
                if left.returned and self._left_lines:
                    self.return_to_old_line()
                return
            self.restart(self.settings[0][1])  # the branch began where no jump leads to: at least the run itself can be had
        for step, spec in changes:
            yield from self._advance_to(step)
            if self.restarts(spec):
                raise SpecError("the change", f"at step {step}", "settings that a run can be continued with, not others of the network")
            self._go_on_with(spec)
        yield from self._advance_to(until)

    def _advance_to(self, step: int) -> Iterator[None]:
        while self.step_count < step:
            self.advance()
            yield

    def _go_on_with(self, spec: Spec) -> None:
        """Note that other settings are in force from here on, and put them into force; nothing changes when that fails."""
        before = self.spec
        data = self._load(spec) if before.data != spec.data else self.data
        self._keep_first()
        measured = self._measured()
        self._change_to(spec, data)
        self._leave_past(measured)
        self._line.change(spec, data)
        self._settings += 1
        self._line.history.note_change(self.trainer.steps, describe_change(before, spec))

    def _take_back(self, spec: Spec) -> bool:
        """If the last change set values by hand, no step was done since, and ``spec`` was in force before, make it undone."""
        line, step = self._line, self.trainer.steps
        if len(line.settings) < 2 or not line.settings[-1].step == step == line.last_step or line.settings[-2].spec != spec:
            return False
        if spec.network.set_values == self.spec.network.set_values:
            return False  # nothing was overwritten: the change can simply be changed back
        line.settings.pop()
        line.history.forget_change()
        self._settings = -1  # none of the line's, so that all is restored
        self._travel(step, whole=False)
        return True

    def _change_to(self, spec: Spec, data: Data) -> None:
        """Go on with the same parameters under other settings; nothing changes when that fails."""
        before = self.spec
        if (before.network, before.data) == (spec.network, spec.data) and self.trainer.retune(spec.training):
            self.spec = spec
            return
        old, old_network = self.trainer, self.network
        network = self._build(spec, data)
        with np.errstate(over="ignore"):  # to float32: what is too large for it becomes infinite, and the next step tells
            for name, values in old_network.parameters.items():
                if name in network.parameters:  # a learnt α goes with its activation
                    network.parameters[name][:] = values
            for name, values in old_network.running.items():
                network.running[name][:] = values
        network.set_values([entry for entry in spec.network.set_values if entry not in before.network.set_values])
        self._attach(spec, data, network)
        self.trainer.carry_on(old)

    def restart(self, spec: Spec | None = None) -> None:
        """Begin anew from the same first weights (or those of ``spec``)."""
        spec = spec or self.spec
        self._begin(spec, self._load(spec))
