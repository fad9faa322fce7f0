"""Answers about what was done to a session, what came since some time, and where its files lie."""

from __future__ import annotations

from pathlib import Path

from dsbuilder_tui.domain.data_question import DataAnswer, DataPlace, DataQuestion, DataRow
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.moment_words import local_time, moment
from dsbuilder_tui.domain.plain_words import counted, were
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.domain.undo import ActState, steps_of
from dsbuilder_tui.session.case_answers import answer_with
from dsbuilder_tui.session.session_context import SessionContext

CHECKPOINT = "checkpoint"  # as a time: that of the newest one
_MOST_ACTS = 200
_KEPT = ("session.", ".")  # beginnings of the files that are the session itself


class HistoryAnswers:
    """Answers from the session's acts and from the counts of its history."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def changes(self, question: DataQuestion) -> DataAnswer:
        """What was done by the person and the agent, the newest first, and how many cases came meanwhile."""
        since, words = await self._since(question.since)
        store = self._context.files.store
        acts = await store.undo_log.newest(_MOST_ACTS, (ActState.DONE, ActState.OUTDATED))
        steps = [step for step in steps_of(acts[::-1])[::-1] if step.created_at >= since]
        rows = [DataRow(one_line(step.words, 120), 0, words=local_time(step.created_at)) for step in steps]
        accepted, rejected = await store.statistics.since(since)
        came = f"{counted(accepted, 'case')} came and {counted(rejected, 'candidate')} {were(rejected)} turned away{words}."
        if not steps:
            return DataAnswer(f"Nothing was changed{words}; {came}", place=DataPlace.CHECKPOINTS)
        said = f"{counted(len(steps), 'change')}{words}, the last one: {rows[0].name}. {came} “Undo” takes back the last one."
        return answer_with(question, said, rows, DataPlace.CHECKPOINTS)

    async def _since(self, words: str) -> tuple[float, str]:
        """The time that is meant, and its words behind a sentence. Raises ``InputError`` for what is no time."""
        if not words:
            return 0.0, ""
        if words.casefold() == CHECKPOINT:
            newest = await self._context.files.store.checkpoints.line(1)
            if not newest:
                return 0.0, " (there is no checkpoint yet)"
            last = newest[-1]
            return last.created_at, f" since the checkpoint {one_line(last.name or last.reason, 60)}"
        found = moment(words, self._context.clock.now())
        if found is None:
            raise InputError(f"{one_line(words, 60)!r} is no time.", "Such as yesterday, 2 hours ago, or checkpoint.")
        return found, f" since {local_time(found)}"

    async def files(self, question: DataQuestion) -> DataAnswer:
        """The session's folder, and what lies in it besides the session."""
        folder = self._context.files.folder.resolve()
        found = sorted(
            (path for path in folder.iterdir() if path.is_file() and not path.name.startswith(_KEPT)), key=_age
        )
        rows = [DataRow(path.name, path.stat().st_size, words="bytes") for path in reversed(found)]
        written = (
            f"the newest file in it is {one_line(rows[0].name, 120)}" if rows else "nothing was exported into it yet"
        )
        said = f"The session lies in {folder}, saved as it goes; {written}. “Export to csv” writes the cases to a file."
        return answer_with(question, said, rows, DataPlace.NOWHERE)


def _age(path: Path) -> float:
    return path.stat().st_mtime
