"""Which folders are image models, as far as their files' names tell: reading them is the process's business.

Where they come from: dropped, chosen, recent, or shipped with the program.
"""

from __future__ import annotations

import re
from pathlib import Path

from trainer.assets import assets

SHIPPED = (("digits-ncsn", "Digits, NCSN"), ("digits-ddpm", "Digits, DDPM"))
"""The models that the program brings: folder and title."""

_SIGNS = ("model_index.json", "trainer.json", "unet")
_WEIGHTS = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
_CHECKPOINT = re.compile(r"checkpoint-\d{6,12}")


def shipped(name: str) -> Path:
    """The folder of a model that the program brings."""
    return assets() / "images" / name


def image_folder(path: Path) -> Path | None:
    """The folder of the image model that this path names: the folder itself, or that of a file in it; else None.

    A folder with an image model's files counts, whether they are good or not, and so does the folder of a run.
    """
    try:
        folder = path if path.is_dir() else path.parent
        if not path.is_dir() and path.name not in (*_SIGNS, *_WEIGHTS, "config.json", "metrics.jsonl"):
            return None
        if folder.name in ("unet", "scheduler") and any((folder.parent / sign).exists() for sign in _SIGNS):
            folder = folder.parent
        return folder if _is_model(folder) or is_run(folder) else None
    except OSError:
        return None


def is_run(folder: Path) -> bool:
    """Whether this is the folder of a run of `score-trainer images train`."""
    if (folder / "trainer.json").exists():
        return False
    return any(_CHECKPOINT.fullmatch(each.name) for each in folder.iterdir()) or (folder / "metrics.jsonl").exists()


def _is_model(folder: Path) -> bool:
    if any((folder / sign).exists() for sign in _SIGNS):
        return True
    return (folder / "config.json").exists() and any((folder / name).exists() for name in _WEIGHTS)
