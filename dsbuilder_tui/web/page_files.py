"""The files of the page: ours, and the terminal and its fonts out of textual-serve. None is fetched from elsewhere."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from dsbuilder_tui.domain.errors import InputError

_OURS = {"": "page.html", "page.css": "page.css", "page.js": "page.js"}
_THEIRS = {
    "textual.js": "js/textual.js",
    "xterm.css": "css/xterm.css",
    "upright.ttf": "fonts/RobotoMono-VariableFont_wght.ttf",
    "italic.ttf": "fonts/RobotoMono-Italic-VariableFont_wght.ttf",
}


def page_files() -> dict[str, Path]:
    """What the page consists of, by the last part of its address. Raises ``InputError`` without textual-serve."""
    found = find_spec("textual_serve")
    if found is None or not found.submodule_search_locations:
        raise InputError(
            "The page in the browser needs one more package.", "Install it: pip install 'dsbuilder-tui[web]'"
        )
    theirs = Path(found.submodule_search_locations[0]) / "static"
    ours = Path(__file__).with_name("page")
    files = {name: ours / file for name, file in _OURS.items()} | {
        name: theirs / file for name, file in _THEIRS.items()
    }
    if missing := [path.name for path in files.values() if not path.is_file()]:
        raise InputError(
            f"textual-serve lacks {', '.join(missing)}.", "Install it again: pip install 'dsbuilder-tui[web]'"
        )
    return files
