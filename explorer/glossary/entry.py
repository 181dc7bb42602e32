r"""An entry of the glossary, and how its numbers are put into its formula.

`formula` is LaTeX. `numbers` is LaTeX with fields in angle brackets, "\sigma = <sigma>": each is replaced by the value
of that name from `values(frame)`, to three significant figures, whole numbers in full. Where the frame does not know
the values yet, there are no numbers. Plain text and functions of a frame; neither Qt nor torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from explorer.engine.frames import Frame
from explorer.numbers import three

Values = Mapping[str, float]

_FIELD = re.compile(r"<(\w+)>")


def _nothing(frame: Frame) -> Values | None:
    """No numbers."""


@dataclass(frozen=True)
class Entry:
    """One quantity.

    Attributes:
        name: what it is asked for by.
        title: what a person calls it.
        line: what it is, in one or two sentences.
        formula: LaTeX.
        source: paper and equation, or where in this project it is derived.
        numbers: LaTeX with fields in angle brackets; "" where the formula has no numbers of a frame.
        values: the fields' values in a frame, or None while they are not known.
    """

    name: str
    title: str
    line: str
    formula: str
    source: str
    numbers: str = ""
    values: Callable[[Frame], Values | None] = _nothing

    def numbered(self, frame: Frame | None) -> str:
        """The formula with the frame's numbers, LaTeX; "" while they are not known."""
        values = self.values(frame) if frame is not None and self.numbers else None
        if values is None:
            return ""
        return _FIELD.sub(lambda match: latex_number(values[match[1]]), self.numbers)


def latex_number(value: float) -> str:
    r"""A number in LaTeX, as `numbers.three` says it: 0.120, 1{,}230, 1.23\cdot 10^{-5}; whole ones in full."""
    if isinstance(value, int):
        return f"{value:,}".replace(",", "{,}").replace("-", "{-}")
    figures, _, power = three(value).replace("−", "{-}").partition("e")
    figures = figures.replace(",", "{,}")
    return rf"{figures}\cdot 10^{{{power}}}" if power else figures
