"""What particles show: one to four panes, each with a sampler of its own, released together from one start.

The panes are **paired**: particle k starts at the same place in all of them and draws the same noise at the same step,
so that what differs between two panes is the sampler and nothing else. Samplers of different length share one clock:
at the fraction u of the run each has taken that fraction of its own steps.

Nothing here imports torch or numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from trainer.errors import InputError
from trainer.settings import ParticleSettings, SamplerName, choice, known, number

StartKind = Literal["own", "uniform", "gaussian", "region", "point"]

MOST_PANES = 4

REGION_SIDE = 32
"""A painted region of the start is a grid of so many cells a side over the view's square [-1.25, 1.25]^2."""

_HEX = REGION_SIDE * REGION_SIDE // 4


@dataclass(frozen=True)
class Start:
    """Where particles start.

    Attributes:
        kind: "own" leaves it to each sampler: the square, or noise; the others place all panes alike.
        centre: of "gaussian" and "point", in the plane.
        spread: standard deviation of "gaussian", and half the side of "uniform"'s square about `centre`.
        region: of "region": the painted cells as 256 hexadecimal digits, four cells each, the highest bit first, row by
            row from the bottom.
    """

    kind: StartKind = "own"
    centre: tuple[float, float] = (0.0, 0.0)
    spread: float = 1.25
    region: str = ""

    def __post_init__(self) -> None:
        choice("start.kind", self.kind, get_args(StartKind))
        if not isinstance(self.centre, tuple) or len(self.centre) != 2:
            raise InputError(f"start.centre: {self.centre!r:.60} is no point; give two coordinates")
        for value in self.centre:
            number("start.centre", value, -3, 3)
        number("start.spread", self.spread, 1e-3, 3)
        if not isinstance(self.region, str) or not set(self.region) <= set("0123456789abcdef"):
            raise InputError("start.region: not hexadecimal digits; paint the region anew")
        if self.region and len(self.region) != _HEX:
            raise InputError(f"start.region: {len(self.region)} digits instead of {_HEX}; paint the region anew")
        if self.kind == "region" and not self.region.strip("0"):
            raise InputError("start.region: nothing is painted; paint where particles shall start")

    @classmethod
    def from_json(cls, values: object) -> Start:
        """Rebuild a start from `asdict`'s values; `InputError` names a field that is unknown or wrong."""
        fields = known(cls, values, "start.")
        if isinstance(fields.get("centre"), list):
            fields["centre"] = tuple(fields["centre"])
        return cls(**fields)


def region_cells(region: str) -> tuple[int, ...]:
    """The painted cells of a region, rising: row * REGION_SIDE + column, row 0 at the bottom; none of an empty text."""
    bits = "".join(f"{int(digit, 16):04b}" for digit in region)
    return tuple(index for index, bit in enumerate(bits) if bit == "1")


def region_text(cells: Iterable[int]) -> str:
    """The region that has these cells, `region_cells`' inverse.

    Raises:
        InputError: a cell lies outside the grid.
    """
    value = 0
    for index in cells:
        if not 0 <= index < REGION_SIDE**2:
            raise InputError(
                f"start.region: cell {index} is outside the grid; give one between 0 and {REGION_SIDE**2 - 1}"
            )
        value |= 1 << (REGION_SIDE**2 - 1 - index)
    return f"{value:0{_HEX}x}"


@dataclass(frozen=True)
class Pane:
    """One pane: which sampler moves the particles, and how; `settings.number` is the same in all panes of a scene."""

    sampler: SamplerName = "annealed"
    settings: ParticleSettings = field(default_factory=ParticleSettings)

    def __post_init__(self) -> None:
        choice("pane.sampler", self.sampler, get_args(SamplerName))


def story(settings: ParticleSettings | None = None) -> tuple[Pane, ...]:
    """The three panes of the first start: ascent, Langevin and annealed Langevin dynamics with the same settings."""
    settings = settings or ParticleSettings()
    return Pane("ascent", settings), Pane("langevin", settings), Pane("annealed", settings)


@dataclass(frozen=True)
class Scene:
    """One to four panes and their common start."""

    panes: tuple[Pane, ...] = field(default_factory=story)
    start: Start = field(default_factory=Start)

    def __post_init__(self) -> None:
        if not isinstance(self.panes, tuple) or not 1 <= len(self.panes) <= MOST_PANES:
            raise InputError(f"panes: there must be one to {MOST_PANES} of them")
        if len({pane.settings.number for pane in self.panes}) > 1:
            raise InputError("panes: all of them must have the same number of particles, for they are paired")

    @property
    def number(self) -> int:
        """Particles in each pane."""
        return self.panes[0].settings.number

    def with_number(self, number: int) -> Scene:
        """The same scene with so many particles in each pane."""
        return replace(
            self, panes=tuple(replace(pane, settings=replace(pane.settings, number=number)) for pane in self.panes)
        )

    def with_pane(self, index: int, pane: Pane) -> Scene:
        """The same scene with another pane in this place."""
        panes = list(self.panes)
        panes[index] = pane
        return replace(self, panes=tuple(panes))

    def with_source(self, source: Literal["learned", "true"]) -> Scene:
        """The same scene with all panes moved by this score."""
        return replace(
            self, panes=tuple(replace(pane, settings=replace(pane.settings, source=source)) for pane in self.panes)
        )

    def to_json(self) -> dict[str, Any]:
        """The scene as plain JSON values."""
        panes = [{"sampler": pane.sampler, "settings": pane.settings.to_json()} for pane in self.panes]
        return {"panes": panes, "start": asdict(self.start) | {"centre": list(self.start.centre)}}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Scene:
        """Rebuild a scene from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        fields = known(cls, values, "scene.")
        records = fields.get("panes")
        if not isinstance(records, list) or not 1 <= len(records) <= MOST_PANES:
            raise InputError(f"scene.panes: expected a list of one to {MOST_PANES} panes")
        panes = []
        for record in records:
            pane = known(Pane, record, "pane.")
            if "settings" in pane:
                pane["settings"] = ParticleSettings.from_json(pane["settings"])
            panes.append(Pane(**pane))
        return cls(tuple(panes), Start.from_json(fields.get("start", {})))
