"""How different the accepted cases are, in figures and in plain words; and which attribute values they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from dsbuilder_tui.domain.plain_words import counted
from dsbuilder_tui.domain.stage import NO_REJECTION, Stage

# From here on a figure says that something should be done. Likeness is the cosine of static word embeddings.
_LEAST_VARIETY = 0.10  # of the most that is possible
_MOST_ALIKE = 0.60
_MOST_NEAR = 0.85
_MOST_PACKED = 7.0
_LEAST_EVEN = 0.80
_MOST_REJECTED = 0.50  # of the candidates
_LEAST_TELLING = 10  # cases, or candidates, below which nothing is said to be bad


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some accepted cases. What there is too little for is None.

    ``variety`` is the Vendi score: as varied as so many entirely different cases, at most ``most_variety``. Likenesses are
    cosines, 1 for the same text. ``packed``: how many times smaller zlib makes a sample of ``sampled`` texts. A cell is an
    axis value in a category, a pair one of two axes. ``evenness``: axis → 0 (one value only) to 1 (all alike often).
    """

    cases: int
    compared: int = 0  # cases that have a fingerprint
    variety: float | None = None
    most_variety: int = 0
    mean_likeness: float | None = None
    nearest_likeness: float | None = None
    packed: float | None = None
    sampled: int = 0
    cells: int = 0
    cells_filled: int = 0
    pairs: int | None = None
    pairs_filled: int | None = None
    evenness: Mapping[str, float] = field(default_factory=dict)
    rejections: Mapping[str, int] = field(default_factory=dict)  # by stage

    @property
    def rejected(self) -> int:
        return sum(count for stage, count in self.rejections.items() if stage not in NO_REJECTION)

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data; the figures rounded to what they are good for."""
        data = asdict(self)
        for name in ("variety", "mean_likeness", "nearest_likeness", "packed"):
            data[name] = None if data[name] is None else round(data[name], 1 if name == "variety" else 3)
        data["evenness"] = {axis: round(value, 3) for axis, value in self.evenness.items()}
        return data


@dataclass(frozen=True, slots=True)
class DiversityReport:
    """The figures of all accepted cases, and of each category's, in the plan's order."""

    overall: Figures
    categories: Mapping[str, Figures]

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data, with the sentences of the whole."""
        return {
            "overall": self.overall.as_dict(),
            "categories": {name: figures.as_dict() for name, figures in self.categories.items()},
            "sentences": {told.name: told.sentence for told in told_figures(self.overall)},
        }


@dataclass(frozen=True, slots=True)
class Told:
    """A figure for a person: a title, its value, a sentence that says what it means; ``advice`` when it is bad."""

    name: str
    title: str
    value: str
    sentence: str
    advice: str = ""


def told_figures(figures: Figures) -> list[Told]:
    """The figures that are there, each with its sentence. Holds names of axes as they are in the plan: foreign text."""
    told = [_variety(figures), _any_two(figures), _nearest(figures), _packed(figures)]
    told += [_cells(figures), _evenness(figures), _turned_away(figures)]
    found = [one for one in told if one is not None]
    if figures.cases < 2:
        said = "Two cases are needed before they can be compared."
        found.insert(0, Told("none", "Too few", str(figures.cases), said))
    elif figures.variety is None:
        said = "Likeness is not measured here: these cases have no fingerprints."
        found.insert(0, Told("none", "Not compared", "–", said))
    return found


def _variety(f: Figures) -> Told | None:
    if f.variety is None:
        return None
    bad = f.compared >= _LEAST_TELLING and f.variety < _LEAST_VARIETY * f.most_variety
    ceiling = f" ({f.most_variety:,} is the most that can be told apart)" if f.most_variety < f.compared else ""
    return Told(
        "variety", "Variety", f"{f.variety:,.0f}",
        f"As varied as {counted(round(f.variety), 'entirely different case')} among {f.compared:,}{ceiling}.",
        "Most cases say much the same: add an axis or values to vary along, and more unlike examples." if bad else "",
    )  # fmt: skip


def _any_two(f: Figures) -> Told | None:
    if f.mean_likeness is None:
        return None
    bad = f.compared >= _LEAST_TELLING and f.mean_likeness >= _MOST_ALIKE
    return Told(
        "mean_likeness", "Any two", f"{f.mean_likeness:.2f}",
        f"Two cases taken at random are {f.mean_likeness:.2f} alike; 1.00 is the same text.",
        "They keep to one subject or one way of saying it: vary the examples, or split the category." if bad else "",
    )  # fmt: skip


def _nearest(f: Figures) -> Told | None:
    if f.nearest_likeness is None:
        return None
    bad = f.compared >= _LEAST_TELLING and f.nearest_likeness >= _MOST_NEAR
    return Told(
        "nearest_likeness", "Nearest", f"{f.nearest_likeness:.2f}",
        f"A case and the most alike one before it are {f.nearest_likeness:.2f} alike on average.",
        "Many are close to repeats: plan fewer cases, or lower semantic_threshold to have them turned away." if bad else "",
    )  # fmt: skip


def _packed(f: Figures) -> Told | None:
    if f.packed is None:
        return None
    sample = f"a sample of {f.sampled:,} texts" if f.sampled < f.cases else "the texts"
    return Told(
        "packed", "Packed", f"{f.packed:.1f}×",
        f"Packed, {sample} become {f.packed:.1f} times smaller; the more they repeat each other's words, the more.",
        "Whole phrases recur: give more unlike examples, or raise the temperature." if f.packed >= _MOST_PACKED else "",
    )  # fmt: skip


def _cells(f: Figures) -> Told | None:
    if not f.cells:
        return None
    pairs = ""
    if f.pairs:
        pairs = f"; so do {f.pairs_filled:,} of {f.pairs:,} planned pairs of axis values"
    empty = f.cells - f.cells_filled
    verb = "holds" if f.cells == 1 else "hold"
    return Told(
        "cells", "Coverage", share_words(f.cells_filled, f.cells),
        f"{f.cells_filled:,} of {counted(f.cells, 'planned cell')} (an axis value in a category) {verb} a case{pairs}.",
        f"{counted(empty, 'cell')} {'is' if empty == 1 else 'are'} empty: on F3 the cursor on one says why, Enter asks for more."
        if empty else "",
    )  # fmt: skip


def _evenness(f: Figures) -> Told | None:
    if not f.evenness:
        return None
    least = min(f.evenness, key=lambda axis: f.evenness[axis])
    value = f.evenness[least]
    bad = f.cases >= _LEAST_TELLING and value < _LEAST_EVEN
    words = (
        "every axis is used evenly"
        if value >= 0.995
        else f"the values of {least} are used least evenly, at {value:.2f}"
    )
    return Told(
        "evenness", "Balance", f"{value:.2f}",
        f"{words[:1].upper()}{words[1:]}; 1.00 is each value alike often.",
        f"Some values of {least} have most of the cases: ask for more of the others." if bad else "",
    )  # fmt: skip


def _turned_away(f: Figures) -> Told | None:
    if not f.rejected:
        return None
    counts = {stage: count for stage, count in f.rejections.items() if stage not in NO_REJECTION}
    often = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    candidates = f.cases + f.rejected
    bad = candidates >= _LEAST_TELLING and f.rejected >= _MOST_REJECTED * candidates
    stages = ", ".join(f"{stage} {count:,}" for stage, count in often)
    return Told(
        "rejections", "Turned away", f"{f.rejected:,}",
        f"{counted(f.rejected, 'candidate')} ({share_words(f.rejected, candidates)}) turned away: {stages}.",
        _advice_on(often[0][0]) if bad else "",
    )  # fmt: skip


def _advice_on(stage: str) -> str:
    """What helps where most were turned away at this stage."""
    match stage:
        case Stage.SCHEMA:
            return (
                "Most are not in the form that was asked for: look at the answers (F6); another model may keep to it."
            )
        case Stage.VALIDATORS:
            return "Most break a rule of the plan: F5 tells which; give an example that keeps it, or change the rule."
        case Stage.JUDGE | Stage.CRITIQUE:
            return "Most are found wrong by the judge: F5 has its reasons; say more of the application, or change the rubric."
        case Stage.PERSON:
            return "Most were turned away by you: say in the category's description what was wrong with them."
        case _:
            return "The workers run out of ideas: add axis values or examples, or plan fewer cases."


def share_words(part: int, whole: int) -> str:
    """``95 %``; 0 and 100 only when it is none or all."""
    if whole <= 0:
        return "–"
    percent = round(100 * part / whole)
    return f"{min(99, max(1, percent)) if 0 < part < whole else percent} %"


@dataclass(frozen=True, slots=True)
class Cell:
    """Cases with one axis value: how many were planned, how many there are. More can be there after a plan revision."""

    planned: int
    accepted: int

    @property
    def share(self) -> float:
        """How full it is, 0 to 1."""
        return min(1.0, self.accepted / self.planned) if self.planned else 1.0


OTHER = ""  # the value under which cases stand whose own value is not in the plan


@dataclass(frozen=True, slots=True)
class Coverage:
    """Category → axis → value → cell, in the plan's order; ``cases`` has the accepted and planned cases of each category."""

    cases: Mapping[str, Cell] = field(default_factory=dict)
    cells: Mapping[str, Mapping[str, Mapping[str, Cell]]] = field(default_factory=dict)

    def axes(self) -> dict[str, tuple[str, ...]]:
        """The axes of all categories with all their values, in order of appearance; other values come last."""
        found: dict[str, dict[str, None]] = {}
        for axes in self.cells.values():
            for axis, values in axes.items():
                found.setdefault(axis, {}).update(dict.fromkeys(values))
        return {axis: tuple(sorted(values, key=lambda v: v == OTHER)) for axis, values in found.items()}

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data."""
        return {
            name: {"planned": cell.planned, "accepted": cell.accepted, "axes": {
                axis: {value: asdict(c) for value, c in values.items()} for axis, values in self.cells[name].items()
            }}
            for name, cell in self.cases.items()
        }  # fmt: skip
