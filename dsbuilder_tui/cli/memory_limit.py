"""The limit of the system on a process's memory (``ulimit -v``), looked at before a command begins.

Where the numeric libraries find no room they end the process themselves, in their own words or in none.
"""

from __future__ import annotations

import contextlib

from dsbuilder_tui.domain.errors import DsbuilderError

_MB = 2**20


def require_memory(megabytes: int) -> None:
    """Raises ``DsbuilderError`` when this process may not have so much address space."""
    limit = _limit()
    if limit is not None and limit < megabytes * _MB:
        raise DsbuilderError(
            f"This process may have {limit // _MB} MB of memory, and this command takes {megabytes} MB.",
            f"Raise the limit, with `ulimit -v {megabytes * 1024}` or `ulimit -v unlimited`.",
        )


def _limit() -> int | None:
    """Bytes; None where there is no limit, or the system has none."""
    with contextlib.suppress(ImportError):
        import resource  # not on Windows

        soft, _ = resource.getrlimit(resource.RLIMIT_AS)
        return None if soft == resource.RLIM_INFINITY else soft
    return None
