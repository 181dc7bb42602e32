"""What moves particles: the present release, what is counted and measured of it, and forecasts of ladders.

A `Mover` knows no process, no clock and no training: orders in, `move` and `measure`, `Particles` out. The live window
has one in a process of its own, so that neither the training nor the panes wait for each other; the exporter has one
beside its simulation. The same order gives the same particles in both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from explorer.engine.forecasts import Forecasts
from explorer.engine.frames import Array, Particles
from explorer.engine.freezing import thaw
from explorer.engine.messages import Event, Look, Notice, PredictLadder
from explorer.engine.nearness import Truth
from explorer.engine.orders import Order
from explorer.engine.particles import ParticleRun
from explorer.engine.shares import ReleaseLedger
from trainer.densities import PaintedDensity
from trainer.devices import choose_device
from trainer.models import ScoreModel, TrueScore
from trainer.modes import find_modes


class _Painting:
    """A painting's density, and what is derived from it once: its modes, beside all else, and its projections."""

    def __init__(self, weights: Array, finder: ThreadPoolExecutor) -> None:
        self.weights = weights
        self.density = PaintedDensity(weights)
        self.modes = finder.submit(find_modes, self.density)
        self.truth = Truth(self.density)


class Mover:
    """Particles of one document after another.

    Args:
        device: what computes.

    Attributes:
        released: counts releases; 0 before the first of a document.
        look: what is looked at, of which trails, distances and the followed particle matter here.
        events: what a person, or the window, is to be told.
    """

    def __init__(self, device: str = "auto") -> None:
        self.released = 0
        self.look = Look()
        self.events: deque[Event] = deque()
        self._device = choose_device(device)
        self._finder = ThreadPoolExecutor(1, "modes")
        self._forecasts = Forecasts()
        self._painting: _Painting | None = None
        self._run: ParticleRun | None = None
        self._ledger: ReleaseLedger | None = None
        self._revision = 0
        self._warned: tuple[int, tuple[str, ...]] = (0, ())  # the panes that were last said to have diverged
        self._turn = 0

    # --- orders -------------------------------------------------------------------------------------------

    def paint(self, weights: Array) -> None:
        """Take note of what is painted, (rows, cols): its modes are looked for before anybody asks for them."""
        self._painted(weights)

    def _painted(self, weights: Array) -> _Painting:
        known = self._painting
        if known is None or not np.array_equal(known.weights, weights):
            known = self._painting = _Painting(weights, self._finder)
        return known

    def release(self, order: Order) -> None:
        """Release particles; those of the release before are gone."""
        painting = self._painted(order.painting)
        learned = thaw(order.learned, painting.density, self._device)
        true = TrueScore(painting.density, learned.kernel, self._device)
        models: list[ScoreModel] = [true if pane.settings.source == "true" else learned for pane in order.scene.panes]
        run = ParticleRun(order.scene, models, order.seed, painting.truth, order.learned.step)
        run.follow(self.look.followed)
        self._run, self._ledger, self._revision = run, ReleaseLedger(run, painting.modes), order.revision
        self.released += 1
        self.events.extend(Notice("info", line) for line in run.notices)

    def forget(self) -> None:
        """Another document begins: there are no particles."""
        self._run = self._ledger = None
        self.released = 0

    def show(self, step: int) -> None:
        """Show this step of the longest pane, exactly, or the last kept one before it."""
        if self._run is not None and self._ledger is not None:
            self._run.show(step)
            self._ledger.forget()

    def see(self, look: Look) -> None:
        """Look at this from now on."""
        self.look = look
        if self._run is not None:
            self._run.follow(look.followed)

    def predict(self, question: PredictLadder) -> None:
        """Begin to answer; the answer becomes an event."""
        if self._painting is not None:
            self._forecasts.ask(question, self._painting.density, self._painting.modes.result())

    # --- time ---------------------------------------------------------------------------------------------

    @property
    def left(self) -> int:
        """Steps that the present release has not taken yet."""
        run = self._run
        return 0 if run is None or run.done else max(run.steps - run.shown, 1)

    @property
    def steps(self) -> int:
        """Steps of the present release in all."""
        return self._run.steps if self._run is not None else 0

    def move(self, steps: int, deadline: float | None = None) -> int:
        """Take up to `steps` steps, fewer when the deadline (of `perf_counter`) passes; returns how many were taken."""
        run = self._run
        if run is None:
            return 0
        taken = run.move(steps, deadline)
        if run.lost and (self.released, run.lost) != self._warned:
            self._warned = self.released, run.lost
            text = (
                f"Particles left every bound and were stopped ({', '.join(run.lost)}): ε is too large, or the learned "
                "score is wrong where no data lie. Choose a smaller ε, or the true score to compare."
            )
            self.events.append(Notice("warning", text))
        return taken

    @property
    def measuring(self) -> bool:
        """Whether a distance that is wanted, or a forecast, is due."""
        return self._forecasts.busy or (
            self._run is not None and "distances" in self.look.wants and self._run.measuring
        )

    def measure(self, deadline: float | None = None) -> None:
        """Work on distances and forecasts in turns, a piece at a time, until the deadline passes or nothing is due."""
        works: tuple[Callable[[float | None], None], ...] = (self._forecast, self._compare)
        while self.measuring:
            self._turn += 1
            works[self._turn % 2](deadline)
            if deadline is not None and perf_counter() > deadline:
                break

    def _forecast(self, deadline: float | None) -> None:
        answer = self._forecasts.work(np.inf if deadline is None else deadline)
        if answer is not None:
            self.events.append(answer)

    def _compare(self, deadline: float | None) -> None:
        if self._run is not None and "distances" in self.look.wants:
            self._run.measure(deadline)

    # --- what is shown ------------------------------------------------------------------------------------

    def particles(self, *, moving: bool = False) -> Particles:
        """The present moment; `moving` says whether they run."""
        run, ledger, wants = self._run, self._ledger, self.look.wants
        if run is None or ledger is None:
            return Particles()
        return Particles(
            released=self.released,
            moving=moving,
            particle_step=run.step,
            particle_steps=run.steps,
            particles_revision=self._revision,
            panes=run.panes(),
            pane_states=run.states(trails="trails" in wants, distances="distances" in wants),
            modes=ledger.modes(),
            particle_kept=np.asarray(run.kept, np.float32),
            particle_shown=run.shown,
        )
