"""The app with a screen that crashes as soon as it is drawn: ``python -m tests.support.crashing_app FOLDER``."""

from __future__ import annotations

import sys
from typing import NoReturn

from dsbuilder_tui.cli.main import main
from dsbuilder_tui.tui.checkpoints.rail import BranchRail


def crash(*_: object) -> NoReturn:
    raise RuntimeError("a widget crashed\x1b]0;evil\x07")


if __name__ == "__main__":
    BranchRail.paint = crash  # type: ignore[method-assign]
    sys.exit(main(["--checkpoint-dir", sys.argv[1]]))
