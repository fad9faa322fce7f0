"""Reports on batch jobs: how each stands, what a round costs and saves, and what had no answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from dsbuilder_tui.domain.batch_job import BatchJob
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.events import BatchJobChanged, Event, Notice
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plain_words import counted, dollar_words

_MOST_REASONS = 3


class BatchReports:
    """Announces batch jobs, and counts why calls of the job that is being collected have no answer."""

    def __init__(self, clock: Clock, tell: Callable[[Event], None], emit: Callable[[Event], None]) -> None:
        """``tell`` has an event remembered, ``emit`` does not."""
        self._clock, self._tell, self._emit = clock, tell, emit
        self._reasons: dict[int, Counter[str]] = {}  # by job
        self.last_reason = ""

    def changed(self, job: BatchJob, *, news: bool) -> None:
        """A job stands in another way; without ``news`` it was only looked at."""
        (self._tell if news else self._emit)(
            BatchJobChanged(
                ts=self._clock.now(), job=job.number, round=job.round, model=job.model, remote_id=job.remote_id,
                state=job.state, status=job.status, requests=job.requests, done=job.done, failed=job.failed,
                since=job.created_at, cancelled=job.cancelled, trouble=job.trouble, next_look=job.next_look,
            )
        )  # fmt: skip

    def round_begins(
        self, number: int, *, requests: int, cases: int, jobs: int, dollars: float, at_once: float
    ) -> None:
        """A round goes out: what it is likely to cost, and what calls made at once would."""
        goes = "goes" if requests == 1 else "go"
        text = f"Round {number}: {counted(requests, 'request')} for {counted(cases, 'case')} {goes} out as "
        text += f"{counted(jobs, 'batch job')}; the provider takes up to 24 hours."
        if at_once:
            text += f" Likely cost: {dollar_words(dollars)} at most, in place of {dollar_words(at_once)} for calls made at once."
        self._say(text)

    def unanswered(self, job: int, why: str) -> None:
        """A call of a job has no answer."""
        self._reasons.setdefault(job, Counter())[why] += 1
        self.last_reason = why

    def collected(self, job: BatchJob, *, broken: int, strangers: int) -> None:
        """All results of a job are read: ``broken`` lines cannot be, and ``strangers`` answer nothing that is open."""
        reasons = self._reasons.pop(job.number, Counter())
        if lost := sum(reasons.values()):
            named = "; ".join(f"{count} × {why}" for why, count in reasons.most_common(_MOST_REASONS))
            has = "has" if lost == 1 else "have"
            self._say(
                f"{lost} of {counted(job.requests, 'request')} of batch job {job.number} {has} no answer ({named}). "
                "Their slots are open again.",
                NoticeLevel.WARNING,
            )
        if broken or strangers:
            self._say(
                f"The results of batch job {job.number} had {counted(broken, 'line')} that cannot be read, and "
                f"{counted(strangers, 'line')} for requests that are not open; they were left out."
            )

    def refused(self, job: BatchJob, words: str, most: int) -> None:
        """The provider takes fewer tokens at once: the next jobs have so many requests at most."""
        self._reasons.pop(job.number, None)
        self._say(
            f"The provider takes fewer tokens at once than batch job {job.number} has ({words}): the next has "
            f"{counted(most, 'request')} at most.",
            NoticeLevel.WARNING,
        )

    def _say(self, text: str, level: NoticeLevel = NoticeLevel.INFO) -> None:
        self._tell(Notice(ts=self._clock.now(), level=level, text=text))
