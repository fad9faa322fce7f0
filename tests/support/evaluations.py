"""The process in which MLflow evaluates for tests: one for all of them, begun when the first asks."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from typing import Any

from tests.support.process import ROOT


class Evaluations:
    """Asks ``mlflow_evaluation``, one evaluation at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def run(self, uri: str, name: str, options: dict[str, Any]) -> str:
        """The id of the run of an evaluation of the dataset that is called so. Raises ``AssertionError`` when there is none."""
        with self._lock:
            process = self._begun()
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps([uri, name, options]) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or '{"error": "the process has ended"}')
        assert "error" not in answer, answer["error"][-2000:]
        return str(answer["run"])

    def _begun(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.mlflow_evaluation"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            atexit.register(self._process.kill)
        return self._process


EVALUATIONS = Evaluations()
