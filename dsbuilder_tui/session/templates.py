"""The templates that a model wrote for a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsbuilder_tui.session.session_context import SessionContext
from dsbuilder_tui.session.template_costs import TemplateCosts, template_costs
from dsbuilder_tui.store.templates import StoredTemplate, TemplateUse

__all__ = ["SessionTemplates", "TemplateUse"]


class SessionTemplates:
    """Reads the templates that a model wrote for a session."""

    def __init__(self, context: SessionContext) -> None:
        self._context = context

    async def all(self) -> list[StoredTemplate]:
        """The templates of all categories, oldest first, with those that were dropped."""
        return await self._context.files.store.templates.all()

    async def uses(self) -> Mapping[str, TemplateUse]:
        """What became of the cases of each template, by its name. Reads all cases."""
        return await self._context.files.store.templates.uses()

    async def costs(self) -> TemplateCosts | None:
        """What the cases cost that are made of templates; None when there are none."""
        return await template_costs(self._context.files, self._context.config)

    async def as_dict(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        uses, costs = await self.uses(), await self.costs()
        templates = [
            {
                "name": one.name, "category": one.category, "model": one.model, "dropped": one.dropped,
                "accepted": uses.get(one.name, TemplateUse()).accepted,
                "rejected": uses.get(one.name, TemplateUse()).rejected,
                "template": one.template.model_dump(mode="json", exclude_defaults=True),
            }
            for one in await self.all()
        ]  # fmt: skip
        return {"templates": templates, "costs": None if costs is None else costs.as_dict()}
