"""Memory: one heap for all threads, and what is said of running out of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from explorer.engine.memory import out_of_memory

_HEAPS = """
import ctypes, sys
from threading import Barrier, Thread
from explorer.engine.memory import give_back, share_heap
if "share" in sys.argv:
    share_heap()
meet = Barrier(6)
def work():
    held = [bytearray(50_000) for _ in range(20)]
    meet.wait()
threads = [Thread(target=work) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
give_back()
c = ctypes.CDLL(None)
c.malloc_info(0, ctypes.c_void_p.in_dll(c, "stdout"))
c.fflush(None)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's heaps")
@pytest.mark.parametrize("share", [True, False])
def test_threads_share_one_heap(share: bool) -> None:
    command = [sys.executable, "-c", _HEAPS, *(["share"] if share else [])]
    heaps = subprocess.run(command, capture_output=True, text=True, check=True).stdout.count("<heap nr=")
    assert (heaps == 1) == share
    assert heaps


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes."), True),
        (RuntimeError("CUDA out of memory. Tried to allocate"), True),
        (RuntimeError("shapes do not match"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) == expected
