"""How the process of the command runs Python and numpy."""

from __future__ import annotations

import ctypes
import gc
import os
import sys

# Objects that a run makes before the collector looks at the newest. Thousands belong to calls in flight and go by
# themselves with them: at Python's 700 a tenth of a run's processor time went into looking at them in vain.
_OBJECTS_A_LOOK = 10_000
# Looks at the newest after which it looks at what was left of them, and looks of that kind after which it looks at all. A
# look stops everything else: at Python's 10 the second kind took 40 ms, at 3 it takes a third of that, as seldom at all.
_LOOKS = (3, 30)
# Seconds that a thread may compute while another waits to go on: the event loop waits anew at every turn while cases are
# compared in a thread, at Python's 5 ms each time.
_GIVE_WAY = 0.0005

# Of glibc's mallopt (malloc.h), and bytes: what lies free at the end of the heap, or is larger than this, goes back at once.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_GIVEN_BACK = 128 * 1024


def tune_process() -> None:
    """Set what holds for the whole process, and is its owner's to set; before numpy is imported."""
    # Threads of its own bring nothing for such small matrices, and do not get on with the child processes that are
    # started (an editor).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(_OBJECTS_A_LOOK, *_LOOKS)
    sys.setswitchinterval(_GIVE_WAY)
    _tune_malloc()


def _tune_malloc() -> None:
    """One heap for all threads, which the interpreter's lock lets in one at a time anyway, and no more of it than is used:
    16 of 132 MB in a run of 50 workers. Only glibc has these settings; what its owner says in the environment holds."""
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    for setting, value in ((_ARENA_MAX, 1), (_TRIM_THRESHOLD, _GIVEN_BACK), (_MMAP_THRESHOLD, _GIVEN_BACK)):
        mallopt(setting, value)
