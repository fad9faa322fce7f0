"""The session that is open in the app: its view, its run, and the sentences about it in the conversation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from dsbuilder_tui.agent.conversation import Conversation
from dsbuilder_tui.agent.host import BackgroundRun, Host
from dsbuilder_tui.domain.batch_job_words import jobs_words
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.case_change import CaseChange
from dsbuilder_tui.domain.errors import DsbuilderError, InputError
from dsbuilder_tui.domain.evaluation_words import results_words
from dsbuilder_tui.domain.events import (
    BranchSwitched,
    CaseAccepted,
    CaseEdited,
    CaseWithdrawn,
    CheckpointSaved,
    Event,
    MessageAdded,
    PlanRevised,
    ResultsRead,
    RunFinished,
    RunPaused,
    RunStarted,
)
from dsbuilder_tui.domain.message import ErrorContent, Message, MessageContent, MessageRole, NoticeContent
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.pause_cause import Pause, PauseCause
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.domain.session_state import RunResult
from dsbuilder_tui.domain.undo import undone_words
from dsbuilder_tui.domain.undo_event import ActUndone
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.models.providers import provider_of, worker_model
from dsbuilder_tui.session import Session
from dsbuilder_tui.session.library import saved_as
from dsbuilder_tui.settings.provider_names import OFFLINE
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.tui.talk import Talk
from dsbuilder_tui.tui.watched import Watched, view_of
from dsbuilder_tui.view import RunView
from dsbuilder_tui.wording import clock_time, resume_command, switched_words

# Cases a second that the built-in writer makes in the app unless told otherwise: it can be watched at that pace.
WATCHABLE_PACE = 60.0
_KEPT_ARRIVALS = 32
_OF_ITS_TOOLS = (ActUndone, PlanRevised, RunStarted, BranchSwitched)


class LiveSession(BackgroundRun, Watched):
    """An open session at work. Events arrive on the event loop; ``listen`` hands them on after the view took them in."""

    def __init__(
        self,
        session: Session,
        view: RunView,
        make_model: Callable[[DatasetBuilderConfig], WorkerModel] = worker_model,
        make_talk: Callable[[Host], Talk] = Conversation,
    ) -> None:
        super().__init__(session, view)
        self.make_model = make_model
        self._unsubscribe = session.subscribe(self.take)
        self._check = asyncio.ensure_future(session.checked())
        self._task: asyncio.Task[None] | None = None
        self.result: RunResult | None = None
        self.pace = session.config.offline_pace
        if "offline_pace" not in session.config.model_fields_set:
            self.pace = WATCHABLE_PACE
        self._model: WorkerModel | None = None
        self._contradicted = False  # whether this run has accepted a contradiction
        self._telling: set[asyncio.Task[object]] = set()
        self.talk: Talk = make_talk(self)
        self.next_session: str | None = None  # to be opened in the place of this one
        self.next_review: str | None = None  # which cases are to be reviewed next, in words for the screen

    @classmethod
    async def open(
        cls,
        session: Session,
        make_model: Callable[[DatasetBuilderConfig], WorkerModel] = worker_model,
        make_talk: Callable[[Host], Talk] = Conversation,
    ) -> LiveSession:
        """Read where the session stands; costs the same at any size."""
        live = cls(session, await view_of(session), make_model, make_talk)
        await live.talk.open()
        return live

    def look_after(self) -> None:
        """Have what a session needs that has just been opened: a look at its file, the dataset that a kill kept back.

        It tells itself what comes of it, so whoever shows the conversation is there already.
        """
        self._in_background(self._look_after())

    async def _look_after(self) -> None:
        try:
            if doubt := await self._check:
                await self.tell(f"! {doubt}")
        except asyncio.CancelledError:
            return  # the session is closed: nobody waits for what is found
        except DsbuilderError as error:
            await self.tell(f"✗ {error}", ErrorContent())
        else:
            await self._write_owed()
            await self.session.tracking.begin()
            with contextlib.suppress(DsbuilderError):  # nobody has asked; `/mlflow results` says what is wrong
                await self.session.results.read_unasked()

    async def _write_owed(self) -> None:
        """Write the dataset to where it was to go when it is finished, unless that was done."""
        owed = self.session.dataset.owed
        if owed is None or self.session.read_only:
            return
        try:
            count = await self.session.dataset.write(owed)
        except DsbuilderError as error:
            await self.tell(f"✗ {error}", ErrorContent())
        else:
            await self.tell(f"✓ Wrote {counted(count, 'case')} to {self.session.dataset.where(owed.absolute())}")

    def _in_background(self, work: Coroutine[Any, Any, object]) -> None:
        """Do something that tells itself how it ended; closing waits for it."""
        task = asyncio.create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def now(self) -> float:
        return self.session.clock.now()

    @property
    def has_agent_model(self) -> bool:
        return provider_of(self.session.config).make_agent_model is not None

    @property
    def models(self) -> str:
        config = self.session.config
        provider = provider_of(config)
        agent = config.model if self.has_agent_model else "built-in planner"
        return f"{agent} › {provider.writer_name(config).removeprefix('the ')}"

    @property
    def shown(self) -> RunView:
        """The view with what workers have delivered by now, of which the gate may not have seen everything yet."""
        view = self.view
        if not view.busy:
            return view
        traces = self.session.calls.live()
        arrivals: dict[int, list[float]] = {}
        for trace in traces:
            if len(latest := arrivals.setdefault(trace.worker, [])) < _KEPT_ARRIVALS:  # the newest calls come first
                latest.extend(trace.arrivals)
        delivered = {trace.batch: trace.delivered for trace in traces if trace.ended is None}
        workers = {
            number: replace(
                worker,
                judged=max(worker.judged, delivered.get(worker.batch, 0)),
                arrivals=tuple(sorted(arrivals.get(number, ()))[-_KEPT_ARRIVALS:]),
            )
            for number, worker in view.workers.items()
        }
        return replace(view, workers=workers)

    async def reread(self) -> None:
        """Take the view from the store again, after a change at rest."""
        self.view = await view_of(self.session)
        self.tell_of(Event(ts=self.now()))

    def note_point(self, point: Checkpoint) -> None:
        """Show a checkpoint that was written while nothing ran."""
        self.take(
            CheckpointSaved(
                ts=point.created_at, checkpoint=point.id, seq=point.seq, reason=point.reason, accepted=point.accepted,
                planned=point.planned,
            )
        )  # fmt: skip

    def tell_of(self, event: Event) -> None:
        # What the agent does in its turn stands in the line of the tool that did it.
        told = isinstance(event, _OF_ITS_TOOLS) and self.talk.busy
        if isinstance(event, RunStarted):
            self._contradicted = False
        said = sentence(event, self.view)
        if isinstance(event, BranchSwitched):
            self._in_background(self.reread())
        if isinstance(event, CaseAccepted) and "contradiction" in event.flags and not self._contradicted:
            self._contradicted = True  # once a run: the mark in the list of cases tells of each
            said = f"≠ {event.case_id} has the same text as an earlier case, with other expectations · F2 f shows flagged cases"
        if said and not told:
            self._in_background(self.tell(said))
        super().tell_of(event)

    def start(self) -> None:
        """Begin or go on with the run. Raises ``InputError`` when it cannot; later errors arrive as a message."""
        if self._task is not None:
            raise InputError("The session is running already.", "^P pauses it.")
        config = self.session.config
        begun = self.view.provider not in ("", OFFLINE) and self.view.accepted > 0
        if begun and config.lacks_provider:
            raise InputError(
                f"The cases here are written by {self.view.worker_model}, and no key or endpoint is set now.",
                "Set one in the settings, or choose provider offline there to have the built-in writer do the rest.",
            )
        self.error, self.result = None, None
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.session.prepare()  # else the run would load it on the event loop
            self._model = model = self.make_model(self.session.config)
            self.set_pace(self.pace)
            try:
                self.result = await self.session.run(model)
            finally:
                self._model = None
                await model.close()
            await self._write_owed()
        except DsbuilderError as error:
            self.error = error
            if self.view.busy:  # it could not even say that it paused
                self.take(
                    RunPaused(
                        ts=self.now(), accepted=self.view.accepted, planned=self.view.planned, dropped_batches=0,
                        reason=error.problem, cause=PauseCause.FAILURE,
                    )
                )  # fmt: skip
            await self.tell(f"✗ {error}", ErrorContent())
        finally:
            self._task, self._pause_wanted = None, None
            self.tell_of(Event(ts=self.now()))

    def take(self, event: Event) -> None:
        super().take(event)
        self.apply_pause(event)

    async def load(self, reference: str) -> str:
        """Have another session, or a saved JSON, opened when the agent's turn is over."""
        name = await asyncio.to_thread(saved_as, reference, self.session.config)
        self.next_session = reference
        return f"{name} is opened as soon as you read this; this session is saved and closed."

    def show_review(self, category: str | None, count: int) -> str:
        """Have the review opened when the agent's turn is over."""
        self.next_review = f"{count} {category or ''}".strip()
        return "F8 or /review shows them, too."

    def set_pace(self, pace: float) -> None:
        """Cases a second of the built-in writer; 0 is as fast as it goes. Works while it runs."""
        self.pace = pace
        if self._model is not None and hasattr(self._model, "pace"):
            self._model.pace = pace

    async def tell(self, text: str, content: MessageContent | None = None) -> Message | None:
        """Write a line of ours, a notice unless it is something else, into the conversation; a disk that will not take it
        must not end the app."""
        content = content or NoticeContent()
        try:
            return await self.session.chat.add(MessageRole.DSBUILDER, text, content)
        except DsbuilderError:
            now = self.now()
            self.take(MessageAdded(ts=now, message=Message(0, MessageRole.DSBUILDER, text, content, now)))
            return None

    async def close(self) -> None:
        """Pause if need be, and close the session: everything accepted is saved when this returns."""
        self.pause(Pause("closing", PauseCause.CLOSING))
        if self.running:
            self.session.drop_in_flight()
        await self.wait()
        self._check.cancel()
        await asyncio.gather(*self._telling)
        await self.places.close()
        self._unsubscribe()
        if await self.session.is_blank():
            await self.session.discard()  # nobody has said anything: no folder is to be left behind
        else:
            await self.session.aclose()


_PLAIN_CAUSES = (PauseCause.ASKED, PauseCause.CLOSING, PauseCause.INTERRUPT)  # the pause says enough


def sentence(event: Event, view: RunView) -> str | None:
    """What the conversation says about an event, or None for those that the panels show."""
    match event:
        case RunStarted():
            verb = "Going on" if event.resumed and event.accepted else "Started generating"
            left, workers = event.planned - event.accepted, counted(event.max_workers, "worker")
            return f"✓ {verb} · {counted(left, 'case')} to write · up to {workers}"
        case RunPaused():
            dropped = f" · {counted(event.dropped_batches, 'call')} cut off" if event.dropped_batches else ""
            told = (
                event.reason in view.notice and view.notice_level is NoticeLevel.ERROR
            )  # the error is told in full, once
            why = "" if told or event.cause in _PLAIN_CAUSES else f" · {event.reason}"
            saved = f"saved {clock_time(event.ts)}, safe to close"
            if jobs := jobs_words(view.batch_jobs.values(), event.ts):
                saved += f" · {jobs}: ^P collects them, F6 x cancels them"
            return f"‖ Paused at {event.accepted:,} of {event.planned:,}{dropped}{why} · {saved}"
        case RunFinished() if event.exhausted:
            return (
                f"! Finished short: {event.accepted:,} of {event.planned:,} · {counted(event.exhausted, 'slot')} exhausted · "
                "/retry tries them again · /export writes the dataset"
            )
        case RunFinished():
            cases = counted(event.accepted, "case")
            return f"✓ Finished: {cases}, {event.rejected:,} rejected on the way · F8 reviews them · /export writes the dataset"
        case CaseWithdrawn():
            return f"↺ {event.case_id} turned away by you; its slot is open again"
        case CaseEdited() if event.change is CaseChange.KEPT:
            return f"✓ {event.case_id} kept after all"
        case ResultsRead():
            return f"✓ {results_words(event)} · F3 shows where"
        case ActUndone():
            return f"{'↷' if event.redone else '↶'} {undone_words(event.words, redone=event.redone)}"
        case BranchSwitched():
            return f"✓ {switched_words(event)}"
        case PlanRevised():
            return f"✓ Plan revision {event.revision} · {counted(event.planned, 'case')}"
        case _:
            return None


async def farewell(live: LiveSession) -> list[str]:
    """What is printed when the app is left with this session open."""
    session, view = live.session, live.view
    if not session.planned:
        return [] if await session.is_blank() else [f"{session.id}: the conversation is saved; there is no plan yet."]
    lines = [
        f"{session.id}: {view.accepted:,} of {counted(view.planned, 'case')} {'is' if view.planned == 1 else 'are'} saved."
    ]
    if view.left > 0:
        lines.append(f"To go on:  {resume_command(session.id, session.folder.parent)}")
    return lines


def opening_words(session: Session, view: RunView) -> str | None:
    """What to say when a session is opened whose last run was cut off."""
    if session.read_only:
        return (
            "This session lies where nothing can be written. It can be looked at, and /export FILE writes it elsewhere."
        )
    if session.was_interrupted:
        safe = counted(view.accepted, "accepted case")
        return f"The last run was cut off. All {safe} are here; ^P goes on with the open slots."
    return None


def welcome(config: DatasetBuilderConfig) -> str:
    """What a conversation begins with: what to say, who listens, what else there is. Markdown."""
    lines = [
        "What should the dataset test? Say it in your own words, for example:",
        "",
        "> 60 cases for a customer service bot: half order status, the rest refunds and product info",
        "",
    ]
    if provider_of(config).make_agent_model is None:
        lines.append(
            "No model is connected, so the **built-in planner** listens: it understands sentences like that one, changes such "
            "as *add 30 complaints*, and *pause*, *how is it going*, *export to csv*. A key or an endpoint in the settings "
            "(**^K** → settings) brings a main agent that understands everything."
        )
    else:
        lines.append(
            f"**{visible(config.model)}** listens. Point it at a file or folder, or paste a system prompt, if you like."
        )
    lines.append("`/plan edit` opens the plan as a form.")
    return "\n".join(lines)
