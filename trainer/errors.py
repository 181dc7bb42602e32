"""The one error that a person's input can cause, and the one that a run can end with."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input: the message is one line that names the file or field, what is wrong, and what would be right."""


class AmbiguousTable(InputError):  # noqa: N818 - it names what the table is
    """A table of two columns, which could be points of the plane or weights: the caller must say which."""


class TrainingError(RuntimeError):
    """A run that cannot go on: the message says what happened, what was kept and what to do."""
