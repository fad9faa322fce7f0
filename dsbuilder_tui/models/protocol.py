"""The protocol between a worker and a language model: the request, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dsbuilder_tui.domain.case import Slot, Usage
from dsbuilder_tui.domain.errors import DsbuilderError, as_pickled
from dsbuilder_tui.domain.failure_kind import FailureKind
from dsbuilder_tui.domain.notice_level import NoticeLevel
from dsbuilder_tui.domain.plan import DatasetCategory, DatasetPlanInput
from dsbuilder_tui.models.advertised_limits import AdvertisedLimits
from dsbuilder_tui.models.chat_options import ChatOption, OptionMemory
from dsbuilder_tui.models.error_report import ErrorReport

if TYPE_CHECKING:
    from dsbuilder_tui.models.batch_client import BatchClient


@dataclass(frozen=True, slots=True)
class SlotRequest:
    """A slot to fill. ``attempt`` counts from 0 and grows each time a case for the slot was turned away.

    ``critique`` is what was wrong with the last one, when that is more than being like another case.
    """

    slot: Slot
    attempt: int
    critique: str = ""


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """One worker call: the texts for a language model, and the same in data for a writer that is not one."""

    plan: DatasetPlanInput
    category: DatasetCategory
    slots: tuple[SlotRequest, ...]
    seed: int
    system: str
    prompt: str
    schema: Any  # a JSON schema, as anything orjson can write
    max_tokens: int
    candidates: int = 1  # to be written for each slot


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRequest:
    """One question to a language model: an answer in JSON, of the given schema, as anything orjson can write."""

    system: str
    prompt: str
    schema: Any
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of what a model thinks before it answers, from an endpoint that keeps it apart from the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """The last item of a stream. ``finish_reason`` is the server's word, or None when it gave none."""

    finish_reason: str | None
    usage: Usage
    refusal: str = ""


class WorkerModel(Protocol):
    """A model that workers can call.

    ``ordered`` says that the text for a slot depends on slot, attempt and seed alone: it is no language model, drafts
    nothing and uses no tokens. The gate then judges in slot order, so that a run gives the same dataset whatever the
    number of workers.
    """

    name: str
    provider: str
    ordered: bool

    def check(self, plan: DatasetPlanInput) -> list[tuple[NoticeLevel, str]]:
        """What a person should know before this model works on a plan, as (level, text).

        Raises ``InputError`` when it cannot work on the plan.
        """
        ...

    def stream(self, request: WorkerRequest) -> AsyncIterator[str | Thought | StreamEnd]:
        """Yield text and thoughts as they come, then one ``StreamEnd``.

        Raises ``TransientError`` (worth another try), ``RequestTooLarge``, ``CallRefused`` or ``EndpointRefused``.
        """
        ...

    async def close(self) -> None: ...


class TextModel(Protocol):
    """A language model that is asked questions."""

    @property
    def name(self) -> str: ...

    def stream(self, request: TextRequest) -> AsyncIterator[str | Thought | StreamEnd]:
        """As ``WorkerModel.stream``."""
        ...

    async def close(self) -> None: ...


@runtime_checkable
class TellsLimits(Protocol):
    """A model whose answers may say what its endpoint's limits are."""

    limits: AdvertisedLimits


@runtime_checkable
class LearningModel(Protocol):
    """A model that finds out what its endpoint takes, and can share that with others of its session."""

    def learn_from(self, memory: OptionMemory) -> None:
        """Begin a run with what is known, and add to it."""
        ...


@runtime_checkable
class BatchableModel(Protocol):
    """A model whose calls can be made by a Batch API, together and for less."""

    name: str

    def batch_client(self) -> BatchClient:
        """The Batch API of its endpoint."""
        ...

    def batch_options(self, request: WorkerRequest) -> frozenset[ChatOption]:
        """The options that a request is sent with now."""
        ...

    def batch_body(self, request: WorkerRequest, options: frozenset[ChatOption]) -> bytes:
        """A request as it stands in an input file."""
        ...

    def batch_answer(self, completion: Mapping[str, Any]) -> Iterator[str | Thought | StreamEnd]:
        """A whole answer, as ``WorkerModel.stream`` gives it."""
        ...

    def batch_failure(self, request: WorkerRequest, options: frozenset[ChatOption], report: ErrorReport) -> Exception:
        """What an error in place of an answer means, as ``WorkerModel.stream`` would raise it."""
        ...


class TransientError(Exception):
    """A call failed in a way that another try may mend; ``retry_after`` is when, in seconds, if the server said."""

    def __init__(self, kind: FailureKind, detail: str, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        return as_pickled(self)


class CallRefused(Exception):
    """The endpoint turned this request away, by its content filter (``CONTENT``) or for another reason; others may pass.

    ``whole`` says it for a person who has made this one request.
    """

    def __init__(self, kind: FailureKind, detail: str, whole: DsbuilderError | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.whole = whole

    def __reduce__(self) -> tuple[Any, ...]:
        return as_pickled(self)


class RequestTooLarge(DsbuilderError):
    """The request does not fit the model's context; a smaller batch may."""
