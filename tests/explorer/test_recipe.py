"""A recipe gives back every command at its step, and the recorder keeps just what determines the run on the screen."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.brush import SIZE, Brush
from explorer.document import ChangeFit, Document, Stroke
from explorer.engine.messages import (
    JOURNALLED,
    Applied,
    Command,
    Configure,
    ConfigureScene,
    Heartbeat,
    Look,
    Mirror,
    Notice,
    Ready,
    Release,
    Repaint,
    Reset,
    Train,
)
from explorer.recipe import RESTART, Recipe, Recorder, to_entry
from trainer.errors import InputError
from trainer.projects import Entry, Patch, Setup, read_project, write_project
from trainer.scenes import Scene, story
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, ParticleSettings


def painting(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((SIZE, SIZE), np.float32)


BEGUN = Setup(painting(0), "noise", seed=3, particle_seed=4)

journalled = st.one_of(
    st.builds(lambda k: Repaint(k + 1, painting(k), f"noise {k}"), st.integers(0, 3)),
    st.builds(
        lambda batch, top: Configure(
            FitSettings(
                objective="ssm",
                weighting="ncsn",
                ladder=LadderSettings(9, 0.01, top),
                network=NetworkSettings(64, 3, 32, activation="gelu"),
                batch=batch,
            )
        ),
        st.integers(16, 99),
        st.none() | st.floats(1, 3),
    ),
    st.builds(Reset, st.integers(0, 2**63 - 1)),
    st.builds(
        lambda n, epsilon, seed: ConfigureScene(Scene(story(ParticleSettings("true", n, epsilon=epsilon))), seed),
        st.integers(1, 100_000),
        st.floats(1e-9, 1),
        st.integers(0, 9),
    ),
    st.builds(Release, st.none() | st.integers(0, 10_000)),
)
steps = st.integers(0, 10_000)


def plain(commands: Iterable[tuple[int, Command]]) -> list[tuple[int, str, dict[str, object]]]:
    """Commands as values that == compares bit by bit."""
    out = []
    for step, command in commands:
        values = asdict(command)
        if isinstance(command, Repaint):
            values["weights"] = command.weights.tobytes()
        out.append((step, type(command).__name__, values))
    return out


def bits(setup: Setup) -> dict[str, object]:
    return {**vars(setup), "weights": setup.weights.tobytes()}


def record(recorder: Recorder, done: Iterable[tuple[int, Command]]) -> None:
    for step, command in done:
        recorder.take(Applied(step, command))


def test_every_journalled_command_has_an_entry() -> None:
    examples = (Repaint(1, painting(1)), Configure(FitSettings()), Reset(0), ConfigureScene(Scene(), 0))
    commands = (*examples, Release(), Release(12))
    assert {type(command) for command in commands} == set(JOURNALLED)
    for command in commands:
        recipe = Recipe(BEGUN, (to_entry(7, command, BEGUN),))
        assert plain(recipe.commands()) == plain([(7, command)])


@settings(max_examples=60, deadline=None)
@given(done=st.lists(st.tuples(steps, journalled), max_size=10), at=steps)
def test_all_that_was_done_since_the_network_was_drawn_comes_back_from_the_file(
    tmp_path_factory: pytest.TempPathFactory, done: list[tuple[int, Command]], at: int
) -> None:
    recorder = Recorder(Recipe(BEGUN))
    recorder.take(Ready("cpu, 1 thread", {"torch": "2.13.0"}))
    record(recorder, done)
    recipe = recorder.recipe(at)

    resets = [i for i, (_, command) in enumerate(done) if isinstance(command, Reset)]
    # All of these settings ask for the same network, which is not the first one: only the first change draws another.
    drawn = resets + [i for i, (_, command) in enumerate(done) if isinstance(command, Configure)][:1]
    since = done[max(drawn, default=-1) + 1 :]
    assert plain(recipe.commands()) == plain(since)
    assert recipe.initial.seed == (done[resets[-1]][1].seed if resets else 3)  # type: ignore[union-attr]
    assert bits(recipe.final()) == bits(recorder.setup)

    path = tmp_path_factory.mktemp("recipe") / "a.scorex"
    write_project(path, recipe.to_project(recorder.setup, 0.3, None))
    again = Recipe.from_project(read_project(path))
    assert plain(again.commands()) == plain(since)
    assert bits(again.initial) == bits(recipe.initial)
    assert (again.steps, again.facts) == (at, {"torch": "2.13.0", "device": "cpu, 1 thread"})
    assert read_project(path).sigma == 0.3


def test_after_a_reset_a_run_begins_with_the_setup_of_then() -> None:
    recorder = Recorder(Recipe(BEGUN))
    fit = FitSettings(batch=64)
    record(recorder, [(10, Repaint(2, painting(1), "b")), (20, Configure(fit)), (30, Release()), (40, Reset(9))])
    recipe = recorder.recipe(5)
    assert recipe.journal == ()
    assert bits(recipe.initial) == bits(replace(BEGUN, weights=painting(1), name="b", fit=fit, seed=9))


def test_another_network_begins_a_recipe_of_its_own() -> None:
    recorder = Recorder(Recipe(BEGUN))
    fit = replace(BEGUN.fit, network=NetworkSettings(width=16))
    record(recorder, [(10, Repaint(2, painting(1), "b")), (0, Configure(fit)), (30, Release())])
    recipe = recorder.recipe(40)
    assert bits(recipe.initial) == bits(replace(BEGUN, weights=painting(1), name="b", fit=fit))
    assert plain(recipe.commands()) == plain([(30, Release())])


def test_a_recorder_goes_on_from_an_opened_recipe() -> None:
    first = Recorder(Recipe(BEGUN))
    record(first, [(10, Repaint(2, painting(1), "b")), (20, Release())])
    second = Recorder(first.recipe(30))
    record(second, [(40, Repaint(3, painting(2), "c"))])
    assert plain(second.recipe(50).commands()) == plain(
        [(10, Repaint(2, painting(1), "b")), (20, Release()), (40, Repaint(3, painting(2), "c"))]
    )


def test_a_restarted_engine_goes_on_from_its_mirror_and_the_journal_says_so() -> None:
    recorder = Recorder(Recipe(BEGUN))
    record(recorder, [(10, Repaint(2, painting(1), "b"))])
    recorder.take(Mirror(15, b""))
    record(recorder, [(20, Repaint(3, painting(2), "c")), (25, Reset(1)), (5, Release())])
    recorder.restarted(15)
    assert bits(recorder.setup) == bits(replace(BEGUN, weights=painting(1), name="b"))
    record(recorder, [(16, Repaint(3, painting(2), "c"))])
    recipe = recorder.recipe(99)
    assert [(entry.step, entry.kind) for entry in recipe.journal] == [(10, "repaint"), (15, RESTART), (16, "repaint")]
    assert plain(recipe.commands()) == plain([(10, Repaint(2, painting(1), "b")), (16, Repaint(3, painting(2), "c"))])
    assert bits(recipe.final()) == bits(replace(BEGUN, weights=painting(2), name="c"))


def test_events_that_apply_nothing_leave_the_recipe() -> None:
    recorder = Recorder(Recipe(BEGUN))
    for event in (Heartbeat(3), Notice("info", "x"), Mirror(4, b"")):
        recorder.take(event)
    assert recorder.recipe(0).journal == ()


def test_an_hour_of_strokes_and_resets_holds_little() -> None:
    recorder = Recorder(Recipe(BEGUN))
    document = Document(BEGUN)
    rng = np.random.default_rng(0)
    sizes = []
    tracemalloc.start()
    for k in range(240):
        x, y = rng.uniform(-0.9, 0.9, 2)
        document.do(Stroke(Brush(0.08, 0.1), ((x, y, 1.0), (x + 0.1, y + 0.1, 1.0))))
        recorder.take(Applied(k, Repaint(document.revision, document.weights, document.name)))
        if k % 40 == 39:
            assert len(recorder.recipe(k).journal) == 40
            recorder.take(Applied(k, Reset(k)))
            recorder.take(Mirror(0, b""))
            document.open(document.setup)
            gc.collect()  # what only waits to be collected is not held
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert recorder.recipe(0).journal == ()
    assert sizes[-1] < sizes[0] + 100_000


def test_the_recorder_and_the_document_agree() -> None:
    document = Document(BEGUN)
    recorder = Recorder(Recipe(document.setup))
    document.do(Stroke(Brush(), ((0.0, 0.0, 1.0),)))
    recorder.take(Applied(3, Repaint(document.revision, document.weights, document.name)))
    document.do(ChangeFit(FitSettings(batch=32)))
    recorder.take(Applied(4, Configure(document.fit)))
    document.undo()
    recorder.take(Applied(5, Configure(document.fit)))
    assert bits(recorder.recipe(6).final()) == bits(document.setup)


def entry(kind: str, patch: Patch | None = None, **values: object) -> Entry:
    return Entry(0, kind, values, patch)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (
            entry("explode"),
            r"unknown kind 'explode'; known are repaint, configure, reset, scene, particles, release, restart",
        ),
        (entry("repaint", revision=1, name="x"), r"repaint: no patch; a repaint says which cells changed"),
        (entry("repaint", Patch(0, 0, painting(1)), name="x"), r"revision: None is not a whole number of 0 or more"),
        (entry("repaint", Patch(0, 0, painting(1)), revision=1, name=1), r"name: 1 is not text"),
        (entry("configure"), r"settings: None is not an object of named fields"),
        (entry("configure", settings={"batch": 1}), r"batch: 1 is out of range; give a number between 16 and 65536"),
        (entry("configure", settings={"ladder": 1}), r"ladder\.: expected an object of named fields, got int"),
        (entry("reset", seed=True), r"seed: True is not a whole number of 0 or more"),
        (entry("reset", seed=-1), r"seed: -1 is not a whole number of 0 or more"),
        (entry("particles", settings={}, seed="1"), r"seed: '1' is not a whole number of 0 or more"),
        (entry("particles", settings={"speed": 1}, seed=1), r"particles\.speed: unknown field; known are .*"),
    ],
)
def test_an_entry_that_is_no_command_is_one_line(tmp_path: Path, wrong: Entry, line: str) -> None:
    project = Recipe(BEGUN, (Entry(0, "release"), wrong)).to_project(BEGUN)
    write_project(tmp_path / "a.scorex", project)
    with pytest.raises(InputError, match=rf"^journal\[1\]: {line}$"):
        Recipe.from_project(read_project(tmp_path / "a.scorex"))


@pytest.mark.parametrize("command", [Train(True), Look()])
def test_a_command_that_only_looks_is_not_journalled(command: Command) -> None:
    with pytest.raises(InputError, match=r"^journal: (Train|Look) does not determine a run; only commands that do .*$"):
        Recorder(Recipe(BEGUN)).take(Applied(0, command))


def test_a_painting_of_another_number_of_cells_is_kept_whole(tmp_path: Path) -> None:
    recorder = Recorder(Recipe(BEGUN))
    finer = np.random.default_rng(5).random((160, 160), np.float32)
    done = [(3, Repaint(2, finer, "finer")), (4, Repaint(3, painting(2), "as before"))]
    record(recorder, done)
    project = recorder.recipe(9).to_project(BEGUN)
    write_project(tmp_path / "a.scorex", project)
    assert plain(Recipe.from_project(read_project(tmp_path / "a.scorex")).commands()) == plain(done)


def test_a_journal_from_before_there_were_scenes_moves_the_three_panes_of_then() -> None:
    values = {"settings": ParticleSettings("true", 77).to_json(), "seed": 8}
    recipe = Recipe(BEGUN, (Entry(5, "particles", values),))
    assert list(recipe.commands()) == [(5, ConfigureScene(Scene(story(ParticleSettings("true", 77))), 8))]
    assert recipe.final().scene.number == 77
