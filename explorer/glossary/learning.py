r"""What is minimised, how far down it can go, and how wrong the field is after all; see `trainer.objectives`.

Training minimises the mean over noise levels of lambda(sigma) times each of these; the expectations are over
x ~ p_sigma. The floor is the part of a loss that no learner can remove.
"""

from __future__ import annotations

import numpy as np

from explorer.engine.frames import ERROR_SIGMAS, Frame
from explorer.glossary.entry import Entry, Values


def _loss(frame: Frame) -> Values | None:
    return {"loss": frame.loss, "step": frame.step} if frame.loss_known else None


def _floor(frame: Frame) -> Values | None:
    if not (frame.loss_known and frame.floor.size):
        return None
    floor = float(frame.floor[0])
    return {"floor": floor, "loss": frame.loss, "above": frame.loss - floor}


def _fisher(frame: Frame) -> Values | None:
    """The newest error at the middle one of the levels followed, as a single figure and as that of the arrows."""
    if not len(frame.errors) or not frame.errors[-1, 2] > 0:
        return None
    error = float(frame.errors[-1, 2])
    return {"sigma": ERROR_SIGMAS[2], "error": error, "root": float(np.sqrt(error)), "step": int(frame.error_steps[-1])}


def _draws(frame: Frame) -> Values | None:
    return {"draws": frame.draws} if frame.draws else None


def _speed(frame: Frame) -> Values | None:
    if frame.steps_per_second <= 0:
        return None
    return {"rate": frame.steps_per_second, "milliseconds": 1000 / frame.steps_per_second}


def _parameters(frame: Frame) -> Values:
    return {"parameters": frame.parameters, "seed": frame.seed}


def _ladder(frame: Frame) -> Values | None:
    ladder = frame.training_ladder
    if ladder.size < 2:
        return None
    ratio = float((ladder[0] / ladder[-1]) ** (1 / (ladder.size - 1)))
    return {"levels": int(ladder.size), "first": float(ladder[0]), "last": float(ladder[-1]), "ratio": ratio}


def _variance(frame: Frame) -> Values | None:
    racers = frame.race.racers if frame.race is not None else ()
    known = [float(racer.variance[0]) for racer in racers if racer.variance.size]
    return {"least": min(known), "most": max(known)} if known else None


def _keyframes(frame: Frame) -> Values | None:
    if not frame.keyframes.size:
        return None
    megabytes = 1024 * 1024
    return {
        "kept": int(frame.keyframes.size),
        "step": frame.step,
        "bytes": frame.keyframe_bytes / megabytes,
        "limit": frame.keyframe_limit / megabytes,
    }


def _own(name: str, title: str, line: str, formula: str, source: str) -> Entry:
    """The entry of one objective's own loss."""
    return Entry(
        f"loss_{name}", title, line, formula, source, r"\mathrm{loss} = <loss>,\quad \mathrm{step}\ <step>", _loss
    )


LOSSES = (
    _own(
        "esm",
        "Loss: explicit score matching",
        "The mean squared distance to the true score: possible here because the truth is known, never with real data.",
        r"J = \tfrac{1}{2}\,\mathbb{E}\,|s_\theta(x) - s(x)|^2",
        "Hyvärinen 2005, eq. 2",
    ),
    _own(
        "ism",
        "Loss: implicit score matching",
        "The same up to a constant, from samples alone, by integration by parts; the trace costs two backward passes.",
        r"J = \mathbb{E}\left[\tfrac{1}{2}|s_\theta(x)|^2 + \mathrm{tr}\,\nabla s_\theta(x)\right]",
        "Hyvärinen 2005, theorem 1 and eq. 4",
    ),
    _own(
        "ssm",
        "Loss: sliced score matching",
        "The trace along random directions v: one backward pass each, and noise of its own.",
        r"J = \mathbb{E}_{x,v}\left[v^{T}\nabla(v^{T}s_\theta) + \tfrac{1}{2}(v^{T}s_\theta)^2\right],"
        r"\quad \mathbb{E}\,vv^{T} = I",
        "Song et al. 2019, eq. 7",
    ),
    _own(
        "ssm_vr",
        "Loss: sliced, variance reduced",
        "Only the trace is taken along random directions v; the length of the score is exact (Hutchinson's estimate).",
        r"J = \mathbb{E}_{x,v}\left[v^{T}\nabla(v^{T}s_\theta) + \tfrac{1}{2}|s_\theta|^2\right],"
        r"\quad \mathbb{E}\,vv^{T} = I",
        "Song et al. 2019, eq. 8; Hutchinson 1990",
    ),
    _own(
        "dsm",
        "Loss: denoising score matching",
        "Noise is added to each draw, and the noise's own score is the target; its mean is the score of p after noise.",
        r"J = \tfrac{1}{2}\,\mathbb{E}\left|s_\theta(x) + \frac{z}{\sigma}\right|^2,\quad x = x_0 + \sigma z",
        "Vincent 2011, eq. 9",
    ),
    _own(
        "pooled",
        "Loss: denoising, pooled targets",
        "The denoising target averaged over all draws so far: a function of x, so that nothing random is left in it.",
        r"J = \tfrac{1}{2}\,\mathbb{E}\,|s_\theta(x) - \hat{s}(x)|^2,\quad "
        r"\hat{s}(x) = \frac{\sum_c n_c N(x-c;v)\,(c-x)/v}{\sum_c n_c N(x-c;v)}",
        "Vincent 2011, eq. 9, with the posterior mean of trainer/pool.py for the target",
    ),
    _own(
        "ddpm",
        "Loss: noise prediction",
        "The network names the noise that was added; up to a factor this is denoising score matching.",
        r"J = \mathbb{E}\,|\epsilon_\theta - \epsilon|^2 = 2\sigma^2 J_{\mathrm{dsm}},"
        r"\quad \epsilon_\theta = -\sigma s_\theta",
        "Ho et al. 2020, eq. 14",
    ),
)

MEASURES = (
    Entry(
        "floor",
        "Floor of the loss",
        "The least that the loss can be, however good the network: why it stands still while the field still improves.",
        r"J_{\mathrm{dsm}} = J_{\mathrm{esm}} + \tfrac{1}{2}\,\mathbb{E}\left|\frac{z}{\sigma} + s(x)\right|^2,"
        r"\qquad J_{\mathrm{ism}} = J_{\mathrm{esm}} - \tfrac{1}{2}\,\mathbb{E}|s|^2",
        "Vincent 2011, section 4.2; Hyvärinen 2005, theorem 1",
        r"<loss> = <floor> + <above>",
        _floor,
    ),
    Entry(
        "fisher",
        "Relative Fisher error",
        "How wrong the field is: squared error over squared score. 1 is as bad as no field; 0.01 a tenth of an arrow.",
        r"\frac{\mathbb{E}\,|s_\theta(x,\sigma) - s(x,\sigma)|^2}{\mathbb{E}\,|s(x,\sigma)|^2},\quad x \sim p_\sigma",
        "Hyvärinen 2005, eq. 2, over the power of the true score",
        r"\sigma = <sigma>:\quad <error> = <root>^2,\quad \mathrm{step}\ <step>",
        _fisher,
    ),
    Entry(
        "variance",
        "Gradient variance",
        "How much the gradient scatters from batch to batch, over its size: so many batches make signal equal noise.",
        r"\frac{\mathrm{Var}}{|g|^2},\quad \mathrm{Var} = \frac{1}{n-1}\sum_k |g_k - \bar{g}|^2,"
        r"\quad |g|^2 = |\bar{g}|^2 - \frac{\mathrm{Var}}{n}",
        "McCandlish et al. 2018, eq. 2.9",
        r"<least>\ \mathrm{to}\ <most>\ \mathrm{in\ this\ race}",
        _variance,
    ),
    Entry(
        "draws",
        "Draws",
        "How many points of the density the learner has been given; it never sees the density itself.",
        r"x_0 \sim p,\qquad x = x_0 + \sigma z,\quad z \sim N(0, I)",
        "Vincent 2011, section 4.2",
        r"<draws>\ \mathrm{draws}",
        _draws,
    ),
    Entry(
        "network",
        "Network",
        "A small network on Fourier features, the same for every noise level; its averaged weights are what is shown.",
        r"s_\theta(x,\sigma)",
        "Tancik et al. 2020; Karras et al. 2022, Table 1",
        r"|\theta| = <parameters>,\quad \mathrm{seed}\ <seed>",
        _parameters,
    ),
    Entry(
        "speed",
        "Speed of training",
        "Training steps taken in a second of the clock, over the last second or so.",
        r"\frac{\mathrm{steps}}{\mathrm{second}}",
        "Measured",
        r"<rate>\ \mathrm{steps/s} = <milliseconds>\ \mathrm{ms\ a\ step}",
        _speed,
    ),
    Entry(
        "training_ladder",
        "Noise levels that are learned",
        "A geometric ladder from more noise than the data are wide to almost none; one network learns all of them.",
        r"\sigma_1 > \dots > \sigma_L,\qquad \frac{\sigma_i}{\sigma_{i+1}} = \left(\frac{\sigma_1}{\sigma_L}"
        r"\right)^{1/(L-1)}",
        "Song & Ermon 2019, section 4.1; Song & Ermon 2020, Technique 1",
        r"L = <levels>,\quad \sigma_1 = <first>,\quad \sigma_L = <last>,\quad \mathrm{ratio}\ <ratio>",
        _ladder,
    ),
    Entry(
        "keyframes",
        "Kept training steps",
        "Weights of the past on a logarithmic grid of steps; the slider of training shows the field that they gave.",
        r"\mathrm{step}_j = \mathrm{round}\left(2^{j/8}\right)",
        "explorer/engine/keyframes.py",
        r"<kept>\ \mathrm{kept\ of}\ <step>\ \mathrm{steps},\quad <bytes>\ \mathrm{of}\ <limit>\ \mathrm{MiB}",
        _keyframes,
    ),
)
