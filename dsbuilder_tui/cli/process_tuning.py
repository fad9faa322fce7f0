"""How the process of the command runs Python and numpy."""

from __future__ import annotations

import gc
import os

# Objects that a run makes before the collector looks at the newest. Thousands belong to calls in flight and go by
# themselves with them: at Python's 700 a tenth of a run's processor time went into looking at them in vain.
_OBJECTS_A_LOOK = 10_000


def tune_process() -> None:
    """Set what holds for the whole process, and is its owner's to set; before numpy is imported."""
    # Threads of its own bring nothing for such small matrices, and do not get on with the child processes that are
    # started (an editor).
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.set_threshold(_OBJECTS_A_LOOK, *gc.get_threshold()[1:])
