"""One question to a language model: what it says is heard to its end, its thoughts kept apart, its tokens counted."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.generation.answer_reader import QUOTED
from dsbuilder_tui.generation.batch_outcome import BatchOutcome
from dsbuilder_tui.generation.thoughts import split_thoughts
from dsbuilder_tui.generation.token_estimate import TokenEstimate
from dsbuilder_tui.models.adaptive_concurrency import AdaptiveConcurrency, Permit
from dsbuilder_tui.models.protocol import StreamEnd, TextModel, TextRequest, Thought

_MOST_TEXT = 256 * 1024  # characters of an answer, or of thoughts, after which nothing more is read


@dataclass(frozen=True, slots=True)
class HeardAnswer:
    """What a model has said. ``cut`` when the answer had reached its limit, or was endless."""

    text: str
    thoughts: str
    end: StreamEnd | None
    cut: bool

    @property
    def texts(self) -> list[str]:
        """Where the answer may stand, the likeliest first: some servers put all that comes where the model thinks."""
        split = split_thoughts(self.text)
        places = [split.answer, *([split.thoughts] if not split.closed else []), self.thoughts]
        return [one for one in places if one]

    @property
    def refusal(self) -> str:
        """Why the model, or a content filter, did not answer; empty when it did."""
        if self.end is None or not (self.end.refusal or self.end.finish_reason == "content_filter"):
            return ""
        return " ".join(self.end.refusal.split())[:QUOTED] or "stopped by the content filter"

    @property
    def quote(self) -> str:
        """The beginning of it, in one line."""
        return " ".join(self.text.split())[:QUOTED]


class TextCall:
    """Asks one model, under an endpoint's limit."""

    def __init__(self, model: TextModel, limit: AdaptiveConcurrency, clock: Clock) -> None:
        self._model, self._limit, self._clock = model, limit, clock
        self._tokens = TokenEstimate()

    @property
    def model_name(self) -> str:
        return self._model.name

    async def hear(self, request: TextRequest, result: BatchOutcome, permit: Permit) -> HeardAnswer:
        """Ask, and hear the answer; ``result`` gets its tokens and characters. Raises as ``TextModel.stream``."""
        text: list[str] = []
        thoughts: list[str] = []
        written = thought = 0
        end: StreamEnd | None = None
        trace = result.trace
        if trace is not None:
            trace.try_again()
        try:
            async with aclosing(self._model.stream(request)) as stream:  # type: ignore[type-var]
                async for piece in stream:
                    self._limit.let_in(permit)
                    if isinstance(piece, StreamEnd):
                        end = piece
                        continue
                    if trace is not None:
                        trace.receive(piece, self._clock.now())
                    if isinstance(piece, Thought):
                        thoughts.append(piece.text)
                        thought += len(piece.text)
                    else:
                        text.append(piece)
                        written += len(piece)
                    if max(written, thought) > _MOST_TEXT:
                        break
        finally:
            result.usage += self._used(request, written + thought, end)
            result.written, result.thought = written, thought
        runaway = end is None and max(written, thought) > _MOST_TEXT
        result.cut = runaway or (end is not None and end.finish_reason == "length")
        return HeardAnswer("".join(text), "".join(thoughts), end, result.cut)

    def _used(self, request: TextRequest, answer: int, end: StreamEnd | None) -> Usage:
        """The tokens of a call, estimated where the endpoint said nothing and something had come."""
        prompt = len(request.system) + len(request.prompt)
        if end is not None and end.usage.known:
            self._tokens.learn(end.usage, prompt=prompt, answer=answer)
            return end.usage
        return self._tokens.usage(prompt=prompt, answer=answer) if answer or end is not None else Usage()
