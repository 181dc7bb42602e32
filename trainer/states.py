"""A run's state as bytes: named tensors and plain facts in one safetensors blob, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from trainer.errors import InputError

FACTS = "facts"


def pack(facts: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """The facts, plain JSON values, and the tensors as bytes."""
    copies = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    copies[FACTS] = torch.frombuffer(bytearray(json.dumps(facts).encode()), dtype=torch.uint8)
    return save(copies)


def unpack(blob: bytes) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The facts and tensors that were packed.

    Raises:
        InputError: if the bytes are something else.
    """
    try:
        tensors = load(blob)
        facts = json.loads(tensors.pop(FACTS).numpy().tobytes())
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise not_a_state(error) from error
    return facts, tensors


def fill(into: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> None:
    """Copy each given tensor into the one of the same name, which must have its shape and type.

    Raises:
        ValueError: if one has not; KeyError: if one is missing.
    """
    for name, tensor in into.items():
        other = given[name]
        if other.shape != tensor.shape or other.dtype != tensor.dtype:
            raise ValueError(f"{name} is {other.dtype} {tuple(other.shape)}, not {tensor.dtype} {tuple(tensor.shape)}")
        tensor.copy_(other)


def not_a_state(error: Exception) -> InputError:
    """What to say of bytes that hold no state."""
    reason = " ".join(str(error).split())
    return InputError(f"state: not a state of a training run ({reason}); give the bytes of Fit.state")
