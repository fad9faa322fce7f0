"""Batch jobs in words."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.domain.events import BatchJobChanged
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line

_STATES = {
    BatchJobState.PREPARED: "being sent", BatchJobState.ASKED: "being sent", BatchJobState.ENDED: "being collected",
    BatchJobState.COLLECTED: "collected", BatchJobState.DROPPED: "given up",
}  # fmt: skip


def since_words(since: float, now: float) -> str:
    """``14:02`` in the person's own time zone, ``27 Nov 14:02`` when it was another day."""
    then = datetime.fromtimestamp(since)
    return then.strftime("%H:%M" if then.date() == datetime.fromtimestamp(now).date() else "%d %b %H:%M")


def waiting_words(count: int, since: float, now: float) -> str:
    """``2 batch jobs waiting since 14:02``"""
    return f"{counted(count, 'batch job')} waiting since {since_words(since, now)}"


def jobs_words(jobs: Collection[BatchJob], now: float) -> str:
    """The same of those jobs that a provider has; empty when there is none."""
    waiting = [job for job in jobs if job.is_waiting]
    return waiting_words(len(waiting), min(job.created_at for job in waiting), now) if waiting else ""


def state_of(job: BatchJob) -> str:
    """``in progress``: how a job stands, in the provider's word while that works on it."""
    if job.cancelled and job.state is BatchJobState.WAITING:
        return "being cancelled"
    return _STATES.get(job.state) or job.status.replace("_", " ") or "waiting"


def job_words(job: BatchJob, now: float) -> str:
    """``batch job 1 · in progress · 120 of 400 done, 2 failed · since 14:02 · next look 14:07 · batch_abc``"""
    failed = f", {job.failed:,} failed" if job.failed else ""
    parts = [f"batch job {job.number}", state_of(job), f"{job.done:,} of {job.requests:,} done{failed}"]
    parts.append(f"since {since_words(job.created_at, now)}")
    if job.next_look is not None and job.state is BatchJobState.WAITING:
        parts.append(f"next look {datetime.fromtimestamp(job.next_look).strftime('%H:%M:%S')}")
    if job.trouble:
        parts.append(job.trouble)
    return " · ".join(filter(None, [*parts, job.remote_id]))


def batch_job_line(event: BatchJobChanged) -> str | None:
    """What a plain line says of a job: that the provider has it, what is the matter, and how it ended."""
    name = f"Batch job {event.job} ({one_line(event.remote_id, 60)})"
    match event.state:
        case BatchJobState.WAITING if event.trouble:
            return f"  {name} cannot be looked at ({one_line(event.trouble, 120)}); it is tried again"
        case BatchJobState.WAITING if event.next_look is None and not event.done + event.failed:
            return f"  {name} is with the provider"
        case BatchJobState.ENDED if not event.trouble:
            failed = f", {event.failed:,} failed" if event.failed else ""
            return f"  {name} is over ({one_line(event.status, 40)}): {event.done:,} of {event.requests:,} done{failed}"
        case _:
            return None
