"""Names the views of the lab share: parameters in the words of the network, angles, and how many of how many."""

from __future__ import annotations

import math
import re

from gradviz.selected import WeightInspection
from gradviz.snapshot import Architecture

from ..numbers import short
from .plots import percent

_SHARED = re.compile(r"(cell|out)\.(\w+)\[(\d+(?:, ?\d+)?)\]")  # of a recurrent net
_PARAMETER = re.compile(r"layer(\d+)\.(\w+)\[(\d+)(?:,\s*(\d+))?\]")


def parameter_name(parameter: str, architecture: Architecture) -> str:
    """``layer03.weight[4,1]`` as "L3, unit 5 → 2", ``layer03.bias[1]`` as "L3, bias 2"; anything else as it is."""
    if (shared := _SHARED.fullmatch(parameter)) is not None and architecture.recurrent:
        return _shared_name(shared, architecture)
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


def _shared_name(found: re.Match[str], architecture: Architecture) -> str:
    """``cell.recurrent_weight[3,17]`` as "forget wₕ, unit 4 → 2"."""
    owner, kind, numbers = found[1], found[2], [int(number) for number in found[3].split(",")]
    units = architecture.layers[0].units
    gate = f"{architecture.gates[numbers[-1] // units]} " if owner == "cell" and len(architecture.gates) > 1 else ""
    unit = numbers[-1] % units + 1 if owner == "cell" else numbers[-1] + 1
    if kind == "bias":
        return f"{gate}bias {unit}" if owner == "cell" else f"Out, bias {unit}"
    sender = architecture.input_names[numbers[0]] if kind == "input_weight" else f"unit {numbers[0] + 1}"
    letter = {"input_weight": "wₓ", "recurrent_weight": "wₕ"}.get(kind, "Out")
    return f"{gate}{letter}, {sender} → {unit}"


def entry_name(picked: WeightInspection, architecture: Architecture) -> str:
    """The name of a picked weight as it can be set: the columns of an LSTM's matrices are those of its gates, one after the other."""
    column = picked.column
    if picked.gate:
        column += architecture.gates.index(picked.gate) * architecture.layers[0].units
    return f"{picked.parameter}[{picked.row},{column}]"


def exists(parameter: str, architecture: Architecture) -> bool:
    """Whether the network has a parameter of this name."""
    if (shared := _SHARED.fullmatch(parameter)) is not None and architecture.recurrent:
        return _shared_exists(shared, architecture)
    found = _PARAMETER.fullmatch(parameter)
    if found is None or not 0 < int(found[1]) <= len(architecture.layers):
        return False
    info = architecture.layers[int(found[1]) - 1]
    if found[4] is None:
        return int(found[3]) < info.units
    return int(found[3]) < info.fan_in and int(found[4]) < info.units


def _shared_exists(found: re.Match[str], architecture: Architecture) -> bool:
    units, outputs = architecture.layers[0].units, architecture.layers[-1].units
    columns = units * len(architecture.gates)
    shape: tuple[int, ...] = {
        "cell.input_weight": (architecture.inputs, columns),
        "cell.recurrent_weight": (units, columns),
        "cell.bias": (columns,),
        "out.weight": (units, outputs),
        "out.bias": (outputs,),
    }.get(f"{found[1]}.{found[2]}", ())
    numbers = [int(number) for number in found[3].split(",")]
    return len(numbers) == len(shape) and all(number < size for number, size in zip(numbers, shape, strict=True))


def layer_of(parameter: str) -> int:
    """The number of the layer a parameter belongs to, of a recurrent net that of the cell (1) or the read-out (2); 0 for another name."""
    if (shared := _SHARED.fullmatch(parameter)) is not None:
        return 1 if shared[1] == "cell" else 2
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
