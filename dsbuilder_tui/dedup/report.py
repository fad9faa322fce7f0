"""The report of a pass, as figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.sanitise import one_line, visible
from dsbuilder_tui.domain.stage import COMPARING_STAGES, Stage
from dsbuilder_tui.settings.stage_names import STAGES
from dsbuilder_tui.sources.rows.dataset_rows import Found

SHOWN = 10  # lines of each kind in a report; all of them are in the files
_TEXT = 150  # characters of a text in a report


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows that are alike: a later one, and the earlier one it was compared with.

    For a dropped row ``kind`` is ``repeat`` and ``why`` the reason, with the score from which it is one in ``threshold``; for
    a flagged one ``kind`` is ``contradiction``, ``contrast`` or ``similar`` and ``why`` names what differs.
    """

    kind: str
    line: int
    text: str
    match: Found
    stage: str
    score: float
    why: str
    threshold: float | None = None

    def as_dict(self) -> dict[str, Any]:
        threshold = {} if self.threshold is None else {"threshold": self.threshold}
        return {
            "line": self.line, "text": self.text, "kind": self.kind, "stage": self.stage, "score": self.score, **threshold,
            "why": self.why, "match": self.match.as_dict(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the kept rows are. ``nearest`` is the mean cosine of each row and the earlier row nearest to it, ``mean``
    that of two rows taken at random, ``vendi`` how many entirely different rows would be as varied: ``vendi_most`` at most.
    """

    nearest: float | None = None
    mean: float | None = None
    vendi: float | None = None
    vendi_most: int | None = None


@dataclass(frozen=True, slots=True)
class ClusterFigures:
    """What a cluster did of a pass. ``resumed`` rows were compared by an earlier run of the same command; ``cpu_seconds`` is
    processor time of all nodes, and ``memory`` what the largest part of the index of vectors took on its node, in bytes.
    """

    nodes: int
    pieces: int
    resumed: int
    cpu_seconds: float
    memory: int

    def as_dict(self) -> dict[str, Any]:
        return {
            "nodes": self.nodes, "pieces": self.pieces, "resumed_rows": self.resumed,
            "cpu_seconds": round(self.cpu_seconds, 3), "peak_memory_bytes_a_node": self.memory,
        }  # fmt: skip

    @property
    def words(self) -> str:
        resumed = f", {counted(self.resumed, 'row')} of them compared before" if self.resumed else ""
        memory = f", {self.memory / 2**20:,.0f} MB of memory at most on each" if self.memory else ""
        return (
            f"On {counted(self.nodes, 'node')} of a cluster, in {counted(self.pieces, 'piece')}{resumed}: "
            f"{self.cpu_seconds:,.1f} s of processor time there{memory}."
        )


@dataclass(frozen=True, slots=True)
class DedupReport:
    """The result of one pass. ``rows`` are all that could be compared, kept and dropped; ``flagged`` counts kept rows that
    contradict an earlier one, contrast with one, or are similar to one. Times are seconds; memory is the process's, in bytes, and
    None where the system does not tell.
    """

    source: str
    rows: int
    kept: int
    dropped: Mapping[str, int]  # by stage
    flagged: Mapping[str, int]  # kept rows by kind
    differs: Mapping[str, int]  # in what contrasting rows differ: quantity, negation …
    bad: int
    scopes: int
    rules: Mapping[str, Any]
    seconds: float
    cpu_seconds: float
    peak_memory: int | None
    first_bad: tuple[tuple[int, str], ...] = ()
    first_dropped: tuple[Pair, ...] = ()
    first_flagged: Mapping[str, tuple[Pair, ...]] = field(default_factory=dict)
    likeness: Likeness = field(default_factory=Likeness)
    keep_bad: bool = False
    repeated_ids: int = 0  # rows with the id of an earlier one
    first_repeated_ids: tuple[tuple[int, str], ...] = ()
    shared: tuple[str, ...] = ()  # inputs that many rows have in common, and that are not compared
    shape: str = ""  # what the file's records are called; empty where their fields were named
    written: Mapping[str, str] = field(default_factory=dict)  # kept, dropped, flagged: paths
    cluster: ClusterFigures | None = None  # None where this machine did it alone

    @property
    def repeats(self) -> int:
        return sum(self.dropped.values())

    @property
    def _stages(self) -> tuple[str, ...]:
        return (*COMPARING_STAGES, *sorted(stage for stage in self.dropped if stage not in COMPARING_STAGES))

    @property
    def clean(self) -> bool:
        """Whether nothing repeats, contradicts or is damaged, and no id occurs twice."""
        return not (self.repeats or self.flagged.get("contradiction") or self.bad or self.repeated_ids)

    @property
    def rows_a_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0

    def as_dict(self) -> dict[str, Any]:
        cluster = {} if self.cluster is None else {"cluster": self.cluster.as_dict()}
        return {
            "source": self.source,
            "rows": self.rows,
            "kept": self.kept,
            "dropped": {"total": self.repeats, **{stage: self.dropped.get(stage, 0) for stage in self._stages}},
            "contradictions": self.flagged.get("contradiction", 0),
            "contrasts": self.flagged.get("contrast", 0),
            "similar": self.flagged.get("similar", 0),
            "contrasts_differ": dict(self.differs),
            "bad_lines": {
                "total": self.bad, "kept": self.keep_bad,
                "first": [{"line": line, "reason": reason} for line, reason in self.first_bad],
            },
            "repeated_ids": {
                "total": self.repeated_ids,
                "first": [{"line": line, "id": id_} for line, id_ in self.first_repeated_ids],
            },
            "shape": self.shape,
            "shared": list(self.shared),
            "scopes": self.scopes,
            "rules": dict(self.rules),
            "likeness": {
                "nearest": _rounded(self.likeness.nearest, 4), "mean": _rounded(self.likeness.mean, 4),
                "vendi": _rounded(self.likeness.vendi, 1), "vendi_most": self.likeness.vendi_most,
            },
            "first": {
                "dropped": [pair.as_dict() for pair in self.first_dropped],
                **{kind: [pair.as_dict() for pair in pairs] for kind, pairs in self.first_flagged.items()},
            },
            "files": dict(self.written),
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "rows_per_second": round(self.rows_a_second, 1),
            "peak_memory_bytes": self.peak_memory,
            **cluster,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """The report for a person: plain lines, safe for a terminal."""
        share = f" ({100 * self.repeats / self.rows:.1f} %)" if self.repeats else ""
        found = [
            f"{visible(self.source)}: {counted(self.rows, 'row')}, {self.kept:,} kept, {self.repeats:,} dropped{share}."
        ]
        found += [
            f"  {stage:<10} {self.dropped[stage]:>9,}  {_MEANING.get(stage) or STAGES.load(stage).label}"
            for stage in self._stages
            if self.dropped.get(stage)
        ]
        if self.first_dropped:
            found += ["", _head("Dropped", self.repeats, "the first that came stays")]
            found += _pair_lines(self.first_dropped)
        for kind, (title, meaning) in _KINDS.items():
            if count := self.flagged.get(kind, 0):
                more = (
                    ", ".join(f"{why} {number:,}" for why, number in self.differs.items()) if kind == "contrast" else ""
                )
                found += ["", _head(title, count, f"{meaning} ({more})" if more else meaning)]
                found += _pair_lines(self.first_flagged.get(kind, ()))
        if self.bad:
            what = "passed on as they are" if self.keep_bad else "left out; --keep-bad passes them on"
            found += ["", _head("Lines that cannot be compared", self.bad, what)]
            found += [f"  line {line}: {one_line(reason, _TEXT)}" for line, reason in self.first_bad]
        if self.repeated_ids:
            found += ["", _head("Ids that occur again", self.repeated_ids, "an id should name one row")]
            found += [f"  line {line}: {one_line(id_, _TEXT)}" for line, id_ in self.first_repeated_ids]
        found += ["", *_likeness_lines(self.likeness, self.kept), _rules_line(self.rules, self.scopes)]
        if self.shared:
            names = visible(", ".join(self.shared))
            found.append(
                f"Many rows share {names}: it is no likeness; rows with the same one were compared by the rest."
            )
        memory = f", {self.peak_memory / 2**20:,.0f} MB of memory at most" if self.peak_memory else ""
        found.append(
            f"{self.seconds:,.1f} s ({self.rows_a_second:,.0f} rows/s), {self.cpu_seconds:,.1f} s of processor time{memory}."
        )
        if self.cluster is not None:
            found.append(self.cluster.words)
        found += [f"{_FILES[name]} {visible(path)}" for name, path in self.written.items()]
        if not self.written:
            found.append(
                "Nothing was written; --out FILE takes what is kept, --dropped FILE the rest with its reasons."
            )
        return found


_MEANING: dict[str, str] = {
    Stage.STRUCTURAL: "the same text but for ids, dates, names, case and punctuation",
    Stage.NEAR: "nearly the same words and word pairs",
    Stage.SEMANTIC: "nearly the same meaning, by the vectors of the texts",
}
_KINDS = {
    "contradiction": ("Contradictions", "the same text with other expectations; both are kept, one is wrong"),
    "contrast": ("Contrasts", "alike, and kept because something that matters differs"),
    "similar": ("Close to one another", "kept, just below what counts as a repeat"),
}
_FILES = {"kept": "Kept:    ", "dropped": "Dropped: ", "flagged": "Flagged: "}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _head(title: str, count: int, meaning: str) -> str:
    first = f", the first {SHOWN}" if count > SHOWN else ""
    return f"{title}: {count:,}{first} — {meaning}"


def _pair_lines(pairs: tuple[Pair, ...]) -> list[str]:
    found = []
    for pair in pairs:
        label = f"{pair.stage} {pair.score:.2f}" + (f", {pair.why}" if pair.kind == "contrast" and pair.why else "")
        match = pair.match
        name = f" ({one_line(match.id, 40)})" if match.id else ""
        found += [
            f"  line {pair.line}  [{visible(label)}]  {one_line(pair.text, _TEXT)}",
            f"    as line {match.line}{name}  {one_line(match.shown or '(the file has changed)', _TEXT)}",
        ]
    return found


def _rules_line(rules: Mapping[str, Any], scopes: int) -> str:
    """How it was compared; what holds is in ``rules``, not in the settings, which may have changed."""
    scores: dict[str, str] = {
        Stage.NEAR: f" from {rules['near']:.2f}",
        Stage.SEMANTIC: f" from {rules['semantic']:.2f}",
        **{stage: f" from {threshold:.2f}" for stage, threshold in rules.get("thresholds", {}).items()},
    }
    stages = ", ".join(f"{stage}{scores.get(stage, '')}" for stage in rules["stages"]) or "in no stage"
    within = "" if scopes < 2 else " across categories" if rules["across"] else f" within each of {scopes:,} categories"
    window = f", with the last {rules['window']:,} kept rows" if rules["window"] else ""
    return f"Compared{within}{window}: {stages}."


def _likeness_lines(likeness: Likeness, kept: int) -> list[str]:
    found = []
    if likeness.vendi is not None:
        capped = likeness.vendi_most is not None and likeness.vendi_most < kept
        most = f" ({likeness.vendi_most:,} is the most that can be told apart)" if capped else ""
        found.append(f"What is kept is as varied as {likeness.vendi:,.0f} entirely different rows{most}.")
    if likeness.mean is not None:
        found.append(f"Two kept rows taken at random are {likeness.mean:.2f} alike; 1.00 is the same text.")
    if likeness.nearest is not None:
        found.append(f"A kept row and the earlier one nearest to it are {likeness.nearest:.2f} alike on average.")
    return found
