"""Names the views of the lab share: parameters in the words of the network, angles, and how many of how many."""

from __future__ import annotations

import math
import re

from gradviz.snapshot import Architecture

from ..numbers import short
from .plots import percent

_PARAMETER = re.compile(r"layer(\d+)\.(\w+)\[(\d+)(?:,\s*(\d+))?\]")


def parameter_name(parameter: str, architecture: Architecture) -> str:
    """``layer03.weight[4,1]`` as "L3, unit 5 → 2", ``layer03.bias[1]`` as "L3, bias 2"; anything else as it is."""
    found = _PARAMETER.fullmatch(parameter)
    if found is None or not 0 < int(found[1]) <= len(architecture.layers):
        return parameter
    layer, row = int(found[1]), int(found[3])
    name = architecture.layers[layer - 1].name
    if found[4] is None:
        return f"{name}, {found[2]} {row + 1}"
    inputs = architecture.input_names
    sender = inputs[row] if layer == 1 and row < len(inputs) else f"unit {row + 1}"
    return f"{name}, {sender} → {int(found[4]) + 1}"


def exists(parameter: str, architecture: Architecture) -> bool:
    """Whether the network has a parameter of this name."""
    found = _PARAMETER.fullmatch(parameter)
    if found is None or not 0 < int(found[1]) <= len(architecture.layers):
        return False
    info = architecture.layers[int(found[1]) - 1]
    if found[4] is None:
        return int(found[3]) < info.units
    return int(found[3]) < info.fan_in and int(found[4]) < info.units


def layer_of(parameter: str) -> int:
    """The number of the layer a parameter belongs to; 0 where its name does not say."""
    found = _PARAMETER.fullmatch(parameter)
    return int(found[1]) if found is not None else 0


def angle(cosine: float) -> float:
    """The angle in degrees."""
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine)))) if math.isfinite(cosine) else math.nan


def angle_text(degrees: float, rounding: float) -> str:
    """Such as "0°" or "12.4°"; below ``rounding`` degrees nothing but rounding is left of an angle."""
    if not math.isfinite(degrees):
        return "–"
    if degrees <= rounding:
        return "0°"
    return f"{degrees:.1f}°" if degrees >= 1 else f"{short(degrees)}°"


def share_of(part: int, whole: int) -> str:
    """Such as "312 of 400 steps, 78 %"."""
    steps = f"{part:,} of {whole:,} step{'' if whole == 1 else 's'}"
    return f"{steps}, {percent(part / whole)}" if whole else steps
