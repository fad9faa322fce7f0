"""``python -m dsbuilder_tui``."""

import sys
from pathlib import Path

# With -m Python looks for modules in the working folder first, which may be anybody's.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", str(Path.cwd())):
    del sys.path[0]

from dsbuilder_tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
