"""Checkpoints and exports: what is written, and what is read back."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from dsbuilder_tui.agent.tools.base import Tool, ToolAnswer, ToolArguments, ToolCall, ToolQuestion
from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.session import Session
from dsbuilder_tui.store.export import format_of, require_writer


def default_export(session: Session) -> Path:
    """Where the finished dataset goes: as asked for at the start, else into the session's folder."""
    return session.out or session.folder / f"{session.id}.jsonl"


class SaveCheckpointArguments(ToolArguments):
    name: str | None = None
    """What the person calls this point, if anything."""


class SaveCheckpoint(Tool[SaveCheckpointArguments]):
    name = "save_checkpoint"
    description = "Write a checkpoint into the timeline now. (Accepted cases are saved all the time in any case.)"
    arguments = SaveCheckpointArguments

    async def run(self, call: ToolCall, arguments: SaveCheckpointArguments) -> ToolAnswer:
        host = call.host
        point = await host.session.checkpoint((arguments.name or "asked")[:80])
        if not host.running:
            await host.reread()
        return ToolAnswer(f"Checkpoint {point.id} at {counted(point.accepted, 'case')}.", {"checkpoint": point.id})


class LoadFromCheckpointArguments(ToolArguments):
    path: str | None = None
    """A seed-format JSON, a session's name or folder that the person named; leave it out for the present session."""


class LoadFromCheckpoint(Tool[LoadFromCheckpointArguments]):
    name = "load_from_checkpoint"
    description = (
        "Take up what was saved. Without a path: the present session, which always knows its last accepted case. With a "
        "path that the person named: another session, or a checkpoint JSON."
    )
    arguments = LoadFromCheckpointArguments
    asks = True

    async def question(self, call: ToolCall, arguments: LoadFromCheckpointArguments) -> ToolQuestion | None:
        if arguments.path is None or call.was_typed(arguments.path):
            return None
        return ToolQuestion(f"Leave this session and open {arguments.path}? You have not named it yourself.")

    async def run(self, call: ToolCall, arguments: LoadFromCheckpointArguments) -> ToolAnswer:
        host = call.host
        if arguments.path is None:
            state = await host.session.summary()
            left = state.total_instances_planned - state.instances_created - state.exhausted_slots
            said = f"The session is at {state.instances_created:,} of {state.total_instances_planned:,} cases."
            if left and not host.running:
                said += " resume_generation goes on exactly there."
            return ToolAnswer(said, {"open": left, "running": host.running})
        return ToolAnswer(await host.load(arguments.path))


class ExportDatasetArguments(ToolArguments):
    path: str | None = None
    """A file that the person named, exactly as they wrote it; leave it out for the session's folder."""
    format: Literal["jsonl", "json", "csv", "parquet", "checkpoint"] | None = None
    """Only when the file's ending does not say it."""


class ExportDataset(Tool[ExportDatasetArguments]):
    name = "export_dataset"
    description = (
        "Write the accepted cases to a file: jsonl, json, csv, parquet, or checkpoint (JSON that can be loaded again)."
    )
    arguments = ExportDatasetArguments
    asks = True

    def doing(self, arguments: ExportDatasetArguments) -> str:
        return "writing the dataset"

    async def question(self, call: ToolCall, arguments: ExportDatasetArguments) -> ToolQuestion | None:
        path = self._path(call, arguments)
        folder, here = call.host.session.folder.resolve(), Path.cwd().resolve()
        inside = path.resolve()
        if inside.parent == folder and inside.suffix != ".db" and not inside.name.startswith("session."):
            return None
        if inside.is_relative_to(folder):
            raise InputError(f"{path} belongs to the session itself.", "Choose another name, such as dataset.jsonl.")
        if inside.is_relative_to(here) and not inside.exists() and call.was_typed(arguments.path or ""):
            return None
        replaces = " It replaces the file that is there." if inside.exists() else ""
        cases = (await call.host.session.summary()).instances_created
        return ToolQuestion(f"Write {counted(cases, 'case')} to {inside}?{replaces}")

    async def run(self, call: ToolCall, arguments: ExportDatasetArguments) -> ToolAnswer:
        session = call.host.session
        if not (await session.summary()).instances_created:
            raise InputError("No case is accepted yet, so there is nothing to write.", "Start the generation first.")
        path = self._path(call, arguments)
        await session.written()
        count = await session.export(path, arguments.format, private=path.parent == session.folder)
        return ToolAnswer(f"Wrote {counted(count, 'case')} to {path}.", {"path": str(path), "cases": count})

    def _path(self, call: ToolCall, arguments: ExportDatasetArguments) -> Path:
        session = call.host.session
        if arguments.path is not None:
            path = call.named_path(arguments.path)
            if path.is_dir():
                raise InputError(f"{path} is a folder.", "Name a file, such as dataset.jsonl.")
            require_writer(format_of(path, arguments.format))
            return path
        kind = arguments.format or "jsonl"
        require_writer(kind)
        name = f"{session.id}_checkpoint.json" if kind == "checkpoint" else f"{session.id}.{kind}"
        return session.folder / name
