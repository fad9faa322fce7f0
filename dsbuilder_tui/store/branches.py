"""The branches of a session's history: listed, begun at a checkpoint, renamed, and the one that is worked on changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import orjson

from dsbuilder_tui.domain.branch import Branch, BranchCause
from dsbuilder_tui.domain.case import Checkpoint
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.events import HeadMoved
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.domain.session_state import SessionState
from dsbuilder_tui.store.checkpoints import checkpoint_at, write_checkpoints
from dsbuilder_tui.store.commit import apply, history_row, write_history
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.head_move import add_segment, move_head, segment_path
from dsbuilder_tui.store.plans import RevisedPlan, add_categories, write_revision
from dsbuilder_tui.store.progress import read_progress
from dsbuilder_tui.store.rejections import stage_counts
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.rows import CategoryProgress, Changes
from dsbuilder_tui.store.schema import MAIN_BRANCH
from dsbuilder_tui.store.travelled_tables import CURRENT_BRANCH, HEAD_BRANCH
from dsbuilder_tui.store.undo_log import ActReturn, NewAct, note_act, recording

# From the counters, the plan's revision and the rejections by stage to what is announced, and the state of the session.
E = TypeVar("E", bound=HeadMoved)
Told = Callable[[dict[str, CategoryProgress], int, dict[str, int]], tuple[E, SessionState]]
# Settings that go with no branch: what may be spent and where the dataset is logged is as it was said last.
_STAYING = ("budget", "prices", "incremental_mlflow_logging", "mlflow_tracking_uri", "mlflow_experiment")
# Behind a rewind there is no checkpoint yet: the branch stands at the end of the piece that its own begins behind.
_TIP = (
    "coalesce((SELECT max(c.id) FROM checkpoint c WHERE c.segment_id=b.segment_id), (SELECT max(c.id) FROM checkpoint c "
    "JOIN segment s ON s.parent_id=c.segment_id WHERE s.id=b.segment_id), b.checkpoint_id)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedHead(Generic[E]):
    """What a session is after its head was moved: what was told, and the values of ``meta`` that changed."""

    event: E
    meta: dict[str, Any]


class BranchTable:
    """Reads and changes branches."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def all(self) -> list[Branch]:
        """All branches, the oldest first. Costs the same at any number of cases."""
        return await self._store.read(_branches)

    async def named(self, name: str) -> Branch:
        """Raises ``InputError`` when there is none of that name."""
        return await self._store.read(lambda connection: branch_named(connection, name))

    async def fork(self, checkpoint: int, name: str, act: NewAct | ActReturn | None) -> None:
        """Begin a branch at a checkpoint; nothing is copied. Raises ``InputError`` for a name that is taken, or when there is
        no such checkpoint."""
        now = self._store.clock.now()

        def write(connection: sqlite3.Connection) -> None:
            point = checkpoint_at(connection, checkpoint)
            require_free(connection, name)
            connection.execute(
                "INSERT INTO branch (name, parent_id, fork_seq, created_at, segment_id, checkpoint_id, cause) "
                "VALUES (?, (SELECT id FROM branch WHERE name=?), ?, ?, NULL, ?, ?)",
                (name, point.branch, point.seq, now, checkpoint, BranchCause.FORK),
            )
            note_act(connection, act)

        await self._store.write(write)

    async def unfork(self, name: str, act: ActReturn) -> None:
        """Take a branch away that nobody has worked on, and from which none was begun; any other one stays."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM branch WHERE name=? AND segment_id IS NULL", (name,))
            note_act(connection, act)

        await self._store.write(write)

    async def rename(self, old: str, new: str, act: NewAct | ActReturn | None) -> None:
        """Raises ``InputError`` when there is none of the old name, or one of the new."""

        def write(connection: sqlite3.Connection) -> None:
            branch = branch_named(connection, old)
            if new != old:
                require_free(connection, new)
                connection.execute("UPDATE branch SET name=? WHERE id=?", (new, branch.id))
                note_act(connection, act)

        await self._store.write(write)

    async def rewind(
        self, checkpoint: int, left: str, cause: BranchCause, before: Checkpoint, plan: DatasetPlanInput, told: Told[E],
        act: NewAct | None,
    ) -> MovedHead[E]:  # fmt: skip
        """Go on from a checkpoint with the present branch, and keep what was behind it as the branch ``left``.

        ``before`` is written first, so that nothing is behind the last checkpoint of that. ``plan`` is the one of the checkpoint,
        and ``told`` says what is announced. All in one transaction.
        """
        now, seq, line = self._store.clock.now(), self._store.next_seq(), self._store.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[MovedHead[E], dict[str, int]]:
            require_free(connection, left)
            write_checkpoints(connection, [before], Changes(), self._store.ids)
            point = checkpoint_at(connection, checkpoint)
            branch, head = _current(connection)
            (goal,) = connection.execute("SELECT segment_id FROM checkpoint WHERE id=?", (checkpoint,)).fetchone()
            move_head(connection, head, goal, checkpoint)
            _, tip = _current(connection)  # its last segment may have been split
            (kept,) = connection.execute(
                "INSERT INTO branch (name, parent_id, fork_seq, created_at, segment_id, checkpoint_id, cause) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (left, branch, point.seq, now, tip, checkpoint, cause),
            ).fetchone()
            shared = set(segment_path(connection, goal))
            connection.executemany(
                "UPDATE segment SET branch_id=? WHERE id=? AND branch_id=?",
                [(kept, segment, branch) for segment in segment_path(connection, tip) if segment not in shared],
            )
            segment = add_segment(connection, branch, goal, point.seq)
            connection.execute("UPDATE branch SET segment_id=? WHERE id=?", (segment, branch))
            _stand_aside(connection, kept)
            note_act(connection, act)
            return self._arrive(connection, point, branch, plan, told, (now, seq, line))

        return await self._write_move(write)

    async def exchange(
        self, left: str, cause: BranchCause, before: Checkpoint, plan: DatasetPlanInput, told: Told[E], act: ActReturn
    ) -> MovedHead[E]:
        """Have the present branch hold what the branch ``left`` holds, and that what the present one does: a rewind is undone, or
        redone. As ``rewind``; ``cause`` is why ``left`` is there then, ``plan`` that of its tip."""
        now, seq, line = self._store.clock.now(), self._store.next_seq(), self._store.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[MovedHead[E], dict[str, int]]:
            write_checkpoints(connection, [before], Changes(), self._store.ids)
            other = branch_named(connection, left)
            assert other.tip is not None
            branch, head = _current(connection)
            point = checkpoint_at(connection, other.tip)
            (goal,) = connection.execute("SELECT segment_id FROM checkpoint WHERE id=?", (point.id,)).fetchone()
            move_head(connection, head, goal, point.id)
            _, own = _current(connection)
            (theirs,) = connection.execute("SELECT segment_id FROM branch WHERE id=?", (other.id,)).fetchone()
            if theirs is None:
                theirs = add_segment(connection, other.id, goal, point.seq)
            lines = segment_path(connection, own), segment_path(connection, theirs)
            apart = [[each for each in line if each not in of] for line, of in (lines, lines[::-1])]
            for segments, was, to_be in ((apart[0], branch, other.id), (apart[1], other.id, branch)):
                connection.executemany(
                    "UPDATE segment SET branch_id=-? WHERE id=? AND branch_id=?",
                    [(to_be, each, was) for each in segments],
                )
            connection.execute("UPDATE segment SET branch_id=-branch_id WHERE branch_id<0")
            connection.execute("UPDATE branch SET segment_id=? WHERE id=?", (theirs, branch))
            connection.execute("UPDATE branch SET segment_id=?, cause=? WHERE id=?", (own, cause, other.id))
            _exchange_staged(connection, other.id)
            note_act(connection, act)
            return self._arrive(connection, point, branch, plan, told, (now, seq, line))

        return await self._write_move(write)

    async def switch(
        self, name: str, before: Checkpoint, plan: DatasetPlanInput, told: Told[E], act: NewAct | ActReturn | None
    ) -> MovedHead[E]:
        """Work on another branch from now on, where it stands. As ``rewind``; ``plan`` is that of the branch's tip."""
        now, seq, line = self._store.clock.now(), self._store.next_seq(), self._store.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[MovedHead[E], dict[str, int]]:
            write_checkpoints(connection, [before], Changes(), self._store.ids)
            goal_branch = branch_named(connection, name)
            assert goal_branch.tip is not None
            branch, head = _current(connection)
            point = checkpoint_at(connection, goal_branch.tip)
            (goal,) = connection.execute("SELECT segment_id FROM checkpoint WHERE id=?", (point.id,)).fetchone()
            move_head(connection, head, goal, point.id)
            _stand_aside(connection, branch)
            connection.execute("UPDATE staged_case SET branch_id=? WHERE branch_id=?", (MAIN_BRANCH, -goal_branch.id))
            (own,) = connection.execute("SELECT segment_id FROM branch WHERE id=?", (goal_branch.id,)).fetchone()
            if own is None:
                own = add_segment(connection, goal_branch.id, goal, point.seq)
                connection.execute("UPDATE branch SET segment_id=? WHERE id=?", (own, goal_branch.id))
            note_act(connection, act)
            return self._arrive(connection, point, goal_branch.id, plan, told, (now, seq, line))

        return await self._write_move(write)

    async def merge(
        self, changes: Changes, after: Checkpoint, new: RevisedPlan | None, told: Told[E], act: NewAct | None
    ) -> MovedHead[E]:
        """Take over cases of another branch, with a plan that has room for them if it is another one, and write the checkpoint
        ``after``. ``told`` as in ``rewind``. All in one transaction."""
        line = self._store.next_seq()

        def write(connection: sqlite3.Connection) -> tuple[MovedHead[E], dict[str, int]]:
            ids = dict(self._store.ids)
            with recording(connection, act):
                if new is not None:
                    write_revision(connection, new, ids)
                apply(connection, changes, ids)
            (revision,) = connection.execute("SELECT max(revision) FROM plan_revision").fetchone()
            moved = self._tell(connection, revision, told, line, ids)
            write_checkpoints(connection, [replace(after, seq=line)], Changes(), ids)
            return moved, ids

        return await self._write_move(write)

    def _tell(
        self, connection: sqlite3.Connection, revision: int, told: Told[E], line: int, ids: Mapping[str, int]
    ) -> MovedHead[E]:
        """Write down what is announced, and the state of the session."""
        stages = stage_counts(connection)
        progress = read_progress(connection, {number: name for name, number in ids.items()})
        event, state = told(progress, revision, stages)
        write_history(connection, [history_row(line, event)], ids)
        meta = {"state": state, "dataset": None}
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(k, to_text(v)) for k, v in meta.items()])
        return MovedHead(event=event, meta=meta)

    async def _write_move(
        self, write: Callable[[sqlite3.Connection], tuple[MovedHead[E], dict[str, int]]]
    ) -> MovedHead[E]:
        """Carry out what moves the head, and take over the numbers of categories that hold from there on."""
        moved, ids = await self._store.write(write)
        self._store.set_ids(ids)
        return moved

    def _arrive(
        self, connection: sqlite3.Connection, point: Checkpoint, branch: int, plan: DatasetPlanInput, told: Told[E],
        given: tuple[float, int, int],
    ) -> tuple[MovedHead[E], dict[str, int]]:  # fmt: skip
        """Have everything that no segment holds say what it said at the checkpoint."""
        now, seq, line = given
        ids = dict(connection.execute("SELECT name, id FROM category").fetchall())
        add_categories(connection, plan, ids)
        _set_counters(connection, point)
        revision, text = connection.execute(
            "SELECT revision, plan FROM plan_revision ORDER BY revision DESC LIMIT 1"
        ).fetchone()
        wanted = to_text(plan.model_dump(mode="json"))
        if wanted != text:
            revision += 1
            connection.execute(
                "INSERT INTO plan_revision VALUES (?,?,?,?,?)", (seq, MAIN_BRANCH, revision, wanted, now)
            )
        moved = self._tell(connection, revision, told, line, ids)
        meta = {CURRENT_BRANCH: branch, **_settings_at(connection, point)}
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [(k, to_text(v)) for k, v in meta.items()])
        return MovedHead(event=moved.event, meta=moved.meta | meta), ids


def branch_named(connection: sqlite3.Connection, name: str) -> Branch:
    """Raises ``InputError`` when there is none of that name."""
    found = {branch.name: branch for branch in _branches(connection)}
    if name not in found:
        raise InputError(f"There is no branch {name!r}.", f"There are: {', '.join(found)}.")
    return found[name]


def _branches(connection: sqlite3.Connection) -> list[Branch]:
    (current,) = connection.execute(f"SELECT {HEAD_BRANCH}").fetchone()
    (here,) = connection.execute(
        "SELECT ifnull(sum(accepted), 0) FROM progress WHERE branch_id=?", (MAIN_BRANCH,)
    ).fetchone()
    (plan,) = connection.execute("SELECT plan FROM plan_revision ORDER BY revision DESC LIMIT 1").fetchone()
    found = []
    for number, name, cause, created_at, begun_at, tip, accepted, planned in connection.execute(
        f"SELECT b.id, b.name, b.cause, b.created_at, b.checkpoint_id, t.id, t.accepted, t.planned FROM branch b "
        f"LEFT JOIN checkpoint t ON t.id={_TIP} WHERE b.name NOT GLOB char(10) || '*' ORDER BY b.id"  # see DeletedBranches
    ).fetchall():
        is_current = number == current
        found.append(
            Branch(
                id=number, name=name, cause=BranchCause(cause), current=is_current, created_at=created_at, tip=tip,
                accepted=here if is_current else accepted,
                planned=_planned(plan) if is_current else planned,
                begun_at=begun_at,
            )
        )  # fmt: skip
    return found


def _planned(plan: str) -> int:
    return sum(int(category["count"]) for category in orjson.loads(plan).get("categories") or ())


def _current(connection: sqlite3.Connection) -> tuple[int, int]:
    """The branch that is worked on, and its last segment."""
    row = connection.execute(f"SELECT id, segment_id FROM branch WHERE id={HEAD_BRANCH}").fetchone()
    return int(row[0]), int(row[1])


def require_free(connection: sqlite3.Connection, name: str) -> None:
    """Raises ``InputError`` when there is a branch of that name."""
    if connection.execute("SELECT 1 FROM branch WHERE name=?", (name,)).fetchone():
        raise InputError(f"There is a branch {name!r} already.", "Choose another name.")


def _exchange_staged(connection: sqlite3.Connection, branch: int) -> None:
    """What stands between two stages of writing goes with the line that it was written on."""
    aside = -branch
    connection.execute("UPDATE staged_case SET branch_id=0 WHERE branch_id=?", (MAIN_BRANCH,))
    connection.execute("UPDATE staged_case SET branch_id=? WHERE branch_id=?", (MAIN_BRANCH, aside))
    connection.execute("UPDATE staged_case SET branch_id=? WHERE branch_id=0", (aside,))


def _stand_aside(connection: sqlite3.Connection, branch: int) -> None:
    """What stands between two stages of writing waits until the branch is worked on again."""
    connection.execute("UPDATE staged_case SET branch_id=? WHERE branch_id=?", (-branch, MAIN_BRANCH))


def _set_counters(connection: sqlite3.Connection, point: Checkpoint) -> None:
    (text,) = connection.execute("SELECT counters FROM checkpoint WHERE id=?", (point.id,)).fetchone()
    counters: Mapping[str, list[int]] = orjson.loads(text) if text is not None else _counted(connection)
    connection.execute("UPDATE progress SET accepted=0, rejected=0, exhausted=0 WHERE branch_id=?", (MAIN_BRANCH,))
    connection.executemany(
        "UPDATE progress SET accepted=?, rejected=?, exhausted=? WHERE branch_id=? AND category_id=?",
        [(*counts, MAIN_BRANCH, int(number)) for number, counts in counters.items()],
    )


def _counted(connection: sqlite3.Connection) -> dict[str, list[int]]:
    """The counters of what the tables hold now: a checkpoint of an older format has none."""
    found: dict[str, list[int]] = {}
    for which, table in enumerate(("accepted_case", "rejection", "exhausted_slot")):
        for number, count in connection.execute(f"SELECT category_id, count(*) FROM {table} GROUP BY category_id"):
            found.setdefault(str(number), [0, 0, 0])[which] = count
    return found


def _settings_at(connection: sqlite3.Connection, point: Checkpoint) -> dict[str, Any]:
    """The session's layer of settings at a checkpoint, with its seals; nothing for one of an older format."""
    row = connection.execute(
        "SELECT settings, seals FROM settings_layer WHERE id=(SELECT settings_id FROM checkpoint WHERE id=?)",
        (point.id,),
    ).fetchone()
    if row is None:
        return {}
    now = dict(connection.execute("SELECT key, value FROM meta WHERE key IN ('settings', 'seals')").fetchall())
    found = {}
    for key, then in zip(("settings", "seals"), row, strict=True):
        present = orjson.loads(now.get(key, "null")) or {}
        staying = {name: present[name] for name in _STAYING if name in present}
        old = {name: value for name, value in (orjson.loads(then) or {}).items() if name not in _STAYING}
        found[key] = old | staying if key == "settings" else present | old | staying  # a seal is of one value
    return found
