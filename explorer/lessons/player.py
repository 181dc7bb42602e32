"""Plays a lesson in the window: enters its steps, covers what is to be predicted, measures, and puts all back.

A step that belongs to another run than the present one begins that run anew; one of the same run changes what differs
and leaves the weights. What was open before the lesson, its weights and the arrangement of the window come back when it
ends.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from explorer.edits import (
    ChangeFit,
    ChangeParticleSeed,
    ChangeRace,
    ChangeScene,
    ChangeSeed,
    ChangeStop,
    Command,
    LoadPainting,
)
from explorer.engine.frames import Frame
from explorer.engine.messages import Move, Release, Reset, RunRace, Train
from explorer.layouts import Layout
from explorer.lessons.lesson import CONTROLS, Doing, Lesson, Step
from explorer.lessons.measures import QUANTITIES, measured, progress, words
from explorer.lessons.panel import LessonPanel
from explorer.presentation import MOST
from trainer.plans import names
from trainer.projects import Project, Setup

if TYPE_CHECKING:
    from explorer.window import MainWindow

COVERED = "Predict first: it opens when you have chosen"


class LessonPlayer(QObject):
    """One window's; there is at most one lesson at a time.

    Attributes:
        lesson: the one that is played; None between lessons.
        index: its step.
    """

    changed = Signal()
    """Another step, another lesson, or none."""

    def __init__(self, window: MainWindow, panel: LessonPanel) -> None:
        super().__init__(window)
        self._window, self.panel = window, panel
        self.lesson: Lesson | None = None
        self.index = 0
        self._before: tuple[Project, Path | None, bool, Layout] | None = None
        self._covered: tuple[str, ...] = ()
        self._since = self._revision = 0  # a measurement needs a later release, and frames of this run
        self._due = False  # whether the person has chosen and what follows has not been done
        panel.next_wanted.connect(self.next)
        panel.back_wanted.connect(self.back)
        panel.closed.connect(self.end)
        panel.chosen.connect(self._predicted)
        panel.explain_wanted.connect(lambda word: window.squares.explain(window.stage.seen[0], word))
        window.session.framed.connect(self._measure)
        window.household.presentation.changed.connect(self._presented)
        window.household.presentation.answer = panel.answer

    # --- the way through ---

    @property
    def step(self) -> Step | None:
        """The step that is shown."""
        return None if self.lesson is None else self.lesson.steps[self.index]

    def start(self, lesson: Lesson, index: int = 0) -> bool:
        """Play this lesson from this step on; False if the person would rather keep what is open."""
        window = self._window
        if self.lesson is None:
            if not window.files.may_leave():
                return False
            layout = window.household.arranger.layout_now("Before")
            self._before = window.quick_snapshot(), window.document.path, window.document.changed, layout
        self.lesson = lesson
        self.panel.show()
        self._enter(index, begin=True)
        return True

    def next(self) -> None:
        """The next step; after the last one the lesson ends."""
        if self.lesson is not None:
            if self.index + 1 < len(self.lesson.steps):
                self._enter(self.index + 1)
            else:
                self.end()

    def back(self) -> None:
        """The step before."""
        if self.lesson is not None and self.index > 0:
            self._enter(self.index - 1)

    def end(self) -> None:
        """Leave the lesson: window and document are again as they were."""
        if self.lesson is None or self._before is None:
            return
        window = self._window
        project, path, changed, _ = self._before
        self.lesson, self.index = None, 0
        self._uncover()
        self._show_controls(CONTROLS)
        window.squares.lesson_wants = frozenset()
        self.panel.hide()
        window.files.adopt(project, path, saved=not changed)
        self.arrange_as_before()
        self._before = None
        self.changed.emit()

    def arrange_as_before(self) -> None:
        """Put the squares where they were before the lesson, if there is one."""
        if self._before is not None:
            self._window.stage.present(())
            self._window.household.arranger.show_layout(self._before[3])

    # --- a step ---

    def _enter(self, index: int, *, begin: bool = False) -> None:
        lesson, window = self.lesson, self._window
        assert lesson is not None
        before, self.index = self.index, index
        step = lesson.steps[index]
        self._uncover()
        self._due = False
        if begin or lesson.origin(index) != lesson.origin(before):
            self._begin(lesson, index)
            self._revision = window.document.revision
            doings: tuple[Doing, ...] = step.do or ("train",)
        else:
            for command in differences(lesson.setup(before), lesson.setup(index)):
                window.edit(command)
            doings = step.do
        self._look(step)
        predict = step.predict
        window.squares.lesson_wants = QUANTITIES[predict.measure.quantity].wants if predict else frozenset()
        window.squares.tell_wants()
        if predict is not None:
            self._cover(predict.covers)
        self._show_controls(step.controls)
        self.panel.show_step(lesson, index)
        self.panel.setFocus()
        self._do(doings)
        self.changed.emit()

    def _begin(self, lesson: Lesson, index: int) -> None:
        """Begin the run of this step, with the weights of a project if it comes with them."""
        begin = lesson.steps[lesson.origin(index)].begin
        setup = lesson.setup(index)
        if isinstance(begin, Project):
            self._window.files.adopt(begin, None)
            for command in differences(begin.setup, setup):
                self._window.edit(command)
        else:
            self._window.files.adopt(Project(setup, setup), None)

    def _look(self, step: Step) -> None:
        """Arrange the window for the step."""
        window = self._window
        window.stage.present(())
        window.household.arranger.show_layout(step.layout(len(window.document.scene.panes)))
        if window.household.presentation.on:
            self._present(step)
        elif step.show:
            window.stage.present(step.show)
        if step.sigma is not None:
            window.slider.set_value(step.sigma)
            window.squares.set_look(sigma=window.slider.value())

    def _show_controls(self, controls: tuple[str, ...]) -> None:
        """Show of the window's controls these alone; a presentation has its own way with the menus and the bar."""
        window = self._window
        parts: dict[str, QWidget] = {"tools": window.strip, "axes": window.axes}
        if not window.household.presentation.on:
            parts |= {"menus": window.menuBar(), "bar": window.transport}
        for name, part in parts.items():
            part.setVisible(name in controls)
        window.actions_by_name["drawer"].setEnabled("drawer" in controls)
        window.stage.settle()

    def _do(self, doings: tuple[Doing, ...]) -> None:
        send = self._window.session.send
        deeds: dict[Doing, Callable[[], object]] = {
            "train": lambda: send(Train(True)),
            "pause": lambda: send(Train(False)),
            "reset": lambda: send(Reset(self._window.document.seed)),
            "release": lambda: send(Release()),
            "move": lambda: send(Move(True)),
            "hold": lambda: send(Move(False)),
            "race": lambda: send(RunRace(True)),
            "hold race": lambda: send(RunRace(False)),
            "pictures": self._window.gallery.open_shipped,
        }
        for doing in doings:
            deeds[doing]()

    # --- prediction ---

    def _predicted(self, _: int) -> None:
        """The person has chosen: open the squares and let the run go on."""
        step = self.step
        if step is None or step.predict is None:
            return
        self._due = True
        self._uncover()
        self._show_controls(step.controls)
        if self._window.session.frame is not None:
            self._measure(self._window.session.frame)

    def _measure(self, frame: Frame) -> None:
        """Read the quantity when it is time."""
        step, question = self.step, self.panel.question
        if step is None or step.predict is None or question.answer is None or question.value is not None:
            return
        predict = step.predict
        if frame.revision < self._revision or (frame.released and frame.particles_revision < self._revision):
            return
        if predict.when.clock == "race" and not self._races(frame):
            return
        if self._due:
            if frame.step < predict.learned:
                question.show_waiting(f"Learning first: step {frame.step:,} of {predict.learned:,}")
                return
            # A release that the step itself orders must be a later one than what is out now.
            self._since = frame.released if "release" in predict.do else 0
            self._due = False
            question.show_waiting("Measured in a moment")
            self._do(predict.do)
        done = progress(predict.when, frame, self._since)
        question.show_progress(done)
        value = measured(predict.measure, frame) if done >= 1 else None
        if value is not None:
            question.show_result(value, words(predict.measure, frame))
        elif done >= 1 and predict.when.clock == "race" and frame.racing:
            self._window.session.send(RunRace(False))  # errors and variances have all the time then

    def _races(self, frame: Frame) -> bool:
        """Whether the race that the frame shows is that of the step."""
        labels = names(self._window.document.race.entrants)
        return frame.race is not None and tuple(racer.label for racer in frame.race.racers) == labels

    def _cover(self, views: tuple[str, ...]) -> None:
        self._covered = views
        for name in views:
            self._window.parts.view(name)
            self._window.stage.tile(name).set_cover(COVERED)

    def _uncover(self) -> None:
        for name in self._covered:
            self._window.stage.tile(name).set_cover("")
        self._covered = ()

    def _presented(self, on: bool) -> None:
        """A presentation shows the step's squares; after it the step is as it was."""
        step = self.step
        if step is None:
            return
        if on:
            self._present(step)
        else:
            self._window.stage.present(step.show)
            self._show_controls(step.controls)

    def _present(self, step: Step) -> None:
        """Show the step's squares in the presentation; one that leaves them open shows what it covers, or what was."""
        presentation, there = self._window.household.presentation, self._window.stage.names
        covered = step.predict.covers if step.predict is not None else ()
        wanted = covered or presentation.chosen
        presentation.show(step.show or tuple(name for name in there if name in wanted)[:MOST] or there[:1])


def differences(before: Setup, after: Setup) -> list[Command]:
    """The commands that make a document of the one setup into one of the other, where the setups differ."""
    commands: list[Command] = []
    if after.name != before.name:
        commands.append(LoadPainting(after.weights, after.name))
    for name, command in (
        ("fit", ChangeFit),
        ("scene", ChangeScene),
        ("stop", ChangeStop),
        ("race", ChangeRace),
        ("seed", ChangeSeed),
        ("particle_seed", ChangeParticleSeed),
    ):
        if getattr(after, name) != getattr(before, name):
            commands.append(command(getattr(after, name)))
    return commands
