"""What the command sets for its process, and leaves alone where a person has set it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest

from tests.support.process import ROOT

_SHOW = """
import gc, json, os, sys
from dsbuilder_tui.cli.main import main
main(["manual"])
print()
print(json.dumps([list(gc.get_threshold()), os.environ["OPENBLAS_NUM_THREADS"], sys.getswitchinterval()]))
"""


@pytest.mark.parametrize("named", [None, "3"])
def test_the_command_tunes_its_process(named: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= {"OPENBLAS_NUM_THREADS": named} if named else {}
    shown = subprocess.run([sys.executable, "-c", _SHOW], capture_output=True, text=True, env=environment, check=True)
    thresholds, threads, gives_way = json.loads(shown.stdout.splitlines()[-1])
    assert thresholds[0] >= 5000 and threads == (named or "1")
    assert thresholds[1] < 10 and thresholds[2] > 10  # short looks, and the long ones as seldom
    assert gives_way <= 0.001  # the event loop does not wait long for a thread that computes


# A heap of its own for a thread is a reserved stretch of 64 MB, most of which may not be touched.
_THREADS = """
import sys, threading
if sys.argv[1] == "tuned":
    from dsbuilder_tui.cli.process_tuning import tune_process
    tune_process()
hold, ready = threading.Event(), threading.Barrier(9)
def work():
    kept = [bytes(3000) for _ in range(2000)]
    ready.wait()
    hold.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
ready.wait()
print(sum(line.split()[1] == "---p" and 50 << 20 < int(line.split()[0].split("-")[1], 16) - int(line.split()[0].split("-")[0], 16)
          <= 64 << 20 for line in open("/proc/self/maps")))
hold.set()
"""


def heaps(how: str, **more: str) -> int:
    env = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", _THREADS, how], capture_output=True, text=True, check=True, cwd=ROOT, env={**env, **more}
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_threads_have_no_heaps_of_their_own() -> None:
    assert heaps("as it is") > 0
    assert heaps("tuned") == 0
    assert heaps("tuned", MALLOC_ARENA_MAX="4") > 0  # what the owner of the process says holds
