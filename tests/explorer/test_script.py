"""The session as a script: what it looks like, and that it repeats the run bit by bit."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from explorer.engine.messages import Configure, Notice, Release, Repaint, SaveScore
from explorer.engine.saving import save
from explorer.recipe import Recipe, to_entry
from explorer.script import archive_name, script_text, source, write_script
from tests.explorer.scenes import scene_of
from trainer.checkpoints import load_score
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.paintings import preset_weights
from trainer.projects import Setup
from trainer.scenes import Start
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, ParticleSettings, Rung

FIT = FitSettings(network=NetworkSettings(width=16, depth=1, features=8))
FIRST = Setup(preset_weights("crescents"), "crescents", FIT, scene_of("langevin", "sde"), seed=5, particle_seed=6)
SECOND = preset_weights("far-modes")
CHANGED = replace(FIT, target="single", batch=256)
DONE = ((30, Repaint(1, SECOND, "far-modes")), (35, Release()), (50, Configure(CHANGED)))
RECIPE = Recipe(FIRST, tuple(to_entry(at, command, FIRST) for at, command in DONE), 80, {"threads": "1"})
LAST = replace(FIRST, weights=SECOND, name="far-modes", fit=CHANGED)


def live_fit() -> Fit:
    """The run as the engine makes it."""
    fit = Fit(PaintedDensity(FIRST.weights), FIT, device="cpu", seed=5)
    for until, change in ((30, SECOND), (50, CHANGED), (80, None)):
        for _ in fit.run(steps=until - fit.step):
            pass
        if isinstance(change, FitSettings):
            fit.change_settings(change)
        elif change is not None:
            fit.change_density(PaintedDensity(change))
    return fit


def run(script: Path, *words: str) -> str:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_the_script_repeats_the_run_bit_by_bit(tmp_path: Path) -> None:
    write_script(tmp_path / "far modes.py", RECIPE, LAST)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far modes.npz", "far modes.py"]
    said = run(tmp_path / "far modes.py", str(tmp_path / "score"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    fit = live_fit()
    torch.set_num_threads(before)
    saved = load_score(tmp_path / "score")
    assert torch.equal(saved.weights, fit.snapshot().weights)
    assert saved.settings == CHANGED
    assert (saved.seed, saved.step) == (5, 80)
    assert said.splitlines()[0].startswith("step 80: relative Fisher error ")
    assert [line for line in said.splitlines() if "score" in line] == ["langevin, learned score", "sde, learned score"]
    shares = [line.split() for line in said.splitlines() if line.startswith("    share")]
    assert len(shares) == 4
    assert sum(float(words[6]) for words in shares) == np.float64(2.0)


def test_a_script_is_short_readable_python() -> None:
    text, paintings = script_text(RECIPE, LAST, "far modes.py")
    ast.parse(text)
    assert len(text.splitlines()) <= 61
    assert max(len(line) for line in text.splitlines()) <= 120
    assert [painting.shape for painting in paintings] == [(128, 128)] * 2
    assert "(30, 1)" in text
    settings = "(50, FitSettings(target='single', network=NetworkSettings(width=16, depth=1, features=8), batch=256))"
    assert settings in " ".join(text.split())
    assert "placed_points" not in text
    straight, _ = script_text(Recipe(FIRST, (), 40), FIRST)
    assert len(straight.splitlines()) < 55
    assert "changes" not in straight
    assert archive_name("far modes.py") == "far modes.npz"


def test_a_scripts_start_and_true_score_are_said(tmp_path: Path) -> None:
    scene = replace(scene_of("annealed", number=50).with_source("true"), start=Start("gaussian", (0.5, 0.0), 0.1))
    write_script(tmp_path / "a.py", Recipe(FIRST, (), 5), replace(FIRST, scene=scene))
    text = (tmp_path / "a.py").read_text()
    assert "start=Start(kind='gaussian', centre=(0.5, 0.0), spread=0.1)" in text
    assert "annealed, true score" in run(tmp_path / "a.py")


def test_names_cannot_break_out_of_the_script() -> None:
    text, _ = script_text(RECIPE, replace(LAST, name='"""\nimport os\n\\'), 'a".py')
    tree = ast.parse(text)
    assert not any(isinstance(node, ast.Import) and node.names[0].name == "os" for node in ast.walk(tree))


def test_settings_as_python_make_the_same_settings() -> None:
    rungs = (Rung(0.4, 10, 1e-3), Rung(0.1, 5, 1e-4))
    for value in (
        FitSettings(),
        FitSettings(objective="ssm", ladder=LadderSettings(levels=4, sigma_max=2.0), learning_rate=1e-3),
        ParticleSettings(rungs=rungs, start_sigma=1.5),
        replace(scene_of("ddim", "mala"), start=Start("point", (0.1, -0.2))),
    ):
        names = {c.__name__: c for c in (FitSettings, LadderSettings, NetworkSettings, ParticleSettings, Rung, Start)}
        names |= {type(value).__name__: type(value)}
        from trainer.scenes import Pane

        assert eval(source(value), names | {"Pane": Pane}) == value
    assert source(FitSettings()) == "FitSettings()"


def test_the_engine_saves_a_network_that_can_be_loaded_and_spares_other_folders(tmp_path: Path) -> None:
    fit = live_fit()
    notice = save(SaveScore(str(tmp_path / "score")), fit)
    assert notice == Notice("info", "Saved the network of step 80 as score")
    x = torch.tensor([[0.1, 0.2], [-0.4, 0.3]])
    assert torch.equal(load_score(tmp_path / "score").score(x, 0.1), fit.score(x, 0.1))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("years of work")
    notice = save(SaveScore(str(tmp_path / "other")), fit)
    assert notice.level == "error"
    assert "holds something other than a saved score" in notice.text
    assert "\n" not in notice.text
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]
