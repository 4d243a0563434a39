"""How the sentences of a verdict name layers and write numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradviz.spec import Spec


def where(layers: np.ndarray) -> tuple[int, ...]:
    """The numbers of these hidden layers."""
    return tuple(int(row) + 1 for row in np.flatnonzero(layers))


def names(layers: Sequence[int], spec: Spec) -> str:
    """Such as "L3", "L1 to L5" or "L2, L4 and L7"; of time steps "t3"."""
    letter, several = ("t", "time steps") if spec.network.recurrent else ("L", "layers")
    names = [f"{letter}{layer}" for layer in layers]
    if len(names) > 2 and layers[-1] - layers[0] == len(layers) - 1:
        return f"{names[0]} to {names[-1]}"
    if len(names) > 4:
        return f"{len(names)} {several}"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def number(value: float) -> str:
    """Two significant digits: 0.24, 4.1×10⁻⁸."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}×10" + str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
