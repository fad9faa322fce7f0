"""A session's experiment, run and datasets, written from the process that speaks to MLflow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from dsbuilder_tui.tracking.mlflow_process import MlflowLine, MlflowProcess
from dsbuilder_tui.tracking.mlflow_target import MlflowTarget, TrackedIds

P = ParamSpec("P")
T = TypeVar("T")


class RemoteTarget:
    """Calls the methods of a ``MlflowTarget`` over there. ``ids`` are kept up to date: all that has to survive its death."""

    def __init__(self, process: MlflowProcess, uri: str, ids: TrackedIds) -> None:
        """``uri`` may have a login, which ``ids`` must not."""
        self._process, self._line, self.ids = process, MlflowLine(uri), ids

    async def call(self, method: Callable[Concatenate[MlflowTarget, P], T], *args: P.args, **named: P.kwargs) -> T:
        """What the method returns. Raises ``MlflowFailure``."""
        assert not named
        ids, result = await self._process.call(self._line, _act, self._line.uri, self.ids, method, args)
        self.ids.take(ids)
        return result  # type: ignore[no-any-return]

    def end(self) -> None:
        """Call no more."""
        self._process.end(self._line)


class _Here(threading.local):
    """The target of a line, in the thread of that line."""

    target: MlflowTarget | None = None


_here = _Here()


def _act(uri: str, ids: TrackedIds, method: Callable[..., Any], args: tuple[Any, ...]) -> tuple[TrackedIds, Any]:
    if _here.target is None:
        _here.target = MlflowTarget(uri, ids)
    _here.target.ids = ids
    result = method(_here.target, *args)
    return _here.target.ids, result
