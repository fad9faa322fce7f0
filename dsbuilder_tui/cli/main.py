"""The entry of the command line. Imports only what the command at hand needs, so that ``--version`` answers at once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from dsbuilder_tui.cli.process_tuning import tune_process
from dsbuilder_tui.cli.standard_streams import open_standard_streams
from dsbuilder_tui.domain.exhaustion import exhaustion_words


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the process's exit code (see `dsbuilder manual commands`)."""
    open_standard_streams()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        from dsbuilder_tui import __version__

        with contextlib.suppress(OSError):  # it is printed again then, where errors have words
            print(f"dsbuilder {__version__}", flush=True)
            return 0
    tune_process()
    try:
        from dsbuilder_tui.cli.dispatch import run_command

        return run_command(given)
    except KeyboardInterrupt:  # so early that nothing has begun
        return 4
    except (ImportError, MemoryError, OSError, RuntimeError) as error:  # of what is imported for all commands
        words = exhaustion_words(error)
        if words is None:
            raise
        print(f"dsbuilder: {words}", file=sys.stderr)
        return 1
