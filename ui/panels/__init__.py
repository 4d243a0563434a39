"""The panels of the window: one row each."""

from __future__ import annotations

from .chain_rule import ChainRulePanel
from .inspect import InspectPanel
from .layer_table import LayerTablePanel
from .panel import Panel
from .prediction import PredictionPanel
from .profile import ProfilePanel
from .timeline import TimelinePanel

LAB = ("activation", "clipping", "residual", "linear", "initialisation")
"""Names of the lab's panels, in their order."""


def lab_panels() -> tuple[type[Panel], ...]:
    """The panels of the lab, imported only when somebody wants to see them."""
    from .activation_lab import ActivationLabPanel
    from .clipping import ClippingPanel
    from .initialisation import InitialisationPanel
    from .linear_map import LinearMapPanel
    from .residual import ResidualPanel

    return (ActivationLabPanel, ClippingPanel, ResidualPanel, LinearMapPanel, InitialisationPanel)


PANELS: tuple[type[Panel], ...] = (ProfilePanel, TimelinePanel, PredictionPanel, LayerTablePanel, ChainRulePanel, InspectPanel)
