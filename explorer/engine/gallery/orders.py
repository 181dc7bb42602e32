"""What travels between the pictures' window and the process that computes for it: orders in, answers out.

All of them are frozen dataclasses of plain values and numpy arrays; neither torch nor Qt. A `Job` holds everything that
its pictures follow from, so that a process that died can be given the same one again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from explorer.engine.frames import Array
from explorer.engine.orders import Order
from explorer.engine.starting import Beginning
from trainer.settings import ParticleSettings

Kind = Literal["samples", "denoise", "inpaint", "interpolate"]


def _no_picture() -> Array:
    return np.zeros((0, 0, 0), np.float32)


def _no_mask() -> Array:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class OpenModel:
    """Open the image model in this folder; `training` names its training pictures, or is "" for those it names."""

    path: str
    training: str = ""


@dataclass(frozen=True)
class Job:
    """Make pictures.

    Attributes:
        number: tells jobs apart.
        kind: "samples" from noise alone; "denoise" a picture from the noise level sigma; "inpaint" its unknown
            pixels; "interpolate" between the samples of two seeds.
        sampler, settings: what moves the pictures; settings None for the recommended.
        seed, second_seed: of all noise; the second is that of the other end of an interpolation.
        count: pictures.
        picture: (C, H, W) in [-1, 1], of "denoise" and "inpaint".
        mask: (H, W), 1 where pixels are unknown, of "inpaint".
        sigma: the noise level that "denoise" starts from.
    """

    number: int
    kind: Kind = "samples"
    sampler: str = "annealed"
    settings: ParticleSettings | None = None
    seed: int = 0
    second_seed: int = 1
    count: int = 64
    picture: Array = field(default_factory=_no_picture, repr=False)
    mask: Array = field(default_factory=_no_mask, repr=False)
    sigma: float = 1.0


@dataclass(frozen=True)
class Play:
    """Run the sampler, or hold it."""

    running: bool


@dataclass(frozen=True)
class Steps:
    """Take so many steps, then hold; from an earlier moment, show the kept one after it."""

    count: int = 1


@dataclass(frozen=True)
class Show:
    """Hold, and show the kept step nearest to this one."""

    step: int


@dataclass(frozen=True)
class FollowPicture:
    """Show the way of this picture; -1 for none."""

    index: int


@dataclass(frozen=True)
class ShowDots:
    """Let the painting's particles run beside the pictures, by this release; None for none."""

    order: Order | None


STILLS, FILMS = (".png", ".npz"), (".mp4", ".gif")
"""Endings of what an `Export` writes at once, and of what it writes beside all else."""


@dataclass(frozen=True)
class Export:
    """Write what the job has made: .png the pictures shown, .npz all pictures, .mp4 or .gif how they emerged."""

    path: str
    size: tuple[int, int] = (1280, 720)
    fps: int = 30
    seconds: float = 8.0
    dark: bool = False

    @property
    def moves(self) -> bool:
        """Whether it is a film, which is written beside all else."""
        return self.path.lower().endswith(FILMS)


@dataclass(frozen=True)
class StopWriting:
    """Write no more of the files that are ordered; nothing of one that is half-written stays."""


@dataclass(frozen=True, kw_only=True)
class GalleryStart(Beginning):
    """All that a fresh process needs: the model to open and the job to begin with, if there were some."""

    called = "What makes the pictures"

    model: OpenModel | None = None
    job: Job | None = None
    moving: bool = True
    followed: int = -1
    dots: Order | None = None


@dataclass(frozen=True)
class ModelOpened:
    """A model is open.

    Attributes:
        path: as it was asked for; folder: where the checkpoint lies, the newest of a run.
        name: what a person calls it.
        objective: "ncsn" or "ddpm"; shape: (C, H, W) of a picture; levels: its grey levels.
        sigma_min, sigma_max: the noise levels that it knows.
        step, parameters: of its training, of its network.
        facts: (name, value), what is known of it, in words.
        source: where they were read, as `trainer.images.sources` takes it, or "".
        data: the training pictures that were found, (name, how many), or None; same_data: whether they are just those
            that it was trained on.
        recommended: settings by sampler; its keys are the samplers that make pictures.
        device: what computes.
    """

    path: str
    folder: str
    name: str
    objective: str
    shape: tuple[int, int, int]
    levels: int
    sigma_min: float
    sigma_max: float
    step: int
    parameters: int
    facts: tuple[tuple[str, str], ...]
    source: str
    data: tuple[str, int] | None
    same_data: bool
    recommended: dict[str, ParticleSettings]
    device: str

    def like(self, other: ModelOpened) -> bool:
        """Whether settings, pictures and masks for the other suit this one, as for two checkpoints of a run."""
        kinds = [(each.objective, each.shape, each.recommended) for each in (self, other)]
        return kinds[0] == kinds[1]


@dataclass(frozen=True)
class ModelRefused:
    """What was asked for cannot be opened: why, in one line. The model before stays."""

    path: str
    line: str


@dataclass(frozen=True)
class Exported:
    """A file is written: one line for the person; or it is not, and why."""

    path: str
    line: str
    failed: bool = False


GalleryOrder = OpenModel | Job | Play | Steps | Show | FollowPicture | ShowDots | Export | StopWriting
GalleryAnswer = ModelOpened | ModelRefused | Exported
