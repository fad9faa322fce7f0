"""The Batch API of an endpoint: files up and down, batches made, looked at, found again and cancelled."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dsbuilder_tui.domain.errors import InputError
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.models.endpoint import Endpoint, loads, read_all, read_response, shown
from dsbuilder_tui.models.endpoint_errors import explain
from dsbuilder_tui.models.error_report import ErrorReport, read_body
from dsbuilder_tui.models.failure_table import failure_kind
from dsbuilder_tui.models.protocol import TransientError

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000  # of one input file, as OpenAI takes it
TOKEN = "dsbuilder_job"  # in the metadata of a batch: what tells it from all others
_COMPLETIONS = "/v1/chat/completions"  # what the requests of a batch are for, as the API names it
_WINDOW = "24h"
_NO_SERVICE = (404, 405, 501)
_PAGE, _MOST_PAGES = 100, 50  # batches of an account that are looked through, the newest first
_LONGEST_LINE = 8 * 1024 * 1024  # bytes of one answer
_MOST_QUOTED = 3  # errors of a file that a person is shown


class RemoteStatus(StrEnum):
    """Where a batch stands, in the provider's words."""

    VALIDATING = "validating"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    FINALIZING = "finalizing"
    COMPLETED = "completed"
    EXPIRED = "expired"
    CANCELLING = "cancelling"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come."""
        return self in (RemoteStatus.FAILED, RemoteStatus.COMPLETED, RemoteStatus.EXPIRED, RemoteStatus.CANCELLED)


class RemoteCounts(BaseModel):
    """How many requests a batch has, and how they went so far."""

    model_config = ConfigDict(extra="ignore")

    total: int = 0
    completed: int = 0
    failed: int = 0


class RemoteBatch(BaseModel):
    """A batch as the provider tells of it. What it says that nobody here knows is left out."""

    model_config = ConfigDict(extra="ignore")

    id: str
    status: RemoteStatus = RemoteStatus.IN_PROGRESS
    output_file_id: str | None = None
    error_file_id: str | None = None
    request_counts: RemoteCounts = Field(default_factory=RemoteCounts)
    metadata: dict[str, str] = Field(default_factory=dict)
    errors: Any = None

    @field_validator("status", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        # A word of a later API is none that ends a batch.
        return value if value in [status.value for status in RemoteStatus] else RemoteStatus.IN_PROGRESS

    @field_validator("request_counts", mode="before")
    @classmethod
    def _counts(cls, value: object) -> object:
        return value if isinstance(value, Mapping) else {}

    @field_validator("metadata", mode="before")
    @classmethod
    def _texts(cls, value: object) -> object:
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}

    @property
    def error_codes(self) -> tuple[str, ...]:
        """The codes of what was wrong with the input file."""
        return tuple(str(each.get("code")) for each in self._errors() if each.get("code"))

    @property
    def error_words(self) -> str:
        """What was wrong with the input file, in the provider's words; empty when it said nothing."""
        said = []
        for each in self._errors()[:_MOST_QUOTED]:
            line = each.get("line")
            words = " ".join(str(each.get("message") or each.get("code") or "").split())
            said.append(f"line {line}: {words}" if line else words)
        return "; ".join(filter(None, said))

    def _errors(self) -> list[Mapping[str, Any]]:
        found = self.errors.get("data") if isinstance(self.errors, Mapping) else self.errors
        return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


class GoneAtProvider(Exception):
    """The provider does not know a batch, or a file, any more."""


class BatchClient:
    """Asks one endpoint's Batch API. Everything raises ``TransientError`` where another try may help, ``EndpointRefused``
    or ``CallRefused`` where it does not."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        """The endpoint stays the caller's to close."""
        self._endpoint, self._model = endpoint, model

    @property
    def url(self) -> str:
        """The endpoint, as it is shown."""
        return self._endpoint.url

    @property
    def digest(self) -> str:
        """What tells this endpoint from others, and says nothing of its address."""
        return hashlib.sha256(self.url.encode("utf-8", "replace")).hexdigest()[:24]

    async def require(self) -> None:
        """See that there is a Batch API. Raises ``InputError`` where there is none."""
        try:
            await self._json(self._endpoint.get("/batches?limit=1"))
        except GoneAtProvider as error:
            raise InputError(
                f"{self.url} has no Batch API ({error}).",
                "Leave --batch-api (the setting runner) out: calls are made at once.",
            ) from None

    async def upload(self, path: Path, name: str) -> str:
        """Send an input file, streamed from the disk; returns the provider's name for it."""
        with path.open("rb") as file:
            form = aiohttp.FormData({"purpose": "batch"})
            form.add_field("file", file, filename=name, content_type="application/jsonl")
            answer = await self._json(self._endpoint.send_form("/files", form))
        found = answer.get("id")
        if not isinstance(found, str) or not found:
            raise TransientError(FailureKind.SERVER, "the endpoint took a file and gave it no id")
        return found

    async def create(self, file_id: str, metadata: Mapping[str, str]) -> RemoteBatch:
        """Have an uploaded file worked on. Where this raises ``TransientError`` there may be a batch all the same."""
        body = orjson.dumps({
            "input_file_id": file_id, "endpoint": _COMPLETIONS, "completion_window": _WINDOW, "metadata": metadata,
        })  # fmt: skip
        return await self._batch(self._endpoint.post("/batches", body))

    async def look(self, batch_id: str) -> RemoteBatch:
        """Where a batch stands. Raises ``GoneAtProvider`` when it is not known."""
        return await self._batch(self._endpoint.get(f"/batches/{batch_id}"))

    async def cancel(self, batch_id: str) -> RemoteBatch:
        """Have a batch stopped; what is done of it can be collected. Raises ``GoneAtProvider`` when it is not known."""
        return await self._batch(self._endpoint.post(f"/batches/{batch_id}/cancel", b""))

    async def find(self, token: str) -> RemoteBatch | None:
        """The newest batch of the account whose metadata have this token under ``TOKEN``."""
        after = ""
        for _ in range(_MOST_PAGES):
            page = await self._json(self._endpoint.get(f"/batches?limit={_PAGE}{after}"))
            listed = page.get("data")
            rows = [row for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
            for row in rows:
                there = row.get("metadata")
                if isinstance(there, Mapping) and there.get(TOKEN) == token:
                    return self._read_batch(row)
            if not page.get("has_more") or not rows:
                return None
            after = f"&after={rows[-1].get('id')}"
        return None

    async def lines(self, file_id: str) -> AsyncIterator[bytes]:
        """The lines of a file as they come, without their ends. Raises ``GoneAtProvider`` when it is not known.

        A line that is longer than any answer comes as an empty one.
        """
        rest, skipping = bytearray(), False
        try:
            async with self._endpoint.get(f"/files/{file_id}/content") as response:
                await self._check(response)
                async for chunk in response.content.iter_any():
                    *whole, last = chunk.split(b"\n")
                    for piece in whole:
                        yield b"" if skipping else bytes(rest + piece)
                        rest.clear()
                        skipping = False
                    rest += last
                    if len(rest) > _LONGEST_LINE:
                        rest.clear()
                        skipping = True
            if rest or skipping:
                yield bytes(rest)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._endpoint.network_error(error) from None

    async def _batch(self, request: Any) -> RemoteBatch:
        return self._read_batch(await self._json(request))

    def _read_batch(self, answer: Mapping[str, Any]) -> RemoteBatch:
        try:
            return RemoteBatch.model_validate(answer)
        except ValidationError:
            raise TransientError(
                FailureKind.SERVER,
                f"the endpoint sent something that is no batch: {shown(orjson.dumps(answer, default=str))}",
            ) from None

    async def _json(self, request: Any) -> Mapping[str, Any]:
        try:
            async with request as response:
                await self._check(response)
                body = await read_all(response, self._endpoint.held)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._endpoint.network_error(error) from None
        answer = loads(body)
        if not isinstance(answer, Mapping):
            report = read_body(body, None)
            if report.page:  # somebody in front of the endpoint, or a site where an API should be
                raise GoneAtProvider("it answers with a web page")
            raise TransientError(FailureKind.SERVER, f"the endpoint sent something that is not JSON: {shown(body)}")
        return answer

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        if 200 <= response.status < 300:
            return
        report = await read_response(response)
        report = ErrorReport(
            self._endpoint.redact(report.message), report.codes, response.status, report.retry_after, report.page
        )
        if response.status in _NO_SERVICE:
            raise GoneAtProvider(f"HTTP {response.status}")
        raise explain(report, failure_kind(report), self._model, self.url)
