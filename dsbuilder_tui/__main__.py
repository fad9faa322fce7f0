"""``python -m dsbuilder_tui``."""

from dsbuilder_tui.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
