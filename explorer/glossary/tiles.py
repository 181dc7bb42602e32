"""Which quantities stand on which square: what a person is offered who asks what a square shows."""

from __future__ import annotations

from explorer.engine.frames import Frame
from explorer.glossary.entry import Entry
from explorer.glossary.fields import FIELDS
from explorer.glossary.learning import LOSSES, MEASURES
from explorer.glossary.sampling import MOVING, SAMPLERS, SHARES, of_pane

ENTRIES: dict[str, Entry] = {
    entry.name: entry for entry in (*LOSSES, *MEASURES, *FIELDS, *SAMPLERS.values(), *MOVING, *SHARES)
}
"""Every entry by its name."""

_LOSS = "loss"
"""Stands for the loss of the objective in use; all objectives where no frame says which."""

_SAMPLER = "sampler"
"""Stands for the pane's sampler; all samplers where no frame says which."""

_PANE = (_SAMPLER, "epsilon", "ladder", "table_error", "evaluations", "sigma", "band", "distance", "elsewhere")

TILES: dict[str, tuple[str, ...]] = {
    "painting": ("p_sigma", "mass", "draws"),
    "learned": ("score", "p_sigma", "sigma", "network", "training_ladder", "keyframes"),
    "true": ("score", "p_sigma", "sigma", "log_p", "energy", "denoised"),
    "difference": ("difference", "fisher", "angle", "sigma"),
    "error_map": ("difference", "angle", "weighted_error", "expected", "fisher"),
    "curl": ("curl", "rotational", "loop"),
    "surface": ("p_sigma", "log_p", "energy"),
    "curves": ("fisher", _LOSS, "floor", "draws", "speed", "keyframes"),
    "shares": ("band", "mass", "elsewhere"),
    "distances": ("distance", "evaluations"),
    "race": (_LOSS, "floor", "fisher", "variance", "speed"),
    "race_curves": ("fisher", _LOSS, "floor", "variance"),
    "inspector": ("score", "difference", "angle", "log_p", "denoised", "divergence", "curl", "expected", "sigma"),
} | {f"pane{number}": _PANE for number in range(1, 5)}
"""The names of the entries of each square, the most asked for first."""


def entry(name: str, frame: Frame | None = None) -> Entry:
    """The entry of this name; "loss" is that of the frame's objective.

    Raises:
        KeyError: there is none.
    """
    return _losses(frame)[0] if name == _LOSS else ENTRIES[name]


def explain(tile: str, frame: Frame | None = None) -> tuple[Entry, ...]:
    """What can be asked about the square of this name; with a frame, of the objective and the samplers in use.

    A name that has no square of its own gets everything.
    """
    pane = int(tile[-1]) - 1 if tile.startswith("pane") and tile in TILES else -1
    found: list[Entry] = []
    for name in TILES.get(tile, tuple(ENTRIES)):
        if name == _LOSS:
            found += _race_losses(frame) if tile.startswith("race") else _losses(frame)
        elif name == _SAMPLER:
            found += _samplers(frame, pane)
        else:
            found.append(ENTRIES[name])
    return tuple(of_pane(each, pane) for each in found) if pane >= 0 else tuple(found)


def _losses(frame: Frame | None) -> list[Entry]:
    """The loss of the objective in use."""
    if frame is None:
        return list(LOSSES)
    name = "pooled" if (frame.objective, frame.target) == ("dsm", "pooled") else frame.objective
    return [ENTRIES[f"loss_{'ssm_vr' if name == 'hutchinson' else name}"]]


def _race_losses(frame: Frame | None) -> list[Entry]:
    """A race has several objectives, which a frame names in words alone."""
    return list(LOSSES)


def _samplers(frame: Frame | None, pane: int) -> list[Entry]:
    """The sampler of this pane."""
    if frame is None or not 0 <= pane < len(frame.pane_states):
        return list(SAMPLERS.values())
    return [SAMPLERS[frame.pane_states[pane].sampler]]
