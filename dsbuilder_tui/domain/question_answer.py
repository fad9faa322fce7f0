"""A case as one question and one answer, as tools with a single text for each take it, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dsbuilder_tui.domain.case import AcceptedCase
from dsbuilder_tui.domain.expectation import MlflowKey

_MESSAGES = "messages"
# Of the metadata: which members of the case the two texts are, and what they do not hold.
_FIELD, _INPUTS, _KEY, _EXPECTATIONS = "input_field", "inputs", "expectation_key", "expectations"
_OWN = (_FIELD, _INPUTS, _KEY, _EXPECTATIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAnswer:
    """``question`` is what a user says, ``answer`` what is expected of a right answer (None where the case has no such
    text), ``metadata`` the tags and all that the two do not hold."""

    question: str
    answer: str | None
    metadata: dict[str, Any]

    @classmethod
    def of(cls, case: AcceptedCase) -> QuestionAnswer:
        """The case; nothing of it is lost."""
        field, question, inputs = _question(case.inputs)
        key, answer, expectations = _answer(case.expectations)
        metadata = dict(case.record()["tags"])
        metadata |= {_FIELD: field} if field else {}
        metadata |= {_INPUTS: inputs} if inputs else {}
        metadata |= {_KEY: key} if key else {}
        metadata |= {_EXPECTATIONS: expectations} if expectations else {}
        return cls(question=question, answer=answer, metadata=metadata)

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the case, the question as it is now in its place."""
        field, rest = self.metadata.get(_FIELD), self.metadata.get(_INPUTS)
        inputs = dict(rest) if isinstance(rest, Mapping) else {}
        if field == _MESSAGES and isinstance(inputs.get(_MESSAGES), list) and inputs[_MESSAGES]:
            *before, last = inputs[_MESSAGES]
            last = {**last, "content": self.question} if isinstance(last, Mapping) else last
            return {**inputs, _MESSAGES: [*before, last]}
        if isinstance(field, str) and field != _MESSAGES:
            return {field: self.question, **inputs}
        return inputs or {"query": self.question}

    @property
    def expectations(self) -> dict[str, Any]:
        """The expectations of the case, the answer as it is now in its place."""
        rest = self.metadata.get(_EXPECTATIONS)
        expectations = dict(rest) if isinstance(rest, Mapping) else {}
        if self.answer is None:
            return expectations
        if self.metadata.get(_KEY) == MlflowKey.FACTS:
            return {MlflowKey.FACTS.value: self.answer.splitlines(), **expectations}
        return {MlflowKey.RESPONSE.value: self.answer, **expectations}

    @property
    def tags(self) -> dict[str, Any]:
        """What the metadata holds beside the case itself."""
        return {name: value for name, value in self.metadata.items() if name not in _OWN}


def _question(inputs: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """The field that is the question, its text, and all other inputs; for a conversation the whole of it."""
    messages = inputs.get(_MESSAGES)
    if isinstance(messages, list) and messages and isinstance(messages[-1], Mapping):
        said = messages[-1].get("content")
        if isinstance(said, str):
            return _MESSAGES, said, dict(inputs)
    texts = [name for name, value in inputs.items() if isinstance(value, str)]
    if not texts:
        return "", "", dict(inputs)
    field = max(texts, key=lambda name: len(inputs[name])) if len(texts) > 1 else texts[0]
    field = next((name for name in texts if name in _USUAL), field)
    return field, inputs[field], {name: value for name, value in inputs.items() if name != field}


_USUAL = ("query", "question", "input", "prompt", "message", "text", "goal")


def _answer(expectations: Mapping[str, Any]) -> tuple[str, str | None, dict[str, Any]]:
    """The key of the text that is expected, the text, and all other expectations."""
    response, facts = expectations.get(MlflowKey.RESPONSE), expectations.get(MlflowKey.FACTS)
    if isinstance(response, str):
        key, answer = MlflowKey.RESPONSE, response
    elif isinstance(facts, list) and facts and all(isinstance(one, str) and one.splitlines() == [one] for one in facts):
        key, answer = MlflowKey.FACTS, "\n".join(facts)
    else:
        return "", None, dict(expectations)
    return key.value, answer, {name: value for name, value in expectations.items() if name != key}
