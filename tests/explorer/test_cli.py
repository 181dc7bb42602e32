"""The command line before there is anything to show: Ctrl-C while the program is being read."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "arguments"),
    [("explorer.export.command", ["export", "ring", "ring.gif"]), ("explorer.system", ["--info"])],
)
def test_ctrl_c_is_one_line_and_status_130(module: str, arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "class Hand:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Hand())\n"
        "from explorer.cli import main\n"
        f"sys.exit(main({arguments!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert (done.stdout, done.stderr) == ("", "score-explorer: stopped by the keyboard\n")
