"""Small networks, pictures and checkpoints that the tests of image models share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainer.images.card import ImageCard
from trainer.images.checkpoints import save_checkpoint
from trainer.images.pictures import Pictures
from trainer.images.settings import ImageSettings

NCSN = ImageSettings(objective="ncsn", batch=8, warmup=5, steps=20)
DDPM = ImageSettings(objective="ddpm", batch=8, warmup=5, steps=20)
LADDER = tuple(np.geomspace(8.0, 0.05, 40).tolist())


def grey_pictures(count: int = 50, side: tuple[int, int] = (8, 8), levels: int = 17, seed: int = 0) -> Pictures:
    """Pictures of nothing."""
    values = np.random.default_rng(seed).integers(0, levels, (count, 1, *side), dtype=np.uint8)
    return Pictures("nothing", values, levels)


def small_unet(objective: str = "ncsn", channels: int = 1, seed: int = 0, **changes: object) -> Any:  # noqa: ANN401
    """A U-Net of some ten thousand weights for 8 x 8 pictures."""
    from diffusers.models.unets.unet_2d import UNet2DModel

    torch.manual_seed(seed)
    config: dict[str, Any] = {
        "sample_size": 8,
        "in_channels": channels,
        "out_channels": channels,
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
        "norm_num_groups": 4,
        "attention_head_dim": 8,
        "time_embedding_type": "fourier" if objective == "ncsn" else "positional",
    }
    return UNet2DModel(**{**config, **changes}).eval()


def small_card(objective: str = "ncsn", channels: int = 1, **changes: object) -> ImageCard:
    """The card that belongs to it."""
    ladder = LADDER if objective == "ncsn" else "ddpm-linear"
    return ImageCard(objective, ladder, (channels, 8, 8), **changes)  # type: ignore[arg-type]


def small_checkpoint(folder: Path, objective: str = "ncsn") -> Path:
    """A checkpoint of such a network."""
    settings = NCSN if objective == "ncsn" else DDPM
    save_checkpoint(folder, small_unet(objective), small_card(objective, settings=settings, metrics={"loss": 0.5}))
    return folder


def made_elsewhere(folder: Path, objective: str = "ncsn") -> Path:
    """The same, as diffusers alone would have written it."""
    small_checkpoint(folder, objective)
    (folder / "trainer.json").unlink()
    index = json.loads((folder / "model_index.json").read_text())
    del index["_trained_by"]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
