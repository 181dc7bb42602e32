"""Finding a command by a few of its letters. No Qt.

Every word that is typed must be found: as the beginning of a word (best), within a word, or as letters in order ("sp"
for "Save picture"). Letters that begin words and letters in a row count more; of two equal finds the one that was used
last comes first. What is called exactly what was typed comes before all others, in the order given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

_START, _WITHIN, _MEANT, _RUN, _LETTER, _HEAD = 100.0, 60.0, 30.0, 4.0, 1.0, 6.0


def score(query: str, text: str, more: str = "") -> float:
    """How well a text answers what was typed; 0 if it does not, larger is better.

    `more` says what the text means: whole beginnings of its words count too, but less.
    """
    words = [word.strip(",;:>") or word for word in query.lower().split()]
    lower, means = text.lower(), f" {more.lower()}"
    total = 1.0
    for word in words:
        found = _word(word, lower) or (_MEANT if f" {word}" in means else _letters(word, lower))
        if not found:
            return 0.0
        total += found
    return total - 0.01 * len(text) if words else total


def ranked(
    query: str,
    items: Iterable[T],
    text: Callable[[T], str],
    more: Callable[[T], str] = lambda _: "",
    recent: Sequence[T] = (),
    title: Callable[[T], str] = lambda _: "",
) -> list[T]:
    """The items that answer the query, best first; with nothing typed the recent ones lead, in their order.

    `title` is what an item is called; the first items of which that is the query itself, but for capitals, lead.
    """
    wanted = " ".join(query.lower().split())
    known = {id(item): place for place, item in enumerate(recent)}
    late = len(known)
    found = []
    for place, item in enumerate(items):
        value = score(query, text(item), more(item))
        if value > 0:
            used = known.get(id(item), late)
            lead = 0.5 * (late - used) if wanted else float(late - used)
            exact = bool(wanted) and title(item).lower() == wanted
            rank = 0.0 if exact else -value - lead if wanted else -lead
            found.append((not exact, rank, place, item))
    return [item for *_, item in sorted(found, key=lambda entry: entry[:3])]


def _word(word: str, text: str) -> float:
    """How well one typed word is found as it is in a text of small letters."""
    at = text.find(word)
    best = 0.0
    while at >= 0:
        start = at == 0 or not text[at - 1].isalnum()
        best = max(best, (_START if start else _WITHIN) + len(word) + (_HEAD if at == 0 else 0.0))
        at = text.find(word, at + 1)
    return best


def _letters(word: str, text: str) -> float:
    """How well the letters of a word are found in order."""
    return _in_order(word, text, True) or _in_order(word, text, False)


def _in_order(word: str, text: str, heads: bool) -> float:
    """The letters of a word in order: with `heads` each at the next word's beginning if it has one there."""
    value, at = 0.0, -1
    for letter in word:
        starts = (i for i in range(at + 1, len(text)) if text[i] == letter and (i == 0 or not text[i - 1].isalnum()))
        head = next(starts, -1) if heads else -1
        nearest = text.find(letter, at + 1)
        if nearest < 0:
            return 0.0
        chosen = nearest if nearest == at + 1 or head < 0 else head
        value += _LETTER + (_RUN if chosen == at + 1 and at >= 0 else 0.0) + (_HEAD if chosen == head else 0.0)
        at = chosen
    return min(value, _MEANT - 1)
