"""The student, for a few seconds: that it acts, that the program ends, and that nothing is left."""

from __future__ import annotations

import ctypes.util
import shutil
from pathlib import Path

import pytest

from tests.student.__main__ import at_rest, growth, run


@pytest.mark.skipif(
    shutil.which("Xvfb") is None or ctypes.util.find_library("Xtst") is None, reason="needs Xvfb and libXtst"
)
def test_a_short_visit_leaves_nothing_behind(tmp_path: Path) -> None:
    verdict = run(tmp_path, 15.0, 3, 600.0, False)
    (rest,) = verdict["rests"]
    assert min(rest["window"], rest["engine"]) > 50
    assert verdict["ended_by_itself"]
    assert verdict["status"] == 0
    assert verdict["acts"] > 10
    assert verdict["actions_reached"] > 3
    for found in ("exceptions", "left_processes", "left_segments", "left_threads", "left_children"):
        assert verdict[found] == []


def test_growth_compares_the_end_with_the_tenth_minute() -> None:
    samples = [{"at": 15.0 * k, "window_mib": 100.0 + (k < 40) * k + (k > 200) * 7} for k in range(1, 241)]
    assert growth(samples, "window_mib") == pytest.approx(0.07)
    assert growth(samples[:100], "window_mib") == 0
    assert growth(samples[:5], "window_mib") is None


def test_growth_at_rest_is_that_from_the_first_to_the_last() -> None:
    rests = [{"window": 200.0, "engine": 0.0}, {"window": 280.0, "engine": 300.0}, {"window": 210.0, "engine": 303.0}]
    assert at_rest(rests, "window") == pytest.approx(0.05)
    assert at_rest(rests, "engine") == pytest.approx(0.01)
    assert at_rest(rests, "mover") is None
