"""Project files: every bit comes back, every kind of damage is one line, and a failed save changes nothing."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

import trainer.projects
from trainer.archives import array_bytes, read_archive, write_archive
from trainer.components import Component, composite
from trainer.errors import InputError
from trainer.projects import Entry, Patch, Project, Setup, read_project, write_project
from trainer.scenes import Scene, story
from trainer.schedules import training_levels
from trainer.settings import FitSettings, LadderSettings, ParticleSettings, Schedule

Members = dict[str, bytes]


def painting(seed: int, shape: tuple[int, int] = (24, 20)) -> np.ndarray:
    return np.random.default_rng(seed).random(shape, np.float32)


def project() -> Project:
    first, second = painting(0), painting(0)
    second[3:9, 11:13] += 0.25
    third = second.copy()
    third[23, 0] = 0
    journal = (
        Entry(0, "release"),
        Entry(120, "repaint", {"revision": 3, "name": "painting"}, Patch.between(first, second)),
        Entry(121, "configure", {"settings": FitSettings(batch=64).to_json()}),
        Entry(121, "repaint", {"revision": 4, "name": "Frühling"}, Patch.between(second, third)),
        Entry(200, "repaint", {"revision": 5, "name": "same"}, Patch.between(third, third)),
    )
    fit = FitSettings(target="single", ladder=LadderSettings(levels=10, sigma_max=2.5), learning_rate=1 / 3)
    return Project(
        Setup(third, "Frühling", fit, Scene(story(ParticleSettings(source="true", epsilon=0.1 / 3))), 2**62, 7),
        Setup(first, "crescents"),
        journal,
        345,
        {"device": "cpu, 1 thread", "torch": "2.13.0"},
        0.02 / 3,
        save({"weights": painting(5), "steps": np.array([345])}),
    )


def plain(value: object) -> object:
    """The value with arrays as (shape, type, bytes), so that == compares every bit."""
    if isinstance(value, np.ndarray):
        return value.shape, str(value.dtype), value.tobytes()
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, Project | Setup | Patch | Entry):
        return type(value).__name__, {name: plain(item) for name, item in vars(value).items()}
    return value


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "a.scorex"
    write_project(path, project())
    return path


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_a_moment_at_the_highest_noise_level_of_a_schedule_can_be_saved(schedule: Schedule, tmp_path: Path) -> None:
    fit = FitSettings(target="single", schedule=schedule, ladder=LadderSettings(sigma_max=100.0))
    levels, _ = training_levels(fit, 3.0, 4096)
    made = replace(project(), sigma=float(levels[0]))
    write_project(tmp_path / "a.scorex", made)
    assert read_project(tmp_path / "a.scorex").sigma == made.sigma


def members_of(path: Path) -> Members:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(path: Path, members: Members) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


# --- what comes back ----------------------------------------------------------------------------------------------


def test_every_bit_comes_back(saved: Path) -> None:
    assert plain(read_project(saved)) == plain(project())
    assert read_project(saved).weights.tobytes() == project().weights.tobytes()
    assert read_project(saved).name == "Frühling"


def test_equal_projects_make_equal_files(saved: Path, tmp_path: Path) -> None:
    write_project(tmp_path / "b.scorex", read_project(saved))
    assert (tmp_path / "b.scorex").read_bytes() == saved.read_bytes()


def test_a_project_without_network_or_journal_and_with_nothing_painted(tmp_path: Path) -> None:
    empty = Setup(np.zeros((128, 128), np.float32))
    write_project(tmp_path / "a.scorex", Project(empty, empty))
    assert plain(read_project(str(tmp_path / "a.scorex"))) == plain(Project(empty, empty))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 8), st.sampled_from([0.0, 0.5, 1e-38])), max_size=5))
def test_a_patch_is_the_smallest_that_turns_one_painting_into_the_other(cells: list[tuple[int, int, float]]) -> None:
    before = painting(1, (12, 9))
    after = before.copy()
    for row, col, value in cells:
        after[row, col] = value
    patch = Patch.between(before, after)
    assert patch.on(before).tobytes() == after.tobytes()
    rows, cols = {row for row, _, _ in cells}, {col for _, col, _ in cells}
    if cells:
        assert patch.values.shape == (max(rows) - min(rows) + 1, max(cols) - min(cols) + 1)
    else:
        assert patch.values.size == 0


def test_a_small_repaint_takes_little_room(tmp_path: Path) -> None:
    base = painting(0, (128, 128))
    now, journal = base, []
    rng = np.random.default_rng(1)
    for k in range(500):
        after = now.copy()
        row, col = rng.integers(0, 112, 2)
        after[row : row + 16, col : col + 16] = rng.random((16, 16), np.float32)
        journal.append(Entry(k, "repaint", {"revision": k, "name": "x"}, Patch.between(now, after)))
        now = after
    write_project(tmp_path / "a.scorex", Project(Setup(now), Setup(base), tuple(journal)))
    # 16 x 16 random float32 are 1,024 bytes, of which deflate saves a tenth; a whole painting is 65,536.
    assert (tmp_path / "a.scorex").stat().st_size < 2 * 65_536 + 500 * 1_024
    assert len(read_project(tmp_path / "a.scorex").journal) == 500


# --- what is refused ----------------------------------------------------------------------------------------------


def set_json(**changes: object) -> Callable[[Members], None]:
    """A change of fields of project.json; a double underscore leads into an object or list."""

    def change(members: Members) -> None:
        top = json.loads(members["project.json"])
        for key, value in changes.items():
            *way, last = key.split("__")
            inner = top
            for word in way:
                inner = inner[int(word)] if isinstance(inner, list) else inner[word]
            inner[last] = value
        members["project.json"] = json.dumps(top).encode()

    return change


def put(name: str, data: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: data})


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=array.dtype == object)
    return buffer.getvalue()


NAN = painting(0)
NAN[2, 2] = np.nan

WRONG: list[tuple[str, Callable[[Members], object], str]] = [
    ("later", set_json(version=3), r"format version 3 is later than 2, the last that this program reads; install .*"),
    ("no version", set_json(version="1"), r"project\.json does not describe a project; .*"),
    ("other format", set_json(format="zip"), r"project\.json does not describe a project; .*"),
    ("not json", put("project.json", b"{"), r"project\.json: not JSON \(.*\); .*"),
    ("not text", put("project.json", b"\xff"), r"project\.json: not JSON \(.*\); .*"),
    ("nan in json", put("project.json", b'{"a": NaN}'), r"project\.json: not JSON \(NaN is not a number\); .*"),
    ("deep json", put("project.json", b"[" * 100_000), r"project\.json: not JSON \(.*\); .*"),
    ("a list", put("project.json", b"[]"), r"project\.json: not an object; .*"),
    ("missing", lambda m: m.pop("initial.npy"), r"initial\.npy is missing; .*"),
    ("traversal", put("../../evil.py", b"x"), r"holds '\.\./\.\./evil\.py', which no project has; .*"),
    ("absolute", put("/etc/passwd", b"x"), r"holds '/etc/passwd', which no project has; .*"),
    ("nan", put("weights.npy", npy(NAN)), r"weights\.npy: holds NaN or infinity; .*"),
    ("negative", put("weights.npy", npy(-painting(0))), r"weights\.npy: negative weights; .*"),
    ("doubles", put("weights.npy", npy(np.ones((4, 4)))), r"weights\.npy: holds '<f8' values; a float32 array .*"),
    ("columns", put("weights.npy", npy(np.asfortranarray(painting(0)))), r"weights\.npy: holds .* in row order .*"),
    ("pickle", put("weights.npy", npy(np.array([{}]))), r"weights\.npy: holds '\|O' values; a float32 array .*"),
    ("cube", put("weights.npy", npy(np.ones((2, 2, 2), np.float32))), r"weights\.npy: shape \(2, 2, 2\) is no .*"),
    ("wide", put("initial.npy", npy(np.ones((1, 1025), np.float32))), r"initial\.npy: shape .* 1 to 1024 each"),
    ("none", put("initial.npy", npy(np.ones((0, 4), np.float32))), r"initial\.npy: shape \(0, 4\) is no painting; .*"),
    ("cut array", lambda m: m.update({"weights.npy": m["weights.npy"][:-4]}), r"weights\.npy: \d+ bytes of .*"),
    ("no array", put("weights.npy", b"hello"), r"weights\.npy: damaged NPY \(.*\); .*"),
    ("wrong place", put("journal.npy", npy(np.ones(3, np.float32))), r"journal\[\d\]\.patch: journal\.npy holds .*"),
    ("left over", put("journal.npy", npy(np.ones(99, np.float32))), r"journal\.npy: 99 values for 13 cells; .*"),
    ("patch outside", set_json(journal__1__patch=[20, 0, 5, 1]), r"journal\[1\]\.patch: .* inside 24 x 20 cells"),
    ("patch negative", set_json(journal__1__patch=[-1, 0, 1, 1]), r"journal\[1\]\.patch: .* inside 24 x 20 cells"),
    ("patch of words", set_json(journal__1__patch=["a"]), r"journal\[1\]\.patch: .* inside 24 x 20 cells"),
    ("entry", set_json(journal=[3]), r"journal\[0\]: not an object; .*"),
    ("step", set_json(journal__0__step=-1), r"journal\[0\]\.step: -1 is not a whole number of 0 or more"),
    ("kind", set_json(journal__0__kind=None), r"journal\[0\]\.kind: nothing is not text"),
    ("journal", set_json(journal={}), r"journal: \{\} is not a list"),
    ("steps", set_json(steps=True), r"steps: True is not a whole number of 0 or more"),
    ("seed", set_json(setup__seed=2**63), r"setup\.seed: \d+ is not a whole number of 0 or more"),
    ("name", set_json(initial__name=3), r"initial\.name: 3 is not text"),
    ("setup", set_json(setup=None), r"setup: nothing is not an object"),
    ("setting", set_json(setup__fit__batch=1), r"setup\.batch: 1 is out of range; .*"),
    ("field", set_json(setup__fit__speed=1), r"setup\.speed: unknown field; known are .*"),
    ("particles", set_json(setup__scene__panes=[]), r"setup\.scene\.panes: expected a list of .*"),
    ("sigma", set_json(sigma="big"), r"sigma: 'big' is not a noise level; .*"),
    (
        "infinite",
        lambda m: m.update({"project.json": m["project.json"].replace(b'"sigma":0.', b'"sigma":1e999, "a":0.')}),
        r"sigma: inf is not a noise level; .*",
    ),
    ("facts", set_json(facts={"torch": 2}), r"facts: every value must be text"),
    ("no network", lambda m: m.pop("network.safetensors"), r"network\.safetensors: missing, or there against .*"),
    ("network?", set_json(network=1), r"network: 1 is not true or false"),
    ("network", put("network.safetensors", b"\x80\x04pickle"), r"network\.safetensors: damaged \(.*\); .*"),
]


@pytest.mark.parametrize(("change", "line"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_file_is_one_line_that_names_it(saved: Path, change: Callable[[Members], object], line: str) -> None:
    members = members_of(saved)
    change(members)
    rewrite(saved, members)
    with pytest.raises(InputError, match=rf"a\.scorex: {line}$") as caught:
        read_project(saved)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(saved))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (None, "cannot be read: No such file or directory; "),
        (b"", "not a project or damaged "),
        (b"\x89PNG\r\n\x1a\n" * 100, "not a project or damaged "),
        (b"PK\x05\x06" + bytes(18), "project.json is missing; "),
    ],
    ids=["missing", "empty", "picture", "empty zip"],
)
def test_what_is_no_project_at_all(tmp_path: Path, data: bytes | None, line: str) -> None:
    path = tmp_path / "a.scorex"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_project(path)
    assert str(caught.value).startswith(f"{path}: {line}")
    with pytest.raises(InputError, match=r"not a file; choose a \.scorex file$"):
        read_project(tmp_path)


def refused(act: Callable[[], object]) -> tuple[str | None, object]:
    """Act; the line it was refused with, or what came of it."""
    try:
        return None, act()
    except InputError as error:
        return str(error), None


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage_is_one_line_or_harmless(saved: Path, data: st.DataObject) -> None:
    whole = bytearray(saved.read_bytes())
    damaged = whole[: data.draw(st.integers(0, len(whole)))] if data.draw(st.booleans()) else whole
    for place in data.draw(st.lists(st.integers(0, max(len(damaged) - 1, 0)), max_size=3)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    path = saved.with_name("damaged.scorex")
    path.write_bytes(damaged)
    line, found = refused(lambda: read_project(path))
    assert plain(found) == plain(project()) if line is None else line.startswith(f"{path}: ")
    assert "\n" not in (line or "")


# --- saving -------------------------------------------------------------------------------------------------------


def bad(**changes: object) -> Project:
    return Project(**{**vars(project()), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (bad(setup=Setup(NAN)), r"weights\.npy: holds NaN or infinity; all values must be finite"),
        (bad(setup=Setup(-painting(0))), r"weights\.npy: negative weights; a weight is 0 or more"),
        (bad(network=b"nothing"), r"network\.safetensors: damaged .*"),
        (bad(sigma=float("nan")), r"a journal entry or fact has no JSON form .*; use plain values"),
        (bad(journal=(Entry(0, "x", {"a": {1, 2}}),)), r"a journal entry or fact has no JSON form .*"),
        (bad(journal=(Entry(0, "x", {}, Patch(23, 0, painting(0))),)), r"journal\[0\]\.patch: .* inside 24 x 20 .*"),
    ],
)
def test_what_could_not_be_read_again_is_not_written(saved: Path, wrong: Project, line: str) -> None:
    before = saved.read_bytes()
    with pytest.raises(InputError, match=rf"a\.scorex: {line}$"):
        write_project(saved, wrong)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_more_than_a_reader_takes_is_not_written(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(trainer.projects.LIMITS, "network.safetensors", 100)
    with pytest.raises(InputError, match=r"network\.safetensors would need \d+ bytes; at most 100 fit a project$"):
        write_project(saved, project())


def test_a_repaint_with_another_number_of_cells_is_kept_whole(tmp_path: Path) -> None:
    paintings = [painting(0), painting(1), painting(2, (64, 64)), painting(3, (64, 64)), painting(4, (32, 32))]
    paintings[1][2:5] = paintings[0][2:5]
    journal = tuple(
        Entry(k, "repaint", {"revision": k, "name": "x"}, Patch.between(before, after))
        for k, (before, after) in enumerate(pairwise(paintings))
    )
    assert [entry.patch.whole for entry in journal if entry.patch] == [False, True, False, True]
    write_project(tmp_path / "a.scorex", Project(Setup(paintings[-1]), Setup(paintings[0]), journal))
    now = paintings[0]
    for entry, expected in zip(read_project(tmp_path / "a.scorex").journal, paintings[1:], strict=True):
        assert entry.patch is not None
        now = entry.patch.on(now)
        assert plain(now) == plain(expected)


def test_a_file_of_version_1_opens(saved: Path) -> None:
    members = members_of(saved)
    top = json.loads(members["project.json"])
    top["version"] = 1
    for name in ("setup", "initial"):
        for key in ("scene", "stop", "race"):
            del top[name][key]
        top[name]["particles"] = ParticleSettings(epsilon=0.25).to_json()
    members["project.json"] = json.dumps(top).encode()
    rewrite(saved, members)
    old, now = read_project(saved), project()
    assert old.setup.scene == Scene(story(ParticleSettings(epsilon=0.25)))
    assert plain(old.setup.weights) == plain(now.setup.weights)
    assert [plain(entry.patch.values) for entry in old.journal if entry.patch] == [
        plain(entry.patch.values) for entry in now.journal if entry.patch
    ]


def test_components_and_the_paint_beneath_them_come_back(tmp_path: Path) -> None:
    paint = painting(0, (32, 32))
    components = (Component(0.1, -0.2, 0.3, 0.1, 30.0, 0.2), Component(mass=1 / 3))
    setup = Setup(composite(paint, components), components=components, paint=paint)
    whole = Project(setup, Setup(paint))
    write_project(tmp_path / "a.scorex", whole)
    assert plain(read_project(tmp_path / "a.scorex")) == plain(whole)


@pytest.mark.parametrize(
    ("members", "line"),
    [
        ({"paint.npy": None}, r"paint\.npy: missing, or there against project\.json; use another copy of the file"),
        ({"paint.npy": (16, 16)}, r"paint\.npy: shape \(16, 16\) beside weights of \(32, 32\); they must agree"),
        ({"mass": -1.0}, r"setup\.components\[0\]: mass: -1 is out of range; give .*"),
        ({"mass": None}, r"setup\.components\[0\]: mass: None is not a number; .*"),
    ],
)
def test_wrong_components_are_one_line(tmp_path: Path, members: dict[str, object], line: str) -> None:
    paint, path = painting(0, (32, 32)), tmp_path / "a.scorex"
    setup = Setup(composite(paint, [Component()]), components=(Component(),), paint=paint)
    write_project(path, Project(setup, Setup(paint)))
    found = read_archive(path, trainer.projects.LIMITS)
    for name, value in members.items():
        if name == "mass":
            top = json.loads(found["project.json"])
            top["setup"]["components"][0]["mass"] = value
            found["project.json"] = json.dumps(top).encode()
        elif value is None:
            del found[name]
        else:
            found[name] = array_bytes(painting(0, value))  # type: ignore[arg-type]
    write_archive(path, found)
    with pytest.raises(InputError, match=rf"a\.scorex: {line}$"):
        read_project(path)


def test_projects_load_neither_torch_nor_qt() -> None:
    code = (
        "import sys, trainer.projects; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'torch', 'PySide6', 'safetensors'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.strip() == "[]"
