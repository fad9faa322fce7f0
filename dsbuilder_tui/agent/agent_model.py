"""The main agent's language model: an endpoint through the SDK, or the built-in planner. And what its errors mean."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Awaitable, Callable

from dsbuilder_tui.domain.errors import DsbuilderError, EndpointRefused, EndpointUnavailable
from dsbuilder_tui.models.address import Address, address_of, tls_of
from dsbuilder_tui.models.endpoint_errors import explain_error, explain_status, retry_after_seconds
from dsbuilder_tui.models.protocol import ContentRefused, RequestTooLarge, TransientError
from dsbuilder_tui.settings.schema import DatasetBuilderConfig

# Before the SDK is imported: it reports to its maker's servers, with the user's key, unless told not to.
os.environ["OPENAI_AGENTS_DISABLE_TRACING"] = "1"
for _name in ("openai", "openai.agents", "httpx2", "httpcore2"):
    logging.getLogger(_name).addHandler(logging.NullHandler())  # what they log must not end up on the screen

import agents  # noqa: E402
import openai  # noqa: E402

from dsbuilder_tui.agent.stream_client import Listening  # noqa: E402
from dsbuilder_tui.offline.planner.planning_context import PlanningContext  # noqa: E402

agents.set_tracing_disabled(True)

_MOST_RETRIES = 2  # a person waits


class Connection:
    """The model that the main agent thinks with. ``name`` is what its tokens are priced by."""

    def __init__(
        self,
        config: DatasetBuilderConfig,
        look: Callable[[], PlanningContext],
        given: agents.Model | None,
        refusing: set[str],
        waits: Callable[[str], Awaitable[None]],
    ) -> None:
        """``refusing`` remembers, from turn to turn, the addresses that do not know ``stream_options``; ``waits`` is told
        in words when a call failed and is made again."""
        self._address: Address | None = None
        self._client: Listening | None = None
        self.offline = config.resolved_provider == "offline"
        self.name = "built-in planner" if self.offline else config.model
        if given is not None:
            self.model: agents.Model = given
            return
        if self.offline:
            from dsbuilder_tui.offline.planner.planner_model import OfflinePlanner

            self.model = OfflinePlanner(look)
            return
        self._address = address = address_of(config)

        async def again(error: openai.APIError, wait: float) -> None:
            known = self.explain(error)
            problem = known.problem if known is not None else _first_line(error)
            await waits(f"The main agent waits {wait:.0f} s and tries again. {problem}")

        self._client = Listening(
            address,
            refusing,
            min(_MOST_RETRIES, config.max_retries),
            again,
            base_url=address.url,
            api_key=address.key or "none",
            default_headers=address.headers,
            timeout=openai.Timeout(config.request_timeout, connect=config.connect_timeout),
            http_client=openai.DefaultAsyncHttpxClient(verify=tls_of(config)),
        )
        self.model = agents.OpenAIChatCompletionsModel(config.model, self._client)

    @property
    def finish(self) -> str:
        """How the last answer ended, in the endpoint's word for it; empty when it did not say."""
        return self._client.ear.finish if self._client is not None else ""

    def shortfall(self) -> DsbuilderError | None:
        """What is missing from the last answer, though it came to an end; None when it is whole."""
        if self.finish == "length":
            return EndpointUnavailable(
                "The answer was cut off at the model's length limit.",
                "Ask it to go on, ask for less at a time, or choose another model with /model or in the settings.",
            )
        if self.finish == "content_filter":
            return EndpointRefused("The endpoint's content filter stopped the answer.", "Put it in other words.")
        return None

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def explain(self, error: Exception) -> DsbuilderError | None:
        """What went wrong, in a sentence with a way out; None for an error that is not the endpoint's or the model's."""
        if isinstance(error, DsbuilderError):
            return error
        if isinstance(error, agents.MaxTurnsExceeded):
            return DsbuilderError(
                "The agent took many steps without coming to an end, and was stopped.", "Say what it should do next."
            )
        if isinstance(error, agents.AgentsException) and (shortfall := self.shortfall()) is not None:
            return shortfall
        if isinstance(error, agents.AgentsException):
            return EndpointUnavailable(
                f"The answer of {self.name} could not be used: {self._redact(_first_line(error))}.",
                "Say it again, or choose another model with /model or in the settings.",
            )
        if self._address is None:
            return None
        if isinstance(error, openai.APIStatusError):
            body = json.dumps(error.body) if isinstance(error.body, dict | list) else error.response.text
            wait = retry_after_seconds(error.response.headers)
            return self._plain(
                explain_status(error.status_code, self._redact(body), self.name, self._address.url, wait)
            )
        if isinstance(error, openai.APITimeoutError):
            return EndpointUnavailable(f"{self._address.url} did not answer in time.", "Send it again.")
        if isinstance(error, openai.APIConnectionError) or type(error).__module__.split(".")[0] in (
            "httpx2",
            "httpcore2",
        ):
            cause = self._redact(_first_line(error.__cause__ or error))
            return EndpointUnavailable(
                f"The connection to {self._address.url} failed: {cause}.",
                "Check the network and base_url, then send it again; `dsbuilder doctor` looks closer.",
            )
        if isinstance(error, openai.APIError):  # in mid-stream
            said = error.body if error.body is not None else {"message": error.message}
            return self._plain(explain_error(said, self._redact, self.name, self._address.url))
        if isinstance(error, openai.OpenAIError):
            return EndpointRefused(self._redact(_first_line(error)), "`dsbuilder doctor` looks closer.")
        return None

    def _plain(self, error: Exception) -> DsbuilderError:
        if isinstance(error, RequestTooLarge):
            return EndpointRefused(
                error.problem,
                "Say it in fewer words, or choose a model with a larger context (--model, or the settings).",
            )
        if isinstance(error, EndpointRefused):
            return EndpointRefused(error.problem, error.hint.replace("--worker-model", "--model, or in the settings"))
        if isinstance(error, ContentRefused):
            return EndpointRefused(
                f"The endpoint's content filter turned this away: {error}.", "Put it in other words."
            )
        if isinstance(error, TransientError) and error.kind == "rate_limit":
            wait = f" in {error.retry_after:.0f} s" if error.retry_after else " in a moment"
            return EndpointUnavailable(f"Rate-limited by the endpoint: {error.detail}", f"Send it again{wait}.")
        detail = error.detail if isinstance(error, TransientError) else _first_line(error)
        return EndpointUnavailable(f"The endpoint could not answer: {detail}", "Send it again in a moment.")

    def _redact(self, text: str) -> str:
        return self._address.redact(text) if self._address is not None else text


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300].rstrip(".")
