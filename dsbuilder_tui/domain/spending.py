"""Prices, and what the models of a session have cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_DIGITS = 9  # of a dollar, in what is written as JSON


class Price(BaseModel):
    """Dollars per million tokens. Without ``cached_input`` cached tokens cost what other input does."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class ModelSpending:
    """What one model was used for and cost; ``cached_tokens`` are part of ``prompt_tokens``.

    ``dollars`` is None when tokens were used and the model's price is not known.
    """

    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    dollars: float | None


@dataclass(frozen=True, slots=True)
class Saving:
    """What the workers cost less than ``model`` would have cost for the same tokens; below 0 they cost more.

    ``percent`` is of what ``model`` would have cost.
    """

    model: str
    dollars: float
    percent: float


@dataclass(frozen=True, slots=True)
class Spending:
    """What a session has cost so far, by role and model, at the prices of ``prices_as_of`` or one's own."""

    main_agent: tuple[ModelSpending, ...]
    workers: tuple[ModelSpending, ...]
    saving: Saving | None
    prices_as_of: str

    @property
    def dollars(self) -> float | None:
        """All of it, or None when the price of a model that was used is not known."""
        return None if self.unpriced else self.known_dollars

    @property
    def known_dollars(self) -> float:
        """The part whose price is known."""
        return _known(self.main_agent) + _known(self.workers)

    @property
    def unpriced(self) -> list[str]:
        """Models that were used and whose price is not known."""
        return list(dict.fromkeys(m.model for m in (*self.main_agent, *self.workers) if m.dollars is None))

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; dollars are rounded to a billionth."""
        return {
            "main_agent": _role(self.main_agent),
            "workers": _role(self.workers),
            "dollars": _rounded(self.dollars),
            "known_dollars": _rounded(self.known_dollars),
            "saving": None if self.saving is None else asdict(self.saving),
            "prices_as_of": self.prices_as_of,
        }


def _known(models: Sequence[ModelSpending]) -> float:
    return sum((m.dollars for m in models if m.dollars is not None), 0.0)


def _role(models: Sequence[ModelSpending]) -> dict[str, Any]:
    known = _known(models)
    return {
        "dollars": None if any(m.dollars is None for m in models) else _rounded(known),
        "known_dollars": _rounded(known),
        "models": [{**asdict(m), "dollars": _rounded(m.dollars)} for m in models],
    }


def _rounded(dollars: float | None) -> float | None:
    return None if dollars is None else round(dollars, _DIGITS)
