"""A process that takes what the others leave: its priority, lowered once and for good."""

from __future__ import annotations

import os
import sys

_NICENESS = 3
"""Of two processors that three want to themselves: two fifths of one (a niceness of 3 weighs 526 against 1024)."""

_BELOW_NORMAL = 0x4000
"""BELOW_NORMAL_PRIORITY_CLASS of the Windows API."""


def yield_to_others() -> None:
    """Lower this process's priority; where the system refuses, it stays as it is."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        try:
            os.nice(_NICENESS)
        except OSError:  # a sandbox may forbid it; nothing depends on it but the share of the time
            return
