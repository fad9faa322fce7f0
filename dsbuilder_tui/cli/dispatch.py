"""From a command line to an exit code: dispatch, settings, and errors in words."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Sequence

from dsbuilder_tui.atomic_write import write_private
from dsbuilder_tui.cli.exhaustion import exhaustion
from dsbuilder_tui.cli.parser import build_parser
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.locations import crash_log_file

_MOST_SHOWN = 80  # characters of a name that is no file's


def run_command(given: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):  # a character that a terminal cannot show must not end a run
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = build_parser(given := _with_command(given)).parse_args(given)
        if arguments.version:
            from dsbuilder_tui import __version__

            print(f"dsbuilder {__version__}")
            return ExitCode.COMPLETE
        if any(name.startswith("DSBUILDER_") for name in os.environ) and arguments.command != "studio":
            _warn_of_unknown_variables()
        return int(arguments.run(arguments))
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
        if isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            name = visible(str(error.filename))
            shown = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…"
            print(f"dsbuilder: {shown} cannot be a file: {error.strerror}. Give another name.", file=sys.stderr)
            return ExitCode.BAD_INPUT
        found = exhaustion(error)
        if found is None:
            _report_unexpected(error)
        else:
            print(
                f"dsbuilder: {found[0]} ({visible(str(error))}). Everything accepted is saved. {found[1]}",
                file=sys.stderr,
            )
        return ExitCode.FAILED


def _warn_of_unknown_variables() -> None:
    from dsbuilder_tui.settings.stack import unknown_variables

    for warning in unknown_variables():
        print(f"dsbuilder: warning: {visible(warning)}", file=sys.stderr)


def _with_command(given: Sequence[str]) -> list[str]:
    """No command opens the app; flags alone are the app's."""
    asks = {"-h", "--help", "-V", "--version"}
    if not given or (given[0].startswith("-") and not asks & set(given[:1])):
        return ["studio", *given]
    return list(given)


def _report_unexpected(error: Exception) -> None:
    where, log = "", crash_log_file()
    kind, words = type(error).__name__, _without_secrets(str(error))
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        write_private(log, visible(_without_secrets("".join(traceback.format_exception(error)))))
        where = f" Details are in {log}."
    except OSError:
        where = " Details could not be written to the log folder."
    print(f"dsbuilder: an unexpected error: {kind}: {visible(words)}.{where}", file=sys.stderr)
    print("Everything accepted is saved; `dsbuilder resume` goes on. Please report this as a bug.", file=sys.stderr)


def _without_secrets(text: str) -> str:
    from dsbuilder_tui.cli.known_secrets import without_secrets
    from dsbuilder_tui.settings.stack import load_config

    try:
        config = load_config()
    except DsbuilderError:  # settings that cannot be read: those of the environment are known all the same
        config = None
    return without_secrets(text, config)
