"""What learns: a small network that gives the score at every noise level, its backward pass written out.

**Preconditioning** (Karras et al. 2022, eq. 7 and Table 1). With sd and mu the data's scale and mean, the denoiser is
D(x) = mu + c_skip (x - mu) + c_out F, and the score (D - x) / sigma^2 becomes

    s(x, sigma) = -(x - mu) / (sigma^2 + sd^2)  +  F(x, sigma) sd / (sigma sqrt(sigma^2 + sd^2)) :

exact for a Gaussian when F = 0, and F is of order one at every sigma.

**Features.** F sees cos and sin of omega . (x - mu) for a fixed fan of frequencies (Rahimi & Recht 2007; Tancik et al.
2020), each damped by exp(-|omega|^2 sigma^2 / 2): what noise has blurred away cannot be seen, so the network need not
learn to ignore it. Beside them stand c_in (x - mu), a constant, and a few slow waves of ln sigma.

**Layers.** a_0 = features, h_k = SiLU(W_k h_{k-1}), F = W_out h_depth; the constant feature is the only bias. All
weights live in one flat tensor, and so do their gradients: the optimiser and the average are then a handful of calls.
The backward pass is written out because autograd's bookkeeping costs as much as these small products; it is held
against autograd in the tests. Hidden layers run in bfloat16 while training where the processor multiplies it fast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from trainer.objectives import weighted_loss
from trainer.settings import NetworkSettings

Level = TypeVar("Level", float, Tensor)

SLOWEST = math.pi / 2
OCTAVES = 4.5
WAVES = (0.4, 0.6, 0.9, 1.35, 2.0, 3.0)
"""Frequencies of the waves in ln sigma; with c_in x, ln(sigma)/4 and the constant they make 16 features."""
LEVEL_FEATURES = 2 + 2 * len(WAVES)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether this device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type != "cpu":
        return False
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(check is not None and check() for check in checks)


@dataclass(frozen=True)
class Preconditioning:
    """The data's mean (2,) and scale: the standard deviation per coordinate, frozen at the start of a run."""

    mean: tuple[float, float]
    scale: float

    def total(self, sigma: Level) -> Level:
        """The data's variance and the noise's, sigma^2 + sd^2."""
        return sigma**2 + self.scale**2

    def gain(self, sigma: Level) -> Level:
        """What turns a score into the network's units: sigma sqrt(sigma^2 + sd^2) / sd."""
        return sigma * self.total(sigma) ** 0.5 / self.scale

    def output(self, score: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        """The F that makes the network's score equal `score`; shapes (B, 2), (B, 2), (B,)."""
        return (score + centred / self.total(sigma)[:, None]) * self.gain(sigma)[:, None]

    def score(self, output: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        """The score that F = `output` stands for; shapes as in `output`, or sigma (1,)."""
        return output / self.gain(sigma)[..., None] - centred / self.total(sigma)[..., None]


@dataclass(frozen=True)
class LevelTerms:
    """Per row of a batch, from its sigma: damping (B, features), c_in (B, 1), waves of ln sigma (B, LEVEL_FEATURES)."""

    damping: Tensor
    scaling: Tensor
    waves: Tensor


class ScoreNetwork:
    """The shape of the network and its passes; the weights are handed in as one flat float tensor.

    Attributes:
        count: the number of weights.
        inputs: the number of input features.
    """

    def __init__(self, settings: NetworkSettings, conditioning: Preconditioning, device: torch.device) -> None:
        self.settings = settings
        self.conditioning = conditioning
        self.device = device
        self.frequencies = _frequencies(settings.features).to(device)  # (2, features)
        self.inputs = 2 * settings.features + 2 + LEVEL_FEATURES
        width = settings.width
        self.shapes = [(width, self.inputs)] + [(width, width)] * (settings.depth - 1) + [(2, width)]
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
        scaling = self.conditioning.total(sigma).rsqrt()[:, None]
        return LevelTerms(self._damping(sigma[:, None]), scaling, _level_features(sigma))

    def features(self, centred: Tensor, levels: LevelTerms, out: Tensor) -> None:
        """Write the input features of x - mean, shape (B, 2), into `out` (B, inputs), any float type."""
        n = self.settings.features
        phase = centred @ self.frequencies.to(centred.dtype)  # (B, features)
        out[:, :n] = phase.sin().mul_(levels.damping)
        out[:, n : 2 * n] = phase.cos_().mul_(levels.damping)
        out[:, 2 * n : 2 * n + 2] = centred * levels.scaling
        out[:, 2 * n + 2 :] = levels.waves

    def _damping(self, sigma: Tensor) -> Tensor:
        return torch.exp(-0.5 * self.frequencies.to(sigma.dtype).square().sum(0) * sigma**2)

    def output(self, flat: Tensor, features: Tensor) -> Tensor:
        """F, with shape (B, 2), by the plainest code: the definition that the fast passes are tested against."""
        *hidden, last = self.layers(flat)
        h = features
        for weight in hidden:
            h = torch.nn.functional.silu(h @ weight.T)
        return h @ last.T

    def score(self, flat: Tensor, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The score at x, with shape (B, 2), in float32; a float sigma is the quick path."""
        centred = x - torch.tensor(self.conditioning.mean, dtype=x.dtype, device=x.device)
        rows = 4096  # keeps the activations in the processor's cache
        if isinstance(sigma, Tensor):
            parts = zip(centred.split(rows), sigma.split(rows), strict=True)
            return torch.cat([self._score_each(flat, part, levels) for part, levels in parts])
        return self._score_level(flat, centred, sigma, rows)

    def _score_each(self, flat: Tensor, centred: Tensor, sigma: Tensor) -> Tensor:
        features = centred.new_empty(len(centred), self.inputs)
        self.features(centred, self.levels(sigma), features)
        return self.conditioning.score(self.output(flat, features), centred, sigma)

    def _score_level(self, flat: Tensor, centred: Tensor, sigma: float, rows: int) -> Tensor:
        """At one sigma the damping goes into the first layer's weights, and frequencies damped to nothing drop out."""
        n = self.settings.features
        level = torch.tensor([sigma], dtype=flat.dtype, device=flat.device)
        first, *hidden = self.layers(flat)
        damping = self._damping(level)
        seen = torch.nonzero(damping > 1e-7).flatten()
        sines = first[:, seen] * damping[seen]
        cosines = first[:, n + seen] * damping[seen]
        straight = first[:, 2 * n : 2 * n + 2] * self.conditioning.total(level).rsqrt()
        bias = first[:, 2 * n + 2 :] @ _level_features(level)[0]
        entry = torch.cat((sines, cosines, straight), 1).T.contiguous()
        frequencies = self.frequencies[:, seen]
        parts = []
        for part in centred.split(rows):
            phase = part @ frequencies
            h = torch.addmm(bias, torch.cat((phase.sin(), phase.cos(), part), 1), entry)
            for weight in hidden:
                h = torch.nn.functional.silu(h, inplace=True) @ weight.T
            parts.append(self.conditioning.score(h, part, level))
        return torch.cat(parts) if parts else torch.empty_like(centred)


def _frequencies(count: int) -> Tensor:
    """A fan of frequencies, (2, count): lengths spread evenly in logarithm, angles by the golden ratio."""
    k = torch.arange(count, dtype=torch.float64)
    length = SLOWEST * 2 ** (OCTAVES * (k + 0.5) / count)
    angle = math.pi * ((k * (math.sqrt(5) - 1) / 2) % 1)
    return (torch.stack((angle.cos(), angle.sin())) * length).float()


def _level_features(sigma: Tensor) -> Tensor:
    """A constant, ln(sigma) / 4 (EDM's c_noise) and slow waves of ln sigma, with shape (B, LEVEL_FEATURES)."""
    log = sigma.log()
    waves = log[:, None] * torch.tensor(WAVES, dtype=sigma.dtype, device=sigma.device)
    return torch.cat((torch.ones_like(log)[:, None], 0.25 * log[:, None], waves.sin(), waves.cos()), 1)


class TrainingPass:
    """Loss and gradient for batches of a fixed size, in buffers that are made once.

    Args:
        network: the shapes.
        rows: the batch size B.
        hidden: the type of the hidden layers' products: bfloat16, float32 or float64.
    """

    def __init__(self, network: ScoreNetwork, rows: int, hidden: torch.dtype) -> None:
        self.network = network
        self.hidden = hidden
        exact = torch.float64 if hidden == torch.float64 else torch.float32
        self.gradient = torch.zeros(network.count, dtype=exact, device=network.device)
        self._rough = torch.zeros(network.count, dtype=hidden, device=network.device)
        self._rough_gradient = torch.zeros_like(self._rough)
        self._weights = network.layers(self._rough)
        self._gradients = network.layers(self._rough_gradient)
        width, depth = network.settings.width, network.settings.depth
        self._z, self._h = (torch.zeros(depth, rows, width, dtype=hidden, device=network.device) for _ in range(2))
        self._back = torch.zeros(rows, width, dtype=hidden, device=network.device)
        self._forward = torch.zeros(rows, 2, dtype=hidden, device=network.device)

    def loss(self, flat: Tensor, features: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """The loss 1/2 mean weight |F - target|^2, a scalar; leaves its gradient in `gradient`.

        Args:
            flat: the weights, (count,).
            features: (B, inputs) in the hidden layers' type.
            target: the F to be learned, (B, 2).
            weight: (B,).
        """
        self._rough.copy_(flat)
        *hidden, last = self._weights
        below = features
        for k, matrix in enumerate(hidden):
            torch.mm(below, matrix.T, out=self._z[k])
            below = torch.ops.aten.silu.out(self._z[k], out=self._h[k])
        torch.mm(below, last.T, out=self._forward)
        residual = self._forward.to(target.dtype) - target
        value = weighted_loss(residual, weight)

        # d loss / d F = weight (F - target) / B, and down through the layers.
        up = (residual * (weight / len(target))[:, None]).to(self.hidden)
        torch.mm(up.T, below, out=self._gradients[-1])
        torch.mm(up, last, out=self._back)
        for k in reversed(range(len(hidden))):
            at_z = torch.ops.aten.silu_backward.grad_input(self._back, self._z[k], grad_input=self._h[k])
            torch.mm(at_z.T, self._h[k - 1] if k else features, out=self._gradients[k])
            if k:
                torch.mm(at_z, hidden[k], out=self._back)
        self.gradient.copy_(self._rough_gradient)
        return value
