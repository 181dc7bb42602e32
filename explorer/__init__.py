"""The window of Score Explorer."""

import os

from trainer import __version__

# Before anything loads numpy: its products are small here, and one that is shared with a processor on which the engine
# computes waits for that, a frame or two.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__all__ = ["__version__"]
