"""The full FID, for those who have its weights: in the features of Inception v3, by the package torch-fidelity.

It is an extra of its own, since it brings torchvision and fetches 90 MB of weights. Figures of published papers are
such distances, between 50,000 samples and the training set; pictures of 8 x 8 are enlarged to 299 x 299 for it, and
there it says little (`trainer.images.frechet` says more).
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.errors import InputError
from trainer.images.pictures import Pictures, quantised, scaled


def inception_distance(samples: Tensor, pictures: Pictures, device: torch.device | str = "cpu") -> float:
    """FID of samples (N, C, H, W) in [-1, 1] to pictures.

    Raises:
        InputError: torch-fidelity is not installed.
    """
    require_fidelity()
    from torch_fidelity import calculate_metrics  # type: ignore[import-not-found,unused-ignore]

    real = torch.from_numpy(scaled(pictures.values, pictures.levels))
    found = calculate_metrics(
        input1=_Bytes(samples),
        input2=_Bytes(real),
        fid=True,
        cuda=torch.device(device).type == "cuda",
        verbose=False,
    )
    return float(found["frechet_inception_distance"])


def require_fidelity() -> None:
    """`InputError` unless torch-fidelity is installed."""
    try:
        import torch_fidelity  # type: ignore[import-not-found,unused-ignore] # noqa: F401
    except ImportError as error:
        raise InputError(
            "torch-fidelity: is not installed; install score-explorer[fidelity], or leave out the full FID"
        ) from error


class _Bytes(torch.utils.data.Dataset[Tensor]):
    """Pictures as torch-fidelity wants them: uint8 with three channels."""

    def __init__(self, pictures: Tensor) -> None:
        self._values = quantised(pictures.detach().float().cpu(), 256)

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, place: int) -> Tensor:
        return self._values[place].expand(3, -1, -1)
