"""The window of Score Explorer."""

from trainer import __version__

__all__ = ["__version__"]
