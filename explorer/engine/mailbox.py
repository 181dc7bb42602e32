"""Frames through shared memory: three slots, the newest wins, no lock.

The window creates the segment and unlinks it; the other process only writes. A slot's sequence number is odd while it
is being written and even when it is whole; the reader copies the newest slot and looks at the number again. With three
slots the writer is two frames away from the one being read, so a second look almost never fails, and a killed writer
blocks nobody.

Layout: magic, slot capacity, newest sequence number (8 bytes each), then the slots: sequence, length, payload.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

import numpy as np

from explorer.engine.codec import F, pack, unpack

SLOTS = 3
CAPACITY = 6 * 1024 * 1024
"""Bytes a frame may take, unless told: four panes of 100,000 particles fit, with maps and a race of five."""

_MAGIC = 0x53434F5245585031
_HEAD = 64
_SLOT_HEAD = 64


class Mailbox:
    """One end of the mailbox. Close it when done; the end that created it also unlinks it."""

    def __init__(self, segment: SharedMemory, capacity: int = 0, *, owner: bool) -> None:
        self._segment = segment
        self._memory: memoryview = segment.buf  # type: ignore[assignment]  # None only after it has been closed
        self._owner = owner
        self._closed = False
        self._words = np.frombuffer(self._memory, np.uint64, _HEAD // 8)
        if owner:
            self._words[1] = capacity
            self._words[2] = 0
            self._words[0] = _MAGIC
        if int(self._words[0]) != _MAGIC:
            raise ValueError(f"{segment.name}: this shared memory is not a mailbox")
        self._capacity = int(self._words[1])
        stride = _SLOT_HEAD + self._capacity
        self._heads = [np.frombuffer(self._memory, np.uint64, 2, _HEAD + i * stride) for i in range(SLOTS)]
        self._places = [_HEAD + i * stride + _SLOT_HEAD for i in range(SLOTS)]
        self._sequence = int(self._words[2])
        self._seen = 0

    @classmethod
    def create(cls, capacity: int = CAPACITY) -> Mailbox:
        """A new mailbox for frames of up to so many bytes, owned by this process."""
        size = _HEAD + SLOTS * (_SLOT_HEAD + capacity)
        return cls(SharedMemory(create=True, size=size), capacity, owner=True)

    @classmethod
    def attach(cls, name: str) -> Mailbox:
        """The mailbox that another process created under this name."""
        return cls(SharedMemory(name=name), owner=False)

    @property
    def name(self) -> str:
        """What `attach` takes."""
        return self._segment.name

    def write(self, frame: object) -> None:
        """Publish a frame; frames that nobody read are overwritten.

        Raises:
            FrameTooLarge: when the frame does not fit; the mailbox keeps what it held.
        """
        self._sequence += 2
        slot = (self._sequence // 2) % SLOTS
        head, place = self._heads[slot], self._places[slot]
        head[0] = self._sequence - 1
        with self._memory[place : place + self._capacity] as payload:
            head[1] = pack(frame, payload)
        head[0] = self._sequence
        self._words[2] = self._sequence

    def read(self, kind: type[F]) -> F | None:
        """The newest frame, of this kind, if there is one that this end has not read yet."""
        data = self._newest()  # what fails beyond here holds none of the shared memory, which could not be closed then
        return None if data is None else unpack(data, kind)

    def _newest(self) -> bytes | None:
        for _ in range(SLOTS):
            newest = int(self._words[2])
            if newest == self._seen:
                return None
            slot = (newest // 2) % SLOTS
            head, place = self._heads[slot], self._places[slot]
            if int(head[0]) != newest:
                continue
            data = bytes(self._memory[place : place + int(head[1])])
            if int(head[0]) == newest:
                self._seen = newest
                return data
        return None

    def close(self) -> None:
        """Let go of the memory, and remove it if this end created it; may be called twice."""
        if self._closed:
            return
        self._closed = True
        del self._words, self._heads, self._memory
        self._segment.close()
        if self._owner:
            self._segment.unlink()
