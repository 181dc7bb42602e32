"""The ledger of a release, renewed as often as it can be read."""

from __future__ import annotations

from concurrent.futures import Future

from explorer.engine.messages import Modes
from explorer.engine.particles import ParticleRun
from trainer.modes import ModeMap

_TIMES = 60
"""The ledger is renewed so many times a run."""


class ReleaseLedger:
    """Counts one release against the modes of the density that it was made on, which may still be looked for."""

    def __init__(self, run: ParticleRun, modes: Future[ModeMap]) -> None:
        self._run, self._modes = run, modes
        self._at = -1
        self._latest: Modes | None = None

    def forget(self) -> None:
        """Count anew: another moment is shown."""
        self._at = -1

    def modes(self) -> Modes:
        """The ledger of the moment that is shown, or of one a sixtieth of the run before it."""
        run = self._run
        due = self._at < 0 or run.done or abs(run.shown - self._at) >= max(1, run.steps // _TIMES)
        if self._latest is None or (due and run.shown != self._at):
            self._latest = run.modes(self._modes.result())
            self._at = run.shown
        return self._latest
