"""What the command line trains: the spec of a preset, a file, a session or a recording, with what is set beside it; and the second run."""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

from gradviz.changes import describe_change
from gradviz.first_weights import mark_of_weights
from gradviz.session_file import SUFFIX, read_session
from gradviz.session_tables import find_tables
from gradviz.spec import Spec, SpecError

from .presets import preset_named

STEPS = 100  # when nobody says how many


def spec_of(options: argparse.Namespace) -> Spec:
    """The settings that the options name; a session or a recording among them is kept in the options.

    Raises:
        SpecError, DataError: naming what is wrong.
    """
    options.steps_given = options.steps is not None
    options.steps = options.steps if options.steps_given else STEPS
    spec = _named(options)
    if options.weights is not None:  # last: other settings of the network would take them out again
        options.settings = [*options.settings, ("network.weights_from", mark_of_weights(options.weights))]
    if options.settings:
        options.session = options.playback = None  # with other settings it is another run
    return _changed(spec, options.settings)


def against(options: argparse.Namespace) -> tuple[Spec, argparse.Namespace] | None:
    """The second run of a comparison, with options of its own; None for every other view. To be asked for after `spec_of`.

    It is what ``--against`` or the second file name, else what the preset or the session is compared with, else the first run; then
    ``--change`` is made. What ``--set`` says belongs to both.

    Raises:
        SpecError: when there is nothing to compare with, or the view shows one run only.
    """
    source: Path | None = options.against if options.against is not None else options.other
    if options.view != "compare":
        if source is not None or options.changes:
            raise SpecError("--view", options.view, "compare, where there is a second run (a second file, --against or --change)")
        return None
    if options.against is not None and options.other is not None:
        raise SpecError("--against", str(options.against), f"left out, or the second file: {options.other} is the second run already")
    second = copy.copy(options)
    if source is not None:
        second.preset, second.file, second.session, second.playback = None, source, None, None
        spec = _changed(_named(second), options.settings)
    else:
        spec = _default(second)
    if options.settings or options.changes:
        second.session = second.playback = None
    spec = _changed(spec, options.changes)
    second.preset = None  # what it selects belongs to the first run
    if not options.steps_given:
        _meet(options, second)
    return spec, second


def _default(options: argparse.Namespace) -> Spec:
    preset = preset_named(options.preset) if options.preset is not None else None
    if preset is not None and preset.against is not None:
        return _changed(preset.against, options.settings)
    spec = _named(options)
    if options.session is not None and options.session.against is not None:
        options.session = options.session.against
        spec = options.session.spec
    elif not options.changes:
        raise SpecError("the second run", "not named", "a second file or preset's name, --against, or --change FIELD=VALUE of the first")
    return _changed(spec, options.settings)


def _meet(first: argparse.Namespace, second: argparse.Namespace) -> None:
    """Let a run that is trained anew come to the step at which the other, a session or a recording, stands."""
    for one, other in ((first, second), (second, first)):
        if one.session is None and one.playback is None:
            if other.session is not None:
                one.steps = other.session.step
            elif other.playback is not None:
                one.steps = other.playback.experiment.last_step


def _named(options: argparse.Namespace) -> Spec:
    """What a preset's name or a file holds."""
    path: Path | None = options.file
    if path is not None and not path.suffix and not path.exists():
        options.preset, options.file = str(path), None  # it can only be the name of a preset
    if options.preset is not None:
        return preset_named(options.preset).spec
    assert path is not None, "the command line wants one of the two"
    try:
        if path.name.endswith(SUFFIX):
            options.session = find_tables(read_session(path), path.parent)
            spec: Spec = options.session.spec
            return spec
        if path.suffix == ".gradviz":
            return _recorded(options, path)
        return Spec.from_json(path.read_bytes())
    except OSError as error:
        raise SpecError("the file", str(path), f"a file that can be read ({error.strerror})") from None


def _recorded(options: argparse.Namespace, path: Path) -> Spec:
    from gradviz.playback import open_recording

    playback = open_recording(path)
    if playback.damage:
        print(f"gradviz: {playback.damage}", file=sys.stderr)
    options.playback = playback
    if options.command != "train":  # which begins anew with its settings
        options.steps = playback.experiment.last_step
    return playback.experiment.spec


def _changed(spec: Spec, changes: list[tuple[str, str]]) -> Spec:
    """With these fields changed; what must go with them is told."""
    before = spec
    for path, value in changes:
        spec = spec.replace_from_text(path, value)
    if more := describe_change(before, spec, without=[path for path, _ in changes]):
        print(f"gradviz: with this goes {more}", file=sys.stderr)
    return spec
