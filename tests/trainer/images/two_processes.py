"""The run of which two processes each take half: started by accelerate, two_processes.py OUT."""

from __future__ import annotations

import sys
from dataclasses import replace

from accelerate import PartialState

from tests.trainer.images.small import NCSN, grey_pictures
from trainer.images.training import train

if __name__ == "__main__":
    for _ in train(grey_pictures(), replace(NCSN, steps=50), sys.argv[1], seed=4, device="cpu", log_every=1):
        pass
    if PartialState().is_main_process:
        print(f"processes: {PartialState().num_processes}")
