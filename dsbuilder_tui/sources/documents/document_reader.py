"""Files and folders that a person named, read into passages. Bounded, in a fixed order; nothing of them is ever run.

Reading is synchronous; from an event loop call it with ``asyncio.to_thread``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.passage import HEADINGS_BETWEEN, Passage
from dsbuilder_tui.domain.source_paths import split_place
from dsbuilder_tui.sources.documents.document_text import DocumentText
from dsbuilder_tui.sources.documents.docx_text import read_docx
from dsbuilder_tui.sources.documents.html_text import read_html
from dsbuilder_tui.sources.documents.markdown_text import read_markdown
from dsbuilder_tui.sources.documents.passages import cut
from dsbuilder_tui.sources.documents.pdf_text import read_pdf
from dsbuilder_tui.sources.file_access import Skipped, may_hold_keys, read_regular
from dsbuilder_tui.sources.foreign_text import kept, label

MOST_BYTES = 32 * 1024 * 1024  # of one document
_MOST_DOCUMENTS = 2000
MOST_PASSAGES = 50_000
_DEEPEST = 12
_NOT_LOOKED_INTO = frozenset("node_modules venv __pycache__ site-packages build dist".split())


def _text_of(raw: bytes) -> str:
    """Text in UTF-8, UTF-16 (with its mark) or, as a last guess, Windows-1252. Raises ``ValueError`` for what is none."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = raw.decode("utf-16", "replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("cp1252", "replace")
    if "\x00" in text:
        raise ValueError("it is no text")
    return kept(text)


_READERS: dict[str, Callable[[bytes], DocumentText]] = {
    **dict.fromkeys((".md", ".markdown", ".mdx"), lambda raw: read_markdown(_text_of(raw))),
    **dict.fromkeys((".txt", ".text", ".rst", ".adoc"), lambda raw: DocumentText(_text_of(raw))),
    **dict.fromkeys((".html", ".htm", ".xhtml"), read_html),
    ".pdf": read_pdf,
    ".docx": read_docx,
}


@dataclass(frozen=True, slots=True)
class Documents:
    """``passages`` in the order of their documents, each text once; ``notes`` say what was left out, and why."""

    passages: tuple[Passage, ...]
    notes: tuple[str, ...] = ()


def require_documents(paths: Iterable[str]) -> None:
    """Raises ``InputError`` for the first path at which there is nothing."""
    for path in paths:
        if not _is_there(path) and not _is_there(split_place(path)[0]):
            raise InputError(f"sources: there is no file or folder {label(path)}.", "Check the path.")


def _is_there(path: str) -> bool:
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        return Path(path).expanduser().exists()
    return False


def read_documents(path: str | Path) -> Documents:
    """The passages of a document, of one of its sections (``refunds.md#Late parcels``), or of all documents of a folder
    and those below it.

    Raises ``InputError`` when the path leads nowhere, names what is no document or no section of it, or when nothing in
    it can be read.
    """
    whole, place = split_place(str(path))
    if place and not _is_there(str(path)):
        return _section(read_documents(whole), place, label(str(path)))
    shown = label(str(path))
    try:
        real = Path(path).expanduser().resolve(strict=True)
    except FileNotFoundError:
        raise InputError(f"sources: there is no file or folder {shown}.", "Check the path.") from None
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"sources: {shown} cannot be read ({error}).", "Check the path and its permissions.") from None
    if may_hold_keys(real):
        raise InputError(f"sources: {shown} may hold keys; it is not read.", "Name the documents' own folder.")
    if real.is_dir():
        return _of_folder(real, shown)
    try:
        passages = tuple(_distinct(_of_file(real, real.name)))
        if not passages:
            raise ValueError("there is nothing in it to ask about")
        return Documents(passages)
    except ValueError as error:
        raise InputError(f"sources: {shown} cannot be read: {error}.", _formats()) from None


def _section(documents: Documents, place: str, shown: str) -> Documents:
    """The passages under a heading, given as its whole path or its last part; where none is so called, by number."""
    wanted, found = _folded(place), list[Passage]()
    for passage in documents.passages:
        parts = [_folded(part) for part in passage.heading.split(HEADINGS_BETWEEN)]
        paths = [HEADINGS_BETWEEN.join(parts[:length]) for length in range(1, len(parts) + 1)]
        if wanted and (wanted in paths or wanted in parts):
            found.append(passage)
    if not found and place.isdecimal() and 0 < int(place) <= len(documents.passages):
        found = [documents.passages[int(place) - 1]]
    if not found:
        raise InputError(f"sources: there is no heading or passage {shown}.", "Write a heading as it stands there.")
    return Documents(tuple(found), documents.notes)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _of_folder(root: Path, shown: str) -> Documents:
    skipped, found = Skipped(), list[Passage]()
    read = 0
    for path in _documents_below(root, skipped):
        name = path.relative_to(root).as_posix()
        if read >= _MOST_DOCUMENTS or len(found) >= MOST_PASSAGES:
            skipped.add(f"left out, more than {_MOST_DOCUMENTS:,} documents or {MOST_PASSAGES:,} passages", name)
            continue
        try:
            found += _of_file(path, f"{root.name}/{name}")
            read += 1
        except ValueError as error:
            skipped.add(f"left out, {error}", name)
    if not found:
        reasons = f" ({'; '.join(skipped.notes()[:4])})" if skipped.notes() else ""
        raise InputError(f"sources: nothing in {shown} is a document that can be read{reasons}.", _formats())
    return Documents(tuple(_distinct(found))[:MOST_PASSAGES], tuple(skipped.notes()))


def _documents_below(root: Path, skipped: Skipped) -> Iterator[Path]:
    """By name, folder after folder. No link is followed: what a person means lies in the folder itself."""
    level = [(root, 0)]
    while level:
        folder, depth = level.pop(0)
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            skipped.add("left out, the folder cannot be read", folder.name)
            continue
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith(".") or may_hold_keys(Path(entry.name)) or entry.is_symlink():
                if path.suffix.lower() in _READERS:
                    skipped.add("left out, hidden, a link, or may hold keys", entry.name)
            elif entry.is_dir(follow_symlinks=False):
                if depth < _DEEPEST and entry.name not in _NOT_LOOKED_INTO:
                    level.append((path, depth + 1))
            elif path.suffix.lower() in _READERS:
                yield path


def _of_file(path: Path, shown: str) -> list[Passage]:
    """The passages of one file. Raises ``ValueError`` saying why it cannot be read."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError("it is no document")
    return cut(label(shown), reader(_bytes_of(path)))


def _bytes_of(path: Path) -> bytes:
    try:
        raw = read_regular(path, MOST_BYTES)
    except OSError as error:
        raise ValueError(error.strerror or "it cannot be opened") from None
    if raw is None:
        raise ValueError("it is no regular file")
    if len(raw) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES // 2**20} MiB")
    return raw


def _distinct(passages: list[Passage]) -> Iterator[Passage]:
    """Each text once: what is repeated in every document says nothing new."""
    seen: set[str] = set()
    for passage in passages:
        key = " ".join(passage.text.split())
        if key not in seen:
            seen.add(key)
            yield passage


def _formats() -> str:
    return f"Name a document, or a folder with some ({', '.join(_READERS)})."
