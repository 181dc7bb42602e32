"""What learns: diffusers' `UNet2DModel` as it is, and three sizes of it.

How it is told the noise level follows from the objective:

* ncsn: `time_embedding_type="fourier"`. The network takes sigma itself as its timestep, feeds cos and sin of
  2 pi w ln sigma to its layers and divides what comes out by sigma, which makes it s(x, sigma) = f(x, sigma) / sigma
  (Song & Ermon 2020, Technique 3). The frequencies w are drawn once and saved with the weights. diffusers draws them
  from N(0, 16^2), so rough that a ladder needs a level every 1 % of sigma for the network to know what lies between
  two: on the digits' 46 levels the loss is 10 % larger between levels than on them. Here they come from N(0, 1), one
  turn is about the factor e in sigma, and the losses are the same.
* ddpm: `"positional"`. The timestep is t = 0 .. 999, not necessarily whole, and what comes out is the noise.

A timestep must be a float *tensor*: the network turns a bare Python float into a whole number without a word.

Each halving of the picture needs a side that is even: `sides` says which multiple, and pictures are padded to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from trainer.images.settings import ImageSettings, Preset

if TYPE_CHECKING:
    from diffusers import UNet2DModel

FREQUENCY = 1.0
"""Standard deviation of the Fourier features' frequencies, in turns per unit of ln sigma."""


@dataclass(frozen=True)
class UNetPreset:
    """A size of U-Net: the channels at each resolution, from the finest, and what stands there.

    Attributes:
        channels: at each resolution; there is one halving fewer than entries.
        layers: residual blocks at each resolution.
        attention: the resolutions with self-attention, 0 the finest.
        groups: of each group norm.
        head: channels of each attention head; None for one head.
        skips: whether the picture itself is carried down and up beside the layers, as in NCSN++ (Song et al. 2021).
            diffusers' blocks for that take three channels, so grey pictures go without.
    """

    channels: tuple[int, ...]
    layers: int
    attention: tuple[int, ...]
    groups: int
    head: int | None
    skips: bool = False

    @property
    def halvings(self) -> int:
        """How often the picture is halved."""
        return len(self.channels) - 1


PRESETS: dict[Preset, UNetPreset] = {
    "tiny": UNetPreset((32, 64), 1, (1,), groups=8, head=16),
    "small": UNetPreset((64, 128, 128), 2, (1,), groups=16, head=32),
    "ncsnpp": UNetPreset((128, 256, 256, 256), 4, (1,), groups=32, head=None, skips=True),
}
"""0.7, 6 and 62 million weights for grey pictures: for one processor core, for one GPU, and as NCSN++ for CIFAR-10."""


def unet_config(settings: ImageSettings, shape: tuple[int, int, int]) -> dict[str, Any]:
    """The arguments of `UNet2DModel` for pictures of this padded shape (channels, height, width)."""
    preset = PRESETS[settings.preset]
    skips = preset.skips and shape[0] == 3
    prefix = "Skip" if skips else ""
    down = tuple(f"{'Attn' * (i in preset.attention)}{prefix}DownBlock2D" for i in range(len(preset.channels)))
    up = tuple(name.replace("Down", "Up") for name in reversed(down))
    return {
        "sample_size": shape[1:] if shape[1] != shape[2] else shape[1],
        "in_channels": shape[0],
        "out_channels": shape[0],
        "block_out_channels": preset.channels,
        "layers_per_block": preset.layers,
        "down_block_types": down,
        "up_block_types": up,
        "norm_num_groups": preset.groups,
        "attention_head_dim": preset.head,
        "mid_block_scale_factor": 2**0.5 if skips else 1,
        "dropout": settings.dropout,
        "time_embedding_type": "fourier" if settings.objective == "ncsn" else "positional",
    }


def build_unet(settings: ImageSettings, shape: tuple[int, int, int]) -> UNet2DModel:
    """A U-Net with random weights, drawn from torch's own generator, for pictures of this padded shape."""
    from diffusers.models.unets.unet_2d import UNet2DModel

    unet = UNet2DModel(**unet_config(settings, shape))
    if settings.objective == "ncsn":
        with torch.no_grad():
            unet.time_proj.weight.normal_(std=FREQUENCY)
    return unet
