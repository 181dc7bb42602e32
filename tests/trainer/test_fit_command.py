"""`score-trainer fit`: every option changes what is learned, and what cannot be had together is filled or refused."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tests.trainer.command_line import refused, values_of
from trainer.cli import main
from trainer.commands.options import OPTIONS, make_settings, require_effect
from trainer.compatibility import idle
from trainer.settings import FitSettings, LadderSettings, NetworkSettings

QUICK = ("fit", "far-modes", "--steps", 16, "--device", "cpu")
SMALL = ("--width", 16, "--features", 8, "--batch", 64, "--levels", 4)


def test_every_setting_has_an_option() -> None:
    parts = {"ladder": LadderSettings, "network": NetworkSettings}
    names = {f.name for f in fields(FitSettings)} - set(parts)
    names |= {f"{part}.{f.name}" for part, cls in parts.items() for f in fields(cls)}
    assert {option.field for option in OPTIONS} == names


SSM = ("--objective", "ssm")


@pytest.mark.parametrize(
    ("without", "option"),
    [
        ((), ("--objective", "esm")),
        ((), ("--objective", "ism")),
        ((), ("--target", "single")),
        (("--target", "single"), ("--target", "control_variate")),
        (("--target", "single"), ("--target", "reference")),
        (("--target", "reference"), ("--target", "reference", "--reference", 4)),
        ((), ("--weighting", "ncsn")),
        (("--weighting", "ncsn"), ("--weighting", "none")),
        ((), ("--kernel", "laplace")),
        (("--kernel", "laplace"), ("--kernel", "mixture")),
        ((), ("--parameterisation", "noise")),
        ((), ("--parameterisation", "score")),
        ((), ("--parameterisation", "energy")),
        (("--parameterisation", "score"), ("--parameterisation", "unconditional")),
        (("--target", "single"), ("--schedule", "ddpm-linear")),
        (("--schedule", "ddpm-linear"), ("--schedule", "ddpm-cosine")),
        (SSM, ("--objective", "ssm_vr")),
        (SSM, (*SSM, "--projections", 3)),
        (SSM, (*SSM, "--projection", "sphere")),
        ((*SSM, "--projection", "sphere"), (*SSM, "--projection", "gaussian")),
        ((), ("--sigma-min", 0.03)),
        ((), ("--sigma-max", 2.5)),
        ((), ("--depth", 1)),
        ((), ("--octaves", 3.5)),
        ((), ("--undamped",)),
        ((), ("--activation", "tanh")),
        (("--activation", "gelu"), ("--activation", "softplus")),
        ((), ("--learning-rate", 0.01)),
        ((), ("--ema", 0.3)),
        ((), ("--seed", 1)),
    ],
    ids=lambda args: " ".join(map(str, args)),
)
def test_an_option_changes_what_is_learned(
    without: tuple[object, ...], option: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    small = [arg for arg in SMALL if "ddpm-linear" not in option + without or arg not in ("--levels", 4)]
    found = [values_of(capsys, *QUICK, *small, *given)["relative_fisher_error"] for given in (without, option)]
    errors = [(a, b) for a, b in zip(found[0].values(), found[1].values(), strict=True) if a and b]
    assert max(abs(a / b - 1) for a, b in errors) > 1e-3


@pytest.mark.parametrize("name", ["--width", "--features", "--batch", "--levels"])
def test_sizes_change_what_is_learned(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    k = SMALL.index(name) + 1
    larger = (*SMALL[:k], 2 * int(SMALL[k]), *SMALL[k + 1 :])
    found = [values_of(capsys, *QUICK, *sizes) for sizes in (SMALL, larger)]
    assert found[0]["relative_fisher_error"]["0.1"] != found[1]["relative_fisher_error"]["0.1"]
    if name in ("--width", "--features"):
        assert found[1]["parameters"] > found[0]["parameters"]


def test_one_level_is_measured_where_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = values_of(capsys, *QUICK, "--levels", 1, "--sigma-min", 0.17)
    errors = found["relative_fisher_error"]
    assert [sigma for sigma, error in errors.items() if error is not None] == ["0.17"]


@pytest.mark.parametrize(
    ("given", "filled"),
    [
        (("--kernel", "laplace"), {"parameterisation": "score", "target": "single"}),
        (("--kernel", "mixture", "--objective", "esm"), {"parameterisation": "score"}),
        (("--kernel", "laplace", "--parameterisation", "energy"), {"target": "single"}),
        (("--schedule", "edm"), {"target": "single"}),
        (("--objective", "ddpm"), {"schedule": "ddpm-linear", "weighting": "ddpm"}),
        (("--objective", "ddpm", "--schedule", "ddpm-cosine"), {"weighting": "ddpm"}),
    ],
)
def test_what_was_left_open_is_filled_and_said(
    given: tuple[str, ...], filled: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*map(str, QUICK), "--width", "16", "--batch", "64", *given, "--json"]) == 0
    out, err = capsys.readouterr()
    told = [line for line in err.splitlines() if ", since " in line]
    assert len(told) == len(filled)
    for field, value in filled.items():
        assert f'"{field}": "{value}"' in out
        assert any(line.startswith(f"score-trainer: --{field} {value}, since ") for line in told)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--kernel", "laplace", "--parameterisation", "denoiser"), "--parameterisation: "),
        (("--kernel", "laplace", "--target", "pooled"), "--target: "),
        (("--kernel", "laplace", "--schedule", "ddpm-linear"), "--schedule: "),
        (("--schedule", "edm", "--target", "pooled"), "--target: "),
        (("--objective", "ddpm", "--schedule", "geometric"), "--schedule: "),
        (("--objective", "esm", "--target", "single"), "--target: has no effect"),
        (("--projections", "2"), "--projections: has no effect"),
        (("--objective", "ism", "--projection", "sphere"), "--projection: has no effect"),
        (("--target", "single", "--reference", "8"), "--reference: has no effect"),
        (("--schedule", "edm", "--levels", "8"), "--levels: has no effect"),
        (("--schedule", "ddpm-linear", "--sigma-min", "0.1"), "--sigma-min: has no effect"),
        (("--levels", "1", "--sigma-max", "1"), "--sigma-max: has no effect"),
        (("--features", "0", "--undamped"), "--undamped: has no effect"),
        (("--parameterisation", "unconditional", "--undamped"), "--undamped: has no effect"),
        (("--force",), "--force: has no effect"),
        (("--levels", "0"), "--levels: "),
        (("--sigma-min", "0.5", "--sigma-max", "0.1"), "--sigma-max: "),
        (("--width", "1"), "--width: "),
        (("--learning-rate", "nan"), "--learning-rate: "),
        (("--activation", "relu"), "--activation"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    args: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", "ring", "--steps", "1", *args]) == 2
    assert said in capsys.readouterr().err.splitlines()[-1]


def test_a_saved_score_is_replaced_only_by_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "score"
    values_of(capsys, *QUICK, *SMALL, "-o", saved)
    before = (saved / "weights.safetensors").read_bytes()
    assert "--force" in refused(capsys, *QUICK, *SMALL, "--seed", 1, "-o", saved)
    assert (saved / "weights.safetensors").read_bytes() == before
    values_of(capsys, *QUICK, *SMALL, "--seed", 1, "-o", saved, "--force")
    assert (saved / "weights.safetensors").read_bytes() != before


def test_what_has_no_effect_is_said_as_the_window_says_it(capsys: pytest.CaptureFixture[str]) -> None:
    settings = make_settings({"objective": "ism"}, lambda _: None)
    line = refused(capsys, "fit", "ring", "--objective", "ism", "--target", "single")
    assert line == f"score-trainer: --target: has no effect ({idle(settings)['target']}); leave it out\n"
    ddpm = make_settings({"objective": "ddpm"}, lambda _: None)
    require_effect({"weighting"}, [ddpm])  # the weight that DDPM's objective brings may be spelled out
    assert "weighting" in idle(ddpm)
