"""``SessionTracking``: the session in MLflow, kept up to date behind the back of the run."""

from __future__ import annotations

import platform
import uuid
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from dsbuilder_tui.domain.clock import SystemClock
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import (
    CasesLogged,
    DiversityMeasured,
    Event,
    HeadMoved,
    Notice,
    PlanRevised,
    RunStarted,
)
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.domain.traced_call import TracedCall
from dsbuilder_tui.domain.tracking_state import TrackingState
from dsbuilder_tui.generation.call_log import CallTrace
from dsbuilder_tui.models.address import secrets_of
from dsbuilder_tui.models.redaction import forms_of
from dsbuilder_tui.session.logged_session import logged_session
from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.traced_calls import traced_call
from dsbuilder_tui.settings.key_trust import foreign_tracking, refusal
from dsbuilder_tui.settings.schema import SECRETS, DatasetBuilderConfig
from dsbuilder_tui.settings.urls import without_login
from dsbuilder_tui.settings.value_words import value_words
from dsbuilder_tui.store.outbox_triggers import LOGGED
from dsbuilder_tui.tracking.described_target import described_target
from dsbuilder_tui.tracking.evaluate_example import evaluate_example
from dsbuilder_tui.tracking.mlflow_target import KEPT_IDS, TrackedIds
from dsbuilder_tui.tracking.outbox_drain import OutboxDrain, dataset_link
from dsbuilder_tui.tracking.reconciliation import Reconciled
from dsbuilder_tui.tracking.trace_queue import TraceQueue
from dsbuilder_tui.tracking.tracked_run import TrackedRun

REGISTERED, MODEL_ID = "mlflow_reference", "mlflow_model_id"  # of what is known of the application
_LEAST_SECRET = 4  # characters
_TELLING = 1.0  # seconds between events while nothing but the count changes


class SessionTracking:
    """Begins and ends the logging of a session, and tells how far it is. Nothing of it waits for MLflow but ``sync``."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context
        self._drain: OutboxDrain | None = None
        self._figures: dict[str, float] = {}
        self._rate: tuple[float, int] | None = None
        self._told: tuple[float, TrackingState] | None = None
        self._warned = False
        self._plans: dict[int, dict[str, Any]] = {}
        self._traces = TraceQueue()
        context.call_log.listeners.append(self._call_ended)

    @property
    def traces_calls(self) -> bool:
        """Whether calls of models are to be told to MLflow as well."""
        return self.wanted and self._context.config.mlflow_trace_calls and not self._context.files.read_only

    def trace(self, call: TracedCall) -> None:
        """Have a call logged as a trace, where calls are; it waits in memory, and nobody waits for it."""
        if self.traces_calls:
            self._traces.put(call)
            if self._drain is not None:
                self._drain.wake()

    def secret_forms(self) -> tuple[str, ...]:
        """What no trace may show: the secrets of the settings, as they are and encoded."""
        return forms_of(secret for secret in secrets_of(self._context.config) if len(secret) >= _LEAST_SECRET)

    @property
    def wanted(self) -> bool:
        """Whether the settings ask for it."""
        return self._context.config.logs_to_mlflow

    @property
    def is_on(self) -> bool:
        """Whether cases are noted for MLflow, be it by an earlier process."""
        return bool(self._context.files.meta.get(LOGGED))

    async def begin(self) -> None:
        """Do as the settings say: note all cases from now on, and have them sent; or no more. Safe to call again.

        An address that a folder from elsewhere names, and that nobody has allowed, is not logged to; that is announced.
        """
        files, config = self._context.files, self._context.config
        if files.read_only:
            return
        if not self.wanted:
            if self.is_on:
                await self._stop(0)
                await files.store.outbox.end()
                files.meta[LOGGED] = False
            return
        if foreign := foreign_tracking(config):
            await self._stop(0)
            if not self._warned:
                self._warned, error = True, refusal(foreign)
                text = f"Nothing is logged to MLflow. {error.problem} {error.hint}"
                await files.tell(Notice(ts=files.clock.now(), level=NoticeLevel.WARNING, text=text))
            return
        known = self._ids()
        same = known is not None and (known.uri, known.experiment) == (_shown(config), config.mlflow_experiment)
        if self._drain is not None and same and self.is_on:
            self._drain.wake()
            return
        await self._stop(0)
        if known is None or not same:  # another place: everything is new to it
            session = known.session if known is not None else uuid.uuid4().hex
            known = TrackedIds(session=session, uri=_shown(config), experiment=config.mlflow_experiment)
            await self.keep(known, finished=False)
        if not (self.is_on and same):
            await files.store.outbox.begin(everything=True)
            files.meta[LOGGED] = True
        finished = bool((files.meta.get(KEPT_IDS) or {}).get("finished"))
        self._drain = OutboxDrain(
            files.store.outbox, config.tracking_uri, known, self, SystemClock().now, self._traces, finished=finished
        )
        files.listeners.append(self._heard)
        self._drain.start()

    async def state(self) -> TrackingState | None:
        """How far it is; None for a session that is not logged."""
        if self._drain is not None:
            return await self._drain.state()
        known = self._ids()
        if not self.is_on or known is None:
            return None
        counts = await self._context.files.store.outbox.counts()
        behind = SystemClock().now() - counts.oldest if counts.oldest is not None and counts.waiting else 0.0
        return TrackingState(
            accepted=counts.accepted, waiting=counts.waiting, given_up=counts.given_up, behind_s=max(0.0, behind),
            error=counts.reason, link=dataset_link(known.uri, known.experiment_id),
            finished=bool(self._context.files.meta[KEPT_IDS].get("finished")),
        )  # fmt: skip

    async def sync(self, seconds: float | None = None) -> TrackingState:
        """Send all that waits, also what was given up, and wait for it; so many seconds at most, and after some failures no
        more. A session that is settled is compared record by record.

        Raises ``InputError`` when it is not to be logged, ``ConfigError`` for an address that is not allowed.
        """
        if foreign := foreign_tracking(self._context.config):
            raise refusal(foreign)
        await self.begin()
        if self._drain is None:
            raise InputError(
                f"{self._context.id} is not logged to MLflow.",
                "Set incremental_mlflow_logging, or mlflow_tracking_uri.",
            )
        await self._context.files.store.outbox.try_again()
        self._drain.compare_again()
        return await self._drain.settle(seconds)

    async def become_copy(self) -> None:
        """Be logged to a dataset and a run of its own from now on; what was there stays as it is."""
        await self._stop(0)
        await self._context.files.remember(**{KEPT_IDS: {}, LOGGED: False})

    async def settle(self, seconds: float) -> TrackingState | None:
        """Wait so many seconds at most until all that waits has arrived; None for a session that is not logged."""
        return await self._drain.settle(seconds) if self._drain is not None else None

    async def close(self) -> None:
        """Send for a few seconds what still waits; the rest goes on at the next start."""
        await self._stop(self._context.config.drain_timeout)
        if (left := len(self._traces) + self._traces.lost) and not self._context.files.read_only:
            files, text = self._context.files, f"{counted(left, 'trace')} of calls did not get to MLflow."
            await files.tell(Notice(ts=files.clock.now(), level=NoticeLevel.WARNING, text=text))

    @property
    def example(self) -> list[str]:
        """A few lines of Python that evaluate an application on the dataset; none before there is one."""
        known = self._ids()
        return evaluate_example(self._context.plan, self._context.config.tracking_uri, known) if known else []

    async def describe(self, *, report: bool = False) -> TrackedRun:
        """The session as MLflow's run shows it now."""
        files = self._context.files
        summary = await self._context.summary()
        plan, now = files.plan, files.clock.monotonic()
        accepted = summary.instances_created
        metrics = {
            "accepted": accepted, "exhausted": summary.exhausted_slots, "prompt_tokens": summary.prompt_tokens,
            "completion_tokens": summary.completion_tokens, "dollars": summary.cost["known_dollars"],
            **{f"rejected/{stage}": count for stage, count in summary.rejections.items()},
            **self._figures,
        }  # fmt: skip
        judged = summary.judged_counts.values()
        if read := sum(counts.good + counts.bad for counts in judged):
            metrics["judged_good_share"] = sum(counts.good for counts in judged) / read
        if self._rate is not None and now > self._rate[0]:
            metrics["cases_per_minute"] = max(0.0, 60 * (accepted - self._rate[1]) / (now - self._rate[0]))
        self._rate = (now, accepted)
        known = self._ids()
        kinds = {category.kind.has_own_dataset for category in plan.categories}
        return TrackedRun(
            name=files.id,
            dataset_name=plan.dataset_name,
            scenarios_apart=len(kinds) > 1,
            plans=await self._revisions(),
            params=_params(self._context, summary.provider, summary.worker_model),
            metrics=metrics,
            accepted=accepted,
            target=str((files.meta.get("target") or {}).get(REGISTERED, "")),
            model_id=str((files.meta.get("target") or {}).get(MODEL_ID, "")),
            described=described_target(plan.target, plan.dataset_name),
            kept=await logged_session(files, known.session) if known is not None else None,
            report=summary.as_dict() if report else None,
        )

    async def keep(self, ids: TrackedIds, *, finished: bool) -> None:
        """Remember what MLflow calls the session's things."""
        await self._context.files.remember(**{KEPT_IDS: {**ids.as_dict(), "finished": finished}})

    def is_settled(self) -> bool:
        """Whether no case is to be written any more."""
        return self._context.files.meta.get("state") in (SessionState.COMPLETE, SessionState.SHORT)

    def tell(self, state: TrackingState) -> None:
        """Announce how far it is, once a second at most while nothing but the count changes."""
        now = self._context.clock.monotonic()
        if self._told is not None:
            at, before = self._told
            alike = _but_counts(state) == _but_counts(before)
            if state == before or (alike and (state.waiting or state.traces_waiting) and now - at < _TELLING):
                return
        self._told = (now, state)
        told = CasesLogged(ts=self._context.clock.now(), **{n: getattr(state, n) for n in TrackingState.__slots__})
        self._context.files.emit(told)

    async def tell_finished(self, found: Reconciled) -> None:
        """Announce that all is there."""
        files = self._context.files
        text = f"In MLflow: {found.words}."
        await files.tell(Notice(ts=files.clock.now(), level=NoticeLevel.INFO, text=text))

    async def _stop(self, seconds: float) -> None:
        drain, self._drain = self._drain, None
        if drain is not None:
            await drain.stop(seconds)
            self._context.files.listeners.remove(self._heard)

    def _call_ended(self, trace: CallTrace) -> None:
        if trace.prompt and self.traces_calls:  # without one it was cut off before it was made
            self.trace(traced_call(trace))

    def _heard(self, event: Event) -> None:
        if self._drain is None or isinstance(event, CasesLogged):
            return
        match event:
            case RunStarted() if self._context.plan.decided:
                self._drain.compare_again()
            case PlanRevised():
                self._drain.describe_again()
            case HeadMoved():
                self._drain.describe_again()
                self._drain.compare_again()
            case DiversityMeasured():
                figures = {
                    name: getattr(event, name) for name in ("variety", "mean_likeness", "nearest_likeness", "packed")
                }
                self._figures = {f"diversity/{name}": value for name, value in figures.items() if value is not None}
        self._drain.wake()

    async def _revisions(self) -> dict[int, dict[str, Any]]:
        """All revisions of the plan, by number."""
        table = self._context.files.store.plans
        if self._context.files.plan_revision not in self._plans:
            for number, seq in (await table.places()).items():
                plan = (await table.at(seq))[1]
                if number not in self._plans and plan.decided:
                    self._plans[number] = plan.model_dump(mode="json", exclude_defaults=True)
        return self._plans

    def _ids(self) -> TrackedIds | None:
        return tracked_ids(self._context)


def tracked_ids(context: SessionContext) -> TrackedIds | None:
    """What MLflow calls the things of a session; None for one that was never logged."""
    kept: dict[str, Any] = dict(context.files.meta.get(KEPT_IDS) or {})
    kept.pop("finished", None)
    try:
        return TrackedIds(**kept)
    except TypeError:  # nothing, or of another version: it is found again by its tags
        return None


def _but_counts(state: TrackingState) -> TrackingState:
    return replace(state, accepted=0, waiting=0, behind_s=0, traces_waiting=0)


def _shown(config: DatasetBuilderConfig) -> str:
    return without_login(config.tracking_uri) or config.tracking_uri


def _params(context: SessionContext, provider: str, worker_model: str) -> dict[str, str]:
    config, plan = context.config, context.plan
    values = {name: getattr(config, name) for name in DatasetBuilderConfig.model_fields if name not in SECRETS}
    values |= config.shown_urls()
    own = {
        "dataset_name": plan.dataset_name,
        "planned": str(plan.total_instances),
        "categories": ", ".join(f"{c.name} {c.count}" for c in plan.categories),
        "provider": provider,
        "worker_model": worker_model,
        "session_seed": str(context.files.seed),
        "dsbuilder_version": version("dsbuilder-tui"),
        "python_version": platform.python_version(),
    }
    return own | {f"config.{name}": value_words(value) for name, value in values.items()}
