"""The run that an export shows: from a preset, a project or a recipe to commands along one axis of training steps.

A recipe's journal says what was done at which reading of the step counter. The counter starts again when a change of
settings needs a fresh network, so readings may fall from one entry to the next; along a film steps only grow, and a cue
stands at the number of steps taken since the beginning.

This file imports neither Qt nor torch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from explorer.capsules import read_session
from explorer.engine.messages import Command, ConfigureScene, Release
from explorer.export.request import DEFAULT_STEPS, ExportRequest
from explorer.recipe import Recipe
from trainer.errors import InputError
from trainer.paintings import preset_names, read_painting
from trainer.projects import Project, Setup
from trainer.scenes import Scene


@dataclass(frozen=True, eq=False)
class Script:
    """What happens in a film.

    Attributes:
        initial: painting, settings and seeds at the beginning.
        cues: (training steps taken since the beginning, command), ascending; releases are the film's own to place.
        steps: training steps in all.
        scene: the panes and the start that particles are released with.
        sigma: the noise level at which learning is watched.
        project: what the request named, if it was a project.
        complete: whether the script is all that was done in `project`, and so ends as it does.
    """

    initial: Setup
    cues: tuple[tuple[int, Command], ...]
    steps: int
    scene: Scene
    sigma: float
    project: Project | None = None
    complete: bool = False


def read_script(request: ExportRequest) -> Script:
    """The run that a request names.

    Raises:
        InputError: a source that cannot be read, or one on which nothing is painted.
    """
    sigma, project = request.sigma, None
    if isinstance(request.source, Recipe):
        recipe = request.source
    elif (project := _project(request.source)) is not None:
        recipe, sigma = Recipe.from_project(project), project.sigma
        # A project that was saved before it was trained shows what would be learned of it.
        recipe = recipe if recipe.steps else Recipe(project.setup)
    else:
        recipe = Recipe(_setup(str(request.source), request.as_))
    final = recipe.final()
    if not final.weights.any():
        raise InputError(f"{_title(request)}: nothing is painted; paint something or name a preset")
    if not recipe.initial.weights.any():
        recipe = Recipe(final, (), recipe.steps)
    initial, cues = recipe.initial, _cues(recipe)
    if request.seed is not None:
        initial = replace(initial, seed=request.seed, particle_seed=request.seed)
        cues = [(at, _reseeded(command, request.seed)) for at, command in cues]
    every = max(recipe.steps, cues[-1][0] if cues else 0) or DEFAULT_STEPS
    steps = every if request.steps is None else request.steps
    complete = project is not None and recipe.steps > 0 and steps == every and request.seed is None
    cues = [(at, command) for at, command in cues if at <= steps]
    scene = initial.scene
    for _, command in cues:
        if isinstance(command, ConfigureScene):
            scene = command.scene
    return Script(initial, tuple(cues), steps, scene, sigma, project, complete)


def _project(source: str | Project) -> Project | None:
    """The project that a source is, names, or carries inside; None for a preset, a picture or a table."""
    if isinstance(source, Project):
        return source
    return None if source in preset_names() else read_session(source)


def _title(request: ExportRequest) -> str:
    return request.source if isinstance(request.source, str) else "painting"


def _setup(source: str, as_: str | None) -> Setup:
    """The default settings on a preset's or a file's painting."""
    if source not in preset_names() and not Path(source).exists():
        names = ", ".join(preset_names())
        raise InputError(f"{source}: neither a file nor a preset; give a .scorex project, a picture or one of {names}")
    weights, name = read_painting(source, as_)
    return Setup(weights, name)


def _cues(recipe: Recipe) -> list[tuple[int, Command]]:
    """The journal's commands at the number of steps since the beginning."""
    cues: list[tuple[int, Command]] = []
    before, offset = 0, 0
    for step, command in recipe.commands():
        if step < before:
            offset += before
        before = step
        if not isinstance(command, Release):
            cues.append((offset + step, command))
    return cues


def _reseeded(command: Command, seed: int) -> Command:
    return replace(command, seed=seed) if isinstance(command, ConfigureScene) else command
