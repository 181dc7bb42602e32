"""What a window has besides its squares, each made when it is first asked for: exports, films, pictures, lessons."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from explorer.exports import ExportDesk
    from explorer.films import FilmDesk
    from explorer.gallery.opening import Gallery
    from explorer.lessons.desk import LessonDesk
    from explorer.panels.explain import ExplainCard
    from explorer.window import MainWindow

DRESSED = ("card", "gallery", "lessons")
"""Those that have colours and a scale of type."""

CLOSED = ("films", "exports", "gallery")
"""Those that are closed with the window."""


class Desks:
    """A part of the main window."""

    @cached_property
    def card(self: MainWindow) -> ExplainCard:  # type: ignore[misc]
        """The card that explains."""
        from explorer.panels.explain import ExplainCard

        card = ExplainCard(self.centre)
        card.set_theme(self.theme)
        card.set_scale(self.scale)
        return card

    @cached_property
    def films(self: MainWindow) -> FilmDesk:  # type: ignore[misc]
        """Where films and pictures of the run are asked for."""
        from explorer.films import FilmDesk

        return FilmDesk(self, self.session, self.household.tell, lambda: self.household.preferences.session_inside)

    @cached_property
    def exports(self: MainWindow) -> ExportDesk:  # type: ignore[misc]
        """Where panels, curves, the network and scripts are asked for."""
        from explorer.exports import ExportDesk

        return ExportDesk(self, self.session, self.household.tell, self.carried)

    @cached_property
    def gallery(self: MainWindow) -> Gallery:  # type: ignore[misc]
        """Where image models are opened: a window of their own."""
        from explorer.gallery.opening import Gallery

        return Gallery(self)

    @cached_property
    def lessons(self: MainWindow) -> LessonDesk:  # type: ignore[misc]
        """Where lessons are chosen and played."""
        from explorer.lessons.desk import LessonDesk

        return LessonDesk(self)
