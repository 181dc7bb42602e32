"""A small classifier: the eyes with which samples are judged.

It is a convolutional network trained on the labelled pictures that the model itself was trained on, seeded, for a fixed
number of steps; its last hidden layer, 64 numbers a picture, is the space in which distances between sets of pictures
are taken. Features that tell the classes of *these* pictures apart are a better measure here than those of a network
trained on photographs, and need no download.

Pictures without labels get a task that needs none: to tell by which quarter turn they were turned (Gidaris, Singh &
Komodakis 2018), or, where they are not square, how they were mirrored.

    classifier = train_classifier(train, seed=0)
    save_classifier("eyes", classifier)          # weights.safetensors and classifier.json
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from trainer.archives import write_whole
from trainer.errors import InputError
from trainer.images.pictures import Pictures, scaled
from trainer.images.weights import open_regular, read_header, read_json, read_tensors, write_tensors
from trainer.noise import Noise, mix
from trainer.settings import known, whole

FEATURES = 64
"""Numbers that a picture becomes."""
FORMAT, VERSION = "score-explorer classifier", 1
WEIGHTS, DESCRIPTION = "weights.safetensors", "classifier.json"

_WIDTHS = (32, 64, 96, 128)
_BATCH = 128
_EPOCHS, _FEWEST, _MOST = 80, 300, 3000  # steps are so many passes, but within these bounds
_RATE, _DECAY = 2e-3, 1e-2
_ORDER, _WEIGHTS = 0x6F72646572, 0x65796573  # tell apart the uses of one seed
_MASK = (1 << 63) - 1
_AT_ONCE = 512


@dataclass(frozen=True)
class ClassifierCard:
    """What a classifier is: (C, H, W) of its pictures, its classes, the task, and how it was made."""

    shape: tuple[int, int, int]
    classes: int
    turned: bool
    """Whether it tells turns apart, for want of labels."""
    seed: int
    steps: int
    data: str = ""
    accuracy: float | None = None
    """On held-out pictures, once it was measured."""


class Classifier(nn.Module):
    """Convolutions that halve the picture down to 4 pixels a side, a hidden layer of `FEATURES`, and the classes."""

    def __init__(self, card: ClassifierCard) -> None:
        super().__init__()
        self.card = card
        channels, *sides = card.shape
        layers: list[nn.Module] = []
        for depth, width in enumerate(_WIDTHS):
            halve = depth > 0 and max(sides) > 4
            layers += [nn.Conv2d(channels, width, 3, stride=2 if halve else 1, padding=1), nn.SiLU()]
            sides = [-(-side // 2) for side in sides] if halve else sides
            channels = width
            if depth and max(sides) <= 4:
                break
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.hidden = nn.Sequential(nn.Linear(16 * channels, FEATURES), nn.SiLU())
        self.last = nn.Linear(FEATURES, card.classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, classes) of pictures (B, C, H, W) in [-1, 1]."""
        return self.last(self.hidden(self.convolutions(x)))

    def features(self, x: Tensor) -> Tensor:
        """The hidden layer, (N, FEATURES) float64 on the processor, of pictures (N, C, H, W) in [-1, 1]."""
        return self._by_parts(x, lambda part: self.hidden(self.convolutions(part))).double()

    def labels(self, x: Tensor) -> Tensor:
        """The likeliest class of each picture, (N,) int64 on the processor."""
        return self._by_parts(x, lambda part: self(part).argmax(1))

    @torch.no_grad()
    def _by_parts(self, x: Tensor, of: Callable[[Tensor], Tensor]) -> Tensor:
        if tuple(x.shape[1:]) != tuple(self.card.shape):
            raise InputError(
                f"pictures of shape {tuple(x.shape[1:])}; this classifier was made for {tuple(self.card.shape)}"
            )
        device = self.last.weight.device
        return torch.cat([of(part.to(device)).cpu() for part in x.split(_AT_ONCE)])


def train_classifier(
    pictures: Pictures,
    *,
    seed: int = 0,
    steps: int | None = None,
    device: torch.device | str = "cpu",
    watch: Callable[[int, int], None] | None = None,
) -> Classifier:
    """A classifier of these pictures, by AdamW with a rate that falls to zero as a cosine.

    Args:
        pictures: to learn; without labels, their turns are learned.
        seed: of the weights, the order of the pictures and where in their levels' intervals the values lie.
        steps: None for 80 passes over the pictures, but 300 to 3,000 steps.
        device: where.
        watch: called after each step with the steps done and those to do.

    Raises:
        InputError: the pictures have one class only.
    """
    x, labels, turned = task(pictures)
    classes = int(labels.max()) + 1
    if classes < 2 or len(labels.unique()) < 2:
        raise InputError(f"{pictures.name}: all pictures have one label; a classifier needs two classes or more")
    if steps is None:
        steps = min(max(_EPOCHS * len(x) // _BATCH, _FEWEST), _MOST)
    whole("steps", steps, 1, 10**7)
    card = ClassifierCard(pictures.shape, classes, turned, seed, steps, pictures.name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix(mix(0, _WEIGHTS), seed) & _MASK)
        model = Classifier(card)
    model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=_RATE, weight_decay=_DECAY)
    noise = Noise(mix(_ORDER, seed))
    width = 2 / pictures.levels
    for step in range(1, steps + 1):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        size = min(_BATCH, len(x))
        where = (noise.uniform(step, 0, size, (1,))[:, 0] * len(x)).long().clamp_(max=len(x) - 1)
        batch = x[where] + width * (noise.uniform(step, 1, size, pictures.shape) - 0.5)  # dequantised
        optimiser.zero_grad()
        cross_entropy(model(batch.to(device)), labels[where].to(device)).backward()
        optimiser.step()
        if watch is not None:
            watch(step, steps)
    return model.eval().requires_grad_(False)


def accuracy(classifier: Classifier, pictures: Pictures) -> float:
    """The share of pictures whose label it finds; of turned pictures, whose turn."""
    x, labels, turned = task(pictures)
    if turned != classifier.card.turned:
        raise InputError(f"{pictures.name}: has {'no' if turned else ''} labels, unlike what the classifier learned")
    return float((classifier.labels(x) == labels).double().mean())


def task(pictures: Pictures) -> tuple[Tensor, Tensor, bool]:
    """(pictures (M, C, H, W) in [-1, 1], what to say of them (M,), whether they had to be turned for that)."""
    x = torch.from_numpy(scaled(pictures.values, pictures.levels))
    if pictures.labels is not None and len(np.unique(pictures.labels)) > 1:
        return x, torch.from_numpy(pictures.labels), False
    if x.shape[2] == x.shape[3]:
        turns = [x.rot90(k, (2, 3)) for k in range(4)]
    else:
        turns = [x, x.flip(2), x.flip(3), x.flip(2, 3)]
    return torch.cat(turns), torch.arange(4).repeat_interleave(len(x)), True


# --- files --------------------------------------------------------------------------------------------------------


def save_classifier(folder: str | Path, classifier: Classifier) -> None:
    """Write weights.safetensors, then classifier.json with its digest; without the second the folder holds none.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / DESCRIPTION).unlink(missing_ok=True)
        digest = write_tensors(folder / WEIGHTS, classifier.state_dict())
    except OSError as error:
        raise InputError(f"{folder}: cannot be written: {error.strerror or error}; choose another folder") from error
    values = {"format": FORMAT, "version": VERSION, **asdict(classifier.card), "digest": digest}
    write_whole(folder / DESCRIPTION, (json.dumps(values, indent=1) + "\n").encode())


def load_classifier(folder: str | Path, device: torch.device | str = "cpu") -> Classifier:
    """The classifier that `save_classifier` wrote.

    Raises:
        InputError: one line that names the file and what is wrong with it.
    """
    folder = Path(folder)
    values, _ = read_json(folder / DESCRIPTION, folder)
    if values.pop("format", None) != FORMAT or values.pop("version", None) != VERSION:
        raise InputError(f"{folder / DESCRIPTION}: is not the description of a classifier; use another copy")
    digest = values.pop("digest", None)
    card = _card(folder / DESCRIPTION, values)
    path = folder / WEIGHTS
    with torch.device("meta"):
        model = Classifier(card)
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    with open_regular(path, folder, 1 << 28) as file:
        entries = read_header(file, path)
        if {name: entry.shape for name, entry in entries.items()} != wanted:
            raise InputError(f"{path}: does not hold the weights of {DESCRIPTION}; use another copy of the folder")
        tensors, found = read_tensors(file, path, entries)
    if found != digest:
        raise InputError(f"{path}: is not the file that {DESCRIPTION} was written with; use another copy of the folder")
    model.load_state_dict(tensors, assign=True)
    return model.to(device).eval().requires_grad_(False)


def _card(path: Path, values: dict[str, Any]) -> ClassifierCard:
    try:
        given = known(ClassifierCard, values)
        shape = given.get("shape")
        if not isinstance(shape, list) or len(shape) != 3:
            raise InputError("shape: give three whole numbers")
        for side in shape:
            whole("shape", side, 1, 1024)
        whole("classes", given.get("classes"), 2, 100_000)
        return ClassifierCard(**{**given, "shape": tuple(shape)})
    except (InputError, TypeError) as error:
        raise InputError(f"{path}: {str(error).split('__init__() ')[-1]}; use another copy") from error
