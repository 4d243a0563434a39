"""What an animation shows: the run is done again from its first step, which is exact, and each moment painted as `render` paints it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from PySide6.QtGui import QImage

from gradviz.experiment import Experiment
from gradviz.hardware_report import with_speeds
from gradviz.lab_reports import HardwareReport, Speed
from gradviz.snapshot import Ghost, Look, Snapshot
from gradviz.spec import Spec
from gradviz.speed import measure_speed

from . import export
from .movie import Cancelled, write_movie
from .off_screen import SIZES, OffScreen
from .presets import preset_named
from .selection import Selection
from .theme import THEMES, apply_theme

MOST_FRAMES = 150  # of which an animation is made when nobody says how many
STEPS_RATE, PHASES_RATE = 12, 4  # frames per second: training flows, the phases of a step are read
Settings = tuple[tuple[int, Spec], ...]
"""(step, what was in force from after this step on), the first one from step 0."""
Tell = Callable[[int, int], None]  # frames done, frames in all


class Film(msgspec.Struct, frozen=True):
    """An animation to be made; it can be sent to another process."""

    settings: Settings
    path: Path
    steps: tuple[int, ...] = ()  # the moments, rising …
    phases_of: int | None = None  # … or instead of them the phases of this step, which counts from 1
    view: str = "figure"
    theme: str = "light"
    size: tuple[int, int] | None = None  # logical pixels
    scale: float = 1.0
    fps: int = 10
    look: Look = Look()
    preset: str | None = None  # whose title the window bears
    page: str = ""  # of the window's right dock
    selection: Selection | None = None
    ghost: Ghost | None = None  # the line that was left
    known: tuple[int, float] | None = None  # a step and its loss, by which it is seen that this is the same run
    against: Settings = ()  # settings of the second run, where two are compared


class NotTheSame(export.ExportError):
    """Done again, the run has come out differently."""


def thinned(first: int, last: int, every: int | None = None) -> tuple[int, ...]:
    """Every so many steps from ``first`` to ``last``, both among them; without ``every`` so that they are not too many."""
    if every is None:
        every = max(1, math.ceil((last - first) / (MOST_FRAMES - 1)))
    return (*range(first, last, every), last)


def make_film(film: Film, tell: Tell = lambda done, total: None, cancelled: Callable[[], bool] = lambda: False) -> int:
    """Do the run again, paint and write; returns how many frames there are. It needs a QApplication and shows nothing.

    Raises:
        ExportError: when the file cannot be written, or the run does not come out as it was.
        Cancelled: when ``cancelled`` said so; it is asked between any two steps.
    """
    take = _Take(film, cancelled)
    return write_movie(take.frames(), film.path, film.fps, lambda done: tell(done, take.total), cancelled)


class _Take:
    def __init__(self, film: Film, cancelled: Callable[[], bool]) -> None:
        self.total = len(film.steps)
        self._film, self._cancelled = film, cancelled
        self._speeds: tuple[Speed, ...] = ()

    def frames(self) -> Iterator[QImage]:
        film = self._film
        apply_theme(THEMES[film.theme])
        preset = preset_named(film.preset) if film.preset is not None else None
        spec = film.settings[0][1]
        size = film.size or SIZES.get(film.view) or self._whole_size(spec)
        view = OffScreen(film.view, film.theme, spec, size, preset=preset, page=film.page, selection=film.selection)
        try:
            for moments in self._pairs() if film.against else self._moments(film.settings):
                view.show(*moments)
                yield export.picture(view.drawable, view.size, film.scale)
        finally:
            view.close()

    def _whole_size(self, spec: Spec) -> tuple[int, int]:
        """What a view that is as high as what it holds takes once all is known: at the first moments it holds little."""
        experiment = Experiment(spec)
        experiment.advance()
        view = OffScreen(self._film.view, self._film.theme, spec)
        try:
            view.show(self._measured(experiment))
            return math.ceil(view.size.width()), math.ceil(view.size.height())
        finally:
            view.close()

    def _pairs(self) -> Iterator[tuple[Snapshot, ...]]:
        """The moments of both runs; one that has failed, or has no more phases, stays where it is."""
        last: tuple[Snapshot, ...] = ()
        for moments in itertools.zip_longest(self._moments(self._film.settings), self._moments(self._film.against)):
            last = tuple(last[side] if moment is None else moment[0] for side, moment in enumerate(moments))
            yield last

    def _moments(self, settings: Settings) -> Iterator[tuple[Snapshot]]:
        film = self._film
        experiment, changes = Experiment(settings[0][1]), list(settings[1:])
        if film.phases_of is not None:
            self._advance(experiment, changes, film.phases_of - 1)
            self.total = max(self.total, len(experiment.trainer.order))
            for _ in experiment.phases():
                yield (self._measured(experiment),)
            return
        for step in film.steps:
            self._advance(experiment, changes, step)
            yield (self._measured(experiment),)
            if experiment.trainer.failure is not None:
                return  # from here on there is nothing new to see
        step, loss = film.known or (-1, 0.0)
        if settings is film.settings and step == experiment.step_count and repr(loss) != repr(experiment.trainer.loss):
            raise NotTheSame("Done again, the run comes out differently: its data file must have changed. Nothing was saved.")

    def _advance(self, experiment: Experiment, changes: list[tuple[int, Spec]], step: int) -> None:
        """Do the run again up to this step, with every change of the settings where it was."""
        while True:
            if self._cancelled():
                raise Cancelled
            while changes and changes[0][0] == experiment.step_count:
                experiment.apply(changes.pop(0)[1])
            if experiment.step_count >= step or experiment.trainer.failure is not None:
                return
            experiment.advance()

    def _measured(self, experiment: Experiment) -> Snapshot:
        film = self._film
        look = film.look
        if look.lab == "compressor":
            look = msgspec.structs.replace(look, lab_read=experiment.step_count)
        try:
            snapshot = experiment.measure(look)
        except ValueError:  # the mini-batch was smaller then than the position of the example that is looked at
            snapshot = experiment.measure(msgspec.structs.replace(look, example=None))
        if isinstance(snapshot.lab, HardwareReport):
            if not self._speeds:
                self._speeds = measure_speed(experiment.spec)  # once: it takes a while
            snapshot = msgspec.structs.replace(snapshot, lab=with_speeds(snapshot.lab, self._speeds))
        if film.ghost is not None and snapshot.step > film.ghost.branch_step:
            snapshot = msgspec.structs.replace(snapshot, ghost=film.ghost)
        return snapshot
