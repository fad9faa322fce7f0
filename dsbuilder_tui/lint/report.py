"""The findings of a check: as lines, as JSON, and as SARIF for tools that show them beside the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.lint.finding import CheckCode, CheckFinding, Severity
from dsbuilder_tui.lint.fixes import Repair, RowChange

_SHOWN = 10  # findings of a code that are told one by one
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """``known`` findings stood in the baseline. ``fixed`` has how many rows each repair concerned, where a mended dataset was
    written, and ``changes`` every change in it."""

    source: str
    shape: str
    rows: int
    categories: Mapping[str, int]
    findings: tuple[CheckFinding, ...]
    known: int = 0
    fixed: Counter[str] | None = None
    changes: tuple[RowChange, ...] = ()

    @property
    def counts(self) -> Counter[CheckCode]:
        """How many findings there are of each code."""
        return Counter(finding.code for finding in self.findings)

    def is_clean(self, least: Severity = Severity.WARNING) -> bool:
        """Whether nothing of this weight, or a greater one, was found."""
        order = list(Severity)
        return not any(order.index(finding.code.severity) <= order.index(least) for finding in self.findings)

    def with_findings(self, more: tuple[CheckFinding, ...]) -> CheckReport:
        """The report with further findings, in the order of lines."""
        order = sorted((*self.findings, *more), key=lambda finding: (finding.line, finding.code.code))
        return replace(self, findings=tuple(order))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            "source": self.source,
            "shape": self.shape,
            "rows": self.rows,
            "categories": dict(self.categories),
            "counts": {code.code: self.counts[code] for code in CheckCode if self.counts[code]},
            "known": self.known,
            "fixed": None if self.fixed is None else {str(repair): self.fixed[repair] for repair in Repair},
            "changes": [change.as_dict() for change in self.changes],
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def lines(self) -> Iterator[str]:
        """The report for a person: each code with its first findings."""
        yield f"{self.source}: {counted(self.rows, 'row')} ({self.shape}), {counted(len(self.categories), 'category')}."
        counts = self.counts
        for code in CheckCode:
            if not counts[code]:
                continue
            yield ""
            yield f"{code.code} {code.severity}: {code.title} ({counts[code]}). {code.way_out}"
            found = [finding for finding in self.findings if finding.code is code]
            for finding in found[:_SHOWN]:
                where = f"line {finding.line}: " if finding.line else ""
                yield f"  {where}{finding.sentence}"
            if len(found) > _SHOWN:
                yield f"  … and {len(found) - _SHOWN:,} more"
        yield ""
        yield self._summary()

    def _summary(self) -> str:
        severities = Counter(finding.code.severity for finding in self.findings)
        told = ", ".join(counted(severities[weight], str(weight)) for weight in Severity if severities[weight])
        known = f" {counted(self.known, 'finding')} of the baseline not told." if self.known else ""
        fixed = ""
        if self.fixed is not None:
            done = [f"{counted(self.fixed[repair], 'row')} {repair}" for repair in Repair if self.fixed[repair]]
            fixed = f" Written: {', '.join(done)}." if done else " Written: there was nothing to mend."
        return f"{told or 'Nothing found'}.{known}{fixed}"

    def as_sarif(self, version: str) -> dict[str, Any]:
        """The findings in SARIF 2.1.0 (OASIS); ``version`` is dsbuilder's."""
        rules = [
            {
                "id": code.code,
                "name": "".join(word.capitalize() for word in code.name.split("_")),
                "shortDescription": {"text": code.title},
                "help": {"text": code.way_out},
                "defaultConfiguration": {"level": _LEVELS[code.severity]},
            }
            for code in CheckCode
        ]
        driver = {"name": "dsbuilder check", "version": version, "rules": rules}
        return {
            "$schema": _SARIF,
            "version": "2.1.0",
            "runs": [{"tool": {"driver": driver}, "results": [self._result(finding) for finding in self.findings]}],
        }

    def _result(self, finding: CheckFinding) -> dict[str, Any]:
        region = {"region": {"startLine": finding.line}} if finding.line else {}
        place = {"artifactLocation": {"uri": Path(self.source).as_posix()}, **region}
        return {
            "ruleId": finding.code.code,
            "level": _LEVELS[finding.code.severity],
            "message": {"text": f"{finding.sentence} {finding.code.way_out}"},
            "locations": [{"physicalLocation": place}],
            "partialFingerprints": {"dsbuilder/v1": finding.fingerprint},
        }
