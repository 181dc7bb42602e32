"""Running out of memory, told from other errors; and keeping no more of it than is in use."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_ARENA_MAX = -8
"""M_ARENA_MAX of glibc's malloc.h."""


def out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory; torch's CPU allocator says so only in words."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "allocate memory" in words


def give_back() -> None:
    """Hand freed memory back to the system, where the C library keeps it.

    glibc returns only what lies at the end of a heap; what a long session has freed in between stays with the process
    and is what makes it grow by the hour. Elsewhere this does nothing. It takes some milliseconds.
    """
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def share_heap() -> None:
    """Let the threads that this process will have take memory from one heap. It does nothing where there is no glibc.

    glibc gives a new thread a heap of its own, up to eight a processor. Threads that pack, save and listen free what
    they took, but each heap keeps some megabytes, and a long session meets more and more of them. One lock for all is
    no cost where Python lets one thread run at a time.
    """
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)


@cache
def _glibc(name: str) -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), name, None)  # other C libraries have none of these
