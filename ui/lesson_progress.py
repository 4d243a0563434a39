"""Which lessons have been begun and done, kept in the user's settings under each lesson's name.

What cannot be read counts as nothing done: settings may come from another version, or have been edited by hand.
"""

from __future__ import annotations

import msgspec
from PySide6.QtCore import QSettings

GROUP = "lessons"


class Progress(msgspec.Struct, frozen=True):
    """How far a lesson has come."""

    begun: bool = False
    tries: frozenset[int] = frozenset()  # positions of the *try it* steps that were pressed
    answered: bool = False

    @property
    def state(self) -> str:
        """ "new", "begun" or "done"; done is who has answered the question."""
        return "done" if self.answered else "begun" if self.begun else "new"


def load(name: str) -> Progress:
    """How far the lesson of this name has come."""
    kept = QSettings().value(f"{GROUP}/{name}")
    if not isinstance(kept, str):
        return Progress()
    try:
        return msgspec.json.decode(kept, type=Progress)
    except (msgspec.DecodeError, RecursionError):
        return Progress()


def save(name: str, progress: Progress) -> None:
    QSettings().setValue(f"{GROUP}/{name}", msgspec.json.encode(progress).decode())


def forget(name: str) -> None:
    """Start this lesson over."""
    QSettings().remove(f"{GROUP}/{name}")


def forget_all() -> None:
    """Start all lessons over."""
    QSettings().remove(GROUP)
