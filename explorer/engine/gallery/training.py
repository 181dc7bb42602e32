"""The pictures that a model was trained on: which of them are nearest to one that it makes.

They are taken for what they are: where the model's card holds the digest of its training pictures, the source is split
as training splits it until that digest comes out, and only then are distances to held-out pictures known.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from explorer.engine.frames import Array
from trainer.errors import InputError
from trainer.images.card import ImageCard
from trainer.images.neighbours import nearest
from trainer.images.pictures import Pictures, scaled
from trainer.images.settings import HELD_OUT, SPLIT_SEED
from trainer.images.sources import read_pictures

NEIGHBOURS = 5
_BLOCK = 2048
_JUDGED = 500
"""Held-out pictures whose distances are measured, at most."""


class Training:
    """Training pictures.

    Attributes:
        name, count: what they are called, and how many there are.
        same: whether they are exactly those that the model was trained on.
        typical: (1,), the median distance of held-out pictures to the nearest of them; (0,) if that is not known.
    """

    def __init__(self, pictures: Pictures, card: ImageCard) -> None:
        if pictures.shape != card.shape:
            raise InputError(f"{pictures.name}: pictures of {pictures.shape}; the model makes {card.shape}")
        train, held_out = _as_trained(pictures, card)
        self.same = held_out is not None
        self.name, self.count = pictures.name, len(train)
        self._train = train  # whole numbers, as they were read: as floats they would take four times the memory
        self.typical: Array = np.zeros(0, np.float32)
        if held_out is not None and len(held_out):
            others = torch.from_numpy(scaled(held_out.values[:_JUDGED], held_out.levels))
            apart = torch.stack([nearest(others, block).distances for block in self._blocks()]).amin(0)
            self.typical = np.array([float(apart.median())], np.float32)

    def near(self, picture: Tensor) -> tuple[Array, Array]:
        """The nearest of them to one picture (C, H, W) in [-1, 1]: (m, C, H, W), and their distances, (m,)."""
        apart = torch.cat([(block - picture).flatten(1).double().square().sum(1) for block in self._blocks()]).sqrt()
        found = apart.topk(min(NEIGHBOURS, len(apart)), largest=False)
        values = scaled(self._train.values[found.indices.numpy()], self._train.levels)
        return values, found.values.float().numpy()

    def _blocks(self) -> Iterator[Tensor]:
        """The pictures in [-1, 1], a part at a time."""
        for begin in range(0, len(self._train), _BLOCK):
            yield torch.from_numpy(scaled(self._train.values[begin : begin + _BLOCK], self._train.levels))


def training_of(card: ImageCard, source: str) -> Training:
    """The training pictures in this source, "" for the one that the card names.

    Raises:
        InputError: they cannot be read, or are not as large as the model's.
    """
    _, height, width = card.shape
    colour = "grey" if card.shape[0] == 1 else "rgb"
    where = source or card.data.source
    if not where:
        raise InputError("the model does not say where its training pictures lie; choose them")
    pictures = read_pictures(where)
    if pictures.shape != card.shape:
        pictures = read_pictures(where, size=height if height == width else None, colour=colour)  # type: ignore[arg-type]
    return Training(pictures, card)


def _as_trained(pictures: Pictures, card: ImageCard) -> tuple[Pictures, Pictures | None]:
    """(those trained on, those held out); all of them and None if the card's digest is of others."""
    for share in (HELD_OUT, 0.0):
        try:
            train, rest = pictures.split(share, SPLIT_SEED) if share else (pictures, pictures.subset(slice(0, 0)))
        except InputError:  # too few to be split
            continue
        if hashlib.sha256(np.ascontiguousarray(train.values).data).hexdigest() == card.data.digest:
            return train, rest
    return pictures, None
