"""The pages of the drawer: how each is made, and what its signals do. A page is made when it is first opened."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from explorer.edits import Change
from explorer.engine.messages import RunRace
from explorer.late import Late

if TYPE_CHECKING:
    from explorer.window import MainWindow


def late_pages(window: MainWindow) -> Late[QWidget]:
    """The pages of this window by name, in their order."""
    makers = {"training": _training, "race": _race, "particles": _particles, "view": _view, "painting": _painting}
    return Late({name: partial(make, window) for name, make in makers.items()})


def _training(window: MainWindow) -> QWidget:
    from explorer.panels.trainingpage import TrainingPage

    page = TrainingPage()
    page.commanded.connect(window.edit)
    return page


def _race(window: MainWindow) -> QWidget:
    from explorer.panels.racepage import RacePage

    page = RacePage()
    page.commanded.connect(window.edit)
    page.run_requested.connect(lambda on: window.session.send(RunRace(on)))
    return page


def _particles(window: MainWindow) -> QWidget:
    from explorer.panels.ladder import LadderEditor
    from explorer.panels.particlespage import ParticlesPage

    ladder = LadderEditor(window.document.scene.panes[0].settings)
    page = ParticlesPage(ladder, window.actions_by_name)
    page.commanded.connect(window.edit)
    ladder.prediction_wanted.connect(window.session.send)
    window.session.predicted.connect(ladder.show_prediction)

    def ask(change: Change) -> None:
        """A stroke is over: the ladder's prediction is of another painting now."""
        if change.rect is not None and not change.live and window.drawer_page() == "particles":
            ladder.ask()

    window.document.subscribe(ask)
    return page


def _view(window: MainWindow) -> QWidget:
    from explorer.panels.viewpage import ViewPage

    return ViewPage(window.viewing)


def _painting(window: MainWindow) -> QWidget:
    from explorer.panels.painting import PaintingPage

    page = PaintingPage(window.document, window.kit, window.parts.canvas.masses)
    page.commanded.connect(window.edit)
    page.told.connect(window.household.tell)
    page.import_wanted.connect(window.actions_by_name["import"].trigger)
    page.export_wanted.connect(window.actions_by_name["export_painting"].trigger)
    return page
