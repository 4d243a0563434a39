"""The lab of the window: its views, and what each of them may ask for. Made when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lab_page import LabPage
from .panels.activation_lab import ActivationLabPanel
from .panels.clipping import ClippingPanel
from .panels.compressor import CompressorPanel
from .panels.hardware import HardwarePanel
from .panels.initialisation import InitialisationPanel
from .panels.jacobian import JacobianPanel
from .panels.linear_map import LinearMapPanel
from .panels.population import PopulationPanel
from .panels.residual import ResidualPanel

if TYPE_CHECKING:
    from .main_window import MainWindow


def make_lab(window: MainWindow) -> LabPage:
    """The lab, connected to the commands of the window."""
    activation, clipping, residual = ActivationLabPanel(), ClippingPanel(), ResidualPanel()
    linear, initialisation = LinearMapPanel(), InitialisationPanel()
    compressor, hardware = CompressorPanel(), HardwarePanel()
    jacobian, population = JacobianPanel(), PopulationPanel()
    population.evolution_wanted.connect(lambda: window.change("training.method", "evolution"))
    activation.layer_wanted.connect(lambda layer: window.look(lab_layer=layer))
    activation.activation_wanted.connect(lambda name: window.change("network.activation", name))
    activation.relu_at_zero_wanted.connect(lambda slope: window.change("network.relu_at_zero", slope))
    clipping.pair_wanted.connect(lambda pair: window.look(lab_pair=pair))
    clipping.clip_wanted.connect(lambda rule: window.change("training.clip", rule))
    clipping.threshold_wanted.connect(lambda threshold: window.change("training.clip_threshold", threshold))
    residual.rival_wanted.connect(window.run.set_rival)
    residual.skip_wanted.connect(lambda span: window.change("network.skip_every", span))
    linear.identity_wanted.connect(lambda: window.change("network.activation", "identity"))
    initialisation.initializer_wanted.connect(lambda name: window.change("network.initializer", name))
    compressor.reading_wanted.connect(lambda lag, read: window.look(lab_lag=lag, lab_read=read))
    hardware.measure_wanted.connect(window.run.measure_speed)
    hardware.loss_wanted.connect(lambda loss: window.look(lab_loss=loss))
    jacobian.orthogonal_wanted.connect(lambda wanted: window.look(lab_orthogonal=wanted))
    lab = LabPage((activation, clipping, residual, linear, initialisation, compressor, hardware, jacobian, population))
    lab.view_changed.connect(window.on_lab_changed)
    window.selected.connect(activation.select)
    return lab
