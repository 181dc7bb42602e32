"""Predictions of ladders for the window, worked on in pieces beside everything else that the engine does.

The newest question is answered; one that came before and is not answered yet is dropped. What was found out of a
painting (its modes and widths) is kept until it changes.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from time import perf_counter

from explorer.ladders import LadderPredicted, Outlook, PredictLadder, rungs_of
from trainer.densities import Density
from trainer.errors import InputError
from trainer.ladders import searching
from trainer.modes import ModeMap
from trainer.predictions import Forecast, LevelForecast, Prospect, predicting

_SAID = ("sigma_max", "steps", "fine_steps", "epsilon", "overlap")
"""The choices whose reasons the window shows."""


class Forecasts:
    """Answers `PredictLadder` for one density after another; `work` moves on until a deadline."""

    def __init__(self) -> None:
        self._prospect: Prospect | None = None
        self._work: Generator[None, None, LadderPredicted] | None = None

    @property
    def busy(self) -> bool:
        """Whether a question waits for its answer."""
        return self._work is not None

    def ask(self, question: PredictLadder, density: Density, modes: ModeMap) -> None:
        """Begin to answer; the density's modes are those that the ledger counts by."""
        self._work = self._answering(question, density, modes)

    def work(self, deadline: float) -> LadderPredicted | None:
        """Go on until the deadline (of `perf_counter`) passes; the answer once it is complete."""
        while self._work is not None:
            try:
                next(self._work)
            except StopIteration as end:
                self._work = None
                answer: LadderPredicted = end.value
                return answer
            if perf_counter() > deadline:
                break
        return None

    def _answering(
        self, question: PredictLadder, density: Density, modes: ModeMap
    ) -> Generator[None, None, LadderPredicted]:
        if self._prospect is None or self._prospect.density is not density:
            self._prospect = Prospect(density, modes)
            yield
        return (yield from answering(self._prospect, question))


def answering(prospect: Prospect, question: PredictLadder) -> Generator[None, None, LadderPredicted]:
    """The answer, in pieces of a few milliseconds; what cannot be answered is said in its `problem`."""
    if question.weight_error is None or question.variance_error is None:
        forecast = yield from predicting(prospect, question.settings)
        return _answer(question.number, forecast)
    try:
        ladder = yield from searching(
            prospect, question.settings.sigma_min, None, question.weight_error, question.variance_error
        )
    except InputError as problem:
        return LadderPredicted(question.number, problem=str(problem))
    answer = _answer(question.number, ladder.forecast)
    reasons = tuple(_in_symbols(ladder.choices[name].reason) for name in _SAID)
    return replace(answer, found=rungs_of(ladder.particles(question.settings)), reasons=reasons)


def _in_symbols(sentence: str) -> str:
    return sentence.replace("sigma^2", "σ²").replace("sigma", "σ")


def _answer(number: int, forecast: Forecast) -> LadderPredicted:
    return LadderPredicted(
        number,
        tuple(Outlook(level.sigma, level.verdict, level.x, _reason(level)) for level in forecast.levels),
        forecast.steps,
        forecast.variance_error,
        forecast.weight_error,
        forecast.freezes_at,
    )


def _reason(level: LevelForecast) -> str:
    """Why a level is not stable, in one sentence; nothing for one that is."""
    if level.verdict == "stable":
        return ""
    least = level.epsilon / (2 * level.x)
    words = (
        "each step lands farther from the centre than it began, and particles fly off"
        if level.verdict == "diverges"
        else f"each step overshoots the centre, and the variance ends {1 / (1 - level.x / 2):.2g} times too large"
    )
    return (
        f"σ = {level.sigma:.3g}: h = ε/2 is {level.x:.3g} times the smallest variance there, {least:.3g}; {words}. "
        f"Take ε below {2 * least:.2g}."
    )
