"""Running out of memory, told from other errors."""

from __future__ import annotations


def out_of_memory(error: BaseException) -> bool:
    """Whether torch or Python ran out of memory; torch's CPU allocator says so only in words."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in words or "allocate memory" in words
