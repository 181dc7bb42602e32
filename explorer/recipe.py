"""What determines a run, and how it is written down while the run goes on.

A recipe is the setup that a run began with, a journal of (step, command), the steps taken, and the facts that the
result depends on besides. To repeat a run: begin with `initial`; for each (step, command) train until the step counter
shows `step`, then apply the command; at last train until it shows `steps`.

A run begins again whenever a fresh network is drawn. So the `Recorder` starts a fresh recipe at every `Reset`, and at
every `Configure` that needs another network, from the setup of that moment, and a journal holds no more than was done
to the network now on the screen. Repaints are kept as the rectangles that they changed, and whole where the number of
cells changed; a recipe knows composites only, no Gaussian components.

This file imports neither Qt nor torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.engine.messages import (
    Applied,
    Command,
    Configure,
    ConfigureScene,
    Event,
    Mirror,
    Ready,
    Release,
    Repaint,
    Reset,
)
from trainer.errors import InputError
from trainer.projects import Entry, Patch, Project, Setup
from trainer.scenes import Scene, story
from trainer.settings import FitSettings, ParticleSettings

RESTART = "restart"
"""The kind of an entry that stands for no command: the engine was started again and went on from its mirrored state."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """What determines a run.

    Attributes:
        initial: what it began with: painting, settings, seeds.
        journal: what was done since then, in order.
        steps: what the step counter shows at the end.
        facts: device, dtype, threads and versions.
    """

    initial: Setup
    journal: tuple[Entry, ...] = ()
    steps: int = 0
    facts: Mapping[str, str] = field(default_factory=dict)

    def commands(self) -> Iterator[tuple[int, Command]]:
        """What to apply, and what the step counter shows then; restarts of the engine need nothing repeated.

        Raises:
            InputError: an entry of unknown kind or with values that its command does not have.
        """
        for step, command, _ in _replay(self.initial, self.journal):
            if command is not None:
                yield step, command

    def final(self) -> Setup:
        """The setup that the journal ends with."""
        setup = self.initial
        for _, _, setup in _replay(self.initial, self.journal):  # noqa: B007 - the last one is wanted
            pass
        return setup

    def to_project(self, setup: Setup, sigma: float = 0.1, network: bytes | None = None) -> Project:
        """The project to save: this recipe, the document as it is, the noise level looked at, the network's state."""
        return Project(setup, self.initial, self.journal, self.steps, dict(self.facts), sigma, network)

    @classmethod
    def from_project(cls, project: Project) -> Recipe:
        """The recipe in a project.

        Raises:
            InputError: its journal holds an entry that no command can be made of.
        """
        recipe = cls(project.initial, project.journal, project.steps, project.facts)
        recipe.final()
        return recipe


class Recorder:
    """Holds the recipe of the run on the screen: give it every event of the engine, in the order of arrival.

    Attributes:
        setup: what the engine works with now, as far as its events have told.
    """

    def __init__(self, recipe: Recipe) -> None:
        """Go on from a recipe: an opened project's, or `Recipe(document.setup)` for a run that begins."""
        self.setup = recipe.final()
        self._initial = recipe.initial
        self._journal = list(recipe.journal)
        self._facts = dict(recipe.facts)
        self._mirrored = (self._initial, tuple(self._journal), self.setup)

    def take(self, event: Event) -> None:
        """Write down what an event tells.

        Raises:
            InputError: the event applied a command that does not determine a run.
        """
        match event:
            case Applied(step, command):
                self._applied(step, command)
            case Mirror():
                self._mirrored = (self._initial, tuple(self._journal), self.setup)
            case Ready(device, facts):
                self._facts = {**facts, "device": device}

    def restarted(self, step: int) -> None:
        """Go back to the last mirrored state, from which the engine was started again, at this step.

        What was done after it is undone with the network; the engine applies it anew and tells so.
        """
        self._initial, journal, self.setup = self._mirrored
        self._journal = [*journal, Entry(step, RESTART)]

    def recipe(self, steps: int) -> Recipe:
        """The recipe of the run, which has come to this step."""
        return Recipe(self._initial, tuple(self._journal), steps, dict(self._facts))

    def _applied(self, step: int, command: Command) -> None:
        before, entry = self.setup, to_entry(step, command, self.setup)
        self.setup = _after(command, self.setup)
        if isinstance(command, Reset) or not same_network(self.setup.fit, before.fit):
            self._initial = self.setup
            self._journal = []
        else:
            self._journal.append(entry)


def same_network(one: FitSettings, other: FitSettings) -> bool:
    """Whether a run can go from one's settings to the other's with the weights that it has."""
    return (one.network, one.parameterisation) == (other.network, other.parameterisation)


def to_entry(step: int, command: Command, setup: Setup) -> Entry:
    """The journal's line for a command that was applied to this setup.

    Raises:
        InputError: a command that does not determine a run.
    """
    match command:
        case Repaint(revision, weights, name):
            return Entry(step, "repaint", {"revision": revision, "name": name}, Patch.between(setup.weights, weights))
        case Configure(settings):
            return Entry(step, "configure", {"settings": settings.to_json()})
        case Reset(seed):
            return Entry(step, "reset", {"seed": seed})
        case ConfigureScene(scene, seed):
            return Entry(step, "scene", {"scene": scene.to_json(), "seed": seed})
        case Release(at):
            return Entry(step, "release", {} if at is None else {"step": at})
    raise InputError(f"journal: {type(command).__name__} does not determine a run; only commands that do belong there")


def to_command(entry: Entry, setup: Setup) -> Command | None:
    """The command that an entry stands for, applied to this setup; None for a restart of the engine.

    Raises:
        InputError: an unknown kind, or values that its command does not have.
    """
    values = entry.values
    match entry.kind:
        case "repaint":
            if entry.patch is None:
                raise InputError("repaint: no patch; a repaint says which cells changed")
            after = entry.patch.on(setup.weights)
            return Repaint(_get(values, "revision", int), after, _get(values, "name", str))
        case "configure":
            return Configure(FitSettings.from_json(_get(values, "settings", dict)))
        case "reset":
            return Reset(_get(values, "seed", int))
        case "scene":
            return ConfigureScene(Scene.from_json(_get(values, "scene", dict)), _get(values, "seed", int))
        case "particles":
            settings = ParticleSettings.from_json(_get(values, "settings", dict))
            return ConfigureScene(Scene(story(settings)), _get(values, "seed", int))
        case "release":
            return Release(_get(values, "step", int) if "step" in values else None)
        case "restart":
            return None
    raise InputError(
        f"unknown kind {entry.kind[:40]!r}; known are repaint, configure, reset, scene, particles, release, {RESTART}"
    )


def _after(command: Command | None, setup: Setup) -> Setup:
    """The setup once a command is applied."""
    match command:
        case Repaint(_, weights, name):
            weights = weights.copy()
            weights.flags.writeable = False
            return replace(setup, weights=weights, name=name, components=(), paint=None)
        case Configure(settings):
            return replace(setup, fit=settings)
        case Reset(seed):
            return replace(setup, seed=seed)
        case ConfigureScene(scene, seed):
            return replace(setup, scene=scene, particle_seed=seed)
    return setup


def _replay(setup: Setup, journal: Iterable[Entry]) -> Iterator[tuple[int, Command | None, Setup]]:
    """Each entry's step and command, and the setup after it."""
    for i, entry in enumerate(journal):
        try:
            command = to_command(entry, setup)
        except InputError as error:
            raise InputError(f"journal[{i}]: {error}") from error
        setup = _after(command, setup)
        yield entry.step, command, setup


def _get(values: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    value = values.get(key)
    negative = isinstance(value, int) and not 0 <= value < 2**63
    if not isinstance(value, kind) or isinstance(value, bool) or negative:
        words: dict[type, str] = {int: "a whole number of 0 or more", str: "text", dict: "an object of named fields"}
        raise InputError(f"{key}: {value!r:.60} is not {words[kind]}")
    return value
