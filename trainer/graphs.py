"""A training step as one CUDA graph.

The network is small: on a GPU a step's some thirty kernels take less time than their launches. A graph holds loss,
gradient, Adam and average, and is launched as one (`torch.cuda.graph`). What changes from step to step lies in tensors
at fixed places: the batch is copied into the graph's own, the rates are the optimiser's.
"""

from __future__ import annotations

import torch

from trainer.optimiser import Optimiser
from trainer.tasks import Regression

_WARM_UP = 3
"""Runs before the capture, on a side stream: libraries allocate and choose kernels in their first calls."""


class GraphedStep:
    """Loss, gradient and optimiser step of a regression, captured on one batch and replayed on any.

    Args:
        task, optimiser: whose step it is; the optimiser's state is as before after the capture.
        part: the rows of any batch of the block, (first, last).
    """

    def __init__(self, task: Regression, optimiser: Optimiser, part: slice) -> None:
        self._task = task
        self._inputs = [tensor[part].clone() for tensor in task.inputs()]
        state = {name: tensor.clone() for name, tensor in optimiser.tensors().items()}

        def step() -> None:
            task.loss_of(optimiser.weights, *self._inputs)
            optimiser.step(task.gradient)

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        try:
            with torch.cuda.stream(side):
                for _ in range(_WARM_UP):
                    step()
            torch.cuda.current_stream().wait_stream(side)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                step()
        finally:
            for name, tensor in optimiser.tensors().items():
                tensor.copy_(state[name])

    def replay(self, part: slice) -> None:
        """Take the step on these rows of the block."""
        for mine, whole in zip(self._inputs, self._task.inputs(), strict=True):
            mine.copy_(whole[part])
        self._graph.replay()
