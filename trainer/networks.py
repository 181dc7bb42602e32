"""What learns: a small network F(x, sigma) on Fourier features, from which a score is made.

**Features.** F sees cos and sin of omega . (x - mu) for a fixed fan of frequencies (Rahimi & Recht 2007; Tancik et al.
2020), each damped by exp(-|omega|^2 sigma^2 / 2): what noise has blurred away cannot be seen, so the network need not
learn to ignore it. Beside them stand c_in (x - mu), a constant, and a few slow waves of ln sigma. An unconditional
network (Song & Ermon 2020, Technique 3) sees none of sigma: its features are undamped and hold no wave.

**Layers.** a_0 = features, h_k = act(W_k h_{k-1}), F = W_out h_depth; the constant feature is the only bias. All
weights live in one flat tensor, and so do their gradients: the optimiser and the average are then a handful of calls.

What F stands for - a score, a noise, a denoised point, an energy - is for `trainer.parameterisations` to say; how its
weights' gradient is computed, for `trainer.passes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from trainer.objectives import ScoreFunction
from trainer.parameterisations import Preconditioning
from trainer.settings import Activation, NetworkSettings

SLOWEST = math.pi / 2
WAVES = (0.4, 0.6, 0.9, 1.35, 2.0, 3.0)
"""Frequencies of the waves in ln sigma; with c_in x, ln(sigma)/4 and the constant they make 16 features."""
LEVEL_FEATURES = 2 + 2 * len(WAVES)
ROWS = 4096
"""Points evaluated at once: keeps the activations in the processor's cache."""

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "silu": functional.silu,
    "gelu": functional.gelu,
    "tanh": torch.tanh,
    "softplus": functional.softplus,
}


@dataclass(frozen=True)
class LevelTerms:
    """Per row of a batch, from its sigma: damping (B, features), c_in (B, 1), waves of ln sigma (B, LEVEL_FEATURES)."""

    damping: Tensor
    scaling: Tensor
    waves: Tensor

    def rows(self, part: slice) -> LevelTerms:
        """Those of some rows."""
        return LevelTerms(self.damping[part], self.scaling[part], self.waves[part])


class ScoreNetwork:
    """The shape of the network and how it is evaluated; the weights are handed in as one flat float tensor.

    Attributes:
        count: the number of weights.
        inputs: the number of input features; outputs: 2, or 1 for an energy.
    """

    def __init__(self, settings: NetworkSettings, conditioning: Preconditioning, device: torch.device) -> None:
        self.settings = settings
        self.conditioning = conditioning
        self.device = device
        widest = torch.float32 if device.type == "mps" else torch.float64
        self._mean = torch.tensor(conditioning.mean, dtype=widest, device=device)
        self.is_energy = conditioning.kind == "energy"
        self.activation = ACTIVATIONS[settings.activation]
        self.frequencies = _frequencies(settings.features, settings.octaves).to(device)  # (2, features)
        self.inputs = 2 * settings.features + 2 + LEVEL_FEATURES
        self.outputs = 1 if self.is_energy else 2
        width = settings.width
        self.shapes = [(width, self.inputs)] + [(width, width)] * (settings.depth - 1) + [(self.outputs, width)]
        self.count = sum(rows * columns for rows, columns in self.shapes)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Fresh weights, float32 with shape (count,): variance 1 / inputs, and zero for the output layer."""
        layers = [torch.randn(shape, generator=generator) / math.sqrt(shape[1]) for shape in self.shapes]
        layers[-1].zero_()
        return torch.cat([layer.flatten() for layer in layers]).to(self.device)

    def layers(self, flat: Tensor) -> list[Tensor]:
        """The weight matrices as views of the flat tensor."""
        sizes = [rows * columns for rows, columns in self.shapes]
        return [part.view(shape) for part, shape in zip(flat.split(sizes), self.shapes, strict=True)]

    def levels(self, sigma: Tensor) -> LevelTerms:
        """What the features at each sigma, (B,), need to know of it."""
        rows, dtype = len(sigma), sigma.dtype
        sees_sigma = self.conditioning.kind != "unconditional"
        waves = _level_features(sigma)
        if sees_sigma:
            scaling = self.conditioning.total(sigma).rsqrt()[:, None]
        else:
            scaling = torch.full((rows, 1), 1 / self.conditioning.scale, dtype=dtype, device=sigma.device)
            waves[:, 1:] = 0
        if sees_sigma and self.settings.damped:
            damping = torch.exp(-0.5 * self.frequencies.to(dtype).square().sum(0) * sigma[:, None] ** 2)
        else:
            damping = torch.ones(rows, self.settings.features, dtype=dtype, device=sigma.device)
        return LevelTerms(damping, scaling, waves)

    def features(self, centred: Tensor, levels: LevelTerms, out: Tensor) -> None:
        """Write the input features of x - mean, shape (B, 2), into `out` (B, inputs), any float type."""
        n = self.settings.features
        phase = centred @ self.frequencies.to(centred.dtype)  # (B, features)
        out[:, :n] = phase.sin().mul_(levels.damping)
        out[:, n : 2 * n] = phase.cos_().mul_(levels.damping)
        out[:, 2 * n : 2 * n + 2] = centred * levels.scaling
        out[:, 2 * n + 2 :] = levels.waves

    def embed(self, centred: Tensor, levels: LevelTerms) -> Tensor:
        """The input features as `features` makes them, (B, inputs), differentiable in x."""
        phase = centred @ self.frequencies.to(centred.dtype)
        return torch.cat(
            (phase.sin() * levels.damping, phase.cos() * levels.damping, centred * levels.scaling, levels.waves), 1
        )

    def hidden(self, flat: Tensor, features: Tensor) -> Tensor:
        """The last hidden layer, with shape (B, width)."""
        h = features
        for weight in self.layers(flat)[:-1]:
            h = self.activation(h @ weight.T)
        return h

    def output(self, flat: Tensor, features: Tensor) -> Tensor:
        """F, with shape (B, outputs), by the plainest code: the definition that the fast passes are tested against."""
        return self.hidden(flat, features) @ self.layers(flat)[-1].T

    def score_function(self, flat: Tensor, sigma: Tensor, levels: LevelTerms | None = None) -> ScoreFunction:
        """The score at these noise levels, (B,), as a function of x, (B, 2), differentiable in x and in `flat`.

        `levels` is `levels(sigma)` where it is known already.
        """
        terms = levels or self.levels(sigma)

        def score(x: Tensor) -> Tensor:
            if self.is_energy:
                with torch.enable_grad():
                    x = x if x.requires_grad else x.detach().requires_grad_(True)
                    value = self._log_density(flat, self.centre(x), sigma, terms).sum()
                    return torch.autograd.grad(value, x, create_graph=True)[0]
            centred = self.centre(x)
            return self.conditioning.score(self.output(flat, self.embed(centred, terms)), centred, sigma)

        return score

    def score(self, flat: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at x, with shape (B, 2), in the weights' type; a float sigma is the quick path."""
        if not isinstance(sigma, Tensor) and not self.is_energy:
            return self._score_level(flat, self.centre(x), sigma)
        each = self._each(sigma, x)
        parts = zip(x.split(ROWS), each.split(ROWS), strict=True)
        if self.is_energy and not (torch.is_grad_enabled() and x.requires_grad):
            return torch.cat([self.score_function(flat, part)(points).detach() for points, part in parts])
        return torch.cat([self.score_function(flat, part)(points) for points, part in parts])

    def log_density(self, flat: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
        """An energy's log-density at x, (B, 2), up to a constant of sigma: (B,)."""
        each = self._each(sigma, x)
        return self._log_density(flat, self.centre(x), each, self.levels(each))

    def _log_density(self, flat: Tensor, centred: Tensor, sigma: Tensor, levels: LevelTerms) -> Tensor:
        output = self.output(flat, self.embed(centred, levels))
        return self.conditioning.log_density(output, centred, sigma)

    def centre(self, x: Tensor) -> Tensor:
        """X less the data's mean, (B, 2)."""
        return x - self._mean.to(x.dtype)

    def _each(self, sigma: float | Tensor, x: Tensor) -> Tensor:
        return sigma if isinstance(sigma, Tensor) else x.new_full((len(x),), sigma)

    def _score_level(self, flat: Tensor, centred: Tensor, sigma: float) -> Tensor:
        """At one sigma the damping goes into the first layer's weights, and frequencies damped to nothing drop out."""
        n = self.settings.features
        level = torch.tensor([sigma], dtype=flat.dtype, device=flat.device)
        terms = self.levels(level)
        first, *hidden = self.layers(flat)
        damping = terms.damping[0]
        seen = torch.nonzero(damping > 1e-7).flatten()
        sines = first[:, seen] * damping[seen]
        cosines = first[:, n + seen] * damping[seen]
        straight = first[:, 2 * n : 2 * n + 2] * terms.scaling[0]
        bias = first[:, 2 * n + 2 :] @ terms.waves[0]
        entry = torch.cat((sines, cosines, straight), 1).T.contiguous()
        frequencies = self.frequencies[:, seen].to(flat.dtype)
        parts = []
        for part in centred.split(ROWS):
            phase = part @ frequencies
            h = torch.addmm(bias, torch.cat((phase.sin(), phase.cos(), part), 1), entry)
            for weight in hidden:
                h = self.activation(h) @ weight.T
            parts.append(self.conditioning.score(h, part, level))
        return torch.cat(parts) if parts else torch.empty_like(centred)


def _frequencies(count: int, octaves: float) -> Tensor:
    """A fan of frequencies, (2, count): lengths spread evenly in logarithm, angles by the golden ratio."""
    k = torch.arange(count, dtype=torch.float64)
    length = SLOWEST * 2 ** (octaves * (k + 0.5) / max(1, count))
    angle = math.pi * ((k * (math.sqrt(5) - 1) / 2) % 1)
    return (torch.stack((angle.cos(), angle.sin())) * length).float()


def _level_features(sigma: Tensor) -> Tensor:
    """A constant, ln(sigma) / 4 (EDM's c_noise) and slow waves of ln sigma, with shape (B, LEVEL_FEATURES)."""
    log = sigma.log()
    waves = log[:, None] * torch.tensor(WAVES, dtype=sigma.dtype, device=sigma.device)
    return torch.cat((torch.ones_like(log)[:, None], 0.25 * log[:, None], waves.sin(), waves.cos()), 1)
