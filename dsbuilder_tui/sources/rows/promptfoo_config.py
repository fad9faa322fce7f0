"""The tests of a promptfoo configuration: with what they inherit, and out of the files that it names.

``defaultTest`` holds for every test, each ``config`` of a scenario for each of its tests. Files are followed beside or
below the configuration alone; nothing is fetched and no program is run. What is not read is told once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.sanitise import one_line
from dsbuilder_tui.sources.file_access import may_hold_keys
from dsbuilder_tui.sources.rows.byte_stream import ByteStream
from dsbuilder_tui.sources.rows.json_records import json_lines
from dsbuilder_tui.sources.rows.raw_record import RawRecord
from dsbuilder_tui.sources.rows.record_fields import to_json
from dsbuilder_tui.sources.rows.shapes.promptfoo import promptfoo_test
from dsbuilder_tui.sources.rows.table_records import TableReader
from dsbuilder_tui.sources.rows.yaml_records import LONGEST_YAML, as_json, yaml_documents

_FILE = "file://"
_TABLES, _LINES, _DOCUMENTS = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".yaml", ".yml", ".json")
_PROGRAMS = (".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".py", ".rb", ".go", ".sh")
_LONGEST_TEXT = 2**20  # bytes of a file that is one value
_MOST_FILES = 1_000
_MOST_TESTS = 1_000_000
_SHOWN = 40  # characters of a reference in a sentence


class _NotRead(Exception):
    """A reference that is not followed, and why, in words."""


def has_inherited_tests(document: Any) -> bool:
    """Whether a document is a configuration whose tests do not stand in it as they are meant."""
    if isinstance(document, list):
        return any(isinstance(test, Mapping) and _has_file(test.get("vars")) for test in document)
    if not isinstance(document, Mapping) or "vars" in document:
        return False
    tests, scenarios = document.get("tests"), document.get("scenarios")
    known = any(name in document for name in ("prompts", "providers", "targets", "defaultTest"))
    if isinstance(scenarios, str | list) and scenarios:
        given = scenarios if isinstance(scenarios, list) else [scenarios]
        if all(
            _is_file(each) or (isinstance(each, Mapping) and ("config" in each or "tests" in each)) for each in given
        ):
            return True
    if isinstance(tests, str):
        return known or _is_file(tests)
    if not isinstance(tests, list) or not tests:
        return False
    if not all(isinstance(test, str | Mapping) for test in tests):
        return False
    if any(isinstance(test, str) or (known and "path" in test) for test in tests):
        return known or any(map(_is_file, tests))
    return "defaultTest" in document or any(_has_file(test.get("vars")) for test in tests)


def inherited_tests(document: Any, path: Path | None) -> Iterator[RawRecord]:
    """Every test of a configuration in the file ``path`` (None for a pipe), each with all that holds for it.

    What is not read comes last, as records with a problem. Raises ``InputError`` for a file that is damaged.
    """
    config = {"tests": document} if isinstance(document, list) else document
    reading = _Reading(path.resolve().parent if path is not None else None)
    number = 0
    for number, test in enumerate(islice(reading.tests(config), _MOST_TESTS + 1), 1):
        if number > _MOST_TESTS:
            raise InputError(f"The configuration has more than {_MOST_TESTS:,} tests.", "Give them as JSON lines.")
        yield RawRecord(line=number, raw=to_json(test) + b"\n", value=test)
    for reference, problem in reading.unread.items():
        number += 1
        yield RawRecord(line=number, raw=to_json(reference) + b"\n", problem=problem)


class _Reading:
    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.unread: dict[str, str] = {}  # by reference, in words
        self._texts: dict[str, str] = {}

    def tests(self, config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        default = self._mapping(config.get("defaultTest"))
        for test in self._listed(config.get("tests")):
            yield self._whole(default, test)
        for scenario in self._listed(config.get("scenarios")):
            configs = list(self._listed(scenario.get("config"))) or [{}]
            for given in configs:
                shared = _merged(default, self._with_vars(given))
                for test in self._listed(scenario.get("tests") or [{}]):
                    yield self._whole(shared, test)

    def _whole(self, default: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
        """A test with what holds for all, and the texts of the files that it names."""
        whole = _merged(default, self._with_vars(test))
        given = whole.get("vars")
        whole["vars"] = {name: self._text(value) for name, value in given.items()} if isinstance(given, Mapping) else {}
        checks = whole.get("assert")
        if isinstance(checks, list):
            whole["assert"] = [
                {**check, "value": self._text(check["value"])}
                if isinstance(check, Mapping) and _is_file(check.get("value")) and not _is_program(check["value"])
                else check
                for check in checks
            ]
        return whole

    def _with_vars(self, test: Mapping[str, Any]) -> dict[str, Any]:
        """A test whose ``vars`` are written out, where it names a file of them."""
        given = test.get("vars")
        if not isinstance(given, str | list):
            return dict(test)
        found: dict[str, Any] = {}
        for each in given if isinstance(given, list) else [given]:
            for one in self._listed(each):
                found.update(one)
        return {**test, "vars": found}

    def _mapping(self, given: Any) -> dict[str, Any]:
        """What holds for every test, written out."""
        found = next(iter(self._listed(given)), {}) if isinstance(given, str) else given
        return self._with_vars(found) if isinstance(found, Mapping) else {}

    def _listed(self, given: Any) -> Iterator[Mapping[str, Any]]:
        """The objects of a list, of the files that it names, or of the one file."""
        for each in given if isinstance(given, list) else [given]:
            reference = each.get("path") if isinstance(each, Mapping) and "vars" not in each else each
            if isinstance(reference, str):
                try:
                    for path in self._files(reference):
                        yield from self._objects(path, reference)
                except _NotRead as problem:
                    self._tell(reference, str(problem))
            elif isinstance(each, Mapping):
                yield each
            elif each is not None:
                self._tell(str(each), "it is no test")

    def _objects(self, path: Path, reference: str) -> Iterator[Mapping[str, Any]]:
        ending = path.suffix.lower()
        if ending in _DOCUMENTS:
            for document in yaml_documents(_bytes(path, LONGEST_YAML), str(path)):
                value = as_json(document)
                rows = value.get("tests") if isinstance(value, Mapping) and "vars" not in value else None
                for each in value if isinstance(value, list) else rows if isinstance(rows, list) else [value]:
                    if isinstance(each, Mapping):
                        yield each
                    elif each is not None:
                        self._tell(f"{reference}: {each}", "a file that is named by a file is not followed")
        elif ending in _TABLES or ending in _LINES:
            stream = ByteStream(path)
            try:
                records = json_lines(stream) if ending in _LINES else TableReader(stream).records()
                for record in records:
                    if record.problem or not isinstance(record.value, Mapping):
                        self._tell(f"{reference}, line {record.line}", record.problem or "it is no test")
                    else:
                        yield record.value if ending in _LINES else promptfoo_test(record.value)
            finally:
                stream.close()
        else:
            raise _NotRead(
                "a program is not run" if _is_program(reference) else f"no tests are read from {ending or 'it'}"
            )

    def _text(self, value: Any) -> Any:
        """A variable's value: the text of the file that it names, or itself where there is none that can be read."""
        if not _is_file(value):
            return value
        if value not in self._texts and value not in self.unread:
            try:
                if _is_program(value):
                    raise _NotRead("a program is not run")
                (path,) = [*self._files(value)][:2]
                self._texts[value] = _bytes(path, _LONGEST_TEXT).decode("utf-8-sig").strip()
            except _NotRead as problem:
                self._tell(value, str(problem))
            except UnicodeDecodeError:
                self._tell(value, "it is no text in UTF-8")
            except ValueError:
                self._tell(value, "it names several files")
        return self._texts.get(value, value)

    def _files(self, reference: str) -> list[Path]:
        """The files that a reference names, beside or below the configuration."""
        name = reference.removeprefix(_FILE)
        if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE) or self._folder is None:
            raise _NotRead("nothing is fetched" if self._folder is not None else "a pipe has no folder")
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:|~", name):
            raise _NotRead("it is not below the configuration")
        try:
            if any(mark in name for mark in "*?["):
                found = sorted(islice(self._folder.glob(str(pure)), _MOST_FILES))
            else:
                place = self._folder / pure
                found = sorted(islice(place.iterdir(), _MOST_FILES)) if place.is_dir() else [place]
            inside = [path for path in found if path.is_file() and path.resolve().is_relative_to(self._folder)]
        except (OSError, ValueError, NotImplementedError, RuntimeError) as error:
            raise _NotRead(one_line(str(error), _SHOWN)) from None
        if not inside:
            outside = any(path.exists() and not path.resolve().is_relative_to(self._folder) for path in found)
            raise _NotRead("it is not below the configuration" if outside else "a program is not run" if _is_program(name)
                           else "there is no such file")  # fmt: skip
        return inside

    def _tell(self, reference: str, why: str) -> None:
        if len(self.unread) < _MOST_FILES:
            self.unread.setdefault(reference, f"{one_line(reference, _SHOWN)} was not read: {why}")


def _merged(default: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    """A test with what it inherits: its own variables and options win, its assertions come behind the others."""
    whole = {**default, **test}
    for name in ("vars", "options", "metadata"):
        parts = [each for each in (default.get(name), test.get(name)) if isinstance(each, Mapping)]
        if parts:
            whole[name] = {key: value for part in parts for key, value in part.items()}
    options = test.get("options")
    alone = isinstance(options, Mapping) and options.get("disableDefaultAsserts") is True
    given = () if alone else (default.get("assert"),)
    checks = [check for each in (*given, test.get("assert")) if isinstance(each, list) for check in each]
    if checks:
        whole["assert"] = checks
    return whole


def _bytes(path: Path, most: int) -> bytes:
    if may_hold_keys(path) or may_hold_keys(path.resolve()):
        raise _NotRead("it may hold keys")
    try:
        with path.open("rb") as handle:
            found = handle.read(most + 1)
    except OSError as error:
        raise _NotRead(error.strerror or "it cannot be read") from None
    if len(found) > most:
        raise _NotRead(f"it has more than {most // 2**20} MB")
    return found


def _is_file(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_FILE)


def _is_program(reference: str) -> bool:
    """Whether a reference names a program, and perhaps a function in it: ``file://cases.py:generate``."""
    return re.sub(r":\w+$", "", reference.lower()).endswith(_PROGRAMS)


def _has_file(variables: Any) -> bool:
    """Whether variables stand in files."""
    if isinstance(variables, Mapping):
        return any(map(_is_file, variables.values()))
    return _is_file(variables) or (isinstance(variables, list) and any(map(_is_file, variables)))
