"""What a fresh engine is given, as plain values that travel to another process."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.engine.messages import Begin, Look


@dataclass(frozen=True)
class Start:
    """All that a fresh engine needs: the document, the mirrored weights to go on from, and what is looked at."""

    mailbox: str
    store: str
    begin: Begin
    look: Look
    training: bool = True
    moving: bool = True
    racing: bool = False
    keyframe_bytes: int = 64 * 2**20
    device: str = "auto"
    threads: int = 1
    slot: int = 0
    """The slot of the store that the first mirrored state goes to."""
