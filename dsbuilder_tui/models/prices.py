"""The prices of tokens: the packaged ones, and a person's own, which win."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.spending import ModelSpending, Price, RoleSpending, Saving, Spending

BUILT_IN = "built-in"  # the offline writer, as calls name it
_MILLION = 1_000_000
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")


@functools.cache
def _packaged() -> Mapping[str, Any]:
    """The file of packaged prices, which is read once."""
    return tomllib.loads(files("dsbuilder_tui.models").joinpath("prices.toml").read_text(encoding="utf-8"))


class PriceTable:
    """Prices by model. ``as_of`` is the day of the packaged ones, ``source`` where they were read."""

    def __init__(self, overrides: Mapping[str, Price] | None = None) -> None:
        packaged = _packaged()
        self.as_of: str = packaged["as_of"]
        self.source: str = packaged["source"]
        self._own = dict(overrides or {})
        self._packaged = {name: Price(**values) for name, values in packaged["models"].items()}
        self._packaged[BUILT_IN] = Price(input=0, output=0)

    def price(self, model: str) -> Price | None:
        """The price of a model, or None when it is not known.

        The full name is looked for first, then the name without the provider before it (``openai/``), then without
        the date behind it (``-2024-07-18``); a person's own price for any of them wins over a packaged one.
        """
        bare = model.rpartition("/")[2]
        names = dict.fromkeys((model, bare, _SNAPSHOT.sub("", model), _SNAPSHOT.sub("", bare)))
        for prices in (self._own, self._packaged):
            for name in names:
                if name in prices:
                    return prices[name]
        return None

    def cost(self, model: str, usage: Usage, *, batched: bool = False) -> float | None:
        """What these tokens of a model cost in dollars, or None when its price is not known. ``batched`` in a batch job."""
        price = self.price(model)
        if price is None:
            return None
        cached = min(usage.cached_tokens, usage.prompt_tokens)
        rate = price.input if price.cached_input is None else price.cached_input
        share = 1 - price.batch_discount if batched else 1.0
        return (
            share
            * ((usage.prompt_tokens - cached) * price.input + cached * rate + usage.completion_tokens * price.output)
            / _MILLION
        )

    def spending(
        self,
        main_agent: Mapping[str, Usage],
        workers: Mapping[str, Usage],
        main_model: str,
        judge: Mapping[str, Usage] | None = None,
        stages: Mapping[CallRole, Mapping[str, Usage]] | None = None,
        batched: Mapping[str, Usage] | None = None,
    ) -> Spending:
        """The bill for what each model was used for; ``main_model`` is the one that the saving is measured against.

        ``workers`` is all that wrote, ``stages`` the same by stage, where there is more than one; ``batched`` is the part of
        the drafts that was written in batch jobs.
        """
        batched = batched or {}
        lines = self._role(workers, batched).models
        return Spending(
            main_agent=self._role(main_agent),
            workers=RoleSpending(lines),
            batch_saving=sum(self._saved(model, usage) for model, usage in batched.items()),
            saving=self._saving(lines, workers, main_model),
            prices_as_of=self.as_of,
            judge=self._role(judge or {}),
            stages={
                role: self._role(used, batched if role is CallRole.WORKER else {})
                for role, used in (stages or {}).items()
            },
        )

    def _role(self, used: Mapping[str, Usage], batched: Mapping[str, Usage] | None = None) -> RoleSpending:
        saved = {model: self._saved(model, usage) for model, usage in (batched or {}).items()}
        return RoleSpending(tuple(self._line(model, usage, saved.get(model, 0.0)) for model, usage in used.items()))

    def _saved(self, model: str, usage: Usage) -> float:
        """Dollars that these tokens cost less in a batch job; 0 where the price is not known."""
        return (self.cost(model, usage) or 0.0) - (self.cost(model, usage, batched=True) or 0.0)

    def _line(self, model: str, usage: Usage, saved: float) -> ModelSpending:
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        dollars = self.cost(model, usage) if prompt or completion else 0.0
        dollars = None if dollars is None else dollars - saved
        return ModelSpending(model, prompt, min(usage.cached_tokens, prompt), completion, dollars)

    def _saving(self, lines: tuple[ModelSpending, ...], workers: Mapping[str, Usage], main_model: str) -> Saving | None:
        paid = [line.dollars for line in lines if line.model != BUILT_IN]
        would = [self.cost(main_model, usage) for model, usage in workers.items() if model != BUILT_IN]
        known, other = [d for d in paid if d is not None], [d for d in would if d is not None]
        if len(known) < len(paid) or len(other) < len(would):
            return None
        all_main, saved = sum(other), sum(other) - sum(known)
        if not all_main or abs(saved) < 1e-12:
            return None
        return Saving(main_model, round(saved, 9), round(100 * saved / all_main, 1))
