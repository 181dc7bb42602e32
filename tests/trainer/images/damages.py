"""Damaged checkpoints by the thousand: what a bad disk, a bad download or a bad person does to a folder.

`damage(folder, number)` does one thing to it, a function of the number alone, and says what.
"""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"
TEXTS = ("trainer.json", "model_index.json", "unet/config.json", "scheduler/scheduler_config.json")
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 10**6, 10**18, 1e308, "x" * 5000, "../../etc/passwd", [], [[]] * 50, [10**6] * 4, {}, {"a": 1},
    "NaN", [1, 2, 3], 0.5,
)  # fmt: skip
_PATHS = ("../outside", "/etc/passwd", "..\\up", "a/../../b", "\x00", "unet/../../x", "C:\\x")


def damage(folder: Path, number: int) -> str:
    """Damage the checkpoint in one way, and say in which."""
    dice = random.Random(number)
    kinds = list(_KINDS)
    kind = kinds[number % len(kinds)]
    _KINDS[kind](folder, dice)
    return kind


def _any_file(folder: Path, dice: random.Random) -> Path:
    return dice.choice([folder / name for name in (*TEXTS, WEIGHTS, WEIGHTS) if (folder / name).exists()])


def _truncate(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    os.truncate(path, dice.randrange(path.stat().st_size))


def _flip(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 8, 64))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def _flip_header(folder: Path, dice: random.Random) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    length = int.from_bytes(data[:8], "little")
    data[dice.randrange(8 + length)] ^= 1 << dice.randrange(8)
    (folder / WEIGHTS).write_bytes(data)


def _scramble(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    path.write_bytes(dice.randbytes(dice.choice((0, 1, 7, 8, 9, 100, 100_000))))


def _remove(folder: Path, dice: random.Random) -> None:
    _any_file(folder, dice).unlink()


def _append(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    path.write_bytes(path.read_bytes() + dice.randbytes(dice.choice((1, 1000))))


def _huge_header(folder: Path, dice: random.Random) -> None:
    data = (folder / WEIGHTS).read_bytes()
    length = dice.choice((2**63, 2**64 - 1, 10**12, 100_000_000, len(data), len(data) - 8))
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", length) + data[8:])


def _bomb(folder: Path, dice: random.Random) -> None:
    bomb = dice.choice(
        (
            b"[" * 500_000,
            b'{"a":' * 200_000,
            b"[" + b"[]," * 300_000 + b"[]]",
            b'{"a":' + b"9" * 900_000 + b"}",
            b'{"a":"' + b"\\u0041" * 150_000 + b'"}',
            b"{" + b",".join(b'"%d":[]' % k for k in range(80_000)) + b"}",
            b" " * 3_000_000,
        )
    )
    if dice.random() < 0.5:
        (folder / dice.choice(TEXTS[1:])).write_bytes(bomb)
    else:
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(bomb)) + bomb + bytes(64))


def _edit_header(change: Callable[[dict[str, Any], random.Random], None]) -> Callable[[Path, random.Random], None]:
    def edit(folder: Path, dice: random.Random) -> None:
        data = (folder / WEIGHTS).read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        change(header, dice)
        text = json.dumps(header).encode()
        (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])

    return edit


def _pick(header: dict[str, Any], dice: random.Random) -> str:
    return dice.choice([name for name in header if name != "__metadata__"])


def _shape(header: dict[str, Any], dice: random.Random) -> None:
    entry = header[_pick(header, dice)]
    entry["shape"] = dice.choice(
        ([*entry["shape"][::-1], 1], [2**40], [-1, 5], [0], [1] * 400, "x", None, [1.5], [True], [2**62, 2**62])
    )


def _offsets(header: dict[str, Any], dice: random.Random) -> None:
    entry = header[_pick(header, dice)]
    first, end = entry["data_offsets"]
    entry["data_offsets"] = dice.choice(
        ([first + 4, end + 4], [end, first], [-4, end], [first, 2**60], [0, end - first], [first], None, [0.0, 1.0])
    )


def _type(header: dict[str, Any], dice: random.Random) -> None:
    header[_pick(header, dice)]["dtype"] = dice.choice(("F16", "I64", "BOOL", "F8_E4M3", "pickle", 7, None, ["F32"]))


def _rename(header: dict[str, Any], dice: random.Random) -> None:
    header[dice.choice((*_PATHS, "x" * 100_000, "", "conv_in.weight.more"))] = header.pop(_pick(header, dice))


def _many(header: dict[str, Any], dice: random.Random) -> None:
    for k in range(dice.choice((1, 30_000))):
        header[f"more.{k}"] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}


def _spoil_numbers(folder: Path, dice: random.Random) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    place = start + 4 * dice.randrange((len(data) - start) // 4)
    value = dice.choice((float("nan"), float("inf"), float("-inf")))
    data[place : place + 4] = np.float32(value).tobytes()
    (folder / WEIGHTS).write_bytes(data)


def _edit_text(folder: Path, dice: random.Random) -> None:
    path = folder / dice.choice([name for name in TEXTS if (folder / name).exists()])
    values = json.loads(path.read_text())
    key = dice.choice([*values, "unknown", "_class_name", dice.choice(_PATHS)])
    if dice.random() < 0.2:
        values.pop(key, None)
    else:
        values[key] = dice.choice(_VALUES)
    path.write_text(json.dumps(values))


def _huge_config(folder: Path, dice: random.Random) -> None:
    path = folder / "unet/config.json"
    values = json.loads(path.read_text())
    values |= dice.choice(
        (
            {"block_out_channels": [10**6, 10**6]},
            {"block_out_channels": [2048, 2048], "norm_num_groups": 1},
            {"block_out_channels": [8] * 1000, "down_block_types": ["DownBlock2D"] * 1000},
            {"layers_per_block": 10**9},
            {"layers_per_block": 16},
            {"sample_size": 10**9},
            {"sample_size": 4096},
            {"time_embedding_dim": 10**12},
            {"attention_head_dim": 2048},
            {"norm_num_groups": 0},
            {"norm_num_groups": 7},
            {"num_class_embeds": 10**9},
            {"time_embedding_type": "learned", "num_train_timesteps": 10**12},
            {"_class_name": "UNet2DConditionModel"},
            {"_class_name": "os.system"},
            {"down_block_types": ["KDownBlock2D", "x"]},
            {"in_channels": 4, "out_channels": 3},
            {"act_fn": "exec"},
        )
    )
    path.write_text(json.dumps(values))


def _link(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    path.unlink()
    path.symlink_to(dice.choice(("/etc/passwd", "/dev/zero", "/dev/random", "../../..", str(path), "/proc/self/mem")))


def _not_a_file(folder: Path, dice: random.Random) -> None:
    path = _any_file(folder, dice)
    path.unlink()
    if dice.random() < 0.5:
        path.mkdir()
    else:
        os.mkfifo(path)


def _sparse(folder: Path, dice: random.Random) -> None:
    os.truncate(_any_file(folder, dice), dice.choice((1 << 33, 1 << 40)))


_KINDS: dict[str, Callable[[Path, random.Random], None]] = {
    "cut short": _truncate,
    "bits flipped": _flip,
    "bits of the header flipped": _flip_header,
    "scrambled": _scramble,
    "a file missing": _remove,
    "bytes appended": _append,
    "a huge header": _huge_header,
    "a JSON bomb": _bomb,
    "a wrong shape": _edit_header(_shape),
    "wrong offsets": _edit_header(_offsets),
    "a wrong type": _edit_header(_type),
    "another name": _edit_header(_rename),
    "more arrays": _edit_header(_many),
    "NaN or infinity": _spoil_numbers,
    "a field of another kind": _edit_text,
    "a huge config": _huge_config,
    "a link out of the folder": _link,
    "not a file": _not_a_file,
    "a sparse giant": _sparse,
}
