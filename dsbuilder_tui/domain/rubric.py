"""A rubric: the questions that a judge answers with yes or no for each case, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_HEADING = re.compile(r"^##[ \t](.+)$", re.MULTILINE)
_NO_NAME = re.compile(r"[\W_]+")
_LONGEST = 20_000
_MOST_CRITERIA = 30
_LONGEST_NAME = 64
_TAKEN = ("case", "reason", "quote")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One question of a rubric. ``name`` is a key of the judge's answer; yes is good."""

    name: str
    question: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is told before the questions, and the questions."""

    introduction: str
    criteria: tuple[Criterion, ...]

    def extended(self, more: Rubric) -> Rubric:
        """With another rubric's words behind its own; a criterion of the same name takes the place of its own."""
        criteria = {criterion.name: criterion for criterion in (*self.criteria, *more.criteria)}
        words = "\n\n".join(text for text in (self.introduction, more.introduction) if text)
        return Rubric(words, tuple(criteria.values()))


def parse_rubric(text: str) -> Rubric:
    """Markdown as a rubric: each heading of the second level is a criterion, the text below it its question.

    Raises ``ValueError`` for a criterion without a question, two of one name, or too many.
    """
    headings = list(_HEADING.finditer(text))
    introduction = text[: headings[0].start()] if headings else text
    ends = [*(heading.start() for heading in headings[1:]), len(text)]
    criteria = [
        Criterion(criterion_name(heading[1]), " ".join(text[heading.end() : end].split()))
        for heading, end in zip(headings, ends, strict=False)
    ]
    names = [criterion.name for criterion in criteria]
    for criterion in criteria:
        if not criterion.name or not criterion.question:
            raise ValueError(
                f"has the heading {criterion.name!r} with no question below it; write one that yes or no answers"
            )
        if criterion.name in _TAKEN:
            raise ValueError(f"has a criterion called {criterion.name!r}, a key that the judge's answer has already")
        if names.count(criterion.name) > 1:
            raise ValueError(f"has two criteria called {criterion.name!r}; rename one of them")
    if len(criteria) > _MOST_CRITERIA:
        raise ValueError(f"has {len(criteria)} criteria; use at most {_MOST_CRITERIA}")
    words = re.sub(r"^#[ \t].*$", "", introduction, flags=re.MULTILINE).strip()
    return Rubric(words, tuple(criteria))


def criterion_name(text: str) -> str:
    """A heading, or a key of an answer, as the name of a criterion: ``On topic`` and ``on-topic`` are ``on_topic``."""
    return _NO_NAME.sub("_", text.strip().casefold()).strip("_")[:_LONGEST_NAME]


class PlanRubric(BaseModel):
    """What a plan says of the rubric: words and criteria besides the packaged ones, or all of them in their place."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    extend: str = Field("", max_length=_LONGEST)
    replace: str = Field("", max_length=_LONGEST)

    @model_validator(mode="after")
    def _check(self) -> PlanRubric:
        parse_rubric(self.extend)
        if self.replace.strip() and not parse_rubric(self.replace).criteria:
            raise ValueError("replace needs criteria: a heading such as `## on_topic` with a question below it")
        return self

    @property
    def is_empty(self) -> bool:
        return not self.extend.strip() and not self.replace.strip()

    def applied(self, packaged: str) -> Rubric:
        """The rubric that holds, given the packaged one."""
        return parse_rubric(self.replace if self.replace.strip() else packaged).extended(parse_rubric(self.extend))


def _as_rubric(value: Any) -> Any:
    if value is None:
        return {}
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(f"- {line}" for line in _lines(value))
    return {"extend": value} if isinstance(value, str) else value


def _lines(value: Iterable[str]) -> list[str]:
    return [line.strip() for line in value if line.strip()]


RubricEntry = Annotated[PlanRubric, BeforeValidator(_as_rubric)]
