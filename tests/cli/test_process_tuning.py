"""What the command sets for its process, and leaves alone where a person has set it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

_SHOW = """
import gc, json, os
from dsbuilder_tui.cli.main import main
main(["manual"])
print()
print(json.dumps([list(gc.get_threshold()), os.environ["OPENBLAS_NUM_THREADS"]]))
"""


@pytest.mark.parametrize("named", [None, "3"])
def test_the_command_tunes_its_process(named: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": named} if named else {}
    shown = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, env=environment, check=True)
    thresholds, threads = json.loads(shown.stdout.splitlines()[-1])
    assert thresholds[0] >= 5000 and threads == (named or "1")
