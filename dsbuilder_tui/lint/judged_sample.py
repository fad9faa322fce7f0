"""The judge's word on a sample of a dataset's rows: the same rows each time."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import orjson

from dsbuilder_tui.domain.judging import TAG, JudgedCounts, Judgement, verdict_of
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.generation.judge_sample import JudgeSample
from dsbuilder_tui.lint.finding import CheckCode, CheckFinding
from dsbuilder_tui.lint.row_fingerprint import row_fingerprint
from dsbuilder_tui.session.file_verdicts import judge_file
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.sources.rows.dataset_rows import Row, Source
from dsbuilder_tui.sources.rows.field_choice import FieldChoice


async def judged_sample(
    source: Path,
    categories: Mapping[str, int],
    config: DatasetBuilderConfig,
    *,
    choice: FieldChoice | None = None,
    plan: DatasetPlanInput | None = None,
) -> tuple[list[CheckFinding], JudgedCounts]:
    """What the judge finds bad among a sample of the rows (``judge_share`` of each category, at least 20), and how many it
    found good and bad. ``categories`` has the number of rows of each. Raises as ``judge_file``.
    """
    with tempfile.TemporaryDirectory(prefix="dsbuilder-check-") as place:
        chosen, out = Path(place) / "sample.jsonl", Path(place) / "verdicts.jsonl"
        lines = _write_sample(source, chosen, JudgeSample(categories, config.judge_share, config.seed), choice)
        found = await judge_file(chosen, out, config, plan=plan)
        findings = []
        for raw in out.read_bytes().splitlines():
            told = orjson.loads(raw)
            verdict = verdict_of({TAG: told[TAG]})
            if verdict is not None and verdict.finding is Judgement.BAD:
                line, name, fingerprint = lines[told["line"] - 1]
                findings.append(
                    CheckFinding(
                        code=CheckCode.JUDGED_BAD, line=line, sentence=f"{verdict.critique}.", case_id=name,
                        fingerprint=f"{CheckCode.JUDGED_BAD.code}-{fingerprint}",
                    )
                )  # fmt: skip
    return findings, found.total


def _write_sample(
    source: Path, chosen: Path, sample: JudgeSample, choice: FieldChoice | None
) -> list[tuple[int, str | None, str]]:
    """Write the rows of the sample as records; returns line, id and digest of each."""
    lines: list[tuple[int, str | None, str]] = []
    seen: Counter[str] = Counter()
    with Source(source, choice) as rows, chosen.open("wb") as handle:
        for row in rows.rows():
            if not isinstance(row, Row):
                continue
            parts = row.parts
            seen[parts.category] += 1
            if sample.holds(parts.category, seen[parts.category]):
                record = {"inputs": parts.inputs, "expectations": parts.expectations}
                tags = {"category": parts.category, "attributes": parts.attributes}
                handle.write(orjson.dumps({**record, "tags": tags}, option=orjson.OPT_APPEND_NEWLINE))
                lines.append((row.line, parts.id, row_fingerprint(parts)))
    return lines
