"""The application that a request names by its path: “40 cases for the bot in ./bot: seat changes”."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from dsbuilder_tui.domain.registered_reference import is_registered
from dsbuilder_tui.offline.planner.document_requests import documents_in
from dsbuilder_tui.offline.planner.extension_requests import extension_in
from dsbuilder_tui.offline.planner.request import APPLICATION_NOUNS
from dsbuilder_tui.offline.planner.row_requests import rows_in
from dsbuilder_tui.offline.planner.utterance import MASK, Utterance, hear

_ROWS = frozenset({".jsonl", ".ndjson", ".csv", ".tsv", ".parquet", ".arrow", ".gz", ".db", ".sqlite"})
# A file that is written, or one that says how cases are judged, is no application.
_OTHERWISE = re.compile(
    r"\b(?:to|into|as|called|named|rubric|judged? (?:by|with|against))(?: (?:the|a))?(?: \w+)? $", re.IGNORECASE
)
_WHERE = (
    r"(?:(?:that|which) )?(?:(?:is|are|lives?|lies|sits|resides|described|defined|implemented|found|stored) )?"
    r"(?:in|at|under|from|inside|within)"
)
_LEAD = r"(?:for|to test|test|of|on|against|about|with|evaluate)"
_SUBJECT = re.compile(
    rf"\b{_LEAD} (?:(?:an?|the|my|our|this|that) )?(?P<words>(?:(?!{_LEAD} |cases )[\w'&-]+ ){{1,6}}?)"
    rf"\(?{_WHERE}(?: the)?(?: (?:folder|directory|file|repo|repository|path))?:? {MASK}\)?",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"\b{_LEAD} (?:(?:the|my|our) )?(?:(?:code|app|application|folder|bot|agent|server|project|repo|repository) )?{MASK}",
    re.IGNORECASE,
)
_SAID_APART = re.compile(
    rf"(?:^|(?<=[.;!\n]))[^.;:!,\n\d]{{0,80}}?{MASK}(?: (?:first|please|is|as) ?[^.;:!,\n\d]{{0,60}})?"
    r"(?:\s*(?:[.;:!,\n]|$)(?: ?(?:and|then))*|\s+(?:and then|and|then)\b)",
    re.IGNORECASE,
)  # fmt: skip
_LEFT = re.compile(rf"\(?(?:\b{_WHERE} |\b(?:for|of|with|on|see|read) )?{MASK}\)?", re.IGNORECASE)
# A path that only its place shows to be one: “the bot in src/bot”.
_PLAIN = re.compile(rf"\b(?:{APPLICATION_NOUNS})s? \(?{_WHERE} (?P<path>[a-z][\w.-]*/[\w./-]*\w)")
# A folder's bare name, where there is such a folder: “the bot in my_bot”.
_FOLDER = re.compile(
    rf"\b(?:{APPLICATION_NOUNS})s? \(?{_WHERE} (?:the )?(?:(?:folder|directory|repo|repository) )?"
    r"(?P<path>\w[\w.-]*\w)(?: (?:folder|directory|repo|repository)\b)?(?=[\s,;:.!?)]|$)",
    re.IGNORECASE,
)
_NOUN = re.compile(rf"(?:{APPLICATION_NOUNS})s?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedTarget:
    """The application's ``path`` as it was written, and what was said without it."""

    path: str
    heard: Utterance


def target_in(heard: Utterance, folder: Path | None = None) -> NamedTarget | None:
    """The application that a message names by a path; None when it names none.

    Documents that cases are written from, rows, and files that are written are not it. A bare name is a path where
    ``folder`` has a folder of that name.
    """
    heard, bare = _with_plain_path(heard, folder)
    rest, _ = documents_in(heard)
    masks = (found.group() for found in re.finditer(MASK, rest.said) if _is_target(rest, found))
    mask = bare or next(masks, None)
    if mask is None:
        return None
    said = _without(heard, mask)
    return NamedTarget(heard.piece(mask), replace(heard, said=re.sub(r"^[\s.,;:]+", "", said)))


def path_of_target(text: str, folder: Path | None = None) -> str:
    """The path of the application that a message asks cases for, or nothing; seen from ``folder``."""
    heard = hear(text)
    named = None if extension_in(heard) is not None else target_in(heard, folder)
    return named.path if named is not None else ""


def missing_paths(text: str, folder: Path) -> list[str]:
    """Paths that a request is to start from (an application, documents, rows) and that are not there, seen from ``folder``."""
    heard, rows, _ = rows_in(hear(text))
    target = path_of_target(text, folder)
    missing = []
    for path in filter(
        None, ("" if is_registered(target) else target, *documents_in(heard)[1], *(wish.path for wish in rows))
    ):
        try:
            if not (folder / Path(path).expanduser()).exists():
                missing.append(path)
        except (OSError, ValueError, RuntimeError):
            missing.append(path)
    return missing


def _with_plain_path(heard: Utterance, folder: Path | None) -> tuple[Utterance, str]:
    """With a path of words and strokes as a piece like the others, and the piece that is a folder's bare name."""
    found = _PLAIN.search(heard.said)
    is_bare = found is None
    if found is None and folder is not None:
        found = next((each for each in _FOLDER.finditer(heard.said) if _is_folder(folder / each["path"])), None)
    if found is None or not heard.next_mask:
        return heard, ""
    mask = heard.next_mask
    said = heard.said[: found.start("path")] + mask + heard.said[found.end() :]
    return replace(heard, said=said, pieces=(*heard.pieces, found["path"])), mask if is_bare else ""


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_target(heard: Utterance, found: re.Match[str]) -> bool:
    path = heard.piece(found.group())
    if is_registered(path):
        return True
    is_quoted_path = re.match(r"(?:\.{1,2}|~)?/", path) and re.search(
        rf"{_WHERE} $", heard.said[: found.start()], re.IGNORECASE
    )
    if (
        (heard.quoted(found.group()) and not is_quoted_path)
        or not re.search(r"[./\\~]", path)
        or PurePath(path).suffix.lower() in _ROWS
    ):
        return False
    if not re.match(r"[.~/]|[A-Za-z]:\\", path) and not re.search(
        rf"{_WHERE} $", heard.said[: found.start()], re.IGNORECASE
    ):
        return PurePath(path).suffix.lower() in (".py", ".ts", ".js", ".md", ".prompt") and "/" in path
    if re.fullmatch(r"/[\w-]+", path) and not Path(path).exists():
        return False  # “/refund” is a command of a bot
    return not _OTHERWISE.search(heard.said[: found.start()])


def _without(heard: Utterance, mask: str) -> str:
    """What was said without the path; what it names keeps its words, or has those of the path's last part."""

    def named(found: re.Match[str]) -> str:
        words = found.groupdict().get("words") or ""
        if not words:
            last = PurePath(heard.piece(mask).replace("\\", "/")).name
            words = " ".join(
                word for word in re.findall(r"[^\W\d_]+", PurePath(last).stem) if not _NOUN.fullmatch(word)
            )
            return f"for the {words} app" if words else "for the bot"
        return f"for the {words.strip()}" + ("" if _NOUN.search(words) else " app")

    said = heard.said
    for pattern in (_SUBJECT, _BARE):
        found = next((each for each in pattern.finditer(said) if mask in each.group()), None)
        if found is not None and found.group().count(mask) == 1 and len(re.findall(MASK, found.group())) == 1:
            return said[: found.start()] + named(found) + said[found.end() :]
    for pattern in (_SAID_APART, _LEFT):
        found = next((each for each in pattern.finditer(said) if mask in each.group()), None)
        if found is not None:
            left = f"{said[: found.start()]} {said[found.end() :]}"
            return re.sub(r"\b(?:for|of) it\b", " ", left, flags=re.IGNORECASE)
    return said.replace(mask, " ")
