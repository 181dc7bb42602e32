"""Objectives side by side: own loss and floor in closed form, equal steps and seconds, and the noise of gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainer.command_line import refused, values_of
from trainer.cli import main
from trainer.comparison import compare, known_sigmas, own_loss
from trainer.densities import GaussianMixture
from trainer.errors import InputError
from trainer.fit import Fit
from trainer.settings import FitSettings, LadderSettings, NetworkSettings, Objective, Target

SMALL = FitSettings(
    batch=256, network=NetworkSettings(width=16, features=8), ladder=LadderSettings(levels=4, sigma_min=0.1)
)
SD = 0.3


def settings_of(objective: Objective, target: Target = "single") -> FitSettings:
    return replace(SMALL, objective=objective, target=target)


@pytest.fixture(scope="module")
def gaussian() -> GaussianMixture:
    return GaussianMixture([1.0], [[0.0, 0.0]], [[[SD**2, 0.0], [0.0, SD**2]]])


@pytest.fixture(scope="module")
def three() -> GaussianMixture:
    spread = [[0.02, 0.0], [0.0, 0.02]]
    return GaussianMixture([0.5, 0.3, 0.2], [[-0.4, -0.3], [0.5, 0.4], [0.3, -0.5]], [spread] * 3)


@pytest.mark.parametrize("objective", ["esm", "ism", "hutchinson", "ssm", "ssm_vr", "dsm"])
def test_on_a_gaussian_loss_and_floor_are_the_closed_forms(objective: Objective, gaussian: GaussianMixture) -> None:
    """The untrained denoiser is exact there, up to mean and scale from 65,536 draws: the loss is the floor."""
    fit = Fit(gaussian, settings_of(objective), device="cpu", seed=0)
    sigma = fit.ladder
    weight = sigma**2 * (sigma**2 + SD**2) / SD**2
    power = 2 / (sigma**2 + SD**2)  # E|s|^2
    floor = {
        "esm": torch.zeros_like(sigma),
        "dsm": 0.5 * (2 / sigma**2 - power),
    }.get(objective, -0.5 * power)
    found = own_loss(fit, fit.weights, 64)
    assert found.floor == pytest.approx(float((weight * floor).mean()), rel=0.02, abs=1e-9)
    assert found.above == pytest.approx(0, abs=max(4 * found.error, 1e-3))
    assert found.value == pytest.approx(float((weight * floor).mean()), rel=0.05, abs=1e-3)


def test_where_no_floor_is_known_none_is_given(gaussian: GaussianMixture) -> None:
    found = own_loss(Fit(gaussian, settings_of("dsm", "reference"), device="cpu"), Fit(gaussian, SMALL).weights, 4)
    assert found.floor is None
    assert found.above is None
    assert found.error > 0


def test_a_pool_has_its_floor_once_its_tables_are_made(gaussian: GaussianMixture) -> None:
    fit = Fit(gaussian, settings_of("dsm", "pooled"), device="cpu")
    assert not fit.pool.filled
    assert own_loss(fit, fit.weights, 2).floor is None
    for _ in fit.run(steps=80):
        pass
    assert fit.pool.filled
    assert own_loss(fit, fit.weights, 2).floor == 0


def test_all_see_the_same_points_and_ddpm_is_denoising(three: GaussianMixture) -> None:
    """L_simple is 2 sigma^2 times the denoising loss: on the same points the two runs are the same run."""
    same = replace(SMALL, schedule="ddpm-linear", weighting="ddpm", target="single")
    rows = compare(three, {"dsm": same, "ddpm": replace(same, objective="ddpm")}, seconds=0.05, steps=15, device="cpu")
    assert [row.name for row in rows] == ["dsm", "ddpm"]
    assert rows[0].at_steps.errors == rows[1].at_steps.errors
    assert rows[0].settings == same


def test_equal_steps_and_equal_seconds(three: GaussianMixture) -> None:
    chosen = {"esm": settings_of("esm"), "ism": settings_of("ism"), "pooled": settings_of("dsm", "pooled")}
    told: list[tuple[str, float]] = []
    rows = compare(
        three, chosen, seconds=0.3, device="cpu", points=2048, gradients=4, watch=lambda *moment: told.append(moment)
    )
    assert [row.name for row in rows] == list(chosen)
    (steps,) = {row.at_steps.step for row in rows}
    assert str(steps).rstrip("0") in ("1", "2", "5")
    assert steps <= min(row.at_seconds.step for row in rows)
    for row in rows:
        assert row.at_seconds.seconds >= 0.3
        assert set(row.at_steps.errors) == {0.1, 0.3, 1.0}
        assert 0 < row.milliseconds * row.at_seconds.step <= 1000 * row.at_seconds.seconds  # which hold the start too
        assert max(seconds for name, seconds in told if name == row.name) == row.at_seconds.seconds
    floors = [row.at_steps.loss.floor for row in rows]
    assert floors[0] == floors[2] == 0
    assert floors[1] is not None
    assert floors[1] < -0.5


def test_gradients_agree_at_the_common_weights_and_their_noise_tells_them_apart(three: GaussianMixture) -> None:
    """Small sigma: one draw is far noisier than the true score, and the control variate takes part of that away."""
    level = replace(SMALL, ladder=LadderSettings(levels=1, sigma_min=0.03))
    chosen = {
        "esm": replace(level, objective="esm"),
        "single": replace(level, target="single"),
        "variate": replace(level, target="control_variate"),
        "reference": replace(level, target="reference"),
    }
    rows = compare(three, chosen, seconds=0.05, steps=3, device="cpu", points=512, gradients=128)
    gradients = {row.name: row.gradient for row in rows}
    assert all(gradients.values())
    sizes = [g.mean_square for g in gradients.values() if g]
    assert max(sizes) < 2 * min(sizes)
    noise = {name: g.variance for name, g in gradients.items() if g}
    assert noise["single"] > 20 * noise["esm"]
    assert noise["variate"] < 0.5 * noise["single"]
    assert noise["reference"] < 0.9 * noise["single"]


def test_another_network_has_no_gradient_in_common(three: GaussianMixture) -> None:
    wide = replace(SMALL, network=NetworkSettings(width=24, features=8))
    rows = compare(three, {"narrow": SMALL, "wide": wide}, seconds=0.02, steps=2, device="cpu", points=512)
    assert rows[0].gradient is not None
    assert rows[1].gradient is None


def test_only_what_all_have_learned_is_measured(three: GaussianMixture) -> None:
    fit = Fit(three, SMALL, device="cpu")
    level = Fit(three, replace(SMALL, ladder=LadderSettings(levels=1, sigma_min=0.17)), device="cpu")
    assert known_sigmas([fit]) == (0.1, 0.3, 1.0)
    assert known_sigmas([fit, level]) == (level.sigma_min,)


def test_nothing_to_compare(three: GaussianMixture) -> None:
    with pytest.raises(InputError, match="settings: none"):
        compare(three, {})


QUICK = ("compare", "far-modes", "--seconds", 0.05, "--device", "cpu", "--width", 16, "--features", 8)


def test_the_command_reports_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    names = "esm,ssm-vr,dsm,dsm-control-variate,dsm_reference"
    found = values_of(capsys, *QUICK, "--objectives", names, "--steps", 4, "--reference", 16)
    assert found["steps"] == 4
    assert [row["name"] for row in found["rows"]] == ["esm", "ssm_vr", "dsm", "dsm-control-variate", "dsm-reference"]
    assert found["gradient_weights"] == "those of esm after 4 steps"
    targets = [row["settings"]["target"] for row in found["rows"]]
    assert targets == ["pooled", "pooled", "pooled", "control_variate", "reference"]
    for row in found["rows"]:
        assert row["at_steps"]["step"] == 4
        assert set(row["at_steps"]["relative_fisher_error"]) == {"0.02", "0.05", "0.1", "0.3", "1"}
        assert row["gradient_variance"] > 0
        assert row["milliseconds_per_step"] > 0
    assert found["rows"][0]["at_steps"]["floor"] == 0
    assert found["rows"][4]["at_steps"]["floor"] is None
    assert main([*map(str, QUICK), "--objectives", "esm,dsm", "--steps", "4"]) == 0
    assert "after 4 steps each" in capsys.readouterr().out


def test_ddpm_brings_its_noise_levels_to_all(capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, *QUICK, "--objectives", "dsm,ddpm", "--steps", 3)
    assert {(r["settings"]["schedule"], r["settings"]["weighting"]) for r in found["rows"]} == {("ddpm-linear", "ddpm")}
    errors = [row["at_steps"]["relative_fisher_error"] for row in found["rows"]]
    assert errors[0] == errors[1]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--objectives", "esm,nce"), "--objectives: 'nce' is unknown"),
        (("--objectives", "ssm_vr,ssm-vr"), "--objectives: ssm_vr stands there twice"),
        (("--objectives", "esm,ism", "--projections", 3), "--projections: has no effect"),
        (("--objectives", "dsm-pooled", "--kernel", "laplace"), "--target: "),
        (("--steps", 0), "--steps: "),
    ],
)
def test_bad_comparisons_are_refused(args: tuple[object, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(capsys, *QUICK, *args)
