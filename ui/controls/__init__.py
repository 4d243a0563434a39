"""The dock of controls: generated from the fields of the spec, so that a new field appears by itself."""

from .dock import Controls

__all__ = ["Controls"]
