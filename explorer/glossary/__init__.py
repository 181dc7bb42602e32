"""What every quantity on the screen means: one line, the formula, the numbers in it now, and where it comes from."""

from explorer.glossary.entry import Entry
from explorer.glossary.tiles import entry, explain

__all__ = ["Entry", "entry", "explain"]
