"""``render``: trains and draws a picture without a screen."""

from __future__ import annotations

import argparse
import itertools
import os
import sys

import msgspec
from PySide6.QtCore import QCoreApplication, QEvent, QSizeF
from PySide6.QtWidgets import QWidget

from gradviz.experiment import Experiment
from gradviz.hardware_report import with_speeds
from gradviz.session_file import SessionFile
from gradviz.snapshot import HardwareReport, Look, Snapshot
from gradviz.spec import Spec, SpecError
from gradviz.speed import measure_speed

from . import export
from .canvas.scene import NetworkCanvas
from .panels import LAB, lab_panels, panels
from .panels.panel import Panel
from .presets import Preset, preset_named
from .theme import THEMES, apply_theme

SIZES = {
    "window": (1600, 1000),
    "network": (976, 416),
    "gradients": (976, 220),
    "timeline": (976, 282),
    "prediction": (360, 360),
    "figure": (1600, 900),
}  # the chain rule and the lab are as high as what they hold


def render(spec: Spec, options: argparse.Namespace) -> int:
    """Train ``options.steps`` steps and ``options.phases`` phases, draw ``options.view`` and write it; returns the exit status."""
    if options.output.suffix.lower() not in export.PICTURES:
        print(f"gradviz: {options.output} must end in {', '.join(export.PICTURES)}", file=sys.stderr)
        return 2
    preset = preset_named(options.preset) if options.preset is not None else None
    if preset is not None and preset.spec != spec:
        preset = None  # what it selects belongs to its own network
    lab = options.view if options.view in LAB else ""
    if options.view == "window" and options.session is not None and options.session.view.page == "lab":
        lab = options.session.view.lab
    snapshot = _measured(spec, options, preset, lab)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # a picture needs no screen, and the same picture comes out everywhere
    from .application import make_application

    make_application()
    apply_theme(THEMES[options.theme])
    try:
        _draw(snapshot, options, preset)
    except export.ExportError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 1
    return 0


def write_numbers(spec: Spec, options: argparse.Namespace) -> int:
    """Train like `render` and write the numbers of ``options.view``; returns the exit status."""
    if options.output.suffix.lower() not in export.NUMBERS:
        print(f"gradviz: {options.output} must end in {', '.join(export.NUMBERS)}", file=sys.stderr)
        return 2
    preset = preset_named(options.preset) if options.preset is not None else None
    if preset is not None and preset.spec != spec:
        preset = None
    snapshot = _measured(spec, options, preset, options.view if options.view in LAB else "")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from .application import make_application

    make_application()
    panel = _panel(options.view)
    panel.show_snapshot(snapshot)
    try:
        export.export_numbers(panel.table(), options.output)
    except export.ExportError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 1
    finally:
        panel.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return 0


def _measured(spec: Spec, options: argparse.Namespace, preset: Preset | None, lab: str) -> Snapshot:
    """The moment after so many steps, and so many phases into the next one; of a session, the one where it stands."""
    session: SessionFile | None = options.session
    phases: int = options.phases
    if session is not None:
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
    selected = session.view.selection if session is not None else preset.select if preset is not None else None
    picked = None if selected is None else (selected.kind, selected.layer, selected.unit, selected.source)
    try:
        layer = session.view.lab_layer if session is not None else 0
        snapshot = experiment.measure(Look(chain=True, picked=picked, lab=lab, lab_layer=layer, lab_read=experiment.step_count))
    except ValueError:  # the session has selected what this net does not have
        snapshot = experiment.measure(Look(chain=True, lab=lab, lab_read=experiment.step_count))
    if isinstance(snapshot.lab, HardwareReport):  # nobody can press its button here
        snapshot = msgspec.structs.replace(snapshot, lab=with_speeds(snapshot.lab, measure_speed(spec)))
    return snapshot


def _draw(snapshot: Snapshot, options: argparse.Namespace, preset: Preset | None) -> None:
    drawable: export.Drawable
    owner: QWidget
    size = QSizeF(*(options.size or SIZES.get(options.view, (0, 0))))
    if options.view == "window":
        from .export_menu import WindowPicture
        from .main_window import MainWindow
        from .session_view import show_view

        window = MainWindow(snapshot.spec, theme=options.theme, preset=preset, live=False)
        window.resize(size.toSize())
        page = "chain" if options.phases else preset.page if preset is not None else ""
        if page:
            window.dock.show_page(page)
        window.show_still(snapshot)
        if preset is not None:
            window.select(preset.select)
        if options.session is not None:
            show_view(window, options.session.view)
            QCoreApplication.processEvents()
        drawable, owner = WindowPicture(window), window
    else:
        panel = _panel(options.view)
        panel.set_theme(THEMES[options.theme])
        panel.show_snapshot(snapshot)
        if size.isEmpty():
            size = panel.whole_size() or panel.sizeHint().toSizeF()
        drawable = owner = panel
    try:
        export.export_picture(drawable, options.output, size, options.scale, export.description(snapshot))
    finally:
        owner.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _panel(view: str) -> Panel:
    if view == "figure":
        from .figure import Figure

        return Figure()
    kinds: tuple[type[Panel], ...] = lab_panels() if view in LAB else (NetworkCanvas, *panels())
    return next(kind for kind in kinds if kind.name == view)()
