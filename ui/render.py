"""``render``: trains and draws a picture without a screen."""

from __future__ import annotations

import argparse
import os
import sys

from PySide6.QtCore import QCoreApplication, QEvent, QSizeF
from PySide6.QtWidgets import QWidget

from gradviz.experiment import Experiment
from gradviz.snapshot import Snapshot
from gradviz.spec import Spec

from . import export
from .canvas.scene import NetworkCanvas
from .panels import PANELS
from .panels.panel import Panel
from .theme import THEMES

SIZES = {
    "window": (1600, 1000),
    "network": (976, 416),
    "gradients": (976, 220),
    "timeline": (976, 282),
    "prediction": (360, 360),
    "figure": (1600, 900),
}


def render(spec: Spec, options: argparse.Namespace) -> int:
    """Train ``options.steps`` steps, draw ``options.view`` and write it; returns the exit status."""
    if options.output.suffix.lower() not in export.PICTURES:
        print(f"gradviz: {options.output} must end in {', '.join(export.PICTURES)}", file=sys.stderr)
        return 2
    experiment = Experiment(spec)
    for _ in range(options.steps):
        experiment.advance()
    snapshot = experiment.measure()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # a picture needs no screen, and the same picture comes out everywhere
    from .application import apply_theme, make_application

    application = make_application()
    apply_theme(application, options.theme)
    size = QSizeF(*(options.size or SIZES[options.view]))
    try:
        _draw(spec, snapshot, options, size)
    except export.ExportError as error:
        print(f"gradviz: {error}", file=sys.stderr)
        return 1
    return 0


def _draw(spec: Spec, snapshot: Snapshot, options: argparse.Namespace, size: QSizeF) -> None:
    drawable: export.Drawable
    owner: QWidget
    if options.view == "window":
        from .export_menu import WindowPicture
        from .main_window import MainWindow
        from .presets import preset_named

        preset = preset_named(options.preset) if options.preset is not None else None
        window = MainWindow(spec, theme=options.theme, preset=preset, live=False)
        window.resize(size.toSize())
        window.show_still(snapshot)
        drawable, owner = WindowPicture(window), window
    else:
        panel = _panel(options.view)
        panel.set_theme(THEMES[options.theme])
        panel.show_snapshot(snapshot)
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
    kinds: tuple[type[Panel], ...] = (NetworkCanvas, *PANELS)
    return next(kind for kind in kinds if kind.name == view)()
