"""Running `score-trainer` in a test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trainer.cli import main


def values_of(capsys: pytest.CaptureFixture[str], *args: object) -> dict[str, Any]:
    """Status 0 and one object on standard output, which is returned."""
    assert main([*map(str, args), "--json"]) == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    return json.loads(out)


def refused(capsys: pytest.CaptureFixture[str], *args: object) -> str:
    """Status 2 and one line, which is returned; nothing on standard output."""
    assert main([*map(str, args)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("score-trainer: ")
    return err
