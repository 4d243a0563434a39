"""What the user has set on the lab's controls, taken from it for a session file and given back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gradviz.activations import ACTIVATIONS
from gradviz.lab_reports import SCALE_EXPONENTS
from gradviz.view import View

from .lab_page import LabPage
from .panels.activation_lab import LINEAR, SHARP, ActivationLabPanel
from .panels.clipping import ClippingPanel
from .panels.hardware import HardwarePanel
from .panels.lab_page import LabPanel

if TYPE_CHECKING:
    from .main_window import MainWindow

Kind = TypeVar("Kind", bound=LabPanel)


def _panel(lab: LabPage, kind: type[Kind]) -> Kind:
    return next(panel for panel in lab.panels if isinstance(panel, kind))


def raw_lab_view(window: MainWindow, lab: LabPage) -> dict[str, object]:
    """The fields of a `LabView`."""
    activation, hardware = _panel(lab, ActivationLabPanel), _panel(lab, HardwarePanel)
    precision, exponent = hardware.shown
    look = window.run.look
    sharp, linear = activation.part == SHARP, activation.part == LINEAR
    return {
        "part": activation.part,
        "sharpness": activation.sharp.plot.slope.sharpness if sharp else None,
        "function": activation.linear.chosen if linear else "",
        "numbers": activation.linear.numbers if linear else None,
        "pair": look.lab_pair,
        "rival": window.run.rival,
        "lag": look.lab_lag,
        "read": look.lab_read,
        "loss": look.lab_loss,
        "precision": precision,
        "exponent": exponent,
        "orthogonal": look.lab_orthogonal,
        "scroll": lab.panel.scrolled if isinstance(lab.panel, LabPanel) else 0,
    }


def show_lab_view(window: MainWindow, lab: LabPage, view: View) -> None:
    """Set the controls of the lab in this way, and bring its view to the front; what the run does not have is left out."""
    snapshot, wanted = window.run.snapshot, view.lab_view
    activation, clipping, hardware = _panel(lab, ActivationLabPanel), _panel(lab, ClippingPanel), _panel(lab, HardwarePanel)
    if snapshot is not None:
        for panel in (activation, clipping, hardware):  # they take back what belonged to the run before
            panel.show_snapshot(snapshot)
        activation.want_layer(view.lab_layer if view.lab_layer < len(snapshot.architecture.layers) else 0)
    if view.lab:
        lab.show_view(view.lab)
    if wanted.sharpness is not None:
        activation.sharp.show_sharpness(wanted.sharpness)
    if wanted.function in ("", *ACTIVATIONS):
        activation.linear.choose(wanted.function)
    if wanted.numbers is not None:
        activation.linear.take(*wanted.numbers)
    activation.show_part(wanted.part)
    clipping.choose_pair(wanted.pair)
    hardware.choose_loss(wanted.loss)
    hardware.choose_format(wanted.precision)
    if wanted.exponent in SCALE_EXPONENTS:
        hardware.choose_exponent(wanted.exponent)
    window.look(lab_lag=wanted.lag, lab_read=wanted.read, lab_orthogonal=wanted.orthogonal)
    if wanted.rival != window.run.rival:
        window.run.set_rival(wanted.rival)
    if isinstance(lab.panel, LabPanel):
        lab.panel.scroll_to(wanted.scroll)
