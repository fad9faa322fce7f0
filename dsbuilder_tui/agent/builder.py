"""``DatasetBuilderAgent``: the documented entrance to dataset building from Python."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from contextvars import ContextVar
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dsbuilder_tui.agent.blocking import LoopThread, run_blocking
from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.headless_host import HeadlessHost
from dsbuilder_tui.agent.progress_display import progress_display
from dsbuilder_tui.agent.turn_events import TurnEvent
from dsbuilder_tui.domain.approval import Approval
from dsbuilder_tui.domain.case import AcceptedCase, display_text
from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import InputError, SessionNotFound
from dsbuilder_tui.domain.events import Event
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.session_state import BuilderState, RunResult
from dsbuilder_tui.domain.trace_query import MOST_TRACES, TraceQuery
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.dataset_split import read_shares
from dsbuilder_tui.session.library import (
    folder_name,
    notes_of,
    open_with_notes,
    session_folders,
)
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    import datasets
    import pandas

T = TypeVar("T")
_SHOWN, _LONGEST = 3, 120  # cases of a session that a notebook shows, and characters of each
# The agent that the documented bare functions speak to: the one last created in this context.
_current: ContextVar[DatasetBuilderAgent | None] = ContextVar("current_agent", default=None)


class DatasetBuilderAgent:
    """Builds datasets: talk with it (``say``, ``approve``, ``decline``), or have it run a plan (``generate``).

    ``model`` names the main agent's model; workers use ``config.worker_model``. Without a key or an endpoint the
    built-in planner and the built-in writer stand in. Close with ``await agent.aclose()``, or use it as an async context
    manager.
    """

    def __init__(self, model: str | None = None, config: DatasetBuilderConfig | None = None) -> None:
        self.config = config or DatasetBuilderConfig()
        if model is not None and model != self.config.model:
            self.config = self.config.model_copy(update={"model": model})
        self._session: Session | None = None
        self._dataset: str | None = None
        self._notes: tuple[str, ...] = ()
        self._host: HeadlessHost | None = None
        self._conversation: Conversation | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._thread: LoopThread | None = None  # where the session lives that `generate_sync` has begun
        _current.set(self)

    @property
    def session(self) -> Session:
        """The open session. Raises ``InputError`` when there is none yet."""
        if self._session is None:
            raise InputError("The agent has no session yet.", "Call generate(plan) or load_from_checkpoint() first.")
        return self._session

    @property
    def notes(self) -> tuple[str, ...]:
        """What there is to know of how the open session came about, in sentences: what was mended, left out or masked."""
        return self._notes

    def subscribe(self, listener: Callable[[Event], None]) -> None:
        """Call ``listener`` with every event of every session this agent opens."""
        self._listeners.append(listener)
        if self._session:
            self._session.subscribe(listener)

    async def say(self, text: str) -> AsyncGenerator[TurnEvent, None]:
        """Say something to the main agent; yields its turn in parts: words as they come, each message that the session keeps
        of it, the question that it ends with (see ``agent.turn_events``).

        Begins a session of its own when none is open. A turn that ends with ``QuestionAsked`` waits for ``approve`` or
        ``decline``; a run that the agent starts goes on in the background (``wait``).
        """
        if self._session is None:
            await self._adopt(await Session.begin("untitled", self.config))
        async for part in (await self._talk()).say(text):
            yield part

    async def pending(self) -> Approval | None:
        """The question that waits for an answer: a proposed plan, a large run, an end."""
        return await (await self._talk()).waiting() if self._session else None

    async def approve(self, plan: DatasetPlanInput | None = None) -> AsyncGenerator[TurnEvent, None]:
        """Say yes to the question that waits; ``plan`` is a proposed plan as edited. Raises ``InputError`` without one."""
        conversation = await self._talk()
        async for part in conversation.answer(await self._asked(), yes=True, plan=plan):
            yield part

    async def decline(self, words: str = "") -> AsyncGenerator[TurnEvent, None]:
        """Say no to the question that waits, and what you want instead. Raises ``InputError`` when none waits."""
        conversation = await self._talk()
        async for part in conversation.answer(await self._asked(), yes=False, words=words):
            yield part

    async def wait(self) -> RunResult | None:
        """Until the run that the agent started has ended; None when there was none. Raises what ``Session.run`` raises."""
        return await self._host.result() if self._host else None

    async def _talk(self) -> Conversation:
        if self._conversation is None:
            self._host = HeadlessHost(self.session)
            self._conversation = Conversation(self._host)
            await self._conversation.open()
        return self._conversation

    async def _asked(self) -> Approval:
        if (waiting := await self.pending()) is None:
            raise InputError("No question waits for an answer.", "Say what you need with say().")
        return waiting

    async def generate(self, plan: DatasetPlanInput, *, progress: bool | None = False) -> RunResult:
        """Build a dataset in a session of its own. Raises ``PlanError``, ``EndpointRefused`` or ``StorageError``.

        ``progress`` shows how far it is; None does so in a notebook and at a terminal alone. ``InputError`` for what is no plan.
        """
        if not isinstance(plan, DatasetPlanInput):
            raise InputError(
                f"A plan is a DatasetPlanInput, not {one_line(repr(plan), 80)}.",
                "load_plan(path) reads one from a file.",
            )
        await self._adopt(await Session.create(plan, self.config))
        with progress_display(progress) as show:
            self.session.subscribe(show)
            return await self.session.run()

    def generate_sync(self, plan: DatasetPlanInput, *, progress: bool | None = None) -> RunResult:
        """``generate`` for a caller that blocks, be an event loop running or not: a script, or a cell of a notebook.

        The session lives on a thread of its own until ``close``. Ctrl+C pauses it: what is accepted is saved, and
        ``KeyboardInterrupt`` goes on.
        """
        self.close()
        self._thread = LoopThread()
        running = self._thread.submit(self.generate(plan, progress=progress))
        try:
            return running.result()
        except KeyboardInterrupt:
            self._thread.submit(self._pause()).result()
            raise

    async def _pause(self) -> None:
        if self._session is not None:
            await self._session.pause()

    async def resume(self) -> RunResult:
        """Fill the open slots of the session that is open."""
        return await self.session.run()

    async def load_from_checkpoint(
        self, path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
    ) -> BuilderState:
        """Open what was saved: a session folder, a session file, a session's name, a seed-format JSON or another file of rows, or
        ``mlflow:DATASET`` (name or id) at ``config.mlflow_tracking_uri``: the session that writes that dataset, rebuilt from
        there when it is lost. ``notes`` has what there is to know of it.

        Without a path: the newest session of the current dataset (of all, when there is none yet). A seed-format JSON
        that this directory's sessions wrote opens that session, which is never behind its JSON. Call ``resume()`` to
        go on. Raises ``SessionNotFound``, ``SessionInUse``, ``InputError`` and what else opening can raise.
        """
        path = path if path is not None else checkpoint_path
        await self.aclose()  # it may be the very session that is asked for, and a session is open only once
        reference = path if path is not None else self._newest()
        session, notes = await open_with_notes(reference, self.config)
        await self._adopt(session, notes)
        return await session.summary()

    async def from_traces(
        self,
        experiment: str,
        *,
        since: str = "",
        filter: str = "",
        most: int = MOST_TRACES,
        keep_personal_data: bool = False,
        more: int | None = None,
        plan: DatasetPlanInput | None = None,
    ) -> BuilderState:
        """Open a session of what users asked, by the traces of an MLflow experiment at ``config.mlflow_tracking_uri``.

        By default the requests are its cases, each once. With ``more`` they are its history and its examples, and there is room
        for so many cases like them; with a ``plan`` they stand before its cases. Call ``resume()`` to have these written.

        Args:
            experiment: the name or the id of the experiment.
            since: a span such as "7d" or "12h", or a date such as "2026-11-20"; empty for all.
            filter: in MLflow's words for traces, such as "tags.channel = 'web'".
            most: how many traces are read, the newest first.
            keep_personal_data: leave names, numbers and addresses as they are; otherwise others stand in for them.
            more: how many cases are to be written like those.
            plan: the plan of the new cases.

        Raises:
            InputError: for an experiment that MLflow does not have, a filter or a time that cannot be read, traces in which no
                user asks anything, and for ``more`` together with a ``plan``.
            MlflowUnavailable: when MLflow cannot be reached.
            PlanError: when ``plan`` does not hold.
        """
        from dsbuilder_tui.agent.traced_datasets import traced_dataset

        if plan is not None and more is not None:
            raise InputError("A plan says itself how many cases are written.", "Leave `more` out.")
        if more is not None and more < 1:
            raise InputError("`more` says how many cases are added.", "Give it a number from 1 on.")
        query = TraceQuery(
            experiment=experiment, since=since, filter=filter, keep_personal_data=keep_personal_data, most=most
        )
        now = SystemClock().now()
        dataset = await asyncio.to_thread(traced_dataset, query, self.config, now, more=more, plan=plan)
        await self._adopt(await Session.create(dataset.plan, self.config, imported=dataset), dataset.notes)
        return await self.session.summary()

    async def get_builder_state_summary(self) -> BuilderState:
        """Progress, checkpoints, rejections and categories of the open session."""
        return await self.session.summary()

    async def cases(self) -> AsyncIterator[AcceptedCase]:
        """The accepted cases so far, in slot order."""
        async for case in self.session.cases.all():
            yield case

    async def export(self, path: str | Path, kind: str | None = None) -> int:
        """Write the cases to a file; see ``Session.export``."""
        return await self.session.export(path, kind)

    def export_sync(self, path: str | Path, kind: str | None = None) -> int:
        """``export`` for a caller that blocks, of a session that ``generate_sync`` has begun."""
        return self._blocking(self.export(path, kind))

    def records(self) -> list[dict[str, Any]]:
        """The accepted cases as MLflow's evaluation records, for ``mlflow.genai.evaluate(data=agent.records())``."""
        return self._blocking(self._records())

    def to_pandas(self) -> pandas.DataFrame:
        """``records`` as a frame with the columns inputs, expectations and tags, whose cells are mappings."""
        import pandas

        return pandas.DataFrame(self.records(), columns=["inputs", "expectations", "tags"])

    def to_hf(self) -> datasets.Dataset:
        """``records`` as a dataset of Hugging Face: case_id, category, inputs, and the rest as JSON.

        Raises ``InputError`` when the library ``datasets`` is not installed.
        """
        try:
            import datasets
        except ImportError:
            raise InputError("The library datasets is not installed.", "Run: pip install datasets") from None
        rows = [
            {
                "case_id": record["tags"]["case_id"],
                "category": record["tags"]["category"],
                "inputs": record["inputs"],
                "expectations": json.dumps(record["expectations"], ensure_ascii=False),
                "tags": json.dumps(record["tags"], ensure_ascii=False),
            }
            for record in self.records()
        ]
        return datasets.Dataset.from_list(rows)

    def split(self, shares: str) -> dict[str, list[dict[str, Any]]]:
        """``records`` in splits, such as "test=0.8,dev=0.2": each has its share of every category, and near cases stay
        together. Raises ``InputError``."""
        of_case = self._blocking(self.session.exports.splits(read_shares(shares)))
        records = self.records()
        return {
            name: [record for record in records if record["tags"]["case_id"] in ids] for name, ids in of_case.items()
        }

    def _blocking(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of work that reads, while the caller waits: where the session lives, or else beside its loop."""
        return run_blocking(work) if self._thread is None else self._thread.submit(work).result()

    async def _records(self) -> list[dict[str, Any]]:
        return [case.record() async for case in self.session.cases.all()]

    async def aclose(self) -> None:
        """Close the session. What it holds is saved."""
        thread = self._thread
        if thread is None or thread.is_current:
            await self._aclose()
        else:
            await asyncio.wrap_future(thread.submit(self._aclose()))
            thread.stop()
            self._thread = None

    def close(self) -> None:
        """``aclose`` for a caller that blocks: of a session that ``generate_sync`` has begun."""
        if self._thread is None:
            if self._session is not None:
                raise InputError("The session belongs to an event loop.", "Use: await agent.aclose()")
            return
        self._thread.submit(self._aclose()).result()
        self._thread.stop()
        self._thread = None

    async def _aclose(self) -> None:
        if self._host:
            await self._host.close()
        self._host = self._conversation = None
        if self._session:
            await self._session.aclose()
            self._session = None

    def __repr__(self) -> str:
        if self._session is None:
            return f"DatasetBuilderAgent(model={self.config.model!r}, no session)"
        state = self._blocking(self._session.summary())
        return (
            f"DatasetBuilderAgent({state.session!r}, {state.state}: {state.instances_created} of "
            f"{counted(state.total_instances_planned, 'case')}, model={self.config.model!r})"
        )

    def _repr_html_(self) -> str:
        if self._session is None:
            return f"<code>{escape(repr(self))}</code>"
        newest = self._blocking(self._session.cases.page(0, _SHOWN, newest_first=True))
        rows = "".join(
            f"<tr><td>{escape(case.case_id)}</td>"
            f"<td style='text-align:left'>{escape(one_line(display_text(case.inputs), _LONGEST))}</td></tr>"
            for case in newest
        )
        return f"<code>{escape(repr(self))}</code><table>{rows}</table>"

    async def __aenter__(self) -> DatasetBuilderAgent:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()

    async def _adopt(self, session: Session, notes: Sequence[str] = ()) -> None:
        await self.aclose()
        self._notes = tuple(notes)
        self._session, self._dataset = session, session.plan.dataset_name
        for listener in self._listeners:
            session.subscribe(listener)

    def _newest(self) -> str | None:
        if self._dataset is None:
            return None
        name = folder_name(self._dataset)
        root = self.config.checkpoint_root
        noted = {note.id for note in notes_of(root, self._dataset)}  # also those that have another name by now
        for folder in session_folders(root):
            if folder.name in noted or re.fullmatch(re.escape(name) + r"(-\d+)?", folder.name):
                return folder.name
        raise SessionNotFound(f"There is no session of the dataset {name!r}.", "Name one by its path.")


def _agent() -> DatasetBuilderAgent:
    return _current.get() or DatasetBuilderAgent()


async def load_from_checkpoint(
    path: str | Path | None = None, *, checkpoint_path: str | Path | None = None
) -> BuilderState:
    """``DatasetBuilderAgent.load_from_checkpoint`` of the current agent (a new one when there is none)."""
    return await _agent().load_from_checkpoint(path, checkpoint_path=checkpoint_path)


async def get_builder_state_summary() -> BuilderState:
    """``DatasetBuilderAgent.get_builder_state_summary`` of the current agent."""
    return await _agent().get_builder_state_summary()
