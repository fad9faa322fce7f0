"""Lending the terminal to the person's editor, while the engine goes on."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.app import App, SuspendNotSupported

from dsbuilder_tui.domain.errors import InputError

if TYPE_CHECKING:
    from dsbuilder_tui.tui.services import AppServices

_FALLBACKS = ("nano", "vim", "vi")


def editor_command() -> list[str]:
    """``$VISUAL``, ``$EDITOR``, or what is installed. Raises ``InputError`` when there is none."""
    for name in ("VISUAL", "EDITOR"):
        words = shlex.split(os.environ.get(name, ""))
        if words:
            return words
    found = next((shutil.which(name) for name in _FALLBACKS if shutil.which(name)), None)
    if found is None:
        raise InputError("No editor was found.", "Set EDITOR, for example EDITOR=nano.")
    return [found]


async def edited(app: App[Any], services: AppServices, text: str, suffix: str) -> str | None:
    """The text as it was left in the editor; None when it was not changed. Raises ``InputError``."""
    command = editor_command()
    with tempfile.TemporaryDirectory(prefix="dsbuilder-") as folder:
        file = Path(folder) / f"case{suffix}"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        services.away = True
        try:
            # Nothing may be drawn while the terminal is lent; the event loop, and with it the run, goes on.
            with app.batch_update(), app.suspend():
                process = await asyncio.create_subprocess_exec(*command, str(file))
                code = await process.wait()
        except SuspendNotSupported:
            raise InputError("This terminal cannot be lent to an editor.", "e edits the case here.") from None
        except OSError as error:
            raise InputError(
                f"The editor {command[0]} could not be started: {error.strerror or error}.", "Set EDITOR."
            ) from None
        finally:
            services.away = False
        if code:
            raise InputError(f"The editor {command[0]} ended with code {code}; nothing was changed.", "Try again.")
        after = file.read_text(encoding="utf-8", errors="replace").rstrip("\n")
    return None if after == text.rstrip("\n") else after
