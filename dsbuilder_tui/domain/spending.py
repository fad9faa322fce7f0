"""Prices, and what the models of a session have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from dsbuilder_tui.domain.call_role import CallRole

_STAGE_NAMES = {CallRole.WORKER: "draft"}
_DIGITS = 9  # of a dollar, in what is written as JSON
_HALF = 0.5  # of the price, which most providers' batch jobs save


class Price(BaseModel):
    """Dollars per million tokens. Without ``cached_input`` cached tokens cost what other input does.

    ``batch_discount`` is the share of it that a call in a batch job does not cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(ge=0, allow_inf_nan=False)
    cached_input: float | None = Field(None, ge=0, allow_inf_nan=False)
    batch_discount: float = Field(_HALF, ge=0, le=1, exclude_if=lambda share: share == _HALF)


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
class RoleSpending:
    """What the main agent, the workers or the judge used: one line a model."""

    models: tuple[ModelSpending, ...] = ()

    @property
    def dollars(self) -> float | None:
        """All of it, or None when the price of a model that was used is not known."""
        return None if any(m.dollars is None for m in self.models) else self.known_dollars

    @property
    def known_dollars(self) -> float:
        """The part whose price is known."""
        return sum((m.dollars for m in self.models if m.dollars is not None), 0.0)

    def as_dict(self) -> dict[str, Any]:
        return {
            "dollars": _rounded(self.dollars),
            "known_dollars": _rounded(self.known_dollars),
            "models": [{**asdict(m), "dollars": _rounded(m.dollars)} for m in self.models],
        }


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

    main_agent: RoleSpending
    workers: RoleSpending
    saving: Saving | None
    prices_as_of: str
    judge: RoleSpending = RoleSpending()
    batch_saving: float = 0.0  # dollars that batch jobs have saved, as far as prices are known
    stages: Mapping[CallRole, RoleSpending] = field(
        default_factory=dict
    )  # the workers' part by stage, where there are some

    @property
    def dollars(self) -> float | None:
        """All of it, or None when the price of a model that was used is not known."""
        roles = [role.dollars for role in (self.main_agent, self.workers, self.judge)]
        known = [dollars for dollars in roles if dollars is not None]
        return sum(known) if len(known) == len(roles) else None

    @property
    def known_dollars(self) -> float:
        """The part whose price is known."""
        return self.main_agent.known_dollars + self.workers.known_dollars + self.judge.known_dollars

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready; dollars are rounded to a billionth."""
        stages = {_STAGE_NAMES.get(role, role.value): spent.as_dict() for role, spent in self.stages.items()}
        return {
            "main_agent": self.main_agent.as_dict(),
            "workers": self.workers.as_dict(),
            **({"stages": stages} if stages else {}),
            "judge": self.judge.as_dict(),
            "dollars": _rounded(self.dollars),
            "known_dollars": _rounded(self.known_dollars),
            "saving": None if self.saving is None else asdict(self.saving),
            **({"batch_saving": _rounded(self.batch_saving)} if self.batch_saving else {}),
            "prices_as_of": self.prices_as_of,
        }


def _rounded(dollars: float | None) -> float | None:
    return None if dollars is None else round(dollars, _DIGITS)
