"""``render``: trains and draws a picture, or one that moves, without a screen."""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys

import msgspec

from gradviz.experiment import Experiment
from gradviz.hardware_report import with_speeds
from gradviz.lab_reports import HardwareReport
from gradviz.session_file import SessionFile
from gradviz.snapshot import Look, Snapshot
from gradviz.spec import Spec, SpecError
from gradviz.speed import measure_speed

from . import export
from .film import PHASES_RATE, STEPS_RATE, Film, Settings, make_film, thinned
from .movie import Cancelled
from .movie_formats import SUFFIXES
from .off_screen import OffScreen, without_complaints
from .panels import LAB
from .presets import Preset, preset_named
from .theme import THEMES, apply_theme

Second = tuple[Spec, argparse.Namespace] | None
"""The second run of a comparison: its spec and options."""


def render(spec: Spec, options: argparse.Namespace, second: Second = None) -> int:
    """Train ``options.steps`` steps and ``options.phases`` phases, draw ``options.view`` and write it; returns the exit status.

    Where the file is one of an animation, every moment on the way is drawn.
    """
    moving = options.output.suffix.lower() in SUFFIXES
    if not moving and options.output.suffix.lower() not in export.PICTURES:
        print(f"gradviz: {options.output} must end in {', '.join((*export.PICTURES, *SUFFIXES))}", file=sys.stderr)
        return 2
    if not moving and (options.every, options.fps, options.phases_of, options.first) != (None, None, None, 1):
        wanted = "--from, --every, --phases-of and --fps are for animations"
        print(f"gradviz: {wanted}, whose file ends in {', '.join(SUFFIXES)}; {options.output} is a picture", file=sys.stderr)
        return 2
    preset = preset_named(options.preset) if options.preset is not None else None
    if preset is not None and preset.spec != spec:
        preset = None  # what it selects belongs to its own network
    look = _look(options, preset)
    snapshot = None if moving else _measured(spec, options, look)
    other = None if moving or second is None else _measured(*second, look)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # a picture needs no screen, and the same picture comes out everywhere
    from .application import make_application

    make_application()
    apply_theme(THEMES[options.theme])
    try:
        with without_complaints():
            if snapshot is None:
                return _animate(spec, options, preset, look, second)
            _draw(snapshot, options, preset, other)
    except export.ExportError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 1
    return 0


def write_numbers(spec: Spec, options: argparse.Namespace, second: Second = None) -> int:
    """Train like `render` and write the numbers of ``options.view``; returns the exit status."""
    if options.output.suffix.lower() not in export.NUMBERS:
        print(f"gradviz: {options.output} must end in {', '.join(export.NUMBERS)}", file=sys.stderr)
        return 2
    preset = preset_named(options.preset) if options.preset is not None else None
    if preset is not None and preset.spec != spec:
        preset = None
    look = _look(options, preset)
    snapshot = _measured(spec, options, look)
    other = _measured(*second, look) if second is not None else None
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from .application import make_application

    make_application()
    view = OffScreen(options.view, "light", snapshot.spec)
    view.show(snapshot, other)
    try:
        export.export_numbers(view.table(), options.output)
    except export.ExportError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 1
    finally:
        view.close()
    return 0


def _look(options: argparse.Namespace, preset: Preset | None) -> Look:
    """What the view needs, with what the preset or the session has selected."""
    if options.view == "compare":
        return Look()
    session: SessionFile | None = options.session
    selected = session.view.selection if session is not None else preset.select if preset is not None else None
    picked = None if selected is None else (selected.kind, selected.layer, selected.unit, selected.source)
    lab = options.view if options.view in LAB else ""
    if options.view == "window" and session is not None and session.view.page == "lab":
        lab = session.view.lab
    if session is None:
        return Look(chain=True, picked=picked, lab=lab, lab_read=options.steps)
    view, own = session.view, session.view.lab_view
    lab_read = own.read or options.steps
    return Look(
        chain=True,
        picked=picked,
        example=view.example,
        lab=lab,
        lab_layer=view.lab_layer,
        lab_pair=own.pair,
        lab_lag=own.lag,
        lab_read=lab_read,
        lab_loss=own.loss,
        lab_orthogonal=own.orthogonal,
        held=view.held,
    )


def _measured(spec: Spec, options: argparse.Namespace, look: Look) -> Snapshot:
    """The moment after so many steps, and so many phases into the next one; of a session, the one where it stands."""
    session: SessionFile | None = options.session
    phases: int = options.phases
    experiment: Experiment
    if options.playback is not None:
        experiment = options.playback.experiment
    elif session is not None:
        experiment = Experiment(session.settings[0].spec)
        for _ in experiment.follow([(item.step, item.spec) for item in session.settings[1:]], session.last_step, session.left_line):
            pass
        experiment.go_to(session.step, min(session.phases, len(experiment.trainer.order)))
    else:
        experiment = Experiment(spec)
        for _ in range(options.steps):
            experiment.advance()
    if phases:
        done = sum(1 for _ in itertools.islice(experiment.phases(), phases))
        if done < phases:
            raise SpecError("--phases", phases, f"a whole number from 0 to {done}, the phases of a step of this network")
    try:
        snapshot = experiment.measure(look)
    except ValueError:  # the session has selected what this net does not have
        snapshot = experiment.measure(Look(chain=look.chain, lab=look.lab, lab_lag=look.lab_lag, lab_read=look.lab_read))
    if isinstance(snapshot.lab, HardwareReport):  # nobody can press its button here
        snapshot = msgspec.structs.replace(snapshot, lab=with_speeds(snapshot.lab, measure_speed(spec)))
    return snapshot


def _draw(snapshot: Snapshot, options: argparse.Namespace, preset: Preset | None, other: Snapshot | None) -> None:
    selection = preset.select if preset is not None else None
    page = "chain" if options.phases else preset.page if preset is not None else ""
    seen = options.session.view if options.session is not None else None
    view = OffScreen(options.view, options.theme, snapshot.spec, options.size, preset=preset, page=page, selection=selection, seen=seen)
    try:
        view.show(snapshot, other)
        export.export_picture(view.drawable, options.output, view.size, options.scale, export.description(snapshot, other))
    finally:
        view.close()


def _animate(spec: Spec, options: argparse.Namespace, preset: Preset | None, look: Look, second: Second) -> int:
    """Make an animation of the run's steps, or of one step's phases; Ctrl+C leaves nothing of it behind."""
    if options.phases:
        raise SpecError("--phases", options.phases, "left out for an animation: --phases-of STEP shows all phases of a step")
    session: SessionFile | None = options.session
    last = options.steps if session is None else session.last_step
    if options.phases_of is None and not options.first <= last:
        raise SpecError("--from", options.first, f"a step up to {last}, the last one (--steps)")
    page = "chain" if options.phases_of is not None else preset.page if preset is not None else ""
    film = Film(
        settings=_settings(spec, options),
        against=_settings(*second) if second is not None else (),
        path=options.output,
        steps=() if options.phases_of is not None else thinned(options.first, last, options.every),
        phases_of=options.phases_of,
        view=options.view,
        theme=options.theme,
        size=options.size,
        scale=options.scale,
        fps=options.fps or (PHASES_RATE if options.phases_of is not None else STEPS_RATE),
        look=look,
        preset=preset.name if preset is not None else None,
        page=page,
        selection=preset.select if preset is not None else None,
    )
    watched = sys.stderr.isatty()
    ended: list[int] = []  # an exception could come while Qt is painting, which would print it and go on
    endings = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda number, frame: ended.append(number)) for number in endings}
    try:
        make_film(film, _show_progress if watched else lambda done, total: None, lambda: bool(ended))
    except Cancelled:
        print("\ngradviz: cancelled; nothing was written", file=sys.stderr)
        return 130
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0


def _settings(spec: Spec, options: argparse.Namespace) -> Settings:
    """What is in force from which step on."""
    if options.playback is not None:
        return tuple(options.playback.experiment.settings)
    session: SessionFile | None = options.session
    return ((0, spec),) if session is None else tuple((item.step, item.spec) for item in session.settings)


def _show_progress(done: int, total: int) -> None:
    print(f"\rframe {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)
