"""From a command line to an exit code: dispatch, settings, and errors in words."""

from __future__ import annotations

import argparse
import io
import os
import sys
import traceback
from collections.abc import Sequence
from shlex import quote
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.cli.parser import build_parser
from dsbuilder_tui.domain.errors import ConfigError, DsbuilderError, ExitCode, InputError
from dsbuilder_tui.domain.sanitise import visible

if TYPE_CHECKING:
    from dsbuilder_tui.session import Session

_FLAGS = (
    "provider", "model", "worker_model", "base_url", "batch_size", "sub_batch_size", "max_workers", "max_dataset_size",
    "checkpoint_dir", "checkpoint_interval", "diversity_scope", "diversity_window", "seed", "budget",
)  # fmt: skip
_SWITCHES = {
    "no_parallel": "enable_parallel_generation",
    "no_checkpointing": "enable_checkpointing",
    "no_diversity": "enable_diversity_check",
}


def run_command(given: Sequence[str]) -> int:
    parser = build_parser()
    for stream in (sys.stdout, sys.stderr):  # a character that a terminal cannot show must not end a run
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parser.parse_args(_with_command(given))
        if arguments.version:
            from dsbuilder_tui import __version__

            print(f"dsbuilder {__version__}")
            return ExitCode.COMPLETE
        return int(_dispatch(arguments))
    except DsbuilderError as error:
        print(f"dsbuilder: {visible(str(error))}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("dsbuilder: interrupted.", file=sys.stderr)
        return ExitCode.RESUMABLE
    except BrokenPipeError:
        # Whoever read our output went away; a closed pipe must not become an error of its own at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.RESUMABLE
    except Exception as error:
        _report_unexpected(error)
        return ExitCode.FAILED


def _with_command(given: Sequence[str]) -> list[str]:
    """No command opens the app; flags alone are the app's."""
    asks = {"-h", "--help", "-V", "--version"}
    if not given or (given[0].startswith("-") and not asks & set(given[:1])):
        return ["studio", *given]
    return list(given)


def _dispatch(arguments: argparse.Namespace) -> int:
    name = arguments.command
    if name in ("run", "resume"):
        from dsbuilder_tui.cli import build

        return build.run(arguments) if name == "run" else build.resume(arguments)
    if name in ("studio", "replay"):
        from dsbuilder_tui.cli import studio

        return studio.studio(arguments) if name == "studio" else studio.replay(arguments)
    if name == "dedup":
        from dsbuilder_tui.cli import dedup

        return dedup.dedup(arguments)
    if name == "doctor":
        from dsbuilder_tui.cli import doctor

        return doctor.doctor(arguments)
    if name == "manual":
        from dsbuilder_tui.cli import manual

        return manual.manual(arguments)
    from dsbuilder_tui.cli import look

    commands = {
        "sessions": look.sessions,
        "show": look.show,
        "export": look.export,
        "import": look.import_file,
        "examples": look.examples,
        "config": look.config,
    }
    return commands[name](arguments)


def require_plan(session: Session) -> None:
    """Raises ``InputError`` for a session that has no plan yet: it is a conversation, and those need the app."""
    if not session.planned:
        from dsbuilder_tui.wording import place

        where = place(session.folder.parent)
        hint = f"Open it with `dsbuilder studio {quote(session.id)}{where}`."
        raise InputError(f"{session.id} has no plan yet.", hint)


def settings_from(arguments: argparse.Namespace) -> dict[str, Any]:
    """The settings given on the command line. Raises ``ConfigError`` for a malformed ``--set``."""
    flags: dict[str, Any] = {}
    for item in getattr(arguments, "set", []):
        name, mark, value = item.partition("=")
        name = name.strip().replace("-", "_")
        from dsbuilder_tui.settings.schema import KEYS, DatasetBuilderConfig

        if not mark or name not in DatasetBuilderConfig.model_fields:
            raise ConfigError(
                f"--set {item!r} does not name a setting.", "Write --set NAME=VALUE; see `dsbuilder config`."
            )
        if name in KEYS:
            raise ConfigError(
                "An API key on the command line can be read by every user of this machine.",
                f"Set {KEYS[name]} in the environment or in .env.",
            )
        flags[name] = value
    flags |= {name: getattr(arguments, name) for name in _FLAGS if getattr(arguments, name, None) is not None}
    flags |= {field: False for switch, field in _SWITCHES.items() if getattr(arguments, switch, False)}
    return flags


def _report_unexpected(error: Exception) -> None:
    from platformdirs import user_log_path

    where = ""
    try:
        folder = user_log_path("dsbuilder", appauthor=False, ensure_exists=True)
        (folder / "crash.log").write_text(visible("".join(traceback.format_exception(error))), encoding="utf-8")
        where = f" Details are in {folder / 'crash.log'}."
    except OSError:
        where = " Details could not be written to the log folder."
    kind = type(error).__name__
    print(f"dsbuilder: an unexpected error: {kind}: {visible(str(error))}.{where}", file=sys.stderr)
    print("Everything accepted is saved; `dsbuilder resume` goes on. Please report this as a bug.", file=sys.stderr)
