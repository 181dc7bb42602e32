"""A lesson: steps, each with a few words, what is to be seen, and perhaps a question to be answered before it shows.

A step either **begins** a run (a painting, how it is learned, how particles move; or a whole project with its weights)
or goes on with the one before, some **changes** made. What a step needs is a function of the lesson alone
(`Lesson.setup`), so that every step can be entered from any other.

A **prediction** covers some squares until the person has chosen, then lets the run go on and reads a quantity
(`explorer.lessons.measures`): which choice was right is measured, never written down.

Plain values; no Qt, no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Literal, get_args

from explorer.glossary.tiles import ENTRIES
from explorer.layouts import PLACES, VIEWS, Layout, story_places
from explorer.lessons.measures import Measure, Moment, check_measure
from explorer.viewing import ViewOptions
from trainer.errors import InputError
from trainer.paintings import preset_names, preset_weights
from trainer.plans import RaceSettings, StopSettings
from trainer.projects import Project, Setup
from trainer.scenes import Scene
from trainer.settings import MOST_SIGMA, FitSettings, choice, known, number, whole

Control = Literal["menus", "tools", "axes", "bar", "drawer"]
Doing = Literal["train", "pause", "reset", "release", "move", "hold", "race", "hold race", "pictures"]

CONTROLS: tuple[Control, ...] = get_args(Control)
"""What a step can leave or hide: the menu bar, the brush's strip, the two sliders, the bar, the drawer of settings."""

EXPLAINED = ("loss", *ENTRIES)
"""What a step can offer to explain; "loss" is that of the objective in use."""

MOST_STEPS, MOST_CHOICES, MOST_SHOWN = 64, 5, 4
_LONGEST = {"title": 80, "text": 2000, "formula": 400, "ask": 300, "choice": 120, "reveal": 1000}
"""Characters."""
_CELLS = 128


@dataclass(frozen=True)
class Choice:
    """One answer: right if `low` <= what is measured < `high`."""

    text: str
    low: float = float("-inf")
    high: float = float("inf")

    def __post_init__(self) -> None:
        _words("choice.text", self.text, _LONGEST["choice"])
        if not self.low < self.high:
            raise InputError(f"choice: from {self.low:g} to {self.high:g} is nothing; give a smaller and a larger one")

    def holds(self, value: float) -> bool:
        """Whether this is the right answer if so much was measured."""
        return self.low <= value < self.high


@dataclass(frozen=True)
class Prediction:
    """A question that is answered before the answer shows.

    Attributes:
        ask: the question; choices: two to five answers, no two of which can both be right.
        measure: what decides; when: at which moment it is read.
        covers: the views that are covered until then.
        do: what is done once the person has chosen; learned: but not before so many training steps.
        reveal: what is said when it is known.
    """

    ask: str
    choices: tuple[Choice, ...]
    measure: Measure
    when: Moment = field(default_factory=Moment)
    covers: tuple[str, ...] = ()
    do: tuple[Doing, ...] = ()
    learned: int = 0
    reveal: str = ""

    def __post_init__(self) -> None:
        _words("predict.ask", self.ask, _LONGEST["ask"])
        _words("predict.reveal", self.reveal, _LONGEST["reveal"], least=0)
        if not 2 <= len(self.choices) <= MOST_CHOICES:
            raise InputError(f"predict.choices: {len(self.choices)} of them; give 2 to {MOST_CHOICES}")
        ordered = sorted(self.choices, key=lambda each: each.low)
        for one, other in pairwise(ordered):
            if one.high > other.low:
                raise InputError(
                    f"predict.choices: {one.text!r} and {other.text!r} can both be right; part their ranges"
                )
        _all_of("predict.covers", self.covers, VIEWS)
        _all_of("predict.do", self.do, get_args(Doing))
        whole("predict.learned", self.learned, 0, 10**6)

    def right(self, value: float) -> int | None:
        """The place of the right answer, from 0; None if none of them is."""
        return next((k for k, each in enumerate(self.choices) if each.holds(value)), None)


@dataclass(frozen=True)
class Beginning:
    """What a run begins with.

    Attributes:
        painting: a preset's name.
        fit, scene, seed, particle_seed, stop, race: as in `trainer.projects.Setup`.
    """

    painting: str
    fit: FitSettings = field(default_factory=FitSettings)
    scene: Scene = field(default_factory=Scene)
    seed: int = 0
    particle_seed: int = 0
    stop: StopSettings = field(default_factory=StopSettings)
    race: RaceSettings = field(default_factory=RaceSettings)

    def __post_init__(self) -> None:
        choice("begin.painting", self.painting, preset_names())
        for name in ("seed", "particle_seed"):
            whole(f"begin.{name}", getattr(self, name), 0, 2**63 - 1)

    def setup(self) -> Setup:
        """The same as a document."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "painting"}
        return Setup(preset_weights(self.painting, _CELLS), self.painting, **values)


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        title, text: what is said; `text` may hold **bold** and *italic* words and has a blank line between paragraphs.
        formula: LaTeX, or "".
        explain: names of the glossary's entries that are offered.
        begin: a run that begins here, from a description or from a project; None goes on with the one before.
        change: fields of `Beginning` that differ from the step before, in part: {"fit": {"target": "single"}}.
        show: one to four views alone and large; () shows the eight places.
        places: the views in the eight places; () leaves the story's.
        sigma: the noise level of all fields; None leaves it.
        options: fields of `ViewOptions` that differ from the usual ones.
        drawer: the page of settings that is open.
        controls: what a person can use.
        do: what is done when the step is entered.
        predict: a question.
    """

    title: str
    text: str
    formula: str = ""
    explain: tuple[str, ...] = ()
    begin: Beginning | Project | None = None
    change: Mapping[str, Any] = field(default_factory=dict)
    show: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    sigma: float | None = None
    options: ViewOptions = field(default_factory=ViewOptions)
    drawer: str | None = None
    controls: tuple[Control, ...] = CONTROLS
    do: tuple[Doing, ...] = ()
    predict: Prediction | None = None

    def __post_init__(self) -> None:
        _words("step.title", self.title, _LONGEST["title"])
        _words("step.text", self.text, _LONGEST["text"])
        _words("step.formula", self.formula, _LONGEST["formula"], least=0)
        _all_of("step.explain", self.explain, EXPLAINED)
        _all_of("step.show", self.show, VIEWS)
        if len(self.show) > MOST_SHOWN:
            raise InputError(f"step.show: {len(self.show)} views; give at most {MOST_SHOWN}")
        if self.places and len(self.places) != PLACES:
            raise InputError(f"step.places: {len(self.places)} views; give {PLACES}, or none")
        _all_of("step.controls", self.controls, CONTROLS)
        _all_of("step.do", self.do, get_args(Doing))
        if self.sigma is not None:
            number("step.sigma", self.sigma, 1e-3, MOST_SIGMA)
        known(Beginning, self.change, "step.change.")

    def layout(self, panes: int) -> Layout:
        """How the window is arranged for this step in a scene of so many panes.

        Raises:
            InputError: places or a page that there are not.
        """
        places = list(self.places or story_places(panes))
        for view in self.show:
            if view not in places:
                spare = next(k for k in range(PLACES - 1, -1, -1) if places[k] not in self.show)
                places[spare] = view
        return Layout(self.title[:40], tuple(places), drawer=self.drawer, options=self.options)


@dataclass(frozen=True)
class Lesson:
    """Its steps, in order; the first one begins a run."""

    title: str
    steps: tuple[Step, ...]
    about: str = ""

    def __post_init__(self) -> None:
        _words("lesson.title", self.title, _LONGEST["title"])
        _words("lesson.about", self.about, _LONGEST["ask"], least=0)
        if not 1 <= len(self.steps) <= MOST_STEPS:
            raise InputError(f"lesson.steps: {len(self.steps)} of them; give 1 to {MOST_STEPS}")
        if self.steps[0].begin is None:
            raise InputError("lesson.steps: the first step begins no run; give it `begin`")
        for index, step in enumerate(self.steps):
            try:
                setup = self.setup(index)
                step.layout(len(setup.scene.panes))
                if step.predict is not None:
                    racers = len(setup.race.entrants)
                    check_measure(step.predict.measure, panes=len(setup.scene.panes), racers=racers)
            except InputError as error:
                raise InputError(f"step {index + 1}: {error}") from error

    def origin(self, index: int) -> int:
        """The step, this or an earlier one, at which its run began."""
        return next(k for k in range(index, -1, -1) if self.steps[k].begin is not None)

    def setup(self, index: int) -> Setup:
        """What the run of this step is: as it began, with all changes up to here.

        Raises:
            InputError: changes that do not fit each other.
        """
        origin = self.origin(index)
        begin = self.steps[origin].begin
        setup = begin.setup() if isinstance(begin, Beginning) else begin.setup  # type: ignore[union-attr]
        for step in self.steps[origin : index + 1]:
            setup = altered(setup, step.change)
        return setup


def altered(setup: Setup, change: Mapping[str, Any]) -> Setup:
    """The setup with these fields of it, or parts of them, replaced.

    Raises:
        InputError: a field that is unknown, or does not fit the others.
    """
    values: dict[str, Any] = {}
    for name, value in known(Beginning, change, "change.").items():
        match name:
            case "painting":
                values |= _painted(value)
            case "fit":
                values["fit"] = FitSettings.from_json(_merged(setup.fit.to_json(), value, "fit."))
            case "scene":
                values["scene"] = _scene(setup.scene, value)
            case "stop":
                values["stop"] = StopSettings.from_json(value)
            case "race":
                values["race"] = RaceSettings.from_json(value)
            case _:
                whole(f"change.{name}", value, 0, 2**63 - 1)
                values[name] = value
    return replace(setup, **values)


def _painted(name: object) -> dict[str, Any]:
    choice("change.painting", name, preset_names())
    return {"weights": preset_weights(str(name), _CELLS), "name": name, "components": (), "paint": None}


def _scene(scene: Scene, value: object) -> Scene:
    """A scene from its JSON values, or {"source": "true"} for the same panes moved by the other score."""
    if isinstance(value, Mapping) and set(value) == {"source"}:
        choice("change.scene.source", value["source"], ("learned", "true"))
        return scene.with_source(value["source"])
    return Scene.from_json(_merged(scene.to_json(), value, "scene."))


def _merged(whole_: dict[str, Any], part: object, prefix: str) -> dict[str, Any]:
    """JSON values with some of them replaced, objects within objects too."""
    if not isinstance(part, Mapping):
        raise InputError(f"change.{prefix[:-1]}: expected an object of named fields, got {type(part).__name__}")
    merged = dict(whole_)
    for key, value in part.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value, prefix) if isinstance(inner, dict) and isinstance(value, Mapping) else value
    return merged


def _words(name: str, value: object, longest: int, least: int = 1) -> None:
    """Refuse anything but a text of such a length."""
    if not isinstance(value, str) or not least <= len(value.strip()) <= longest:
        raise InputError(f"{name}: {value!r:.60} will not do; give {least} to {longest} characters")


def _all_of(name: str, values: object, allowed: tuple[str, ...]) -> None:
    """Refuse anything but a tuple of different ones of these words."""
    if not isinstance(values, tuple) or len(set(values)) != len(values):
        raise InputError(f"{name}: {values!r:.60} is no list of different names")
    for value in values:
        choice(name, value, allowed)
