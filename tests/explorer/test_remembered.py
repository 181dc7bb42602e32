"""What is remembered between two starts: preferences, recent files, layouts, and their damaged files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from explorer.cli import main
from explorer.layouts import (
    BUILT_IN,
    VIEWS,
    Arrangement,
    Layout,
    layouts_file,
    on_screen,
    read_arrangement,
    write_arrangement,
)
from explorer.places import HOME, config_folder, state_folder
from explorer.preferences import Preferences, preferences_file, read_preferences, write_preferences
from explorer.recent import MOST, RecentFiles, labels
from explorer.viewing import ViewOptions
from explorer.wording import in_words, label
from trainer.errors import InputError
from trainer.settings import ParticleSettings


def test_folders_follow_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config_folder() == home / "config"
    assert state_folder() == home / "state"
    monkeypatch.delenv(HOME)
    assert home not in config_folder().parents
    assert config_folder().name == state_folder().name == "score-explorer"


# --- preferences ---


def test_preferences_come_back_as_they_were_written() -> None:
    chosen = Preferences("dark", 130, "cividis", "magma", 30, "cpu", 64, 128, False, True)
    write_preferences(chosen)
    assert read_preferences() == (chosen, ())
    assert [path.name for path in config_folder().iterdir()] == ["preferences.json"]
    assert json.loads(preferences_file().read_text())["version"] == 1


def test_only_what_is_wrong_is_dropped_from_preferences() -> None:
    write_preferences(Preferences(theme="dark", fps=30))
    record = json.loads(preferences_file().read_text())
    record["values"] |= {"fps": 5000, "ground_map": "jet", "autosave": "yes", "colour": 3, "font_size": 150}
    preferences_file().write_text(json.dumps(record))
    found, problems = read_preferences()
    assert found == Preferences(theme="dark", font_size=150)
    assert len(problems) == 4
    assert any("5000" in line and "120" in line for line in problems)
    assert all(line.count("\n") == 0 for line in problems)


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"format": "something else", "version": 1}', "\udce4"])
def test_preferences_that_cannot_be_read_are_set_aside(damage: str) -> None:
    preferences_file().parent.mkdir(parents=True)
    preferences_file().write_text(damage, errors="surrogateescape")
    found, problems = read_preferences()
    assert found == Preferences()
    assert len(problems) == 1
    (kept,) = preferences_file().parent.iterdir()
    assert kept.name in problems[0]
    assert kept.suffix == ".damaged"
    assert kept.read_text(errors="surrogateescape") == damage
    assert read_preferences() == (Preferences(), ())


def test_preferences_of_a_later_version_are_kept() -> None:
    preferences_file().parent.mkdir(parents=True)
    preferences_file().write_text('{"format": "score-explorer preferences", "version": 9, "values": {}}')
    found, problems = read_preferences()
    assert found == Preferences()
    assert "version is 9" in problems[0]
    assert len(list(config_folder().iterdir())) == 1


@pytest.mark.parametrize("values", [{"fps": True}, {"font_size": 79}, {"device": "tpu"}, {"history_mb": 0}])
def test_preferences_refuse_what_is_not_allowed(values: dict[str, object]) -> None:
    (name,) = values
    with pytest.raises(InputError, match=f"^{name}: "):
        Preferences(**values)  # type: ignore[arg-type]


def test_reset_forgets_and_info_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    write_preferences(Preferences(fps=30))
    RecentFiles().add(__file__)
    assert main(["--reset"]) == 0
    assert str(preferences_file()) in capsys.readouterr().out
    assert read_preferences() == (Preferences(), ())
    assert RecentFiles().paths() == ()
    assert main(["--reset"]) == 0
    assert "nothing to forget" in capsys.readouterr().out
    assert main(["--info"]) == 0
    assert str(config_folder()) in capsys.readouterr().out


# --- recent files ---


def test_recent_files_newest_first_and_missing_ones_drop_out(tmp_path: Path) -> None:
    recent = RecentFiles()
    paths = [tmp_path / f"{i}.scorex" for i in range(MOST + 3)]
    for path in paths:
        path.touch()
        recent.add(path)
    recent.add(paths[5])
    assert recent.paths()[:3] == (paths[5], paths[12], paths[11])
    assert len(recent.paths()) == MOST
    paths[12].unlink()
    assert RecentFiles().paths()[:2] == (paths[5], paths[11])
    recent.clear()
    assert recent.paths() == ()
    assert paths[5].exists()


def test_recent_files_survive_a_damaged_list(tmp_path: Path) -> None:
    recent = RecentFiles()
    recent.add(__file__)
    (state_folder() / "recent.json").write_text("nonsense")
    assert recent.paths() == ()
    assert "recent.json" in recent.problem
    recent.add(__file__)
    assert recent.paths() == (Path(__file__),)


def test_equal_names_are_told_apart() -> None:
    paths = (Path("/a/x.scorex"), Path("/b/x.scorex"), Path("/b/y.scorex"))
    assert labels(paths) == (f"x.scorex in {Path('/a')}", f"x.scorex in {Path('/b')}", "y.scorex")


# --- layouts ---


def test_shipped_layouts_use_every_view() -> None:
    assert {view for layout in BUILT_IN for view in layout.places} == set(VIEWS)
    assert len({layout.name for layout in BUILT_IN}) == len(BUILT_IN) == 5


def test_layouts_come_back_as_they_were_saved() -> None:
    mine = Layout("Mine", VIEWS[9:17], ("pane1", "inspector"), "race", ViewOptions(style="texture", trails=True))
    arrangement = Arrangement(mine, (10, 20, 1280, 720), True).with_saved(mine)
    write_arrangement(arrangement)
    assert read_arrangement() == (arrangement, ())
    assert arrangement.without("Mine").saved == ()
    with pytest.raises(InputError, match="shipped"):
        arrangement.with_saved(BUILT_IN[1])


def test_only_damaged_layouts_are_left_out() -> None:
    good = Layout("Good", VIEWS[:8])
    write_arrangement(Arrangement(good).with_saved(good))
    record = json.loads(layouts_file().read_text())
    bad = [
        record["saved"][0] | {"name": "Twice", "places": ["true"] * 8},
        record["saved"][0] | {"name": "Unknown", "places": [*VIEWS[:7], "radar"]},
        record["saved"][0] | {"name": "Doubled", "doubled": ["painting", "learned"]},
        record["saved"][0] | {"name": "Options", "options": {"style": "glitter"}},
        record["saved"][0] | {"name": 7},
        3,
    ]
    record |= {"saved": [*bad, *record["saved"]], "current": {"name": "x"}, "window": [0, 0, -5, 2]}
    layouts_file().write_text(json.dumps(record))
    found, problems = read_arrangement()
    assert found == Arrangement(BUILT_IN[0], None, False, (good,))
    assert len(problems) == len(bad) + 1
    assert "radar" in problems[1]


@pytest.mark.parametrize(
    ("window", "stands"),
    [
        ((100, 100, 1280, 720), (100, 100, 1280, 720)),
        ((2000, 100, 800, 600), (2000, 100, 800, 600)),  # on the second screen
        ((5000, 100, 1280, 720), (320, 180, 1280, 720)),  # the screen it was on is gone
        ((100, -900, 1280, 720), (320, 180, 1280, 720)),  # its title is out of reach
        ((100, 100, 4000, 3000), (0, 0, 1920, 1080)),
        ((100, 700, 1280, 720), (100, 360, 1280, 720)),
    ],
)
def test_windows_stand_where_they_can_be_reached(window: tuple[int, ...], stands: tuple[int, ...]) -> None:
    assert on_screen(window, [(0, 0, 1920, 1080), (1920, 0, 1280, 1024)]) == stands  # type: ignore[arg-type]


# --- words ---


def test_errors_name_the_field_as_the_screen_does() -> None:
    with pytest.raises(InputError) as caught:
        ParticleSettings(fine_below=12)
    assert in_words(str(caught.value)) == "fine below σ: 12 is out of range; give a number between 0 and 10"
    with pytest.raises(InputError) as caught:
        ParticleSettings(sigma_min=0.2, sigma_max=0.1)
    assert in_words(str(caught.value)) == "largest σ: 0.1 is below smallest σ = 0.2"
    assert in_words("a.scorex: setup.learning_rate: 0 is out") == "a.scorex: learning rate: 0 is out"
    assert in_words("/tmp/sigma/sigma_min.csv: no such file") == "/tmp/sigma/sigma_min.csv: no such file"
    assert label("unheard.of") == "unheard.of"


def test_every_setting_of_particles_has_a_label() -> None:
    for name in ParticleSettings.__dataclass_fields__:
        assert label(f"particles.{name}") != f"particles.{name}"
