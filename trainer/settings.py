"""Choices that a person makes before or during a run, as frozen dataclasses.

Nothing here imports torch or numpy: the window, project files and checkpoints carry these objects, and the rest of
`trainer` acts on them. Every class checks its own fields when it is made and raises
`InputError` with one line that names the field and what would be right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from itertools import pairwise
from typing import Any, Literal, get_args

from trainer.errors import InputError
from trainer.words import WORDS

Objective = Literal["dsm", "esm", "ism", "hutchinson", "ssm", "ssm_vr", "ddpm"]
Target = Literal["pooled", "reference", "control_variate", "single"]
Weighting = Literal["edm", "ncsn", "ddpm", "none"]
KernelName = Literal["gaussian", "laplace", "mixture"]
Parameterisation = Literal["denoiser", "noise", "score", "energy", "unconditional"]
Schedule = Literal["geometric", "edm", "ddpm-linear", "ddpm-cosine"]
Projection = Literal["gaussian", "rademacher", "sphere"]
Activation = Literal["silu", "gelu", "tanh", "softplus"]
Source = Literal["learned", "true"]
SamplerName = Literal["ascent", "langevin", "mala", "annealed", "pc", "sde", "ode", "ddpm", "ddim"]
OdeMethod = Literal["heun", "euler"]
VPSchedule = Literal["ddpm-linear", "ddpm-cosine"]

MOST_SIGMA = 1e5
"""No noise level is above it; the highest that can be learned, the last of the cosine schedule, is 20,291."""

_TARGETS = {"pooled": "a pooled target", "control_variate": "a control variate"}


def number(name: str, value: object, low: float, high: float) -> None:
    """Refuse anything but a finite number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name}: {value!r} is not a number; give one between {low:g} and {high:g}")
    if not low <= value <= high:  # NaN too
        shown = f"{value:g}" if abs(value) < 1e300 or isinstance(value, float) else "a number of hundreds of digits"
        raise InputError(f"{name}: {shown} is out of range; give a number between {low:g} and {high:g}")


def whole(name: str, value: object, low: int, high: int) -> None:
    """Refuse anything but a whole number in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"{name}: {value!r} is not a whole number; give one between {low} and {high}")
    number(name, value, low, high)


def choice(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse anything but one of these words."""
    if value not in allowed:
        raise InputError(f"{name}: {value!r} is unknown; choose one of {', '.join(allowed)}")


@dataclass(frozen=True)
class LadderSettings:
    """The noise levels of training: a geometric ladder sigma_1 > ... > sigma_L (Song & Ermon 2019, section 4.1).

    One level means sigma_min alone. The schedule "edm" has levels between the two ends; DDPM's have ends of their own.
    """

    levels: int = 32
    sigma_min: float = 0.02
    sigma_max: float | None = None
    """None: the largest pairwise distance of the data (Song & Ermon 2020, Technique 1)."""

    def __post_init__(self) -> None:
        whole("ladder.levels", self.levels, 1, 1000)
        number("ladder.sigma_min", self.sigma_min, 1e-4, 10)
        if self.sigma_max is not None:
            number("ladder.sigma_max", self.sigma_max, 1e-4, 100)
            if self.sigma_max <= self.sigma_min:
                raise InputError(
                    f"ladder.sigma_max: {self.sigma_max:g} is not above the smallest level, {self.sigma_min:g}; "
                    "give a larger one"
                )


@dataclass(frozen=True)
class NetworkSettings:
    """The score network: an MLP on Fourier features of the position (`trainer.networks`)."""

    width: int = 128
    depth: int = 2
    features: int = 64
    """Fourier frequencies; 0 leaves the network with the bare coordinates."""
    octaves: float = 4.5
    """How far the frequencies reach above the slowest, pi / 2."""
    damped: bool = True
    """Whether each frequency fades with the noise that blurs it away; undamped are the features of Tancik et al."""
    activation: Activation = "silu"

    def __post_init__(self) -> None:
        whole("network.width", self.width, 8, 1024)
        whole("network.depth", self.depth, 1, 8)
        whole("network.features", self.features, 0, 1024)
        number("network.octaves", self.octaves, 0, 10)
        if not isinstance(self.damped, bool):
            raise InputError(f"network.damped: {self.damped!r} is neither true nor false")
        choice("network.activation", self.activation, get_args(Activation))


@dataclass(frozen=True)
class FitSettings:
    """What `trainer.fit.Fit` minimises, on what, and how fast."""

    objective: Objective = "dsm"
    target: Target = "pooled"
    """What denoising score matching regresses on (`trainer.objectives`); the other objectives have no choice."""
    weighting: Weighting = "edm"
    kernel: KernelName = "gaussian"
    parameterisation: Parameterisation = "denoiser"
    schedule: Schedule = "geometric"
    projections: int = 1
    """Random directions per point that sliced and Hutchinson's score matching average over."""
    projection: Projection = "rademacher"
    reference: int = 256
    """Draws that a reference batch holds."""
    ladder: LadderSettings = field(default_factory=LadderSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    batch: int = 512
    learning_rate: float = 2.5e-2
    ema: float = 0.1

    def __post_init__(self) -> None:
        choice("objective", self.objective, get_args(Objective))
        choice("target", self.target, get_args(Target))
        choice("weighting", self.weighting, get_args(Weighting))
        choice("kernel", self.kernel, get_args(KernelName))
        choice("parameterisation", self.parameterisation, get_args(Parameterisation))
        choice("schedule", self.schedule, get_args(Schedule))
        whole("projections", self.projections, 1, 1024)
        choice("projection", self.projection, get_args(Projection))
        whole("reference", self.reference, 2, 16384)
        whole("batch", self.batch, 16, 65536)
        number("learning_rate", self.learning_rate, 1e-7, 1e6)
        number("ema", self.ema, 0.001, 0.5)
        self._fit_together()

    def _fit_together(self) -> None:
        """Refuse what is not defined: each of these formulas holds under an assumption that another field breaks."""
        denoising = self.objective == "dsm"
        noise, levels = WORDS["kernel"][self.kernel], WORDS["schedule"][self.schedule]
        if self.objective == "ddpm" and not self.schedule.startswith("ddpm"):
            raise InputError(
                f"schedule: DDPM's objective draws its noise levels from DDPM's timesteps, not from {self.schedule}; "
                "choose ddpm-linear or ddpm-cosine"
            )
        if self.objective == "ddpm" and self.weighting != "ddpm":
            raise InputError(
                f"weighting: DDPM's objective has a weight of its own, 2σ², not {self.weighting}; choose ddpm"
            )
        if denoising and self.target in ("pooled", "control_variate") and self.schedule != "geometric":
            raise InputError(
                f"target: {_TARGETS[self.target]} is fitted level by level, and {levels} has too many levels; "
                "choose a geometric ladder, or the target reference or single (one draw)"
            )
        if self.kernel != "gaussian" and self.schedule.startswith("ddpm"):
            raise InputError(
                f"schedule: {levels} is defined for Gaussian noise, not for {noise}; choose geometric or edm"
            )
        if self.schedule.startswith("ddpm") and self.parameterisation in ("score", "unconditional"):
            raise InputError(
                f"parameterisation: {self.parameterisation} does not learn at DDPM's noise levels, which reach from "
                "0.01 to 20,000; choose noise, denoiser or energy"
            )
        if self.kernel == "gaussian":
            return
        if self.parameterisation in ("denoiser", "noise"):
            raise InputError(
                f"parameterisation: {self.parameterisation} is defined for Gaussian noise, not for {noise}; "
                "choose score, energy or unconditional"
            )
        if denoising and self.target in ("pooled", "control_variate"):
            raise InputError(
                f"target: {_TARGETS[self.target]} is known for Gaussian noise, not for {noise}; "
                "choose reference or single (one draw)"
            )

    @property
    def pooled(self) -> bool:
        """Whether targets come from the tables of a growing pool."""
        return self.objective == "dsm" and self.target == "pooled"

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FitSettings:
        """Rebuild settings from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        given = known(cls, values)
        if "ladder" in given:
            given["ladder"] = LadderSettings(**known(LadderSettings, given["ladder"], "ladder."))
        if "network" in given:
            given["network"] = NetworkSettings(**known(NetworkSettings, given["network"], "network."))
        return cls(**given)


@dataclass(frozen=True)
class Rung:
    """One noise level of a ladder that a person has drawn: so many steps of size epsilon, alpha_i itself, at sigma."""

    sigma: float
    steps: int
    epsilon: float

    def __post_init__(self) -> None:
        number("rung.sigma", self.sigma, 1e-3, 1000)
        whole("rung.steps", self.steps, 1, 10_000)
        number("rung.epsilon", self.epsilon, 1e-12, 1000)


@dataclass(frozen=True)
class ParticleSettings:
    """How particles move, whichever sampler moves them (`trainer.samplers`).

    `levels` to `sigma_max` are the ladder and the steps of annealed Langevin dynamics. Plain Langevin dynamics,
    Metropolis-adjusted or not, and gradient ascent take as many steps in all, at the smallest sigma. `start_sigma` and
    what follows it belong to the samplers that turn noise into data: pc, sde, ode, ddpm and ddim.
    """

    source: Source = "learned"
    number: int = 10_000
    levels: int = 22
    steps: int = 400
    """Steps at each noise level down to `fine_below`."""
    fine_steps: int = 10
    """Steps at each noise level under `fine_below`; as many as `steps` makes it the schedule of Song & Ermon 2019."""
    fine_below: float = 0.24
    epsilon: float = 9e-5
    sigma_min: float = 0.02
    sigma_max: float = 0.4
    start_sigma: float | None = None
    """The noise level to start from; None: the model's largest, but no more than 3, which is right for the plane."""
    diffusion_steps: int = 300
    """Noise levels from `start_sigma` down to `sigma_min`: one step each, of which the last denoises."""
    rho: float = 7.0
    """How pc, sde and ode space them: evenly in sigma^(1 / rho) (Karras et al. 2022, eq. 5)."""
    corrector_steps: int = 1
    """Langevin steps of pc at each noise level, before its predictor."""
    corrector_snr: float = 0.16
    """Their signal-to-noise ratio r: h = 2 (r sigma)^2 (Song et al. 2021, Algorithm 4)."""
    ode_method: OdeMethod = "heun"
    vp_schedule: VPSchedule = "ddpm-linear"
    """Which thousand noise levels ddpm and ddim take theirs from."""
    eta: float = 0.0
    """The noise of ddim: 0 is deterministic, 1 is ddpm (Song, Meng & Ermon 2021, eq. 16)."""
    rungs: tuple[Rung, ...] = ()
    """A ladder drawn level by level, largest sigma first; empty: the geometric one that the fields above describe."""

    def __post_init__(self) -> None:
        choice("particles.source", self.source, get_args(Source))
        whole("particles.number", self.number, 1, 100_000)
        whole("particles.levels", self.levels, 1, 1000)
        whole("particles.steps", self.steps, 1, 10_000)
        whole("particles.fine_steps", self.fine_steps, 1, 10_000)
        number("particles.fine_below", self.fine_below, 0, 10)
        number("particles.epsilon", self.epsilon, 1e-12, 1000)
        number("particles.sigma_min", self.sigma_min, 1e-3, 10)
        number("particles.sigma_max", self.sigma_max, 1e-3, 1000)
        if self.sigma_max < self.sigma_min:
            raise InputError(f"particles.sigma_max: {self.sigma_max:g} is below sigma_min = {self.sigma_min:g}")
        if self.start_sigma is not None:
            number("particles.start_sigma", self.start_sigma, 1e-3, 1000)
            if self.start_sigma < self.sigma_min:
                raise InputError(f"particles.start_sigma: {self.start_sigma:g} is below sigma_min = {self.sigma_min:g}")
        whole("particles.diffusion_steps", self.diffusion_steps, 2, 10_000)
        number("particles.rho", self.rho, 1, 100)
        whole("particles.corrector_steps", self.corrector_steps, 0, 1000)
        number("particles.corrector_snr", self.corrector_snr, 1e-4, 0.7)
        choice("particles.ode_method", self.ode_method, get_args(OdeMethod))
        choice("particles.vp_schedule", self.vp_schedule, get_args(VPSchedule))
        number("particles.eta", self.eta, 0, 1)
        if not isinstance(self.rungs, tuple) or not all(isinstance(rung, Rung) for rung in self.rungs):
            raise InputError("particles.rungs: not a list of noise levels; give sigma, steps and epsilon of each")
        if len(self.rungs) > 1000:
            raise InputError(f"particles.rungs: {len(self.rungs)} noise levels; give at most 1000")
        for above, below in pairwise(self.rungs):
            if not above.sigma > below.sigma:
                raise InputError(f"particles.rungs: {below.sigma:g} follows {above.sigma:g}; sigma must fall")

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ParticleSettings:
        """Rebuild settings from `to_json`'s values; `InputError` names a field that is unknown or wrong."""
        given = known(cls, values, "particles.")
        if "rungs" in given:
            if not isinstance(given["rungs"], list | tuple):
                raise InputError("particles.rungs: expected a list of noise levels")
            given["rungs"] = tuple(Rung(**known(Rung, rung, "rung.")) for rung in given["rungs"])
        return cls(**given)


def known(cls: type, values: object, prefix: str = "") -> dict[str, Any]:
    """The mapping's items if each is a field of the dataclass; `InputError` names one that is not."""
    if not isinstance(values, Mapping):
        raise InputError(f"{prefix or 'settings'}: expected an object of named fields, got {type(values).__name__}")
    names = [f.name for f in fields(cls)]
    for key in values:
        if key not in names:
            raise InputError(f"{prefix}{key}: unknown field; known are {', '.join(names)}")
    return dict(values)
