r"""How the loss's gradient is computed: a written-out pass for regressions, autograd for the rest.

Explicit and denoising objectives are regressions: with an affine parameterisation (`trainer.parameterisations`) they
are a weighted square of F - F_target, and the gradient of a small network by that is a dozen matrix products.
`RegressionPass` writes them out, because autograd's bookkeeping costs as much as these products; it is held against
autograd in the tests, and runs in bfloat16 where the processor multiplies it fast.

Implicit and sliced objectives differentiate the score by x, the control variate asks for it at two points, and an
energy's score is a derivative itself: `DifferentialPass` leaves those to autograd, in float32.

Both leave the gradient by all weights in one flat tensor, `gradient`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainer.networks import LevelTerms, ScoreNetwork
from trainer.objectives import Batch, ScoreFunction, robust_weights, weighted_squares
from trainer.settings import Activation

aten = torch.ops.aten


@dataclass(frozen=True)
class _Activation:
    """An activation and its backward, each written into a buffer: forward(z, out), backward(up, z, h, out)."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


_ACTIVATIONS: dict[Activation, _Activation] = {
    "silu": _Activation(
        lambda z, out: aten.silu.out(z, out=out),
        lambda up, z, h, out: aten.silu_backward.grad_input(up, z, grad_input=out),
    ),
    "gelu": _Activation(
        lambda z, out: aten.gelu.out(z, out=out),
        lambda up, z, h, out: aten.gelu_backward.grad_input(up, z, grad_input=out),
    ),
    "tanh": _Activation(
        lambda z, out: aten.tanh.out(z, out=out),
        lambda up, z, h, out: aten.tanh_backward.grad_input(up, h, grad_input=out),
    ),
    "softplus": _Activation(
        lambda z, out: aten.softplus.out(z, out=out),
        lambda up, z, h, out: aten.softplus_backward.grad_input(up, z, 1, 20, grad_input=out),
    ),
}


def fast_bfloat16(device: torch.device) -> bool:
    """Whether this device multiplies bfloat16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type != "cpu":
        return False
    checks = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(check is not None and check() for check in checks)


class RegressionPass:
    """Loss and gradient of a weighted square of F - F_target for batches of a fixed size, in buffers made once.

    Args:
        network: the shapes.
        rows: the batch size B.
        hidden: the type of the hidden layers' products: bfloat16, float32 or float64.
        robust: whether the gradient is that of a pseudo-Huber loss (`trainer.objectives.robust_weights`); the loss that
            is returned is the plain square all the same.
    """

    def __init__(self, network: ScoreNetwork, rows: int, hidden: torch.dtype, *, robust: bool = False) -> None:
        self.network = network
        self.robust = robust
        self.hidden = hidden
        self._activation = _ACTIVATIONS[network.settings.activation]
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

    def loss(
        self, flat: Tensor, features: Tensor, target: Tensor, weight: Tensor, guide: Tensor | None = None
    ) -> Tensor:
        """The loss 1/2 mean weight |F - target|^2, a scalar; leaves its gradient in `gradient`.

        Args:
            flat: the weights, (count,).
            features: (B, inputs) in the hidden layers' type.
            target: the F to be learned, (B, 2).
            weight: (B,).
            guide: (B,), weights of a robust gradient's rows that only guide: they have none in the loss.
        """
        self._rough.copy_(flat)
        *hidden, last = self._weights
        below = features
        for k, matrix in enumerate(hidden):
            torch.mm(below, matrix.T, out=self._z[k])
            below = self._activation.forward(self._z[k], self._h[k])
        torch.mm(below, last.T, out=self._forward)
        residual = self._forward.to(target.dtype) - target
        squares = weighted_squares(residual, weight)
        if self.robust:
            typical = squares.mean()
            weight = weight * robust_weights(squares, typical)
            if guide is not None:
                weight = weight + guide * robust_weights(weighted_squares(residual, guide), typical)

        # d loss / d F = weight (F - target) / B, and down through the layers.
        up = (residual * (weight / len(target))[:, None]).to(self.hidden)
        torch.mm(up.T, below, out=self._gradients[-1])
        torch.mm(up, last, out=self._back)
        for k in reversed(range(len(hidden))):
            at_z = self._activation.backward(self._back, self._z[k], self._h[k], self._h[k])
            torch.mm(at_z.T, self._h[k - 1] if k else features, out=self._gradients[k])
            if k:
                torch.mm(at_z, hidden[k], out=self._back)
        self.gradient.copy_(self._rough_gradient)
        return 0.5 * squares.mean()


Criterion = Callable[[ScoreFunction, Batch], Tensor]
"""An objective: one loss per sample, (B,)."""


class DifferentialPass:
    """Loss and gradient of any objective by autograd."""

    def __init__(self, network: ScoreNetwork) -> None:
        self.network = network
        self.gradient = torch.zeros(network.count, device=network.device)

    def loss(self, flat: Tensor, criterion: Criterion, batch: Batch, levels: LevelTerms, weight: Tensor) -> Tensor:
        """The loss mean weight criterion(score, batch), a scalar; leaves its gradient in `gradient`.

        Args:
            flat: the weights, (count,).
            criterion: the objective.
            batch: its points, (B, 2).
            levels: the network's terms of each point's noise level.
            weight: lambda at each point's noise level, (B,).
        """
        leaf = flat.detach().requires_grad_(True)
        value = (weight * criterion(self.network.score_function(leaf, batch.sigma, levels), batch)).mean()
        self.gradient.copy_(torch.autograd.grad(value, leaf)[0])
        return value.detach()
