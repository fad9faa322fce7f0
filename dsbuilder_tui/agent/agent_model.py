"""The main agent's language model: an endpoint through the chat client, or the built-in planner. And what its errors mean."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.domain.exhaustion import exhaustion
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.agents_sdk import agents
from dsbuilder_tui.models.chat_answer import LENGTH
from dsbuilder_tui.models.chat_model import ChatModel
from dsbuilder_tui.models.chat_options import OptionMemory
from dsbuilder_tui.models.earlier_thoughts import EXTRAS
from dsbuilder_tui.models.protocol import CallRefused, RequestTooLarge, TransientError
from dsbuilder_tui.models.providers import AgentModelRequest, provider_of
from dsbuilder_tui.offline.planner.planning_context import PlanningContext
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

_MOST_RETRIES = 2  # a person waits


class Connection:
    """The model that the main agent thinks with. ``name`` is what its tokens are priced by."""

    def __init__(
        self,
        config: DatasetBuilderConfig,
        look: Callable[[], PlanningContext],
        given: agents.Model | None,
        options: OptionMemory,
        waits: Callable[[str], Awaitable[None]],
    ) -> None:
        """``options`` remembers from turn to turn what each endpoint refuses; ``waits`` is told in words when a call
        failed and is made again."""
        self._chat: ChatModel | None = None
        self._made = given is None
        provider = provider_of(config)
        make = provider.make_agent_model
        self.offline = make is None
        self.name = "built-in planner" if self.offline else config.model
        if given is not None:
            self.model: agents.Model = given
            return
        if make is None:
            from dsbuilder_tui.offline.planner.planner_model import OfflinePlanner

            self.model = OfflinePlanner(look)
            return

        async def again(error: TransientError, wait: float) -> None:
            await waits(f"The main agent waits {wait:.0f} s and tries again. {self._transient(error).problem}")

        async def cut(room: int | None) -> None:
            limit = f", with up to {room:,} tokens" if room else ""
            await waits(f"The main agent's answer was cut off at its length limit; it is gone on with{limit}.")

        provider.require_trust(config)
        retries = min(_MOST_RETRIES, config.max_retries)
        self.model = make(config, AgentModelRequest(retries=retries, waits=again, options=options, cut=cut))
        self._chat = self.model if isinstance(self.model, ChatModel) else None

    @property
    def finish(self) -> str:
        """How the last answer ended, in the endpoint's word for it; empty when it did not say."""
        return self._chat.finish if self._chat is not None else ""

    def recall(self, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the agent remembers, as the SDK takes it: without what only the endpoint wants back."""
        if self._chat is None:
            return [{name: value for name, value in item.items() if name != EXTRAS} for item in items]
        return self._chat.earlier.recall(items)

    def extras(self, call_id: str) -> dict[str, Any]:
        """What the endpoint may want back with a call in later requests."""
        return self._chat.earlier.extras(call_id) if self._chat is not None else {}

    def shortfall(self) -> DsbuilderError | None:
        """What is missing from the last answer, though it came to an end; None when it is whole."""
        if self.finish == LENGTH:
            return EndpointUnavailable(
                "The answer was cut off at the model's length limit, which could not be raised any more.",
                "Ask it to go on, ask for less at a time, give the server a longer context, or choose another model with "
                "/model or in the settings.",
            )
        if self._chat is not None and self._chat.unread:
            return EndpointUnavailable(
                f"{self.name} wrote a tool call into its words, in a form that cannot be read.",
                "Send it again, or choose a model, or a setting of the server, with tool calling (/model, or the settings).",
            )
        if self.finish == "content_filter":
            return EndpointRefused("The endpoint's content filter stopped the answer.", "Put it in other words.")
        return None

    async def close(self) -> None:
        if self._made:
            await self.model.close()

    def explain(self, error: Exception) -> DsbuilderError | None:
        """What went wrong, in a sentence with a way out; None for an error that is not the endpoint's or the model's."""
        if isinstance(error, RequestTooLarge):
            return EndpointRefused(
                error.problem,
                "Say it in fewer words, or choose a model with a larger context (--model, or the settings).",
            )
        if isinstance(error, EndpointRefused):
            return EndpointRefused(error.problem, error.hint.replace("--worker-model", "--model, or in the settings"))
        if isinstance(error, DsbuilderError):
            return error
        if isinstance(error, CallRefused):
            return error.whole or EndpointRefused(
                f"The endpoint's content filter turned this away: {error.detail.rstrip('.')}.", "Put it in other words."
            )
        if isinstance(error, TransientError):
            return self._transient(error)
        if isinstance(error, agents.MaxTurnsExceeded):
            return DsbuilderError(
                "The agent took many steps without coming to an end, and was stopped.", "Say what it should do next."
            )
        if isinstance(error, agents.AgentsException):
            return self.shortfall() or EndpointUnavailable(
                f"The answer of {self.name} could not be used: {self._redact(_first_line(error))}.",
                "Say it again, or choose another model with /model or in the settings.",
            )
        if (found := exhaustion(error)) is not None:
            return DsbuilderError(f"The answer could not be taken in: {found[0]}.", found[1])
        return None

    def _transient(self, error: TransientError) -> DsbuilderError:
        if error.kind is FailureKind.RATE_LIMIT:
            wait = f" in {error.retry_after:.0f} s" if error.retry_after else " in a moment"
            return EndpointUnavailable(f"Rate-limited by the endpoint: {error.detail}", f"Send it again{wait}.")
        if error.kind is FailureKind.TIMEOUT and self._chat is not None:
            return EndpointUnavailable(f"{self._chat.client.url} did not answer in time.", "Send it again.")
        if error.kind is FailureKind.CONNECTION:
            return EndpointUnavailable(
                f"The {error.detail.rstrip('.')}.",
                "Check the network and base_url, then send it again; `dsbuilder doctor` looks closer.",
            )
        return EndpointUnavailable(
            f"The endpoint could not answer: {error.detail}",
            "Send it again in a moment; `dsbuilder doctor` looks closer.",
        )

    def _redact(self, text: str) -> str:
        return self._chat.client.endpoint.redact(text) if self._chat is not None else text


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300].rstrip(".")
