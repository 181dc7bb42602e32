"""What fresh processes are given, as plain values that travel to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from explorer.engine.frames import Array
from explorer.engine.messages import Begin, Look
from explorer.engine.orders import Order


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What every process is given: its mailbox, and what computes."""

    called: ClassVar[str]
    """What a person calls it, at the beginning of a sentence."""

    mailbox: str = ""
    device: str = "auto"
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Start(Beginning):
    """All that a fresh engine needs besides: the document, and the mirrored weights to go on from.

    `slot` is the store's slot that the first mirrored state goes to; `released` says whether there are particles
    already, so that none are released by themselves.
    """

    called: ClassVar[str] = "The engine"

    look: Look
    store: str
    begin: Begin
    training: bool = True
    racing: bool = False
    released: bool = False
    keyframe_bytes: int = 64 * 2**20
    slot: int = 0


@dataclass(frozen=True, kw_only=True)
class MoverStart(Beginning):
    """All that a fresh mover needs besides: what is painted, the release to repeat, and how many came before it."""

    called: ClassVar[str] = "What moves the particles"

    look: Look
    painting: Array
    moving: bool = True
    order: Order | None = None
    released: int = 0
