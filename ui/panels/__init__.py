"""The panels of the window: one row each."""

from __future__ import annotations

from .chain_rule import ChainRulePanel
from .inspect import InspectPanel
from .layer_table import LayerTablePanel
from .panel import Panel
from .prediction import PredictionPanel
from .profile import ProfilePanel
from .timeline import TimelinePanel

PANELS: tuple[type[Panel], ...] = (ProfilePanel, TimelinePanel, PredictionPanel, LayerTablePanel, ChainRulePanel, InspectPanel)
