"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.chat_answer import arguments_of, choices_of, read_choice, read_usage, thoughts_of
from dsbuilder_tui.models.chat_options import ChatOption, ChatRequest, OptionMemory
from dsbuilder_tui.models.endpoint_errors import explain
from dsbuilder_tui.models.error_report import ErrorReport
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import StreamEnd, TextRequest, Thought, TransientError, WorkerRequest
from dsbuilder_tui.models.providers import AgentModelRequest, Provider
from dsbuilder_tui.settings.provider_names import OPENAI
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    import agents

    from dsbuilder_tui.models.batch_client import BatchClient


class OpenAICompatibleModel:
    """Streams the calls of workers, or of a judge, from one endpoint."""

    provider = OPENAI
    ordered = False

    def __init__(
        self, config: DatasetBuilderConfig, name: str | None = None, *, schema_name: str = "test_cases"
    ) -> None:
        """``name`` is that of the model, by default the workers'; their sampling settings are for them alone."""
        from dsbuilder_tui.models.chat_client import ChatClient

        self.name = name or config.worker_model
        self._schema_name = schema_name
        own = name is None
        self._temperature, self._effort = (config.temperature, config.reasoning_effort) if own else (None, None)
        self._client = ChatClient(config, self.name)  # a worker's failures are the pipeline's: it knows all calls
        self.limits = self._client.endpoint.limits

    async def close(self) -> None:
        await self._client.close()

    def learn_from(self, memory: OptionMemory) -> None:
        self._client.options = memory.of(self._client.url, self.name)
        self._client.options.begin()

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        return []

    def batch_client(self) -> BatchClient:
        """The Batch API of its endpoint."""
        from dsbuilder_tui.models.batch_client import BatchClient

        return BatchClient(self._client.endpoint, self.name)

    def batch_options(self, request: WorkerRequest) -> frozenset[ChatOption]:
        """The options that a request of a batch is sent with now."""
        return self._client.options.for_request(self._chat(request)) - {ChatOption.STREAM_OPTIONS}

    def batch_body(self, request: WorkerRequest, options: frozenset[ChatOption]) -> bytes:
        """A request as it stands in the input file of a batch."""
        return self._client.options.body(self._chat(request), options, stream=False)

    def batch_answer(self, completion: Mapping[str, Any]) -> Iterator[str | Thought | StreamEnd]:
        """A whole answer, as ``stream`` gives it."""
        answer = _Answer()
        yield from answer.pieces([completion])
        yield answer.end

    def batch_failure(self, request: WorkerRequest, options: frozenset[ChatOption], report: ErrorReport) -> Exception:
        """What it means that a request of a batch was answered with an error. Raises nothing.

        An option that the error complains of is left out from now on, and the next time may pass: ``TransientError``.
        """
        report = replace(report, message=self._client.endpoint.redact(report.message))
        kind, now = failure_kind(report), self.batch_options(request)
        turned_away = not options <= now or self._client.options.refuse(report, kind, self._chat(request), options)
        if turned_away:
            return TransientError(FailureKind.BAD_ANSWER, report.message)
        return explain(report, kind, self.name, self._client.url)

    def _chat(self, request: WorkerRequest | TextRequest) -> ChatRequest:
        return ChatRequest(
            messages=[
                {"role": "system", "content": request.system},
                {"role": "user", "content": request.prompt},
            ],
            schema=request.schema,
            schema_name=self._schema_name,
            max_tokens=request.max_tokens,
            temperature=self._temperature,
            reasoning_effort=self._effort,
        )

    async def stream(self, request: WorkerRequest | TextRequest) -> AsyncIterator[str | Thought | StreamEnd]:
        answer = _Answer()
        async for batch in self._client.stream(self._chat(request)):
            for piece in answer.pieces(batch):
                yield piece
        yield answer.end


class _Answer:
    """One answer, as its objects come in."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._usage, self._refusal = Usage(), ""

    def pieces(self, batch: Sequence[Any]) -> Iterator[str | Thought]:
        """What these objects say."""
        texts: list[str] = []
        thoughts: list[str] = []
        for message in batch:
            if not isinstance(message, dict):
                continue
            if message.get("usage"):
                self._usage = read_usage(message["usage"])
            for choice in choices_of(message):
                said, refused, ended = read_choice(choice)
                if said:
                    texts.append(said)
                if not said or "message" in choice:
                    thoughts.append(thoughts_of(choice))
                    texts.append("" if said else arguments_of(choice))
                self._refusal += refused
                self._reason = ended or self._reason
        if any(thoughts):
            yield Thought("".join(thoughts))
        if any(texts):
            yield "".join(texts)

    @property
    def end(self) -> StreamEnd:
        return StreamEnd(self._reason, self._usage, self._refusal)


def _agent_model(config: DatasetBuilderConfig, request: AgentModelRequest) -> agents.Model:
    from dsbuilder_tui.models.chat_client import ChatClient
    from dsbuilder_tui.models.chat_model import ChatModel

    client = ChatClient(config, config.model, options=request.options, retries=request.retries, waits=request.waits)
    return ChatModel(client, request.cut)


PROVIDER = Provider(
    label="an endpoint that speaks OpenAI's chat completions",
    needs_key=True,
    is_free=False,
    has_endpoint=True,
    make=lambda config, clock: OpenAICompatibleModel(config),
    make_agent_model=_agent_model,
    make_text_model=lambda config: OpenAICompatibleModel(config, schema_name="templates"),
    make_judge_model=lambda config: OpenAICompatibleModel(config, config.judging_model, schema_name="verdicts"),
)
