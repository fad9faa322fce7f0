"""The app in a process of its own, full of hostile text: ``python -m tests.support.hostile_app FOLDER [COMMAND …]``."""

from __future__ import annotations

import asyncio
import functools
import sys
from pathlib import Path

from dsbuilder_tui.cli.main import main as cli
from dsbuilder_tui.tui import start
from dsbuilder_tui.tui.app import StudioApp
from tests.support.hostile import EVIL, HostileAgent, HostileModel, any_name, hostile_session


def main() -> int:
    root = Path(sys.argv[1])
    flags = {"checkpoint_dir": root, "max_workers": 2, "worker_model": f"w{EVIL}", "provider": "offline"}
    with any_name():
        if sys.argv[2:]:
            return cli([*sys.argv[2:], "--checkpoint-dir", str(root)])
        asyncio.run(hostile_session(root))
        make = functools.partial(StudioApp, make_talk=HostileAgent(), make_model=lambda _: HostileModel(6, hang=True))
        start.StudioApp = make  # type: ignore[assignment, misc]
        return start.open_app(flags)


if __name__ == "__main__":
    sys.exit(main())
