"""What computes: the processor, or an accelerator that is there."""

from __future__ import annotations

import torch

from trainer.errors import InputError


def choose_device(name: str) -> torch.device:
    """Cuda, then mps, then cpu for "auto"; otherwise the device named, or `InputError` if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind = name.split(":")[0]
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if kind not in there:
        raise InputError(f"device: {name!r} is unknown; choose one of auto, cpu, cuda, mps")
    if not there[kind]:
        raise InputError(f"device: {name!r} is not available on this machine; choose auto or cpu")
    try:
        return torch.device(name)
    except RuntimeError:
        raise InputError(f"device: {name!r} is not a device; give auto, cpu, cuda, cuda:0 or mps") from None


def device_label(device: torch.device) -> str:
    """The device as a person would say it: "cpu, 1 thread", "cuda: NVIDIA ...", "mps"."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    if device.type == "cpu":
        threads = torch.get_num_threads()
        return f"cpu, {threads} thread{'s' if threads > 1 else ''}"
    return device.type
