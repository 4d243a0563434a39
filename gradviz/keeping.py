"""A run as bytes, so that it can be taken up again when its process has died: its history, and checkpoints of it and of what it left.

It is small enough to be made every few seconds. What the run did after it was kept is trained again, which is exact.
"""

from __future__ import annotations

import zlib

import msgspec

from gradviz.checkpoints import Checkpoints, State
from gradviz.data import DataError
from gradviz.experiment import Experiment
from gradviz.history import History, HistoryState
from gradviz.line import Line, Settings
from gradviz.messages import Left
from gradviz.messages import Settings as Changes
from gradviz.recording import fingerprint
from gradviz.recording_states import RECORDS, decode_record, encode_record, misfits
from gradviz.spec import Spec, SpecError

MOST_STATES = 32  # checkpoints of a line that are kept, beside the newest
BYTES_AT_MOST = 4_000_000  # of their arrays
LARGEST = 400_000_000  # bytes of a run that is read
_CRC = 4


class KeepingError(ValueError):
    """Bytes that hold no run, or one that cannot be taken up again; the text says why."""


class KeptLine(msgspec.Struct, frozen=True):
    """One line of a run."""

    settings: tuple[tuple[int, str, str], ...]  # after which step, the spec as JSON, fingerprint of its data
    history: HistoryState
    states: tuple[State, ...]
    last_step: int


class KeptRun(msgspec.Struct, frozen=True):
    """A run and what its ghost shows; see `gradviz.messages.Left`."""

    line: KeptLine
    left: KeptLine | None = None
    fork: int = 0
    returned: bool = False


KNOWN = {**RECORDS, **{record.__name__: record for record in (HistoryState, KeptLine, KeptRun)}}


def keep_run(experiment: Experiment) -> bytes:
    """The run as bytes."""
    left, left_line = experiment.left, experiment.left_line
    kept = KeptRun(_kept(experiment.recorded_line))
    if left is not None and left_line is not None:
        kept = KeptRun(kept.line, _kept(left_line), left.fork, left.returned)
    body = encode_record(kept, KNOWN)
    return body + zlib.crc32(body).to_bytes(_CRC, "little")


def _kept(line: Line) -> KeptLine:
    found: list[tuple[int, str, str]] = []
    prints: dict[int, str] = {}
    for item in line.settings:
        same = prints.setdefault(id(item.data), "") or fingerprint(item.data)
        prints[id(item.data)] = same
        found.append((item.step, msgspec.json.encode(item.spec).decode(), same))
    return KeptLine(tuple(found), line.history.state(), tuple(_even_choice(line.checkpoints.all())), line.last_step)


def _even_choice(states: list[State]) -> list[State]:
    """The first one, the newest, and of the others as many as there is room for."""
    if not states:
        return []
    size = max(1, states[-1].size)
    count = min(MOST_STATES, BYTES_AT_MOST // size) + 1
    places = {round(number * (len(states) - 1) / count) for number in range(1, count + 1)}
    # the first one is what the seed says, unless somebody has written into the weights by hand
    return [states[place] for place in sorted({0, *places})]


def take_up(body: bytes, settings: Changes | None = None, last_step: int | None = None, left: Left | None = None) -> Experiment:
    """The run that was kept, at its last step.

    With ``settings``, ``last_step`` and ``left`` of a later moment of the same run, or of one shortly before, it stands at the last step
    that both share; `Experiment.follow` with the rest of the settings leads on.

    Raises:
        KeepingError: when it cannot be taken up; also when it is not the run that those three tell of.
    """
    kept = _read(body)
    try:
        experiment = Experiment(Spec.from_json(kept.line.settings[0][1].encode()))
        # the line that was left is the older one, unless it is a branch that the run has returned from
        if kept.left is None:
            line = _made(experiment, kept.line)
        elif kept.returned:
            line = _made(experiment, kept.line)
            branch = _made(experiment, kept.left)
            branch.parent, branch.branch_step = line.number, kept.fork
            experiment.have_left(branch, kept.fork)
        else:
            old = _made(experiment, kept.left)
            line = _made(experiment, kept.line)
            line.parent, line.branch_step = old.number, kept.fork
            experiment.have_left(old, kept.fork)
        experiment.take_line(line)
        if settings is not None and last_step is not None:
            _fit(experiment, settings, last_step, left)
    except (DataError, SpecError) as error:
        raise KeepingError(f"it cannot be taken up without what it was trained on: {error}") from None
    except KeepingError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, OverflowError, ArithmeticError) as error:
        raise KeepingError(f"it does not fit its network: {error}") from None
    return experiment


def _read(body: bytes) -> KeptRun:
    if len(body) > LARGEST:
        raise KeepingError(f"it has {len(body):,} bytes; a run that is kept has fewer")
    if len(body) < _CRC or zlib.crc32(memoryview(body)[:-_CRC]) != int.from_bytes(body[-_CRC:], "little"):
        raise KeepingError("it is cut off or altered")
    try:
        found = decode_record(body[:-_CRC], KNOWN)
    except ValueError as error:
        raise KeepingError(f"it cannot be read: {error}") from None
    if not isinstance(found, KeptRun):
        raise KeepingError("it holds something else than a run")
    lines = [line for line in (found.line, found.left) if line is not None]
    if not all(isinstance(line, KeptLine) and isinstance(line.history, HistoryState) and line.settings for line in lines):
        raise KeepingError("it holds something else than a run")
    if not all(isinstance(state, State) and not misfits(state) for line in lines for state in line.states):
        raise KeepingError("one of its checkpoints does not hold what one holds")
    return found


def _made(experiment: Experiment, kept: KeptLine) -> Line:
    """The line again, with its checkpoints tried out on the experiment."""
    settings: list[Settings] = []
    for step, spec_text, data_print in kept.settings:
        spec = Spec.from_json(spec_text.encode())
        data = settings[-1].data if settings and settings[-1].spec.data == spec.data else experiment.data_for(spec)
        if fingerprint(data) != data_print:
            raise KeepingError("its data are not the same any more")
        settings.append(Settings(step, spec, data))
    first = settings[0]
    history = History(experiment.network.measured_counts, population=experiment.trainer.population is not None)
    history.take(kept.history)
    line = Line(first.spec, first.data, history, Checkpoints(experiment.trainer.work))
    line.settings, line.last_step = settings, kept.last_step
    if kept.last_step and not kept.states:
        raise KeepingError("it has no checkpoints")
    experiment.take_line(line)
    for state in kept.states:
        if state.settings >= len(settings):
            raise KeepingError("one of its checkpoints has settings that are not known")
        experiment.adopt(state)
    return line


def _fit(experiment: Experiment, settings: Changes, last_step: int, left: Left | None) -> None:
    """Forget what came after ``last_step``; raises `KeepingError` when the run is not the one that is told of."""
    if experiment.last_step > last_step:
        experiment.forget_after(last_step)
    have = experiment.settings
    if have != settings[: len(have)] or any(step < experiment.last_step for step, _ in settings[len(have) :]) or experiment.left != left:
        raise KeepingError("it has gone another way since it was kept")
