"""The accepted cases, written to a file."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from dsbuilder_tui.agent.tool import Tool, ToolAnswer, ToolArguments, ToolCall
from dsbuilder_tui.atomic_write import replaceable
from dsbuilder_tui.domain.approval import QuestionApproval, QuestionSubject
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session.dataset_split import read_shares
from dsbuilder_tui.session.export_formats import FORMATS, format_of, format_words, is_folder, require_writer


class ExportDatasetArguments(ToolArguments):
    path: str | None = None
    """A file that the person named, exactly as they wrote it; leave it out for the session's folder."""
    format: str | None = Field(default=None, json_schema_extra={"enum": [*FORMATS.names(), None]})
    """Only when the file's ending does not say it; huggingface writes a folder."""
    split: str | None = Field(default=None, max_length=200)
    """Shares of splits, such as "test=0.8,dev=0.2", when the person asks for splits; each becomes a file of its own."""


class ExportDataset(Tool[ExportDatasetArguments]):
    name = "export_dataset"
    order = 150
    description = (
        f"Write the accepted cases to a file, as {format_words()} (checkpoint is JSON that can be loaded again); in splits if "
        "asked to."
    )
    arguments = ExportDatasetArguments
    asks = True

    def doing(self, arguments: ExportDatasetArguments) -> str:
        return "writing the dataset"

    async def question(self, call: ToolCall, arguments: ExportDatasetArguments) -> QuestionApproval | None:
        path = self._path(call, arguments)
        folder, here = call.host.session.folder.resolve(), Path.cwd().resolve()
        inside = path.resolve()
        if inside.parent == folder and inside.suffix != ".db" and not inside.name.startswith("session."):
            return None
        if inside.is_relative_to(folder):
            raise InputError(f"{path} belongs to the session itself.", "Choose another name, such as dataset.jsonl.")
        there = any(part.path.exists() for part in call.host.session.dataset.parts(inside, arguments.format))
        if inside.is_relative_to(here) and not there and call.was_typed(arguments.path or ""):
            return None
        replaces = " It replaces the file that is there." if there else ""
        cases = (await call.host.session.summary()).instances_created
        return QuestionApproval(
            text=f"Write {counted(cases, 'case')} to {inside}?{replaces}", subject=QuestionSubject.WRITING
        )

    async def run(self, call: ToolCall, arguments: ExportDatasetArguments) -> ToolAnswer:
        session = call.host.session
        if not (await session.summary()).instances_created:
            raise InputError("No case is accepted yet, so there is nothing to write.", "Start the generation first.")
        path = self._path(call, arguments)
        await session.written()
        files = await session.exports.write(
            path,
            arguments.format,
            shares=read_shares(arguments.split) if arguments.split else None,
            private=path.parent == session.folder,
        )
        count, places = sum(file.cases for file in files), ", ".join(str(file.path) for file in files)
        several = len(session.dataset.parts(path, arguments.format)) > 1
        apart = " MLflow keeps scenarios in datasets of their own." if several else ""
        return ToolAnswer(f"Wrote {counted(count, 'case')} to {places}.{apart}", {"path": str(path), "cases": count})

    def _path(self, call: ToolCall, arguments: ExportDatasetArguments) -> Path:
        session = call.host.session
        if arguments.path is not None:
            path = replaceable(call.named_path(arguments.path))
            if path.is_dir() and not is_folder(format_of(path, arguments.format)):
                raise InputError(f"{path} is a folder.", "Name a file, such as dataset.jsonl.")
            require_writer(format_of(path, arguments.format))
            return path
        kind = arguments.format or "jsonl"
        require_writer(kind)
        return session.folder / f"{session.id}{FORMATS.load(kind).ending}"
