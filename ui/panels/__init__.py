"""The panels of the window: one row each. They are imported only when somebody wants to see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .panel import Panel

LAB = ("activation", "clipping", "residual", "linear", "initialisation", "compressor", "hardware", "jacobian", "population")
"""Names of the lab's panels, in their order."""


def panels() -> tuple[type[Panel], ...]:
    """The panels beside the network."""
    from .chain_rule import ChainRulePanel
    from .inspect import InspectPanel
    from .layer_table import LayerTablePanel
    from .prediction import PredictionPanel
    from .profile import ProfilePanel
    from .timeline import TimelinePanel

    return (ProfilePanel, TimelinePanel, PredictionPanel, LayerTablePanel, ChainRulePanel, InspectPanel)


def lab_panels() -> tuple[type[Panel], ...]:
    """The panels of the lab."""
    from .activation_lab import ActivationLabPanel
    from .clipping import ClippingPanel
    from .compressor import CompressorPanel
    from .hardware import HardwarePanel
    from .initialisation import InitialisationPanel
    from .jacobian import JacobianPanel
    from .linear_map import LinearMapPanel
    from .population import PopulationPanel
    from .residual import ResidualPanel

    return (
        ActivationLabPanel,
        ClippingPanel,
        ResidualPanel,
        LinearMapPanel,
        InitialisationPanel,
        CompressorPanel,
        HardwarePanel,
        JacobianPanel,
        PopulationPanel,
    )
