"""Running out of memory, told from other errors; and giving back what was freed."""

from __future__ import annotations

import ctypes
import sys
from functools import cache


def out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory; torch's CPU allocator says so only in words."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "allocate memory" in words


def give_back() -> None:
    """Hand freed memory back to the system, where the C library keeps it.

    glibc returns only what lies at the end of a heap; what a long session has freed in between stays with the process
    and is what makes it grow by the hour. Elsewhere this does nothing. It takes some milliseconds.
    """
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> ctypes._NamedFuncPointer | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have none
