"""A session that another process works on, followed in its file: read beside the writer, which never waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self

from dsbuilder_tui.domain.clock import Clock, SystemClock
from dsbuilder_tui.domain.events import BranchSwitched, Event
from dsbuilder_tui.models.prices import PriceTable
from dsbuilder_tui.session.facade import Session
from dsbuilder_tui.session.replay import EventTeller, rows_of
from dsbuilder_tui.session.watched_files import WatchedFiles
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_STRETCH = 2000  # places in the history that are read at once
_MOST = 20_000  # places behind which single events are left out: what comes of them is read all the same


class SessionFollower:
    """Reads what another process has written since the last look, and announces it as the events of ``session``.

    Events come as they stand in the file: in order of their places in the history, those of one look after those of the
    look before. Nothing is written, and the session's lock is not touched.
    """

    def __init__(self, session: Session, files: WatchedFiles) -> None:
        self.session = session
        self._files = files
        self._store = files.store
        # The places up to which the look before the last one, and the last one, had read.
        self._since, self._last = 0, 0
        # Of the last stretch: rows may be written later than those behind them.
        self._told: set[tuple[int, int]] = set()
        self._head: tuple[str, int] = ("", 0)
        self.recent: list[Event] = []  # the newest events before the first look: what goes on at this moment

    @classmethod
    async def open(
        cls, reference: str | Path | None, config: DatasetBuilderConfig, *, clock: Clock | None = None
    ) -> Self:
        """Open a session to be watched, by name or path; ``None`` is the newest. Its ``close`` is the caller's.

        Raises ``SessionNotFound``, ``SessionDamaged``, ``SessionTooNew`` or ``StorageError``.
        """
        files = await WatchedFiles.watch(reference, config, clock or SystemClock())
        try:
            follower = cls(Session(files, config), files)
            follower._last = files.store.seq
            follower._since = max(0, follower._last - _STRETCH)
            follower._head = await follower._standing()
            follower.recent = [event async for event in follower._untold(follower._since, follower._last)]
            return follower
        except BaseException:
            await files.close()
            raise

    @property
    def owner(self) -> int | None:
        """The process that has the session open; None when nobody has it open any more."""
        return self._files.owner

    async def look(self) -> bool:
        """Announce what has come since the last look. Whether anything has changed, be it who has the session open.

        Raises ``StorageError`` when the session is gone, or as reading does.
        """
        owner, plan = self.owner, self._files.plan_revision
        await self._files.follow()
        last, head = self._store.seq, await self._standing()
        changed = (owner, plan, self._head) != (self.owner, self._files.plan_revision, head) or last != self._last
        if head != self._head:
            self._head = head
            self.session.diversity.forget_coverage()
            self._files.emit(await self._switched(head[0]))
        async for event in self._untold(max(self._since, last - _MOST), last):
            changed = True
            self._files.emit(event)
        self._since, self._last = self._last, last
        return changed

    async def _untold(self, since: int, last: int) -> AsyncIterator[Event]:
        """The events of rows between two places that were not told yet, and those after them."""
        teller = EventTeller(
            self.session.id, self._files.plan, await self._store.plans.renames(), PriceTable(self.session.config.prices)
        )
        told: set[tuple[int, int]] = set()
        for first in range(since + 1, last + 1, _STRETCH):
            stretch = await self._store.history.stretch(first, min(first + _STRETCH - 1, last))
            for event in teller.tell(stretch, self._told):
                yield event
            told |= _keys(rows_of(stretch))
        self._told = told

    async def _standing(self) -> tuple[str, int]:
        """The branch that is worked on, and how many there are: a rewind makes one more."""
        branches = await self.session.branches.all()
        return next(branch.name for branch in branches if branch.current), len(branches)

    async def _switched(self, name: str) -> BranchSwitched:
        state = await self.session.summary()
        points = await self._store.checkpoints.newest(1)
        return BranchSwitched(
            ts=self.session.clock.now(), branch=name, checkpoint=points[-1].id if points else 0,
            accepted=state.instances_created, planned=state.total_instances_planned, revision=self._files.plan_revision,
            state=state.state, categories=state.categories, stages=state.rejections, left="",
        )  # fmt: skip


def _keys(rows: Iterable[tuple[int, int, object]]) -> set[tuple[int, int]]:
    return {(seq, kind) for seq, kind, _ in rows}
