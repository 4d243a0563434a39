"""How much may move on the screen: a setting of the user's, kept between sessions.

``full`` lets signals run across the picture; ``reduced`` lets nothing run across it, and everything that is said is still
said; ``off`` lets nothing move at all, folding panels included.
"""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtGui import QGuiApplication

MODES = ("full", "reduced", "off")
KEY = "motion"


def load() -> str:
    """The user's choice, else what the platform asks for."""
    kept = QSettings().value(KEY)
    return str(kept) if kept in MODES else _platform()


def save(mode: str) -> None:
    """Keep a choice.

    Raises:
        ValueError: for a mode that there is not.
    """
    if mode not in MODES:
        raise ValueError(f"no motion {mode!r}; there are {', '.join(MODES)}")
    QSettings().setValue(KEY, mode)


def _platform() -> str:
    """``reduced`` where Qt tells that the user wants it: from 6.12 on."""
    hints = getattr(QGuiApplication.styleHints(), "accessibility", None)
    asked = getattr(hints(), "motionPreference", None) if hints is not None else None
    return "reduced" if asked is not None and "Reduce" in asked().name else "full"
