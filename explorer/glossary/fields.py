"""The two fields, what is derived from them, and what the inspector says of a point.

Conventions of the plane and of the noise are the project's: sigma is a standard deviation per coordinate in units of
the plane, p_sigma the density after that noise. Formulas as in `trainer.derivatives`, `error_maps` and `circulation`.
"""

from __future__ import annotations

import math

import numpy as np

from explorer.engine.frames import INSPECTED, Frame
from explorer.glossary.entry import Entry, Values

_TRUE_X, _LOG_P = INSPECTED.index("true_x"), INSPECTED.index("log_p")
_DIVERGENCE, _CURL, _EXPECTED = (INSPECTED.index(name) for name in ("learned_divergence", "learned_curl", "expected"))


def _sigma(frame: Frame) -> Values:
    return {"sigma": frame.sigma}


def _point(frame: Frame) -> list[float] | None:
    """x, y, learned (2), true (2), log p_sigma of the hovered point, else of the first pin."""
    if frame.probe.size >= 7:
        return [float(value) for value in frame.probe[:7]]
    return [float(value) for value in frame.pins[0, :7]] if len(frame.pins) else None


def _score(frame: Frame) -> Values | None:
    point = _point(frame)
    if point is None:
        return None
    names = ("x", "y", "learned_x", "learned_y", "true_x", "true_y")
    return dict(zip(names, point, strict=False)) | {"sigma": frame.sigma}


def _difference(frame: Frame) -> Values | None:
    point = _point(frame)
    if point is None:
        return None
    learned, true = np.array(point[2:4]), np.array(point[_TRUE_X : _TRUE_X + 2])
    gap, size = float(np.linalg.norm(learned - true)), float(np.linalg.norm(true))
    return {"gap": gap, "size": size, "relative": gap / size} if size > 0 else None


def _log_density(frame: Frame) -> Values | None:
    point = _point(frame)
    return None if point is None else {"x": point[0], "y": point[1], "log_p": point[_LOG_P]}


def _denoised(frame: Frame) -> Values | None:
    point = _point(frame)
    if point is None:
        return None
    x, y, learned_x, learned_y = point[:4]
    square = frame.sigma**2
    return {
        "x": x,
        "y": y,
        "sigma": frame.sigma,
        "to_x": x + square * learned_x,
        "to_y": y + square * learned_y,
    }


def _loop(frame: Frame) -> Values | None:
    if len(frame.loop_integrals) < 2:
        return None
    (learned, error, size), (true, *_) = frame.loop_integrals.tolist()
    return {"learned": learned, "error": error, "size": size, "true": true}


def _angle(frame: Frame) -> Values | None:
    point = _point(frame)
    if point is None:
        return None
    learned, true = np.array(point[2:4]), np.array(point[4:6])
    sizes = float(np.linalg.norm(learned) * np.linalg.norm(true))
    if not sizes > 0:
        return None
    cosine = min(1.0, max(-1.0, float(learned @ true) / sizes))
    return {"cosine": cosine, "degrees": math.degrees(math.acos(cosine))}


def _first_pin(name: str, title: str, line: str, formula: str, source: str, symbol: str, column: int) -> Entry:
    """An entry whose number is a column of the first pinned point."""

    def values(frame: Frame) -> Values | None:
        if not len(frame.pins):
            return None
        row = frame.pins[0]
        return {"x": float(row[0]), "y": float(row[1]), "value": float(row[column])}

    return Entry(name, title, line, formula, source, symbol + r"(<x>, <y>) = <value>", values)


FIELDS = (
    Entry(
        "score",
        "Score",
        "An arrow towards where the density grows fastest; it needs no normaliser, whose gradient is zero.",
        r"s(x,\sigma) = \nabla_x \log p_\sigma(x)",
        "Hyvärinen 2005, section 2",
        r"s_\theta(<x>, <y>) = (<learned_x>, <learned_y>),\quad s = (<true_x>, <true_y>)",
        _score,
    ),
    Entry(
        "p_sigma",
        "Density after noise",
        "The painting blurred by noise of standard deviation sigma; the ground under fields and particles.",
        r"p_\sigma(x) = \int p(x_0)\, N(x;\, x_0, \sigma^2 I)\, dx_0",
        "Vincent 2011, section 4; Song & Ermon 2019, section 3",
        r"\sigma = <sigma>,\quad \max p_\sigma = <peak>",
        lambda frame: {"sigma": frame.sigma, "peak": frame.peak},
    ),
    Entry(
        "sigma",
        "Noise level",
        "The standard deviation of the noise, per coordinate, in units of the plane, whose square is two units wide.",
        r"x = x_0 + \sigma z,\quad z \sim N(0, I)",
        "Song & Ermon 2019, section 4.1",
        r"\sigma = <sigma>",
        _sigma,
    ),
    Entry(
        "difference",
        "Difference of the fields",
        "The learned score less the true one: an arrow for how wrong, and where to.",
        r"|s_\theta - s|,\qquad \frac{|s_\theta - s|}{|s|}",
        "Hyvärinen 2005, eq. 2, before the mean is taken",
        r"|s_\theta - s| = <gap>,\quad |s| = <size>,\quad \mathrm{relative}\ <relative>",
        _difference,
    ),
    Entry(
        "angle",
        "Angle between the fields",
        "Whether the learned arrow points the right way, whatever its length.",
        r"\cos\phi = \frac{s_\theta \cdot s}{|s_\theta|\,|s|}",
        "trainer/error_maps.py",
        r"\cos\phi = <cosine>,\quad \phi = <degrees>^{\circ}",
        _angle,
    ),
    Entry(
        "weighted_error",
        "Error weighted by the density",
        "What each place adds to the relative Fisher error: where there is no mass, nothing, however wrong the arrow.",
        r"\frac{p_\sigma\,|s_\theta - s|^2}{\sum p_\sigma\,|s|^2}",
        "Song & Ermon 2019, section 3.2",
    ),
    Entry(
        "log_p",
        "Log-density",
        "The logarithm of the density after noise, exact; its gradient is the true score.",
        r"\log p_\sigma(x)",
        "Closed form: a sum over the painting's cells",
        r"\log p_\sigma(<x>, <y>) = <log_p>",
        _log_density,
    ),
    Entry(
        "energy",
        "Energy",
        "Minus the log-density, up to a constant: the score is the force that pulls downhill in it.",
        r"p_\sigma(x) = \frac{e^{-E(x)}}{Z},\qquad s = -\nabla E",
        "LeCun et al. 2006; Song & Kingma 2021, section 2",
    ),
    Entry(
        "denoised",
        "Denoised point",
        "The mean of all clean points that noise may have brought here: a step of sigma squared along the score.",
        r"\mathbb{E}[x_0 \mid x] = x + \sigma^2 s(x,\sigma)",
        "Tweedie's formula, Efron 2011; Vincent 2011, section 4.3",
        r"(<x>, <y>) + <sigma>^2 s_\theta = (<to_x>, <to_y>)",
        _denoised,
    ),
    _first_pin(
        "divergence",
        "Divergence",
        "How much the field spreads: minus at summits, where arrows meet. Implicit score matching trains on it.",
        r"\mathrm{tr}\,\nabla s = \frac{\partial s_x}{\partial x} + \frac{\partial s_y}{\partial y}",
        "Hyvärinen 2005, eq. 4",
        r"\mathrm{tr}\,\nabla s_\theta",
        _DIVERGENCE,
    ),
    _first_pin(
        "curl",
        "Curl",
        "Zero for every gradient; where the learned field has one, it is the score of no density at all.",
        r"\frac{\partial s_y}{\partial x} - \frac{\partial s_x}{\partial y}",
        "Salimans & Ho 2021",
        r"\mathrm{curl}\, s_\theta",
        _CURL,
    ),
    Entry(
        "rotational",
        "Rotational share",
        "How much of the field's change is turning: 0 for a gradient, 1 for a pure rotation.",
        r"\frac{|A|^2}{|J|^2},\quad A = \tfrac{1}{2}(J - J^{T}),\quad |A|^2 = \tfrac{1}{2}\,\mathrm{curl}^2",
        "trainer/circulation.py",
    ),
    Entry(
        "loop",
        "Loop integral",
        "The score summed along a closed loop: zero for a gradient, else the curl inside.",
        r"\oint s \cdot dl = \iint \left(\frac{\partial s_y}{\partial x} - \frac{\partial s_x}{\partial y}\right) dA",
        "Stokes; Salimans & Ho 2021",
        r"\oint s_\theta \cdot dl = <learned> \pm <error>,\quad \oint s \cdot dl = <true>",
        _loop,
    ),
    _first_pin(
        "expected",
        "Expected training points",
        "How many of a block's draws fall into a cell here on average; below 1 the field is a guess.",
        r"n\,p_\sigma(x)\,A",
        "Song & Ermon 2019, section 3.2.1",
        r"n\,p_\sigma A\,",
        _EXPECTED,
    ),
)
