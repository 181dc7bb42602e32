"""Image checkpoints: bit for bit what plain diffusers loads, and every damage ends in one line that names the file."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path

import pytest
import torch
from diffusers import DDPMPipeline, DDPMScheduler, ScoreSdeVePipeline, UNet2DModel
from safetensors.torch import load_file, save_file

from tests.trainer.images.damages import WEIGHTS, damage
from tests.trainer.images.small import LADDER, made_elsewhere, small_card, small_checkpoint, small_unet
from trainer.errors import InputError
from trainer.images.card import ImageCard
from trainer.images.checkpoints import load_image_model, save_checkpoint
from trainer.images.models import ImageScore

OBJECTIVES = ("ncsn", "ddpm")


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_plain_diffusers_gives_the_same_bits(tmp_path: Path, x: torch.Tensor, objective: str) -> None:
    folder = small_checkpoint(tmp_path / "model", objective)
    ours = load_image_model(folder)
    theirs = UNet2DModel.from_pretrained(folder, subfolder="unet")
    t = torch.tensor([1.0, 0.3, 7.5, 2.0, 5.0])
    assert torch.equal(ours.unet(x, t).sample, theirs(x, t).sample)
    with torch.no_grad():
        assert torch.equal(ours.unet(x, t).sample, theirs(x, t).sample)
        assert torch.equal(ours.unet(x[:1], t[:1]).sample, theirs(x[:1], t[:1]).sample)
    assert not ours.unet.training
    for ours_now, saved in zip(ours.unet.parameters(), small_unet(objective).parameters(), strict=True):
        assert torch.equal(ours_now, saved)
    pipeline = {"ncsn": ScoreSdeVePipeline, "ddpm": DDPMPipeline}[objective].from_pretrained(folder)
    assert torch.equal(pipeline.unet.conv_in.weight, ours.unet.conv_in.weight)
    assert pipeline.scheduler.config.num_train_timesteps == {"ncsn": len(LADDER), "ddpm": 1000}[objective]


def test_the_card_comes_back(tmp_path: Path) -> None:
    card = small_card("ncsn", padding=(1, 2), levels=17, step=5, seed=2**60, command="a b", metrics={"loss": 0.25})
    card = ImageCard(**{**{f: getattr(card, f) for f in card.__dataclass_fields__}, "shape": (1, 7, 6)})
    save_checkpoint(tmp_path / "m", small_unet(), card)
    loaded = load_image_model(tmp_path / "m")
    assert {**vars(loaded.card), "digests": {}} == vars(card)
    assert loaded.shape == (1, 8, 8)
    assert (loaded.sigma_max, loaded.sigma_min) == (card.ladder[0], card.ladder[-1])


def test_a_run_stands_for_its_newest_checkpoint(tmp_path: Path) -> None:
    for step in (5, 1000, 999_999, 1_000_000):
        save_checkpoint(tmp_path / f"checkpoint-{step:06d}", small_unet(seed=step), small_card(step=step))
    (tmp_path / ".checkpoint-2000000.abcd.part").mkdir()
    (tmp_path / "samples").mkdir()
    assert load_image_model(tmp_path).card.step == 1_000_000


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainer.images.weights._flush", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path / "m", small_unet(), small_card())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    small_checkpoint(tmp_path / "m")
    with pytest.raises(InputError, match="is there already"):
        small_checkpoint(tmp_path / "m")


# --- made elsewhere -----------------------------------------------------------------------------------------------


def test_a_ddpm_made_elsewhere(tmp_path: Path, x: torch.Tensor) -> None:
    DDPMPipeline(small_unet("ddpm"), DDPMScheduler(beta_schedule="squaredcos_cap_v2")).save_pretrained(tmp_path / "m")
    model = load_image_model(tmp_path / "m")
    kept = DDPMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod.double()
    assert model.sigma_min == pytest.approx(float(((1 - kept[0]) / kept[0]).sqrt()), rel=1e-2)
    a = float(kept[300])
    sigma = math.sqrt((1 - a) / a)
    with torch.no_grad():
        noise = small_unet("ddpm")(math.sqrt(a) * x, torch.full((5,), 300.0)).sample
        torch.testing.assert_close(model.score(x, sigma), -noise / sigma, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_all_files_side_by_side_with_old_names(tmp_path: Path, x: torch.Tensor, objective: str) -> None:
    nested, flat = made_elsewhere(tmp_path / "nested", objective), tmp_path / "flat"
    flat.mkdir()
    shutil.copy(nested / "unet/config.json", flat)
    shutil.copy(nested / "scheduler/scheduler_config.json", flat)
    shutil.copy(nested / "model_index.json", flat)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {}
    for name, tensor in load_file(nested / WEIGHTS).items():
        for new, before in old.items():
            name = name.replace(f".{new}.", f".{before}.")
        tensors[name] = tensor
    assert any(".query." in name for name in tensors)
    save_file(tensors, flat / "diffusion_pytorch_model.safetensors")
    sigma = 0.7 if objective == "ncsn" else 3.0
    assert torch.equal(load_image_model(flat).score(x, sigma), load_image_model(nested).score(x, sigma))


def test_an_ncsnpp_leaves_open_what_it_does_not_use(tmp_path: Path, x: torch.Tensor) -> None:
    nested, flat = made_elsewhere(tmp_path / "nested"), tmp_path / "flat"
    unet = small_unet(
        channels=3,
        block_out_channels=(32, 64),
        down_block_types=("SkipDownBlock2D", "AttnSkipDownBlock2D"),
        up_block_types=("AttnSkipUpBlock2D", "SkipUpBlock2D"),
        mid_block_scale_factor=math.sqrt(2),
        norm_num_groups=None,
        attention_head_dim=None,
        freq_shift=None,
    )
    unet.save_pretrained(flat)
    shutil.copy(nested / "scheduler" / "scheduler_config.json", flat)
    assert json.loads((flat / "config.json").read_text())["freq_shift"] is None
    model = load_image_model(flat)
    colour, level = x.expand(-1, 3, -1, -1), torch.full((len(x),), 0.5)
    with torch.no_grad():
        torch.testing.assert_close(model.unet(colour, level).sample, unet(colour, level).sample)


def test_score_sde_ve_has_its_data_between_0_and_1(tmp_path: Path, x: torch.Tensor) -> None:
    model = load_image_model(made_elsewhere(tmp_path / "m", "ncsn"))
    assert (model.sigma_max, model.sigma_min) == pytest.approx((16, 0.1))
    with torch.no_grad():
        expected = 0.5 * small_unet("ncsn")((x + 1) / 2, torch.full((5,), 0.6)).sample
        torch.testing.assert_close(model.score(x, 1.2), expected)


def test_half_precision_weights(tmp_path: Path) -> None:
    folder = made_elsewhere(tmp_path / "m")
    for kind in (torch.float16, torch.bfloat16):
        halves = {name: tensor.to(kind) for name, tensor in load_file(folder / WEIGHTS).items()}
        save_file(halves, folder / WEIGHTS)
        loaded = load_image_model(folder).unet.state_dict()
        assert all(torch.equal(loaded[name], halves[name].float()) for name in halves)


def _edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


FOREIGN = {
    "pickled": (
        lambda f: (f / WEIGHTS).rename(f / "unet/diffusion_pytorch_model.bin"),
        "is pickled, which can run code",
    ),
    "conditional": (
        lambda f: _edit(f / "unet/config.json", _class_name="UNet2DConditionModel"),
        "only UNet2DModel can",
    ),
    "latent": (lambda f: _edit(f / "model_index.json", vqvae=["diffusers", "VQModel"]), "'vqvae': such a part"),
    "classes": (lambda f: _edit(f / "unet/config.json", num_class_embeds=10), "asks for a class"),
    "a million channels": (
        lambda f: _edit(f / "unet/config.json", block_out_channels=[10**6, 10**6]),
        "block_out_channels: 1e\\+06 is out of range; give a number between 4 and 2048",
    ),
    "another scheduler": (
        lambda f: _edit(f / "scheduler/scheduler_config.json", _class_name="LMSDiscreteScheduler"),
        "'LMSDiscreteScheduler' with a network of the time embedding fourier cannot be opened",
    ),
    "parts": (
        lambda f: (f / WEIGHTS).rename(f / "unet/diffusion_pytorch_model.safetensors.index.json"),
        "are in several files",
    ),
    "unknown field": (lambda f: _edit(f / "unet/config.json", magic=1), "'magic': unknown field of UNet2DModel"),
    "NaN": (
        lambda f: save_file(
            {n: t.log() if n == "conv_in.bias" else t for n, t in load_file(f / WEIGHTS).items()}, f / WEIGHTS
        ),
        "'conv_in.bias' holds NaN",
    ),
    "a link": (
        lambda f: ((f / WEIGHTS).rename(f.parent / "w"), (f / WEIGHTS).symlink_to(f.parent / "w")),
        "leads out of the folder",
    ),
    "a pipe": (lambda f: ((f / WEIGHTS).unlink(), os.mkfifo(f / WEIGHTS)), "is not a file"),
    "skips on grey": (
        lambda f: _edit(
            f / "unet/config.json",
            down_block_types=["SkipDownBlock2D"] * 2,
            up_block_types=["SkipUpBlock2D"] * 2,
        ),
        "describes a network that does not work",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_cannot_be_opened_says_why(tmp_path: Path, name: str) -> None:
    change, said = FOREIGN[name]
    folder = made_elsewhere(tmp_path / "m")
    change(folder)
    with pytest.raises(InputError, match=said) as caught:
        load_image_model(folder)
    assert str(caught.value).startswith(str(folder))
    assert "\n" not in str(caught.value)


def test_places_that_hold_no_model(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place, said in (("none", "does not exist"), ("file", "is a file"), (".", "holds no image model")):
        with pytest.raises(InputError, match=said):
            load_image_model(tmp_path / place)


@pytest.mark.parametrize("missing", ["trainer.json", "model_index.json", "unet/config.json", WEIGHTS])
def test_a_checkpoint_without_one_of_its_files(tmp_path: Path, missing: str) -> None:
    folder = small_checkpoint(tmp_path / "m")
    (folder / missing).unlink()
    with pytest.raises(InputError, match=r"missing|cannot be read"):
        load_image_model(folder)


# --- damages ------------------------------------------------------------------------------------------------------


def test_no_damage_goes_unnoticed(tmp_path: Path, x: torch.Tensor) -> None:
    """Of ours, whatever opens is what was saved: even a single flipped bit of the weights is found."""
    whole = small_checkpoint(tmp_path / "whole")
    expected, card = load_image_model(whole).score(x, 0.7), load_image_model(whole).card
    refused = 0
    for number in range(190):
        what, said, model = _damaged(whole, number)
        if model is None:
            assert "\n" not in said, what
            assert len(said) < len(str(tmp_path)) + 600, what
            refused += 1
        else:
            assert torch.equal(model.score(x, 0.7), expected), what
            assert model.card == card, what
    assert refused > 165


def test_damages_of_folders_made_elsewhere_end_in_one_line_or_open(tmp_path: Path, x: torch.Tensor) -> None:
    whole = made_elsewhere(tmp_path / "whole")
    refused = 0
    for number in range(1000, 1133):
        what, said, model = _damaged(whole, number)
        assert "\n" not in said, what
        assert model is None or model.score(x, 1.0).shape == x.shape, what
        refused += model is None
    assert refused > 100


def _damaged(whole: Path, number: int) -> tuple[str, str, ImageScore | None]:
    """Which damage was done to a copy, and the line that it led to or the model that opened all the same."""
    folder = whole.with_name("damaged")
    shutil.copytree(whole, folder)
    what = damage(folder, number)
    try:
        return what, "", load_image_model(folder)
    except InputError as error:
        return what, str(error), None
    finally:
        shutil.rmtree(folder)
