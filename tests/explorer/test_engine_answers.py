"""What the engine's process is asked for besides frames: it saves, foretells, stops by itself and runs races."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.engine.messages import (
    EXTENT,
    LadderPredicted,
    Look,
    PredictLadder,
    RunRace,
    SaveScore,
    StopWhen,
    Train,
)
from tests.explorer.test_engine import running
from trainer.checkpoints import load_score
from trainer.paintings import preset_weights
from trainer.plans import RaceSettings, StopSettings, entrants
from trainer.projects import Setup
from trainer.settings import ParticleSettings


def test_a_saved_score_is_read_again_and_a_wrong_place_is_one_line(tmp_path: Path) -> None:
    import torch

    with running() as driver:
        driver.until(lambda: driver.step() > 30)
        driver.client.send(Train(False))
        driver.client.send(Look(sigma=0.3, lattice=8))
        driver.until(lambda: not driver.frame().training and driver.frame().learned.shape == (8, 8, 2))
        folder = tmp_path / "score"
        driver.client.send(SaveScore(str(folder)))
        driver.until(lambda: any("Saved the network" in text for text in driver.notices()))
        frame = driver.frame()
        other = tmp_path / "other"
        other.mkdir()
        (other / "letter.txt").write_text("dear")
        driver.client.send(SaveScore(str(other)))
        driver.until(lambda: len(driver.notices()) == 2)
    assert f"step {frame.step:,} as score" in driver.notices()[0]
    assert "\n" not in driver.notices()[1]
    assert [path.name for path in other.iterdir()] == ["letter.txt"]
    steps = (torch.arange(8) + 0.5) / 8 * 2 - 1
    y, x = torch.meshgrid(EXTENT * steps, EXTENT * steps, indexing="ij")
    score = load_score(folder).score(torch.stack([x.flatten(), y.flatten()], 1), 0.3).reshape(8, 8, 2)
    assert score.numpy() == pytest.approx(frame.learned, rel=1e-3, abs=1e-3)


def test_a_question_on_a_ladder_is_answered_while_training_goes_on() -> None:
    with running() as driver:
        driver.until(lambda: driver.step() > 5)
        at = driver.step()
        driver.client.send(PredictLadder(ParticleSettings(levels=4, steps=20), 3))

        def answers() -> list[LadderPredicted]:
            return [event for event in driver.told if isinstance(event, LadderPredicted)]

        driver.until(lambda: bool(answers()))
        driver.client.send(PredictLadder(ParticleSettings(levels=4, steps=20, epsilon=1.0), 4))
        driver.until(lambda: len(answers()) == 2 and driver.step() > at)
    first, wild = answers()
    assert (first.number, wild.number) == (3, 4)
    sigmas = [level.sigma for level in first.levels]
    assert len(sigmas) == 4
    assert sigmas == sorted(sigmas, reverse=True)
    assert first.steps > 0
    assert np.isfinite(first.weight_error)
    assert "diverges" in [level.verdict for level in wild.levels]


def test_a_stop_condition_pauses_the_live_run_once_and_says_why() -> None:
    with running(Setup(preset_weights("crescents"), stop=StopSettings(steps=40))) as driver:
        driver.until(lambda: driver.latest is not None and not driver.frame().training and driver.step() >= 40)
        assert driver.step() == 40
        driver.until(lambda: bool(driver.notices()))
        assert driver.notices() == ["Training paused by itself: 40 steps are taken."]
        driver.client.send(Train(True))
        driver.until(lambda: driver.step() > 60)
        driver.client.send(StopWhen(StopSettings(seconds=0.1)))
        driver.until(lambda: not driver.frame().training)
        driver.until(lambda: len(driver.notices()) == 2)
        assert "seconds" in driver.notices()[1]


def test_a_race_runs_beside_a_paused_run_and_holds() -> None:
    with running(Setup(preset_weights("crescents"), race=RaceSettings(entrants()))) as driver:
        driver.until(lambda: driver.step() > 5)
        driver.client.send(Train(False))
        driver.client.send(Look(wants=frozenset({"race"})))
        driver.client.send(RunRace(True))

        def steps() -> list[int]:
            race = driver.frame().race
            return [] if race is None else [racer.step for racer in race.racers]

        driver.until(lambda: len(steps()) == 3 and min(steps()) > 3)
        at = driver.step()
        driver.client.send(RunRace(False))
        driver.until(lambda: not driver.frame().race.running)  # type: ignore[union-attr]
        assert max(steps()) - min(steps()) <= 1, "aligned by steps"
        assert driver.step() == at
