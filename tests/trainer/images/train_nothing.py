"""A run on pictures of nothing, for tests that need it in a process of its own: train_nothing.py OUT STEPS [RESUME]."""

from __future__ import annotations

import sys
from dataclasses import replace

from tests.trainer.images.small import NCSN, grey_pictures
from trainer.images.training import train

SETTINGS = replace(NCSN, dropout=0.1)
EVERY = 7

if __name__ == "__main__":
    settings = replace(SETTINGS, steps=int(sys.argv[2]))
    for _ in train(grey_pictures(), settings, sys.argv[1], seed=4, device="cpu", checkpoint_every=EVERY, log_every=1):
        pass
