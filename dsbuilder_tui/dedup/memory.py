"""The memory of a process."""

from __future__ import annotations

import contextlib
import sys


def peak_memory() -> int | None:
    """The most memory this process has had, in bytes; None where the system does not tell."""
    with contextlib.suppress(ImportError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return None
