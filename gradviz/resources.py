"""Where the files lie that come with the program: beside this package when installed, beside its folder in a checkout."""

from __future__ import annotations

from pathlib import Path


def _find() -> Path:
    package = Path(__file__).resolve().parent
    inside = package / "resources"
    return inside if inside.is_dir() else package.parent / "resources"


RESOURCES: Path = _find()
"""Folder with ``lessons``, ``presets``, ``data``, ``fonts`` and ``icons``."""
