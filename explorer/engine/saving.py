"""The engine's part of saving a trained network: the folder is written where torch is, and the window hears of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from explorer.engine.messages import Notice, SaveScore
from trainer.errors import InputError

if TYPE_CHECKING:
    from trainer.fit import Fit


def save(command: SaveScore, fit: Fit) -> Notice:
    """Write the averaged weights as they are now; the notice says in one line what came of it.

    The folder takes its name only when it is complete, and one that holds anything but a saved score is refused.
    """
    from trainer.checkpoints import save_score

    folder = Path(command.folder)
    try:
        save_score(folder, fit)
    except InputError as error:
        return Notice("error", str(error))
    return Notice("info", f"Saved the network of step {fit.step:,} as {folder.name}")
