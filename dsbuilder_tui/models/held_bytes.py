"""The bytes of answers that have begun and cannot be read yet, bounded over all calls of an endpoint that go on at once."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.protocol import TransientError

_MOST = 48 * 1024 * 1024  # bytes of all calls together
_ALWAYS = 256 * 1024  # bytes of one call that are taken all the same


class HeldBytes:
    """How much the calls of an endpoint hold together; one call is bounded by what reads it."""

    def __init__(self) -> None:
        self.total = 0


class HeldShare:
    """What one call holds, until it is left (``with``)."""

    def __init__(self, all_calls: HeldBytes, drop: Callable[[], None]) -> None:
        """``drop`` lets go of the bytes: an error would keep them, with all that its traceback leads to."""
        self._all, self._held, self._drop = all_calls, 0, drop

    def hold(self, size: int) -> None:
        """So many bytes now. Raises ``TransientError`` when this call holds much, and all of them too much."""
        self._all.total += size - self._held
        self._held = size
        if self._all.total > _MOST and size > _ALWAYS:
            raise TransientError(
                FailureKind.SERVER,
                f"the answers that come at once hold more than {_MOST // 2**20} MB that cannot be read",
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()
        self._all.total -= self._held
        self._held = 0
