r"""A set of pictures as whole numbers, and how these become the numbers that a network sees.

A picture is C x H x W whole numbers v = 0 .. L - 1, L the number of its *levels*: 256 in most files, 17 in the digits.
Networks see

    x = 2 (v + u) / L - 1,

in [-1, 1]: each level owns an interval of width 2 / L. A density of whole numbers is a sum of spikes, whose likelihood
has no bound and whose score at small noise points at the nearest spike; with u uniform on [0, 1) it is a density over
the whole cube, whose likelihood bounds that of the whole numbers (Theis, van den Oord & Bethge 2016, section 3.1).
u = 1/2, the middle of the interval, is for showing and for comparing. `quantised` takes either back to v.

A U-Net halves its pictures: their sides must be multiples of 2^halvings. Those that are not are padded at the right and
at the bottom with -1, the data's smallest value. The padding is part of the data that the network learns, so that any
program can run it, and is cut off after sampling.

`scaled`, `quantised`, `pad` and `crop` take numpy arrays and torch tensors alike; nothing here needs torch but the
padding of tensors and the splitting by seed.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from trainer.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Values = NDArray[np.unsignedinteger[Any]]
Numbers = TypeVar("Numbers", "NDArray[np.float32]", "Tensor")

MOST_LEVELS = 65_536
MOST_SIDE = 1024
"""The longest side of a picture, in pixels."""

_SPLITTING = 0x73706C6974  # tells the keys of `split` from all others


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one shape.

    Attributes:
        name: of the source.
        values: whole numbers 0 .. levels - 1 with shape (N, C, H, W), C = 1 (grey) or 3 (red, green, blue), row 0 at
            the top; uint8 up to 256 levels, uint16 above.
        levels: how many values there can be, 2 to 65,536.
        labels: what each shows, 0, 1, ..., int64 with shape (N,); None where the source does not say.
        skipped: a line for each file of the source that could not be read.
        classes: the labels' names; empty where they have none but their numbers.

    Raises:
        InputError: one line that says what does not fit.
    """

    name: str
    values: Values
    levels: int
    labels: NDArray[np.int64] | None = None
    skipped: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.values.shape
        if len(shape) != 4 or not len(self.values) or shape[1] not in (1, 3):
            raise InputError(f"{self.name}: shape {shape}; pictures are (N, C, H, W), N >= 1, C = 1 or 3")
        if not all(1 <= side <= MOST_SIDE for side in shape[2:]):
            raise InputError(f"{self.name}: {shape[2]} x {shape[3]} pixels; give 1 to {MOST_SIDE} a side")
        if not 2 <= self.levels <= MOST_LEVELS:
            raise InputError(f"{self.name}: {self.levels} levels; give 2 to {MOST_LEVELS:,}")
        if self.values.dtype != kind(self.levels):
            raise InputError(f"{self.name}: {self.values.dtype} values; {self.levels} levels are {kind(self.levels)}")
        largest = int(self.values.max())
        if largest >= self.levels:
            raise InputError(f"{self.name}: the value {largest}; {self.levels} levels are 0 .. {self.levels - 1}")
        if self.labels is not None:
            if self.labels.shape != (len(self),) or self.labels.dtype != np.int64:
                raise InputError(
                    f"{self.name}: {self.labels.dtype} labels of shape {self.labels.shape}; give int64, ({len(self)},)"
                )
            if self.labels.min() < 0 or (self.classes and self.labels.max() >= len(self.classes)):
                raise InputError(
                    f"{self.name}: labels {self.labels.min()} .. {self.labels.max()}; they are 0 .. classes - 1"
                )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each picture."""
        _, channels, height, width = self.values.shape
        return channels, height, width

    def subset(self, index: NDArray[np.integer] | NDArray[np.bool_] | slice) -> Pictures:
        """The pictures at these places, with their labels; `skipped` stays with the whole."""
        labels = None if self.labels is None else self.labels[index]
        return Pictures(self.name, self.values[index], self.levels, labels, (), self.classes)

    def split(self, held_out: float, seed: int) -> tuple[Pictures, Pictures]:
        """(pictures to train on, pictures held out), each in the order of the source.

        Of N pictures, held_out N (rounded) are held out: those with the smallest keys mix(seed, k) of their place k. Of
        each label the same share is taken; what rounding leaves over goes to the labels that lost most by it.

        Raises:
            InputError: one of the two would be empty.
        """
        total = round(held_out * len(self)) if 0 < held_out < 1 else 0
        if not 1 <= total <= len(self) - 1:
            raise InputError(
                f"held_out: {held_out:g} of {len(self)} pictures; give a share between 0 and 1 that leaves pictures "
                "on either side"
            )
        keys = _keys(len(self), seed)
        labels = np.zeros(len(self), np.int64) if self.labels is None else self.labels
        present, counts = np.unique(labels, return_counts=True)
        exact = total * counts / len(self)
        quotas = np.floor(exact).astype(np.int64)
        left_over = np.argsort(quotas - exact, kind="stable")[: total - int(quotas.sum())]
        quotas[left_over] += 1
        held = np.zeros(len(self), np.bool_)
        for label, quota in zip(present, quotas, strict=True):
            (places,) = np.nonzero(labels == label)
            held[places[np.argsort(keys[places], kind="stable")[:quota]]] = True
        return self.subset(~held), self.subset(held)


def kind(levels: int) -> np.dtype[Any]:
    """The type of whole numbers that holds so many levels: uint8 or uint16."""
    return np.dtype(np.uint8 if levels <= 256 else np.uint16)


def _keys(n: int, seed: int) -> NDArray[np.uint64]:
    """A 64-bit key for each of the places 0 .. n - 1, with shape (n,)."""
    from trainer.noise import mix

    base = mix(mix(0, _SPLITTING), operator.index(seed) & ((1 << 64) - 1))
    return np.fromiter((mix(base, k) for k in range(n)), np.uint64, n)


# --- levels to numbers and back -----------------------------------------------------------------------------------


@overload
def scaled(values: Values, levels: int, within: float | NDArray[Any] = 0.5) -> NDArray[np.float32]: ...
@overload
def scaled(values: Tensor, levels: int, within: float | Tensor = 0.5) -> Tensor: ...
def scaled(values: Any, levels: int, within: Any = 0.5) -> Any:
    """The numbers 2 (v + u) / levels - 1 in [-1, 1], float32 with the values' shape.

    Args:
        values: whole numbers 0 .. levels - 1.
        levels: how many there are.
        within: u, where in its level's interval: a number, or numbers uniform on [0, 1) with the values' shape.

    `quantised` gives v back, but for u within levels / 2^21 of an end of the interval, where float32 rounds.
    """
    if isinstance(values, np.ndarray):
        values, within = values.astype(np.float32), np.asarray(within, np.float32)
    else:
        values = values.float()
    return (values + within) * (2 / levels) - 1


@overload
def quantised(x: NDArray[Any], levels: int) -> Values: ...
@overload
def quantised(x: Tensor, levels: int) -> Tensor: ...
def quantised(x: Any, levels: int) -> Any:
    """The whole numbers 0 .. levels - 1 in whose intervals x lies; what lies outside [-1, 1] gets the nearest.

    Arrays become uint8 or uint16; tensors uint8, or int32 above 256 levels.
    """
    if isinstance(x, np.ndarray):
        return np.clip(np.floor((x + 1) * (levels / 2)), 0, levels - 1).astype(kind(levels))
    whole = ((x + 1) * (levels / 2)).floor().clamp(0, levels - 1)
    return whole.byte() if levels <= 256 else whole.int()


# --- sides that a U-Net can halve ---------------------------------------------------------------------------------


def padded_side(side: int, halvings: int) -> int:
    """The smallest multiple of 2^halvings that is not below `side`."""
    unit = 1 << halvings
    return -(-side // unit) * unit


def pad(x: Numbers, halvings: int) -> Numbers:
    """Pictures (..., H, W) with -1 added at the right and at the bottom up to the sides that `padded_side` gives."""
    height, width = x.shape[-2:]
    below, right = padded_side(height, halvings) - height, padded_side(width, halvings) - width
    if isinstance(x, np.ndarray):
        return np.pad(x, [(0, 0)] * (x.ndim - 2) + [(0, below), (0, right)], constant_values=-1)
    from torch.nn.functional import pad as pad_tensor

    return pad_tensor(x, (0, right, 0, below), value=-1.0)


def crop(x: Numbers, shape: tuple[int, int, int]) -> Numbers:
    """Pictures (..., H', W') cut to the height and width of `shape` (C, H, W): what `pad` added is gone."""
    return x[..., : shape[1], : shape[2]]
