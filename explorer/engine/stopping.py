"""When training pauses by itself: each condition holds once, until something is set or drawn anew."""

from __future__ import annotations

from collections.abc import Collection

from trainer.plans import StopSettings


class Stopping:
    """Watches one run. `reason` is one line once a condition has held; whoever has paused the run takes it away."""

    def __init__(self, settings: StopSettings) -> None:
        self.settings = settings
        self.reason = ""
        self._armed = True

    def arm(self) -> None:
        """Watch from now on: something was set or drawn anew."""
        self._armed = True

    def reached(self, step: int, seconds: float, errors: Collection[float]) -> bool:
        """Whether a condition holds after this step, given the errors as last measured at all noise levels."""
        stop = self.settings
        if not self._armed:
            return False
        if stop.steps is not None and step >= stop.steps:
            self.reason = f"Training paused by itself: {step:,} steps are taken."
        elif stop.seconds is not None and seconds >= stop.seconds:
            self.reason = f"Training paused by itself after {seconds:.3g} seconds."
        elif stop.error is not None and errors and max(errors) <= stop.error:
            self.reason = f"Training paused by itself: the relative Fisher error is below {stop.error:.3g} at every σ."
        self._armed = not self.reason
        return bool(self.reason)
