"""Where the engine leaves its state about once a second: shared memory that outlives it.

The state is some megabytes; through the pipe it would hold up both sides. Two slots take turns: the event in the pipe
says which slot is whole, and that one is not written to again before the next event has been sent. So whatever the
engine dies of, the slot of the last event is intact.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

CAPACITY = 16 * 1024 * 1024
"""Bytes a slot takes; a larger state travels by pipe."""


class MirrorStore:
    """One end of the store; the end that created it also unlinks it."""

    def __init__(self, segment: SharedMemory, *, owner: bool) -> None:
        self._segment = segment
        self._owner = owner
        self._closed = False

    @classmethod
    def create(cls) -> MirrorStore:
        """A new store, owned by this process."""
        return cls(SharedMemory(create=True, size=2 * CAPACITY), owner=True)

    @classmethod
    def attach(cls, name: str) -> MirrorStore:
        """The store that another process created under this name."""
        return cls(SharedMemory(name=name), owner=False)

    @property
    def name(self) -> str:
        """What `attach` takes."""
        return self._segment.name

    def write(self, slot: int, state: bytes) -> bool:
        """Put a state into a slot (0 or 1); False when it is too large."""
        if len(state) > CAPACITY:
            return False
        self._memory[slot * CAPACITY : slot * CAPACITY + len(state)] = state
        return True

    def read(self, slot: int, size: int) -> bytes:
        """The `size` bytes in a slot."""
        return bytes(self._memory[slot * CAPACITY : slot * CAPACITY + size])

    @property
    def _memory(self) -> memoryview:
        assert self._segment.buf is not None
        return self._segment.buf

    def close(self) -> None:
        """Let go of the memory, and remove it if this end created it; may be called twice."""
        if not self._closed:
            self._closed = True
            self._segment.close()
            if self._owner:
                self._segment.unlink()
