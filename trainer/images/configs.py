"""diffusers' JSON files, read with suspicion: the U-Net's config and the scheduler's.

Every field is held against bounds before anything is built from it: a config that asks for a million channels is
refused by its number, not by the memory that runs out. What a field is unknown for could change what the network
computes, so it is refused too. Then the network is built without memory (torch's "meta" device) and run once there,
which tells the names and shapes of its weights and whether it takes pictures of its own size.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.schedules import DDPM_STEPS, ddpm_alphas_cumprod
from trainer.settings import choice, number, whole

if TYPE_CHECKING:
    from diffusers import UNet2DModel

MOST_RESOLUTIONS = 8
_MOST_BLOCKS = 40
"""Residual blocks on the way down; a network of more takes longer to build than to refuse."""
_DOWN = ("DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D", "SkipDownBlock2D", "AttnSkipDownBlock2D")
_UP = ("UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D", "SkipUpBlock2D", "AttnSkipUpBlock2D")
_AVERAGING = frozenset(
    ("decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step", "use_ema_warmup")
)
"""What diffusers' EMAModel leaves in a config: it does not concern the network."""

Check = Callable[[str, Any], None]


def _whole(low: int, high: int) -> Check:
    return lambda name, value: whole(name, value, low, high)


def _number(low: float, high: float) -> Check:
    return lambda name, value: number(name, value, low, high)


def _word(*allowed: str) -> Check:
    return lambda name, value: choice(name, value if isinstance(value, str) else _shown(value), allowed)


def _maybe(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _each(check: Check, least: int = 1, most: int = MOST_RESOLUTIONS) -> Check:
    def check_all(name: str, values: object) -> None:
        if not isinstance(values, list | tuple) or not least <= len(values) <= most:
            raise InputError(f"{name}: {_shown(values)}; give a list of {least} to {most}")
        for value in values:
            check(name, value)

    return check_all


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise InputError(f"{name}: {_shown(value)} is neither true nor false")


def _nothing(why: str) -> Check:
    def check(name: str, value: object) -> None:
        if value is not None:
            raise InputError(f"{name}: {_shown(value)}; {why}")

    return check


def _side(name: str, value: object) -> None:
    (_each(_whole(1, 4096), 2, 2) if isinstance(value, list) else _whole(1, 4096))(name, value)


_UNET: dict[str, Check] = {
    "sample_size": _side,
    "in_channels": _whole(1, 4),
    "out_channels": _whole(1, 4),
    "center_input_sample": _flag,
    "time_embedding_type": _word("fourier", "positional"),
    "time_embedding_dim": _maybe(_whole(1, 8192)),
    "freq_shift": _maybe(_whole(0, 1)),  # null where nothing uses it, as in NCSN++
    "flip_sin_to_cos": _flag,
    "down_block_types": _each(_word(*_DOWN)),
    "mid_block_type": _maybe(_word("UNetMidBlock2D")),
    "up_block_types": _each(_word(*_UP)),
    "block_out_channels": _each(_whole(4, 2048)),
    "layers_per_block": _whole(1, 16),
    "mid_block_scale_factor": _number(1e-3, 1e3),
    "downsample_padding": _maybe(_whole(0, 1)),
    "downsample_type": _word("conv", "resnet"),
    "upsample_type": _word("conv", "resnet"),
    "dropout": _number(0, 1),
    "act_fn": _word("silu", "swish", "gelu", "relu", "mish"),
    "attention_head_dim": _maybe(_whole(1, 2048)),
    "norm_num_groups": _maybe(_whole(1, 512)),
    "attn_norm_num_groups": _maybe(_whole(1, 512)),
    "norm_eps": _number(1e-12, 1),
    "resnet_time_scale_shift": _word("default", "scale_shift"),
    "add_attention": _flag,
    "class_embed_type": _nothing("a network that asks for a class has no single score; use one without classes"),
    "num_class_embeds": _nothing("a network that asks for a class has no single score; use one without classes"),
    "num_train_timesteps": _maybe(_whole(1, 10**6)),
}


def checked_unet_config(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `UNet2DModel`, all within bounds.

    Raises:
        InputError: another class, an unknown field, one out of bounds, or fields that do not fit together.
    """
    kind = values.get("_class_name")
    if kind != "UNet2DModel":
        raise InputError(f"_class_name: {_shown(kind)} cannot be opened; only UNet2DModel can")
    fields = {name: value for name, value in values.items() if not name.startswith("_") and name not in _AVERAGING}
    for name, value in fields.items():
        if name not in _UNET:
            raise InputError(f"{_shown(name)}: unknown field of UNet2DModel; use a folder that diffusers has written")
        _UNET[name](name, value)
    for name in ("sample_size", "block_out_channels", "down_block_types", "up_block_types"):
        if name not in fields:
            raise InputError(f"{name}: is missing; use a folder that diffusers has written")
    count = len(fields["block_out_channels"])
    if len(fields["down_block_types"]) != count or len(fields["up_block_types"]) != count:
        raise InputError(f"block_out_channels: {count} entries, but another number of blocks; give one for each")
    if count * fields.get("layers_per_block", 2) > _MOST_BLOCKS:
        raise InputError(
            f"layers_per_block: {fields['layers_per_block']} in {count} blocks; at most {_MOST_BLOCKS} in all"
        )
    if fields.get("in_channels", 3) != fields.get("out_channels", 3):
        raise InputError("out_channels: is not in_channels; a score has the shape of its picture")
    return fields


def picture_shape(fields: Mapping[str, Any]) -> tuple[int, int, int]:
    """(channels, height, width) that a checked config is made for."""
    side = fields["sample_size"]
    height, width = side if isinstance(side, list) else (side, side)
    return fields.get("in_channels", 3), height, width


def hollow_unet(fields: Mapping[str, Any]) -> UNet2DModel:
    """The network of a checked config, without memory for its weights.

    Raises:
        InputError: diffusers cannot build it, or it does not take pictures of its own size.
    """
    from diffusers.models.unets.unet_2d import UNet2DModel

    try:
        with warnings.catch_warnings(), torch.device("meta"), torch.no_grad():
            warnings.simplefilter("ignore")  # what is odd in the config either works or is refused below
            unet = UNet2DModel(**fields).eval()
            x = torch.empty(1, *picture_shape(fields))
            if unet(x, torch.ones(1)).sample.shape != x.shape:
                raise ValueError(f"it does not give back {tuple(x.shape[1:])}")
    except (ValueError, TypeError, RuntimeError, ArithmeticError, AttributeError, IndexError, KeyError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"describes a network that does not work ({reason}); use another copy") from error
    return unet


# --- schedulers ---------------------------------------------------------------------------------------------------


def ddpm_scheduler_sigmas(values: Mapping[str, Any]) -> Tensor:
    """The noise levels sigma_t of a DDPMScheduler's config, t = 0, 1, ..., rising, float64.

    Raises:
        InputError: it predicts something other than the noise, or has a schedule that is not known here.
    """
    _require("prediction_type", values.get("prediction_type", "epsilon"), "epsilon")
    for name in ("trained_betas", "rescale_betas_zero_snr"):
        if values.get(name):
            raise InputError(f"{name}: is set, which is not read here; use a linear schedule")
    steps = values.get("num_train_timesteps", DDPM_STEPS)
    low, high = values.get("beta_start", 1e-4), values.get("beta_end", 0.02)
    whole("num_train_timesteps", steps, 2, 10_000)
    number("beta_start", low, 1e-7, 0.5)
    number("beta_end", high, low, 0.999)
    kind = values.get("beta_schedule", "linear")
    _word("linear", "scaled_linear", "squaredcos_cap_v2")("beta_schedule", kind)
    if kind == "squaredcos_cap_v2":
        kept = ddpm_alphas_cumprod("ddpm-cosine", steps)
    else:
        power = 1.0 if kind == "linear" else 0.5
        kept = (1 - torch.linspace(low**power, high**power, steps, dtype=torch.float64) ** (1 / power)).cumprod(0)
    return ((1 - kept) / kept).sqrt()


def ve_scheduler_sigmas(values: Mapping[str, Any]) -> Tensor:
    """The noise levels of a ScoreSdeVeScheduler's config, falling with a constant ratio, float64.

    Raises:
        InputError: a number is missing or out of range.
    """
    steps, low, high = (values.get(name) for name in ("num_train_timesteps", "sigma_min", "sigma_max"))
    whole("num_train_timesteps", steps, 2, 10_000)
    number("sigma_min", low, 1e-4, 1e4)
    number("sigma_max", high, 1e-4, 1e4)
    assert isinstance(steps, int)
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not high > low * (1 + 1e-6 * steps):
        raise InputError(f"sigma_max: {high:g} is not above sigma_min = {low:g}; use another copy")
    return torch.logspace(math.log(high), math.log(low), steps, base=math.e, dtype=torch.float64)


def _require(name: str, value: object, wanted: str) -> None:
    if value != wanted:
        raise InputError(f"{name}: {_shown(value)} cannot be opened; only {wanted} can")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
