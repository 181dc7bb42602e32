"""Taking a moment: what the main window shows and holds now, as a step of a lesson shows and begins it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.layouts import story_places
from explorer.lessons.lesson import MOST_SHOWN, Doing
from explorer.viewing import ViewOptions
from trainer.projects import Project, Setup

if TYPE_CHECKING:
    from explorer.window import MainWindow

_LEAST_SIGMA = 1e-3


@dataclass(frozen=True)
class Taken:
    """One moment.

    Attributes:
        project: painting, settings, journal and weights.
        show, places, sigma, options, drawer: as in `explorer.lessons.lesson.Step`.
        do: what makes a run that begins from the project go on as it went.
    """

    project: Project
    show: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sigma: float = 0.1
    options: ViewOptions = field(default_factory=ViewOptions)
    drawer: str | None = None
    do: tuple[Doing, ...] = ()

    def values(self, *, run: bool) -> dict[str, Any]:
        """Fields of a draft's step: what is shown, and with `run` the run that begins from it."""
        shown = {name: getattr(self, name) for name in ("show", "places", "sigma", "options", "drawer")}
        return shown | ({"begin": self.project, "change": {}, "do": self.do} if run else {})

    def belongs(self, setup: Setup) -> bool:
        """Whether the moment's painting and settings are those of a run that is set up like this."""
        mine = self.project.setup
        alike = all(getattr(mine, name) == getattr(setup, name) for name in ("fit", "scene", "race", "seed"))
        return alike and np.array_equal(mine.weights, setup.weights)


def take(window: MainWindow) -> Taken:
    """The window's present moment, without waiting for the engine."""
    project, frame = window.quick_snapshot(), window.session.frame
    places, seen = window.stage.places, window.stage.seen
    do: list[Doing] = ["train" if frame is None or frame.training else "pause"]
    if frame is not None and frame.released:
        do += ["release", "move"] if frame.moving else ["release"]
    return Taken(
        project,
        # What is presented is all that is seen; one that is large leaves four others beside it.
        show=seen if len(seen) <= MOST_SHOWN else window.stage.doubled,
        places=() if places == story_places(len(project.setup.scene.panes)) else places,
        sigma=max(window.slider.value(), _LEAST_SIGMA),
        options=window.viewing.options,
        drawer=window.drawer_page(),
        do=tuple(do),
    )
