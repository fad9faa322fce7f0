"""The worker calls of the run that is going on: to look at, to cut off, to hurry."""

from __future__ import annotations

from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.session.core import SessionCore


class Calls(SessionCore):
    """What can be seen of worker calls and done to them while they are in flight."""

    def live_calls(self) -> list[CallTrace]:
        """The calls in flight, then the last 100 that ended, each the newest first. They go on changing."""
        return self._call_log.calls()

    def cancel_call(self, batch: int) -> bool:
        """Cut a call off. What it has delivered counts; its other slots are open again, without a mark against them.

        False when it is not in flight.
        """
        return self._run.cancel_call(batch) if self._run else False

    def retry_call_now(self, batch: int) -> bool:
        """End the wait of a call that is to be made again, at once. False when it is not waiting."""
        return self._run.retry_call_now(batch) if self._run else False
