"""Qt, imported without its hook on Python's imports.

PySide reads the source of every module that is imported after it, to see whether that asks for names in snake case by
`from __feature__ import ...`. Nothing here does. Reading numpy's sources alone takes a tenth of the time until the
window is painted, and what was read is kept in memory, so the hook is taken off again.
"""

from __future__ import annotations

import builtins


def load_qt() -> None:
    """Import Qt; call it before anything else does."""
    plain = builtins.__import__
    import PySide6.QtCore  # noqa: F401 - for its being imported

    builtins.__import__ = plain
