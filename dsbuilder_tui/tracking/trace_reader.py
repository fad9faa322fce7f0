"""Traces of an experiment, read from MLflow page by page, newest first. Synchronous: not on an event loop."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.trace_query import TraceQuery
from dsbuilder_tui.sources.foreign_text import label
from dsbuilder_tui.tracking.case_record import CALLER_TAG
from dsbuilder_tui.tracking.mlflow_client import mlflow_client, told_in_words

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Trace

_PAGE = 100  # traces with their spans, which may be large
_SESSION = "mlflow.trace.session"
_MOST_NAMED = 5
_NO_ROWS = "RESOURCE_DOES_NOT_EXIST"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTrace:
    """One trace: its session where it has one, its time in nanoseconds, and what its root span took and gave.

    ``is_whole`` says that the spans could be read, ``has_root`` that a root span is among them.
    """

    id: str
    session: str
    time: int
    inputs: Any = None
    outputs: Any = None
    is_whole: bool = True
    has_root: bool = True


class TraceReader:
    """Reads traces from one address, which may have a login.

    Raises ``MlflowUnavailable`` where MLflow is not there or refuses, ``InputError`` for an experiment that it does not have.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None

    def read(self, query: TraceQuery, now: float) -> Iterator[ReadTrace]:
        """The traces asked for up to ``now`` (seconds since 1970), one page in memory at a time; the newest ``most`` of them."""
        begin = query.begin(now)
        with told_in_words(self._uri):
            experiment = self._experiment(query.experiment)
            wanted = [f"attributes.timestamp_ms <= {int(now * 1000)}"]
            if begin is not None:
                wanted.append(f"attributes.timestamp_ms >= {begin}")
            if query.filter.strip():
                wanted.append(query.filter.strip())
            yield from self._pages(experiment, " AND ".join(wanted), query.most)

    def _pages(self, experiment: Experiment, wanted: str, most: int) -> Iterator[ReadTrace]:
        from mlflow.exceptions import MlflowException

        left, token = most, None
        while left > 0:
            try:
                infos = self._connected().search_traces(
                    locations=[experiment.experiment_id], filter_string=wanted, max_results=min(_PAGE, left),
                    order_by=["timestamp_ms DESC"], page_token=token, include_spans=False,
                )  # fmt: skip
            except MlflowException as error:
                if error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST"):
                    raise InputError(
                        f"MLflow does not take the filter: {label(str(error).splitlines()[0])}",
                        "Write it as for mlflow.search_traces, such as \"status = 'OK'\" or \"tags.channel = 'web'\".",
                    ) from None
                raise
            whole = self._whole([one.info.trace_id for one in infos])
            for one in infos:
                if CALLER_TAG not in (one.info.tags or {}):  # else a call of dsbuilder's own
                    yield _read(one, whole.get(one.info.trace_id))
            left -= len(infos)
            token = infos.token
            if not token:
                return

    def _whole(self, ids: list[str]) -> dict[str, Trace]:
        """The traces with their spans, by id; those whose spans cannot be read are not among them."""
        client: Any = self._connected()
        return {trace.info.trace_id: trace for trace in client._tracing_client.batch_get_traces(ids)}

    def _experiment(self, given: str) -> Experiment:
        client, name = self._connected(), given.strip()
        if not name:
            raise InputError("No experiment is named.", "Name one of MLflow, such as my_bot.")
        found = client.get_experiment_by_name(name)
        if found is None and name.isdigit():
            found = self._by_id(name)
        if found is not None and found.lifecycle_stage == "active":
            return found
        known = [str(one.name) for one in client.search_experiments(max_results=1000)]
        folded = {one.casefold(): one for one in known}
        near = [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=_MOST_NAMED, cutoff=0.5)]
        shown = ", ".join(label(one) for one in (near or known[:_MOST_NAMED]))
        hint = f"Did you mean {shown}?" if near else f"There are: {shown}." if shown else "MLflow has none yet."
        raise InputError(f"MLflow has no experiment {label(name)!r}.", hint)

    def _by_id(self, number: str) -> Experiment | None:
        from mlflow.exceptions import MlflowException

        try:
            return self._connected().get_experiment(number)
        except MlflowException as error:
            if error.error_code == _NO_ROWS:
                return None
            raise

    def _connected(self) -> MlflowClient:
        if self._client is None:
            self._client = mlflow_client(self._uri)
        return self._client


def _read(info: Trace, whole: Trace | None) -> ReadTrace:
    about = info.info
    session = str((about.trace_metadata or {}).get(_SESSION) or "")
    spans = whole.data.spans if whole is not None else []
    root = next((span for span in spans if span.parent_id is None), None)
    return ReadTrace(
        id=str(about.trace_id),
        session=session,
        # Turns of a session may lie within one millisecond, which is all that a trace itself knows.
        time=int(root.start_time_ns) if root is not None else int(about.timestamp_ms) * 1_000_000,
        inputs=root.inputs if root is not None else None,
        outputs=root.outputs if root is not None else None,
        is_whole=bool(spans),
        has_root=root is not None,
    )
