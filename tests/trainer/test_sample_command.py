"""`score-trainer sample`: every sampler, either score, and every option that a sampler has."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer.command_line import refused, values_of
from trainer.cli import main
from trainer.commands.sample import OPTIONS
from trainer.samplers import SAMPLERS
from trainer.settings import ParticleSettings, SamplerName


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A score saved after a few steps of training."""
    place = tmp_path_factory.mktemp("sample") / "score"
    assert main(["fit", "far-modes", "--steps", "60", "--device", "cpu", "-o", str(place), "--json"]) == 0
    return place


def points(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, *args: object) -> NDArray[np.float32]:
    file = tmp_path / "points.npy"
    values_of(capsys, "sample", folder, "--device", "cpu", "-o", file, *args)
    return np.load(file, allow_pickle=False)


def test_the_command_knows_every_sampler_and_every_setting() -> None:
    assert set(get_args(SamplerName)) == set(SAMPLERS)
    assert {option.field for option in OPTIONS} == {f.name for f in fields(ParticleSettings)} - {
        "source",
        "number",
    }


def test_where_the_samplers_end_on_two_far_modes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The small mode has 0.2. Whoever starts on the square and stays at small noise gives it about a half."""
    shares = {}
    for sampler in SAMPLERS:
        few = () if SAMPLERS[sampler].starts_from == "square" else ("--diffusion-steps", 50)
        found = values_of(capsys, "sample", folder, "--true", "--sampler", sampler, "-n", 600, *few)
        assert (found["sampler"], found["score"]) == (sampler, "true")
        assert found["ledger"]["elsewhere"] < 0.2
        shares[sampler] = found["ledger"]["modes"][1]["share"]
    for sampler in ("annealed", "pc", "sde", "ode", "ddpm", "ddim"):
        assert 0.15 < shares[sampler] < 0.27, sampler
    for sampler in ("ascent", "langevin", "mala"):
        assert shares[sampler] > 0.4, sampler


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "mala"])
def test_the_learned_score_moves_them_elsewhere_than_the_true_one(
    sampler: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = ("--steps", 2) if SAMPLERS[sampler].starts_from == "square" else ("--diffusion-steps", 20)
    ends = [
        points(capsys, folder, tmp_path, "--sampler", sampler, "-n", 50, *few, *score)
        for score in ((), ("--score", "true"))
    ]
    assert np.isfinite(ends[0]).all()
    assert np.abs(ends[0] - ends[1]).max() > 1e-4


def test_mala_runs_on_a_learned_energy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    energy = ("--parameterisation", "energy", "--width", 16, "--features", 8)
    values_of(capsys, "fit", "far-modes", *energy, "--steps", 30, "--device", "cpu", "-o", tmp_path / "energy")
    few = ("--levels", 3, "--steps", 20, "--fine-steps", 20, "-n", 200)
    found = values_of(capsys, "sample", tmp_path / "energy", "--sampler", "mala", *few)
    assert found["score"] == "learned"
    assert found["evaluations"] == found["steps"] + 1 == 61


@pytest.mark.parametrize(
    ("sampler", "option"),
    [
        ("annealed", ("--levels", 3)),
        ("langevin", ("--steps", 3)),
        ("ascent", ("--epsilon", 2e-4)),
        ("annealed", ("--fine-steps", 2)),
        ("annealed", ("--fine-below", 0.1)),
        ("annealed", ("--sigma-min", 0.03)),
        ("annealed", ("--sigma-max", 0.6)),
        ("sde", ("--start-sigma", 1.5)),
        ("sde", ("--diffusion-steps", 12)),
        ("ode", ("--rho", 3)),
        ("ode", ("--ode-method", "euler")),
        ("pc", ("--corrector-steps", 2)),
        ("pc", ("--corrector-snr", 0.3)),
        ("ddim", ("--vp-schedule", "ddpm-cosine")),
        ("ddim", ("--eta", 0.5)),
        ("ddpm", ("--sigma-min", 0.05)),
        ("ddpm", ("--seed", 1)),
    ],
)
def test_an_option_changes_where_they_end(
    sampler: str, option: tuple[object, ...], folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = SAMPLERS[sampler].starts_from
    few = ("--steps", 2, "--levels", 5, "--fine-steps", 1) if start == "square" else ("--diffusion-steps", 10)
    common = ("--sampler", sampler, "--true", "-n", 20)
    ends = [points(capsys, folder, tmp_path, *common, *few, *given) for given in ((), option)]
    assert np.abs(ends[0] - ends[1]).max() > 1e-4


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--sampler", "sde", "--steps", 3), "--steps: has no effect on the sampler sde"),
        (("--eta", 0.5), "--eta: has no effect on the sampler annealed"),
        (("--sampler", "mala"), "--sampler: mala needs a log-density"),
        (("--sampler", "mala", "--true", "--no-table"), "--no-table: has no effect"),
        (("--sigma-max", 20), "--sigma-max: "),
        (("--sigma-max", 9.5), "--sigma-max: 9.5 is outside the model's noise levels"),
        (("--sampler", "sde", "--start-sigma", 9.5), "--start-sigma: 9.5 is outside"),
        (("--sampler", "ode", "--ode-method", "rk45"), "--ode-method"),
        (("--epsilon", 0), "--epsilon: "),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    args: tuple[object, ...], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "sample", folder, "-n", 10, "--device", "cpu", *args)


def test_tables_serve_where_they_pay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    langevin = ("sample", folder, "--sampler", "langevin", "--levels", 5, "--steps", 20, "--fine-steps", 20)
    assert values_of(capsys, *langevin, "-n", 2000)["table_error"] > 0
    assert values_of(capsys, *langevin, "-n", 2000, "--no-table")["table_error"] == 0
    assert values_of(capsys, *langevin, "-n", 10)["table_error"] == 0


def test_a_ladder_drawn_by_hand_is_the_one_that_is_climbed_down(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = values_of(capsys, "sample", folder, "-n", 50, "--rungs", "0.4:30:2e-2, 0.2:20:5e-3,0.05:7:1e-4")
    assert found["steps"] == 57
    assert found["settings"]["rungs"] == [
        {"sigma": 0.4, "steps": 30, "epsilon": 0.02},
        {"sigma": 0.2, "steps": 20, "epsilon": 0.005},
        {"sigma": 0.05, "steps": 7, "epsilon": 1e-4},
    ]
    assert (
        values_of(capsys, "sample", folder, "-n", 50, "--sampler", "langevin", "--rungs", "0.4:30:2e-2")["steps"] == 30
    )


@pytest.mark.parametrize(
    ("ladder", "said"),
    [
        ("0.4:30", "'0.4:30' is no level; give sigma:steps:epsilon, such as 0.2:30:5e-3, commas between"),
        ("0.4:30:1e-2,", "'' is no level; give"),
        ("0.4:3.5:1e-2", "'0.4:3.5:1e-2' is no level; give"),
        ("0.4:0:1e-2", "0.4:0:1e-2: steps: 0 is out of range; give a number between 1 and 10000"),
        ("0.2:9:1e-2,0.4:9:1e-2", "0.4 follows 0.2; sigma must fall"),
        ("9:9:1e-2", "9 is outside the model's noise levels; give levels between"),
    ],
)
def test_a_ladder_that_is_none_is_refused(
    ladder: str, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(capsys, "sample", folder, "--rungs", ladder).startswith(f"score-trainer: --rungs: {said}")


def test_what_a_drawn_ladder_says_itself_is_refused_beside_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys, "sample", folder, "--rungs", "0.4:30:2e-2", "--epsilon", "1e-4")
    assert line.startswith("score-trainer: --epsilon: has no effect beside --rungs")
    assert "--rungs: has no effect on the sampler ode" in refused(
        capsys, "sample", folder, "--sampler", "ode", "--rungs", "0.4:30:2e-2"
    )
