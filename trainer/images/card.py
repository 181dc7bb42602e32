"""`trainer.json`: what diffusers' own files do not say of a checkpoint, as one frozen object that checks itself.

diffusers knows the network and its noise levels. The card adds what the network was asked to learn and on which
pictures: their shape before padding, their grey levels, the range of values the network works in, and where the run
stood. It also holds the SHA-256 of every other file and of itself, so that a single flipped bit is noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, get_args

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.images.ladder import ddpm_sigmas
from trainer.images.settings import LARGEST_SIGMA, MOST_LEVELS, SMALLEST_SIGMA, ImageObjective, ImageSettings
from trainer.settings import choice, known, number, whole

FORMAT = "score-explorer images"
VERSION = 1
DDPM_LADDER = "ddpm-linear"
_MOST_ENTRIES, _MOST_TEXT = 200, 20_000


@dataclass(frozen=True)
class DataCard:
    """Which pictures a network was trained on.

    Attributes:
        name, source: what the data set is called, and where it was read.
        count: pictures; digest: the SHA-256 of their values.
    """

    name: str = ""
    source: str = ""
    count: int = 0
    digest: str = ""

    def __post_init__(self) -> None:
        for name in ("name", "source", "digest"):
            _text(f"data.{name}", getattr(self, name))
        whole("data.count", self.count, 0, 10**12)


@dataclass(frozen=True)
class ImageCard:
    """What a checkpoint is.

    Attributes:
        objective: "ncsn", the network gives the score, or "ddpm", the noise.
        ladder: the noise levels in units of [-1, 1], largest first; or "ddpm-linear", the thousand of that schedule.
        shape: (channels, height, width) of the pictures.
        padding: rows below and columns to the right, of the smallest value, that the network sees too.
        levels: grey levels of the data.
        range: the values that the network has for black and white; pictures here are always in [-1, 1].
        data, step, seed, settings, command: of the run; settings is None for a network made elsewhere.
        metrics: figures at this step, by name.
        digests: SHA-256 of the checkpoint's other files, by their path in the folder.
    """

    objective: ImageObjective
    ladder: tuple[float, ...] | str
    shape: tuple[int, int, int]
    padding: tuple[int, int] = (0, 0)
    levels: int = 256
    range: tuple[float, float] = (-1.0, 1.0)
    data: DataCard = field(default_factory=DataCard)
    step: int = 0
    seed: int = 0
    settings: ImageSettings | None = None
    command: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choice("objective", self.objective, get_args(ImageObjective))
        if isinstance(self.ladder, str):
            choice("ladder", self.ladder, (DDPM_LADDER,))
            if self.objective != "ddpm":
                raise InputError(f"ladder: {DDPM_LADDER} belongs to the objective ddpm; give a list of noise levels")
        else:
            _falling(self.ladder)
        _wholes("shape", self.shape, 3, 1, 4096)
        _wholes("padding", self.padding, 2, 0, 4096)
        whole("levels", self.levels, 2, 1 << 16)
        if not isinstance(self.range, tuple) or len(self.range) != 2:
            raise InputError("range: give two numbers, for black and for white")
        for value in self.range:
            number("range", value, -1e6, 1e6)
        if self.range[1] - self.range[0] < 1e-3:
            raise InputError("range: white is not above black; give the larger number second")
        whole("step", self.step, 0, 10**12)
        whole("seed", self.seed, -(2**63), 2**64)
        _text("command", self.command)
        _entries("metrics", self.metrics)
        for name, value in self.metrics.items():
            number(f"metrics.{_short(name)}", value, -1e300, 1e300)
        _entries("digests", self.digests)
        for digest in self.digests.values():
            _text("digests", digest)

    @property
    def padded_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) as the network sees them."""
        channels, height, width = self.shape
        return channels, height + self.padding[0], width + self.padding[1]

    @property
    def sigmas(self) -> Tensor:
        """The noise levels, largest first, (L,) float64."""
        if isinstance(self.ladder, str):
            return ddpm_sigmas().flip(0)
        return torch.tensor(self.ladder, dtype=torch.float64)

    def at(self, step: int, metrics: Mapping[str, float]) -> ImageCard:
        """The card of the same run at another step."""
        return replace(self, step=step, metrics=dict(metrics))

    def to_json(self) -> dict[str, Any]:
        """The card as plain JSON values, with its own digest."""
        values = {"format": FORMAT, "version": VERSION, **asdict(self)}
        values = json.loads(json.dumps(values))  # tuples as lists, as they come back
        return {**values, "digest": _digest(values)}

    @classmethod
    def from_json(cls, values: object) -> ImageCard:
        """Rebuild a card from `to_json`'s values.

        Raises:
            InputError: the values are no card, of another version, changed since they were written, or out of range.
        """
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise InputError("is not the card of an image model; use a folder that training has written")
        if values.get("version") != VERSION:
            shown = _short(values.get("version"))
            raise InputError(f"has format version {shown}; this program reads version {VERSION}")
        rest = {name: value for name, value in values.items() if name != "digest"}
        if values.get("digest") != _digest(rest):
            raise InputError("was changed since it was written, or is damaged; use another copy")
        given = known(cls, {name: value for name, value in rest.items() if name not in ("format", "version")})
        for name in ("ladder", "shape", "padding", "range"):
            if isinstance(given.get(name), list):
                given[name] = tuple(given[name])
        if given.get("settings") is not None:
            given["settings"] = ImageSettings.from_json(given["settings"])
        if "data" in given:
            given["data"] = DataCard(**known(DataCard, given["data"], "data."))
        try:
            return cls(**given)
        except TypeError as error:  # a field without default is missing
            raise InputError(f"is incomplete ({str(error).split('__init__() ')[-1]}); use another copy") from error


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _falling(ladder: object) -> None:
    if not isinstance(ladder, tuple) or not 2 <= len(ladder) <= MOST_LEVELS:
        raise InputError(f"ladder: give 2 to {MOST_LEVELS} noise levels, largest first, or {DDPM_LADDER}")
    for sigma in ladder:
        number("ladder", sigma, SMALLEST_SIGMA, LARGEST_SIGMA)
    for above, below in pairwise(ladder):
        if not above > below:
            raise InputError(f"ladder: {below:g} follows {above:g}; sigma must fall")


def _wholes(name: str, values: object, count: int, low: int, high: int) -> None:
    if not isinstance(values, tuple) or len(values) != count:
        raise InputError(f"{name}: give {count} whole numbers")
    for value in values:
        whole(name, value, low, high)


def _text(name: str, value: object) -> None:
    if not isinstance(value, str) or len(value) > _MOST_TEXT:
        raise InputError(f"{name}: give at most {_MOST_TEXT:,} characters of text")


def _entries(name: str, values: object) -> None:
    if not isinstance(values, Mapping) or len(values) > _MOST_ENTRIES:
        raise InputError(f"{name}: give at most {_MOST_ENTRIES} named values")
    for key in values:
        _text(name, key)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
