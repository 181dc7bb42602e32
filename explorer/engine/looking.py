"""What is looked at: the fields, the maps and the points of one `Look`, made from whatever weights it shows.

Nothing here changes the run. The present weights are those of the fit; the past ones are the kept weights of an earlier
training step (`explorer.engine.keyframes`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.engine.fields import Fields
from explorer.engine.inspection import inspect
from explorer.engine.keyframes import Keyframes
from explorer.engine.maps import MapMaker
from explorer.engine.messages import INSPECTED, Array, Look, Maps
from trainer.densities import PaintedDensity
from trainer.fit import Fit
from trainer.models import ScoreModel

_MAP_WANTS = frozenset({"fine", "curl", "log_density"})


@dataclass(frozen=True)
class Sight:
    """What of the run a look shows.

    Attributes:
        model: the learned score.
        step: the training step of its weights if they are kept ones, -1 for the present ones.
        weights: what tells its weights from all others.
        sigma: the noise level, one that the model knows.
    """

    model: ScoreModel
    step: int
    weights: tuple[int, int]
    sigma: float


class Looking:
    """The look of one session.

    Attributes:
        look: what is asked for.
        probe: the point under the cursor.
        fields: both fields, after `take`.
    """

    def __init__(self) -> None:
        self.look = Look()
        self.probe: tuple[float, float] | None = None
        self.fields = Fields()
        self._maps = MapMaker()
        self._inspected: tuple[tuple[object, ...], tuple[int, int], Array] = ((), (0, 0), _no_points())

    def sight(self, run: int, fit: Fit, keyframes: Keyframes) -> Sight:
        """What the look shows of a fit and its past."""
        look = self.look
        kept = None if look.step is None else keyframes.at(look.step)
        model: ScoreModel = fit if kept is None else kept  # the range of a past one may be that of another painting
        sigma = min(max(look.sigma, model.sigma_min), model.sigma_max)
        if kept is None:
            return Sight(fit, -1, (run, fit.step), sigma)
        return Sight(kept, kept.step, (run, -1 - kept.step), sigma)

    def take(self, sight: Sight, density: PaintedDensity, due: bool) -> None:
        """Bring the fields up to date; `due` says whether other weights at the same place are worth it."""
        self.fields.take(sight.model, sight.weights, density, sight.sigma, self.look, due)

    def points(self, sight: Sight, density: PaintedDensity, draws: int, due: bool) -> tuple[Array, Array]:
        """What is to be said of the probed point, (11,) or (0,), and of the pinned ones, (k, 11)."""
        probed = (self.probe,) if self.probe else ()
        points = (*probed, *self.look.pins)
        area = (2 * self.look.half_width / self.look.cells) ** 2
        where = (id(density), sight.sigma, points, area)
        if self._inspected[0] != where or (due and self._inspected[1] != sight.weights):
            values = inspect(sight.model, density, sight.sigma, points, draws, area)
            self._inspected = (where, sight.weights, values)
        values = self._inspected[2]
        return (values[0], values[1:]) if probed else (np.zeros(0, np.float32), values)

    # --- maps ---

    @property
    def wants_maps(self) -> bool:
        """Whether anything on the screen shows maps or a loop."""
        return bool(self.look.wants & _MAP_WANTS or self.look.loop)

    def work_on_maps(self, sight: Sight, fit: Fit, density: PaintedDensity, deadline: float | None) -> bool:
        """Go on with the maps that are wanted until the deadline; True when nothing is left to do."""
        look = self.look
        self._maps.request(
            fit.snapshot() if sight.step < 0 else sight.model,
            density,
            sight.sigma,
            look.centre,
            look.half_width,
            look.cells,
            fit.step if sight.step < 0 else sight.step,
            look.wants,
            fit.points_per_block,
            "log_density" in look.wants and fit.has_log_density,
            look.loop,
        )
        return self._maps.work(deadline)

    @property
    def maps(self) -> Maps | None:
        """The newest complete maps, while they are wanted."""
        return self._maps.latest if self.look.wants & _MAP_WANTS else None

    @property
    def loop(self) -> Array:
        """The corners of the loop whose integrals are known, (k, 2)."""
        return self._maps.loop

    @property
    def loop_integrals(self) -> Array:
        """The scores' integrals round it, (2, 3)."""
        return self._maps.loop_integrals


def _no_points() -> Array:
    return np.zeros((0, len(INSPECTED)), np.float32)
