"""The types of arrays that the whole engine speaks of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
"""Floating-point numbers of any precision."""
