"""A trained image model as a folder that plain diffusers opens.

    model_index.json                               which pipeline, network and scheduler
    unet/config.json                               a `UNet2DModel`, unmodified
    unet/diffusion_pytorch_model.safetensors       its averaged weights
    scheduler/scheduler_config.json                `ScoreSdeVeScheduler` or `DDPMScheduler`
    trainer.json                                   `trainer.images.card`: what the network learned, and digests
    state/                                         what training needs to go on; samplers do not read it

    model = load_image_model("run")                # a ScoreModel; a run's folder stands for its newest checkpoint

Folders made elsewhere open too, with `unet/` and `scheduler/` or with all files side by side, if they hold a
`UNet2DModel` with safetensors and one of these two schedulers. diffusers' own pipelines say what their data are: [0, 1]
with ScoreSdeVe, [-1, 1] with DDPM.

Nothing is unpickled, and nothing in a folder is believed before it is checked: sizes, JSON, every field of the config,
the weights' names, shapes and values, the digests, and that no file leads out of the folder. Memory for weights is
taken when all that can be checked without has been. Whatever is wrong is one line that names the file.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor

from trainer.devices import choose_device
from trainer.errors import InputError
from trainer.images.card import ImageCard
from trainer.images.configs import (
    checked_unet_config,
    ddpm_scheduler_sigmas,
    hollow_unet,
    picture_shape,
    ve_scheduler_sigmas,
)
from trainer.images.models import ImageScore
from trainer.images.weights import open_regular, read_header, read_json, read_tensors, write_tensors, write_text

if TYPE_CHECKING:
    from diffusers import UNet2DModel

_T = TypeVar("_T")

CARD = "trainer.json"
INDEX = "model_index.json"
CONFIG, WEIGHTS = "config.json", "diffusion_pytorch_model.safetensors"
SCHEDULER = "scheduler_config.json"
LARGEST_WEIGHTS = 4 << 30
"""Bytes of weights that are read at most."""
_MARK = "_trained_by"
"""In model_index.json: the folder is ours, and without trainer.json incomplete. diffusers skips such names."""
_NAME = re.compile(r"checkpoint-(\d{6,12})")
_OLD_NAMES = (("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0"))


def checkpoint_name(step: int) -> str:
    """The folder of a run's checkpoint at this step."""
    return f"checkpoint-{step:06d}"


def checkpoints(run: Path) -> list[Path]:
    """A run's checkpoints, the oldest first; empty if there is none.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        found = [(int(match[1]), path) for path in run.iterdir() if (match := _NAME.fullmatch(path.name))]
        return [path for _, path in sorted(found) if path.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(f"{run}: cannot be read: {error.strerror or error}; give a folder") from error


def save_checkpoint(
    folder: str | Path,
    unet: UNet2DModel,
    card: ImageCard,
    extra: Callable[[Path], Mapping[str, str]] | None = None,
) -> None:
    """Write a checkpoint under another name, and give it its own when it is complete and on the disk.

    Args:
        folder: must not exist yet.
        unet: the averaged weights.
        card: `digests` are filled in.
        extra: writes more files into the folder that it is given, and returns their digests by path.

    Raises:
        OSError: it cannot be written; nothing is left of it.
        InputError: the folder exists.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder}: is there already; choose another place")
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        for place in (part, part / "unet", part / "scheduler"):
            place.mkdir()
        digests = {
            f"unet/{WEIGHTS}": write_tensors(part / "unet" / WEIGHTS, unet.state_dict()),
            f"unet/{CONFIG}": write_text(part / "unet" / CONFIG, unet.to_json_string()),
            f"scheduler/{SCHEDULER}": write_text(part / "scheduler" / SCHEDULER, _json(_scheduler(card))),
            INDEX: write_text(part / INDEX, _json(_index(card))),
            **(extra(part) if extra else {}),
        }
        write_text(part / CARD, _json(replace(card, digests=digests).to_json()))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def load_image_model(folder: str | Path, device: str = "cpu") -> ImageScore:
    """The model of a checkpoint's folder, of the newest in a run's folder, or of a folder made with diffusers.

    Raises:
        InputError: one line that names the file, what is wrong with it and what would be right.
    """
    where = choose_device(device)
    root = newest(Path(folder))
    files = _Files(root)
    card, fields = files.describe()
    unet = _place(lambda: hollow_unet(fields), files.config)
    tensors = files.weights({name: tuple(t.shape) for name, t in unet.state_dict().items()})
    unet.load_state_dict(tensors, assign=True)
    return ImageScore(unet.to(where), card)


def newest(folder: Path) -> Path:
    """The folder itself, or a run's newest checkpoint.

    Raises:
        InputError: there is no such folder.
    """
    try:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise InputError(f"{folder}: {what}; give the folder of an image model")
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror or error}; give another folder") from error
    found = checkpoints(folder)
    return found[-1] if found and not (folder / CARD).exists() else folder


class _Files:
    """Where a folder keeps what, and what its card says of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        nested = (root / "unet" / CONFIG).exists() or ((root / INDEX).exists() and not (root / CONFIG).exists())
        self.unet = root / "unet" if nested else root
        self.config = self.unet / CONFIG
        self.scheduler = root / "scheduler" / SCHEDULER
        if not nested and not self.scheduler.exists():
            self.scheduler = root / SCHEDULER
        self.digests: Mapping[str, str] = {}

    def describe(self) -> tuple[ImageCard, dict[str, Any]]:
        """The card, made up for a foreign folder, and the checked config of the network."""
        ours = (self.root / CARD).exists()
        index: dict[str, Any] = {}
        if ours:
            values, _ = read_json(self.root / CARD, self.root)
            card = _place(lambda: ImageCard.from_json(values), self.root / CARD)
            self.digests = card.digests
        if ours or (self.root / INDEX).exists():
            index = self._json(self.root / INDEX)
            _place(lambda: _check_index(index, ours), self.root / INDEX)
        elif not self.config.exists():
            raise InputError(
                f"{self.root}: holds no image model; give a folder with unet/config.json, or a run of images train"
            )
        fields = _place(lambda: checked_unet_config(self._json(self.config)), self.config)
        scheduler = self._json(self.scheduler)
        if not ours:
            card = _place(lambda: _foreign_card(fields, scheduler, index, self.root), self.scheduler)
        elif card.padded_shape != picture_shape(fields):
            raise InputError(f"{self.root / CARD}: describes pictures that the network does not take; use another copy")
        return card, fields

    def weights(self, wanted: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
        """The weights, float32, of exactly these names and shapes."""
        path = self.unet / WEIGHTS
        if not path.exists():
            _require_no_pickle(self.unet, path)
        with open_regular(path, self.root, LARGEST_WEIGHTS) as file:
            entries = {_name_today(name): entry for name, entry in read_header(file, path).items()}
            if missing := sorted(set(wanted) - set(entries)):
                raise InputError(f"{path}: lacks the array {missing[0]!r} of the network; use another copy")
            for name, entry in entries.items():
                if name not in wanted:
                    raise InputError(f"{path}: holds {name[:80]!r}, which the network does not have; use another copy")
                if entry.shape != wanted[name]:
                    raise InputError(
                        f"{path}: {name!r} is {entry.shape}, but {wanted[name]} by {CONFIG}; use another copy"
                    )
            tensors, digest = read_tensors(file, path, entries)
        self._check_digest(path, digest)
        return tensors

    def _json(self, path: Path) -> dict[str, Any]:
        values, digest = read_json(path, self.root)
        self._check_digest(path, digest)
        return values

    def _check_digest(self, path: Path, digest: str) -> None:
        name = path.relative_to(self.root).as_posix()
        if self.digests and self.digests.get(name) != digest:
            raise InputError(f"{path}: is not the file that {CARD} was written with; use another copy of the folder")


def _require_no_pickle(unet: Path, path: Path) -> None:
    """Say why there are no weights to read."""
    if (unet / "diffusion_pytorch_model.bin").exists():
        raise InputError(
            f"{unet / 'diffusion_pytorch_model.bin'}: is pickled, which can run code; "
            "save it again with diffusers' save_pretrained, which writes safetensors"
        )
    if (unet / f"{WEIGHTS}.index.json").exists():
        raise InputError(f"{unet}: its weights are in several files; save them again in one {WEIGHTS}")


def _check_index(index: Mapping[str, Any], ours: bool) -> None:
    if index.get(_MARK) is not None and not ours:
        raise InputError(f"belongs to a folder with {CARD}, which is missing; use another copy of the folder")
    for name, part in index.items():
        if not name.startswith("_") and name not in ("unet", "scheduler") and part not in (None, [None, None]):
            raise InputError(
                f"{name[:60]!r}: such a part cannot be opened; use a model that is a U-Net and a scheduler alone"
            )


def _foreign_card(
    fields: Mapping[str, Any], scheduler: Mapping[str, Any], index: Mapping[str, Any], root: Path
) -> ImageCard:
    """What diffusers' files say of a network made elsewhere."""
    kind = str(scheduler.get("_class_name"))[:60]
    pipeline = str(index.get("_class_name", ""))[:60]
    fourier = fields.get("time_embedding_type", "positional") == "fourier"
    shape = picture_shape(fields)
    command = f"made elsewhere: {root.name}, {pipeline or kind}"
    if kind == "ScoreSdeVeScheduler" and fourier:
        # diffusers' pipeline cuts its samples to [0, 1]: these are the values that the network knows
        ladder = tuple((2 * ve_scheduler_sigmas(scheduler)).tolist())
        return ImageCard("ncsn", ladder, shape, range=(0.0, 1.0), command=command)
    if kind == "DDPMScheduler" and not fourier:
        return ImageCard("ddpm", tuple(ddpm_scheduler_sigmas(scheduler).flip(0).tolist()), shape, command=command)
    embedding = "fourier" if fourier else "positional"
    raise InputError(
        f"_class_name: {kind!r} with a network of the time embedding {embedding} cannot be opened; "
        "DDPMScheduler with positional and ScoreSdeVeScheduler with fourier can"
    )


def _scheduler(card: ImageCard) -> dict[str, Any]:
    if card.objective == "ddpm":
        return {
            "_class_name": "DDPMScheduler",
            "num_train_timesteps": len(card.sigmas),
            "beta_schedule": "linear",
            "beta_start": 1e-4,
            "beta_end": 0.02,
            "prediction_type": "epsilon",
            "clip_sample": True,
        }
    return {
        "_class_name": "ScoreSdeVeScheduler",
        "num_train_timesteps": len(card.sigmas),
        "sigma_min": float(card.sigmas[-1]),
        "sigma_max": float(card.sigmas[0]),
    }


def _index(card: ImageCard) -> dict[str, Any]:
    ddpm = card.objective == "ddpm"
    return {
        "_class_name": "DDPMPipeline" if ddpm else "ScoreSdeVePipeline",
        _MARK: CARD,
        "unet": ["diffusers", "UNet2DModel"],
        "scheduler": ["diffusers", "DDPMScheduler" if ddpm else "ScoreSdeVeScheduler"],
    }


def _name_today(name: str) -> str:
    """An attention layer's tensor under the name that diffusers gives it since version 0.15."""
    if ".attentions." in name:
        for old, new in _OLD_NAMES:
            for kind in ("weight", "bias"):
                if name.endswith(f".{old}.{kind}"):
                    return name.removesuffix(f"{old}.{kind}") + f"{new}.{kind}"
    return name


def _place(made: Callable[[], _T], path: Path) -> _T:
    """What `made` returns; an error of bad input gets the file in front."""
    try:
        return made()
    except InputError as error:
        text = str(error)
        if text.startswith(str(path.parent)):
            raise
        raise InputError(f"{path}: {text if len(text) <= 400 else f'{text[:397]}...'}") from error


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1) + "\n"
