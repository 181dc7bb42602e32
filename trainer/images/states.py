"""What training needs to go on as if it had never stopped, beside the averaged weights: weights and Adam's moments.

    state/state.safetensors    weights.NAME, first.NAME, second.NAME, taken.NAME for each of the network's tensors
    state/state.json           the scale of the losses where training is in fp16

No generator has a state to keep: every random number of step k follows from (seed, k).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from trainer.errors import InputError
from trainer.images.weights import open_regular, read_header, read_json, read_tensors, write_tensors, write_text

if TYPE_CHECKING:
    from torch.nn import Module
    from torch.optim import Optimizer

TENSORS, FACTS = "state/state.safetensors", "state/state.json"
_LARGEST = 16 << 30
_MOMENTS = {"first": "exp_avg", "second": "exp_avg_sq", "taken": "step"}


def write_state(folder: Path, unet: Module, optimiser: Optimizer, scaler: Mapping[str, Any] | None) -> dict[str, str]:
    """Write the state into a checkpoint's folder, and return the digests by path.

    Raises:
        OSError: it cannot be written.
    """
    (folder / "state").mkdir()
    tensors = {f"weights.{name}": tensor for name, tensor in unet.state_dict().items()}
    for name, parameter in unet.named_parameters():
        kept = optimiser.state.get(parameter, {})
        tensors |= {f"{short}.{name}": kept[long] for short, long in _MOMENTS.items() if long in kept}
    return {
        TENSORS: write_tensors(folder / TENSORS, tensors),
        FACTS: write_text(folder / FACTS, json.dumps({"scaler": dict(scaler or {})}) + "\n"),
    }


def read_state(folder: Path, digests: Mapping[str, str], unet: Module, optimiser: Optimizer) -> dict[str, Any]:
    """Put network and optimiser where they were when the checkpoint was written; returns the state of the scaler.

    Raises:
        InputError: a file is missing, damaged, or of another network.
    """
    path = folder / TENSORS
    facts, digest = read_json(folder / FACTS, folder)
    _check(folder / FACTS, digest, digests.get(FACTS))
    with open_regular(path, folder, _LARGEST) as file:
        tensors, digest = read_tensors(file, path, read_header(file, path))
    _check(path, digest, digests.get(TENSORS))
    try:
        unet.load_state_dict({name: tensors[f"weights.{name}"] for name in unet.state_dict()})
        optimiser.load_state_dict(_optimiser_state(tensors, unet, optimiser))
    except (KeyError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: is not of this network ({reason}); give another folder") from error
    return dict(facts.get("scaler") or {})


def _optimiser_state(tensors: Mapping[str, Tensor], unet: Module, optimiser: Optimizer) -> dict[str, Any]:
    """Adam's state as torch has it: by the parameter's number."""
    names = {parameter: name for name, parameter in unet.named_parameters()}
    ordered = [names[parameter] for group in optimiser.param_groups for parameter in group["params"]]
    state = {
        number: {long: tensors[f"{short}.{name}"] for short, long in _MOMENTS.items()}
        for number, name in enumerate(ordered)
        if f"first.{name}" in tensors
    }
    return {"state": state, "param_groups": optimiser.state_dict()["param_groups"]}


def _check(path: Path, digest: str, wanted: str | None) -> None:
    if digest != wanted:
        raise InputError(f"{path}: is damaged, or not of this checkpoint; delete the checkpoint to go on from another")
