"""Frames through shared memory: exact, newest first, never torn, never left behind."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from explorer.engine.codec import FrameTooLarge, pack, unpack
from explorer.engine.history import ErrorHistory, LossHistory, next_measurement
from explorer.engine.mailbox import CAPACITY, Mailbox
from explorer.engine.messages import Frame, Maps, Modes, PaneState, Racer


def make_plain_frame(step: int = 0, number: int = 100) -> Frame:
    """A frame whose arrays all hold `step`, so that a torn one shows."""

    def full(*shape: int) -> np.ndarray:
        return np.full(shape, step, np.float32)

    values: dict[str, Any] = {}
    for f in fields(Frame):
        kinds = {"int": step, "float": float(step), "bool": True, "str": "σ", "tuple[float, float]": (0.0, 0.5)}
        values[f.name] = kinds.get(str(f.type), full(3))
    values |= {"pane_states": (), "maps": None, "race": None}
    values |= {"learned": full(20, 20, 2), "panes": full(3, number, 2), "probe": full(0), "errors": full(4, 5)}
    values["modes"] = Modes(full(2, 2), full(2), full(3, 2), full(3, 2), full(3, 2), full(3))
    return Frame(**values)


def example(kind: Any, generator: np.random.Generator) -> Any:  # noqa: ANN401 - a value of that type
    """Any value of a field's type: parts with all their fields, arrays of any shape."""
    if is_dataclass(kind):
        return kind(**{name: example(each, generator) for name, each in get_type_hints(kind).items()})  # type: ignore[operator]
    if get_origin(kind) is UnionType:
        return example(next(each for each in get_args(kind) if each is not type(None)), generator)
    if get_origin(kind) is tuple:
        inner = [each for each in get_args(kind) if each is not Ellipsis]
        return tuple(example(each, generator) for each in (inner * 3 if Ellipsis in get_args(kind) else inner))
    values = {int: 7, float: 0.1, bool: True, str: "σ, “x”"}
    return values[kind] if kind in values else generator.random((2, 3, 5), np.float32)[:, : generator.integers(4)]


def plain(value: object) -> object:
    """What == compares bit by bit."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    return (value.shape, value.dtype.str, value.tobytes()) if isinstance(value, np.ndarray) else value


def same(a: Frame, b: Frame) -> bool:
    return plain(a) == plain(b)


def test_codec_round_trip() -> None:
    frame = make_plain_frame(7)
    buffer = bytearray(1 << 20)
    size = pack(frame, memoryview(buffer))
    assert same(unpack(bytes(buffer[:size]), Frame), frame)
    bare = replace(frame, modes=None)
    size = pack(bare, memoryview(buffer))
    assert unpack(bytes(buffer[:size]), Frame).modes is None


def test_codec_round_trip_of_every_part() -> None:
    frame = example(Frame, np.random.default_rng(0))
    assert [len(part) for part in (frame.pane_states, frame.race.racers)] == [3, 3]
    assert isinstance(frame.maps, Maps)
    buffer = bytearray(1 << 20)
    size = pack(frame, memoryview(buffer))
    out = unpack(bytes(buffer[:size]), Frame)
    assert same(out, frame)
    assert isinstance(out.pane_states[1], PaneState)
    assert isinstance(out.race.racers[2], Racer)  # type: ignore[union-attr]
    assert not same(replace(out, race=None), frame)


def test_codec_refuses_what_does_not_fit() -> None:
    with pytest.raises(FrameTooLarge, match="does not fit"):
        pack(make_plain_frame(1, number=10_000), memoryview(bytearray(10_000)))


def test_newest_wins_and_is_read_once() -> None:
    box = Mailbox.create()
    try:
        assert box.read(Frame) is None
        for step in range(1, 8):
            box.write(make_plain_frame(step))
        frame = box.read(Frame)
        assert frame is not None
        assert frame.step == 7
        assert box.read(Frame) is None
    finally:
        box.close()
        box.close()
    with pytest.raises(FileNotFoundError):
        SharedMemory(name=box.name)


def test_a_hundred_thousand_particles_a_pane_fit() -> None:
    box = Mailbox.create()
    try:
        box.write(make_plain_frame(3, number=100_000))
        frame = box.read(Frame)
        assert frame is not None
        assert frame.panes.shape == (3, 100_000, 2)
        assert frame.panes.nbytes < CAPACITY
    finally:
        box.close()


def _write_many(name: str, frames: int) -> None:
    box = Mailbox.attach(name)
    for step in range(1, frames + 1):
        box.write(make_plain_frame(step, number=5_000))
    box.close()


def test_no_torn_frame_from_another_process() -> None:
    box = Mailbox.create()
    try:
        writer = get_context("spawn").Process(target=_write_many, args=(box.name, 400))
        writer.start()
        seen: list[int] = []
        while writer.is_alive() or not seen or seen[-1] != 400:
            frame = box.read(Frame)
            if frame is None:
                continue
            assert np.all(frame.panes == frame.step)
            assert np.all(frame.learned == frame.step)
            seen.append(frame.step)
        writer.join()
        assert seen == sorted(set(seen))
        assert seen[-1] == 400
    finally:
        box.close()


def test_segment_of_another_program_is_refused() -> None:
    segment = SharedMemory(create=True, size=4096)
    try:
        other = SharedMemory(name=segment.name)
        with pytest.raises(ValueError, match="not a mailbox"):
            Mailbox(other, owner=False)
        other.close()
    finally:
        segment.close()
        segment.unlink()


def test_loss_history_stays_small_and_keeps_the_mean() -> None:
    history = LossHistory()
    for step in range(1, 100_001):
        history.add(step, step / 1000, float(step))
    steps, seconds, loss = history.arrays()
    assert len(steps) <= 512
    assert steps[-1] <= 100_000
    assert np.allclose(seconds, steps / 1000)
    assert np.allclose(loss, steps - (history.block - 1) / 2)


def test_errors_are_measured_on_a_growing_grid() -> None:
    at = [0]
    while at[-1] < 100_000:
        at.append(next_measurement(at[-1]))
    assert at[1:7] == [50, 100, 200, 400, 800, 1600]
    gaps = np.diff(at)
    assert gaps.max() == 2000
    assert np.all(np.diff(gaps[1:]) >= 0)
    history = ErrorHistory()
    for step in range(2000):
        history.add(step, step / 10, 2, 0.5)
    steps, _, errors = history.arrays()
    assert len(steps) <= 512
    assert steps[0] == 0
    assert steps[-1] == 1999
    assert np.all(errors[:, 2] == 0.5)
    assert np.all(errors[:, 0] == 0)
