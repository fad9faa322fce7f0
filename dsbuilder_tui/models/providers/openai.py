"""Any endpoint that speaks OpenAI's chat completions: OpenAI, Ollama, LM Studio, vLLM, llama.cpp and others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetPlanInput
from dsbuilder_tui.models.chat_answer import arguments_of, choices_of, read_choice, read_usage, thoughts_of
from dsbuilder_tui.models.chat_options import ChatRequest, OptionMemory
from dsbuilder_tui.models.protocol import StreamEnd, TextRequest, Thought, WorkerRequest
from dsbuilder_tui.models.providers import AgentModelRequest, Provider
from dsbuilder_tui.settings.provider_names import OPENAI
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

if TYPE_CHECKING:
    import agents


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

    async def stream(self, request: WorkerRequest | TextRequest) -> AsyncIterator[str | Thought | StreamEnd]:
        chat = ChatRequest(
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
        reason: str | None = None
        usage, refusal = Usage(), ""
        async for batch in self._client.stream(chat):
            texts: list[str] = []
            thoughts: list[str] = []
            for message in batch:
                if not isinstance(message, dict):
                    continue
                if message.get("usage"):
                    usage = read_usage(message["usage"])
                for choice in choices_of(message):
                    said, refused, ended = read_choice(choice)
                    if said:
                        texts.append(said)
                    if not said or "message" in choice:
                        thoughts.append(thoughts_of(choice))
                        texts.append("" if said else arguments_of(choice))
                    refusal += refused
                    reason = ended or reason
            if any(thoughts):
                yield Thought("".join(thoughts))
            if any(texts):
                yield "".join(texts)
        yield StreamEnd(reason, usage, refusal)


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
