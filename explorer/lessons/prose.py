"""A lesson's words as Qt's rich text: paragraphs, **bold**, *italic*, p_σ; nothing else that a file might bring."""

from __future__ import annotations

import re
from html import escape

from explorer.theme import UNIT

_BOLD, _ITALIC = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"\*(.+?)\*")
_INDEX = re.compile(r"\b([^\W\d_])_(\w)\b")


def rich(text: str) -> str:
    """The text as HTML: a blank line parts paragraphs, the one-letter index of a letter is lowered."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.strip()) if part.strip()]
    gaps = [UNIT] * (len(paragraphs) - 1) + [0]
    return "".join(
        f'<p style="margin: 0 0 {gap}px 0">{_marked(part)}</p>' for part, gap in zip(paragraphs, gaps, strict=False)
    )


def plain(text: str) -> str:
    """The same words without stars, for a screen reader."""
    return _ITALIC.sub(r"\1", _BOLD.sub(r"\1", text))


def _marked(text: str) -> str:
    bold = _BOLD.sub(r"<b>\1</b>", escape(text, quote=False))
    return _INDEX.sub(r"\1<sub>\2</sub>", _ITALIC.sub(r"<i>\1</i>", bold))
