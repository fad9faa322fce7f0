"""From a command line to an exit code: dispatch, settings, and errors in words."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

from dsbuilder_tui import __version__
from dsbuilder_tui.atomic_write import write_private
from dsbuilder_tui.cli.known_secrets import without_secrets
from dsbuilder_tui.cli.memory_limit import require_memory
from dsbuilder_tui.cli.parser import build_parser
from dsbuilder_tui.cli.standard_streams import give_up_output, show_any_character
from dsbuilder_tui.domain.errors import DsbuilderError, ExitCode
from dsbuilder_tui.domain.exhaustion import exhaustion_words
from dsbuilder_tui.domain.sanitise import visible
from dsbuilder_tui.settings.locations import crash_log_file
from dsbuilder_tui.settings.stack import load_config, unknown_variables

_MOST_SHOWN = 80  # characters of a name that is no file's


def run_command(given: Sequence[str]) -> int:
    """Run one command, and tell how it ended. Returns the exit code.

    All modules that this needs are there before the command begins: at the end of memory, or of open files, none can be
    imported any more.
    """
    try:
        try:
            show_any_character()
            code = _carry_out(_with_command(given))
        except SystemExit:  # of the help, or of bad usage
            sys.stdout.flush()
            raise
        sys.stdout.flush()
        return code
    except DsbuilderError as error:
        print(f"dsbuilder: {visible(str(error))}", file=sys.stderr)
        return int(error.exit_code)
    except KeyboardInterrupt:
        print("dsbuilder: interrupted.", file=sys.stderr)
        return ExitCode.RESUMABLE
    except BrokenPipeError:
        return ExitCode.RESUMABLE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            name = visible(str(error.filename))
            shown = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…"
            print(f"dsbuilder: {shown} cannot be a file: {error.strerror}. Give another name.", file=sys.stderr)
            return ExitCode.BAD_INPUT
        if (words := exhaustion_words(error)) is not None:
            print(f"dsbuilder: {visible(words)}", file=sys.stderr)
        else:
            _report_unexpected(error)
        return ExitCode.FAILED
    finally:
        _drop_what_is_left()


def _carry_out(given: Sequence[str]) -> int:
    arguments = build_parser(given).parse_args(given)
    if arguments.version:
        print(f"dsbuilder {__version__}")
        return ExitCode.COMPLETE
    if any(name.startswith("DSBUILDER_") for name in os.environ) and arguments.command != "studio":
        for warning in unknown_variables():
            print(f"dsbuilder: warning: {visible(warning)}", file=sys.stderr)
    require_memory(arguments.memory)
    return int(arguments.run(arguments))


def _drop_what_is_left() -> None:
    """What standard output did not take must not become an error of the interpreter's own, when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        give_up_output()


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
    try:
        config = load_config()
    except (DsbuilderError, OSError):  # settings that cannot be read: those of the environment are known all the same
        config = None
    return without_secrets(text, config)
