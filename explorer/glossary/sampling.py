r"""How particles move, and who got the shares right. Formulas as in `trainer.langevin`, `diffusion`, `ddpm`, `modes`.

The step is that of Song & Ermon 2019, x + (epsilon / 2) s + sqrt(epsilon) z; papers that write x + h s + sqrt(2 h) z
mean h = epsilon / 2. Numbers are those of the pane that is asked about, or of the first pane with that sampler.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explorer.engine.frames import Frame, PaneState
from explorer.glossary.entry import Entry, Values


def _sampler(name: str, title: str, line: str, formula: str, source: str) -> Entry:
    return Entry(
        name,
        title,
        line,
        formula,
        source,
        r"t = <step>\ \mathrm{of}\ <steps>,\quad \sigma = <sigma>,\quad \mathrm{level}\ <level>\ \mathrm{of}\ <levels>",
        lambda frame: _progress(_first(frame, name)),
    )


def _first(frame: Frame, sampler: str) -> PaneState | None:
    return next((pane for pane in frame.pane_states if pane.sampler == sampler), None)


def _progress(pane: PaneState | None) -> Values | None:
    if pane is None:
        return None
    return {
        "step": pane.step,
        "steps": pane.steps,
        "sigma": pane.sigma,
        "level": min(pane.level + 1, pane.levels),
        "levels": pane.levels,
    }


SAMPLERS = {
    entry.name: entry
    for entry in (
        _sampler(
            "ascent",
            "Gradient ascent",
            "Follows the score and nothing else: every particle collapses onto a mode.",
            r"x \leftarrow x + \frac{\varepsilon}{2}\, s(x, \sigma_{\min})",
            "Song & Ermon 2019, eq. 4, without its noise",
        ),
        _sampler(
            "langevin",
            "Langevin dynamics",
            "The score and noise at one small level: right in the limit, but no particle crosses an empty gap.",
            r"x \leftarrow x + \frac{\varepsilon}{2}\, s(x, \sigma_{\min}) + \sqrt{\varepsilon}\, z,"
            r"\quad z \sim N(0, I)",
            "Song & Ermon 2019, eq. 4",
        ),
        _sampler(
            "mala",
            "Metropolis-adjusted Langevin",
            "Langevin's step is a proposal y that the exact density accepts or refuses: right at any step size.",
            r"\log u < \log\frac{p(y)\, q(x \mid y)}{p(x)\, q(y \mid x)},\quad "
            r"q(y \mid x) = N\left(y;\, x + \frac{\varepsilon}{2}s(x),\, \varepsilon I\right)",
            "Besag 1994; Roberts & Tweedie 1996, section 1.4.1",
        ),
        _sampler(
            "annealed",
            "Annealed Langevin dynamics",
            "Langevin dynamics down a ladder of noise levels: weight crosses the gaps while the noise fills them.",
            r"x \leftarrow x + \frac{\alpha_i}{2}\, s(x, \sigma_i) + \sqrt{\alpha_i}\, z,\quad "
            r"\alpha_i = \varepsilon\,\frac{\sigma_i^2}{\sigma_L^2}",
            "Song & Ermon 2019, Algorithm 1",
        ),
        _sampler(
            "pc",
            "Predictor-corrector",
            "At each noise level Langevin steps first, then one step of the reverse SDE.",
            r"x \leftarrow x + h\,s + \sqrt{2h}\,z,\ h = 2(r\sigma_i)^2;\quad x \leftarrow x + D\,s + \sqrt{D}\,z,"
            r"\ D = \sigma_i^2 - \sigma_{i+1}^2",
            "Song et al. 2021, Algorithms 2 and 4, with |z| / |s| = sigma",
        ),
        _sampler(
            "sde",
            "Reverse SDE",
            "The noising run backwards, with fresh noise along the way, by Euler and Maruyama.",
            r"x \leftarrow x + D\,s(x, \sigma_i) + \sqrt{D}\, z,\quad D = \sigma_i^2 - \sigma_{i+1}^2",
            "Song et al. 2021, eq. 6",
        ),
        _sampler(
            "ode",
            "Probability-flow ODE",
            "The same densities at every noise level without any noise: the end is a function of the start alone.",
            r"\frac{dx}{d\sigma} = -\sigma\, s(x, \sigma)",
            "Song et al. 2021, eq. 13; Karras et al. 2022, eq. 1 and Algorithm 1",
        ),
        _sampler(
            "ddpm",
            "DDPM's ancestral sampling",
            "Draws from the posterior of the step before, in the coordinates in which variance is kept.",
            r"y_s = \frac{1}{\sqrt{\alpha}}\left(y_t - \frac{1-\alpha}{\sqrt{1-\bar\alpha_t}}\,\epsilon_\theta\right)"
            r" + w z,\quad w^2 = \frac{1-\bar\alpha_s}{1-\bar\alpha_t}(1-\alpha)",
            "Ho et al. 2020, eqs. 7 and 11",
        ),
        _sampler(
            "ddim",
            "DDIM",
            "Keeps part of the noise that was found; without fresh noise it is Euler's step of the ODE.",
            r"y_s = \sqrt{\bar\alpha_s}\,\hat{x}_0 + \sqrt{1-\bar\alpha_s-\eta^2w^2}\;\epsilon_\theta + \eta w z",
            "Song, Meng & Ermon 2021, eqs. 12 and 16",
        ),
    )
}


def _step_size(frame: Frame) -> Values | None:
    """How much longer annealed Langevin's step is now than on the last level."""
    pane = _first(frame, "annealed")
    if pane is None or not pane.ladder.size:
        return None
    last = float(pane.ladder[-1])
    return {"sigma": pane.sigma, "last": last, "ratio": (pane.sigma / last) ** 2}


def _ladder(frame: Frame) -> Values | None:
    pane = _first(frame, "annealed") or next((each for each in frame.pane_states if each.ladder.size > 1), None)
    if pane is None or pane.ladder.size < 2:
        return None
    return {"levels": int(pane.ladder.size), "first": float(pane.ladder[0]), "last": float(pane.ladder[-1])}


def _band(frame: Frame) -> Values | None:
    """The largest mode in the last pane, whose sampler the story ends with."""
    modes = frame.modes
    if modes is None or not modes.mass.size or not len(modes.share):
        return None
    top = int(np.argmax(modes.mass))
    return {
        "pane": len(modes.share),
        "share": float(modes.share[-1, top]),
        "low": float(modes.low[-1, top]),
        "high": float(modes.high[-1, top]),
        "mass": float(modes.mass[top]),
    }


def _elsewhere(frame: Frame) -> Values | None:
    modes = frame.modes
    if modes is None or not modes.elsewhere.size:
        return None
    return {"pane": len(modes.elsewhere), "share": float(modes.elsewhere[-1])}


def _table(pane: PaneState | None) -> Values | None:
    return None if pane is None or not pane.table_error > 0 else {"error": pane.table_error}


def _evaluations(pane: PaneState | None) -> Values | None:
    return None if pane is None else {"evaluations": pane.evaluations, "steps": pane.steps}


def _distance(pane: PaneState | None) -> Values | None:
    if pane is None or not pane.distances.size:
        return None
    return {"distance": float(pane.distances[-1]), "time": float(pane.distance_times[-1])}


def _leading(frame: Frame) -> PaneState | None:
    return frame.pane_states[0] if frame.pane_states else None


MOVING = (
    Entry(
        "epsilon",
        "Step size",
        "The variance of the noise in one step. Too long a step inflates every mode by b, the narrow ones most.",
        r"\alpha_i = \varepsilon\,\frac{\sigma_i^2}{\sigma_L^2},\qquad b = \frac{1}{1 - \varepsilon/(4v)}",
        "Song & Ermon 2019, Algorithm 1; Song & Ermon 2020, proof of proposition 3",
        r"\sigma_i = <sigma>,\quad \sigma_L = <last>:\quad \alpha_i = <ratio>\,\varepsilon",
        _step_size,
    ),
    Entry(
        "ladder",
        "Noise ladder",
        "The noise levels that annealing goes down: the first bridges the gaps, and each is near enough to the next.",
        r"\sigma_1 > \sigma_2 > \dots > \sigma_L",
        "Song & Ermon 2019, section 4.3; Song & Ermon 2020, Techniques 1 and 4",
        r"L = <levels>,\quad \sigma_1 = <first>,\quad \sigma_L = <last>",
        _ladder,
    ),
    Entry(
        "evaluations",
        "Evaluations",
        "How often a whole run asks for the score, per particle: what sampling costs, whatever the sampler.",
        r"\mathrm{evaluations\ of}\ s(x,\sigma)",
        "Karras et al. 2022, section 3, as network evaluations",
        r"<evaluations>\ \mathrm{in}\ <steps>\ \mathrm{steps}",
        lambda frame: _evaluations(_leading(frame)),
    ),
    Entry(
        "table_error",
        "Error of the table",
        "Particles read the field from a table of nodes; so far is that from the network, over the field's size.",
        r"\frac{\mathrm{mean}\,|s_{\mathrm{table}} - s|}{\sqrt{\mathrm{mean}\,|s|^2}}",
        "trainer/tables.py",
        r"\mathrm{error} = <error>",
        lambda frame: _table(_leading(frame)),
    ),
    Entry(
        "distance",
        "Distance to the truth",
        "How far the cloud is from the density: what it costs to carry one into the other, averaged over directions. "
        "The line under a pane draws it over the run, on a logarithmic axis that all panes share.",
        r"SW^2 = \mathrm{mean}_\theta \int_0^1 \left|F_\theta^{-1}(u) - G_\theta^{-1}(u)\right|^2 du",
        "Bonneel et al. 2015; trainer/distances.py",
        r"SW = <distance>\ \mathrm{at}\ <time>\ \mathrm{of\ the\ run}",
        lambda frame: _distance(_leading(frame)),
    ),
)

SHARES = (
    Entry(
        "mass",
        "Mass of a mode",
        "What share of the density lies in the mode's basin: what the particles' share ought to be.",
        r"m_k = \int_{B_k} p_\sigma(x)\, dx",
        "trainer/modes.py: basins of the watershed of p",
        r"m_1 = <mass>",
        _band,
    ),
    Entry(
        "band",
        "Share and its band",
        "What share of the particles ended in the mode; all bands together hold the true shares in 95 of 100 runs.",
        r"\frac{\hat{p} + \frac{z^2}{2n} \pm z\sqrt{\frac{\hat{p}(1-\hat{p})}{n} + \frac{z^2}{4n^2}}}"
        r"{1 + \frac{z^2}{n}},\quad z = \Phi^{-1}\left(1 - \frac{0.05}{2M}\right)",
        "Wilson 1927, with Bonferroni's correction for M modes",
        r"\mathrm{pane}\ <pane>:\quad <low> \le <share> \le <high>,\quad m_1 = <mass>",
        _band,
    ),
    Entry(
        "elsewhere",
        "Elsewhere",
        "Particles outside the smallest region that holds 99.9 % of the mass: they are in no mode.",
        r"\{x : p_\sigma(x) < c\},\quad \int_{p_\sigma \ge c} p_\sigma\, dx = 0.999",
        "Hyndman 1996",
        r"\mathrm{pane}\ <pane>:\quad <share>",
        _elsewhere,
    ),
)


def of_pane(entry: Entry, pane: int) -> Entry:
    """The same entry with the numbers of this pane, counted from 0."""

    def state(frame: Frame) -> PaneState | None:
        return frame.pane_states[pane] if pane < len(frame.pane_states) else None

    if entry.name in SAMPLERS:
        return replace(entry, values=lambda frame: _progress(state(frame)))
    source = {"evaluations": _evaluations, "table_error": _table, "distance": _distance}.get(entry.name)
    return entry if source is None else replace(entry, values=lambda frame: source(state(frame)))
