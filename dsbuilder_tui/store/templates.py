"""The templates that a model wrote for categories, kept so that they are paid for once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.case_template import TEMPLATE_TAG, CaseTemplate
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


@dataclass(frozen=True, slots=True)
class StoredTemplate:
    """A template under its name, with the model that wrote it in which call.

    ``written_for`` is what the category said then, as a hash; ``dropped`` says why no more cases are made of it.
    """

    name: str
    category: str
    template: CaseTemplate
    written_for: str
    model: str
    batch: int
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """How many cases of a template are in the dataset, and how many were turned away."""

    accepted: int = 0
    rejected: int = 0


class TemplateTable:
    """Keeps templates. They are never changed; one that is no good is marked as dropped."""

    def __init__(self, store: StoreConnection) -> None:
        self._store = store

    async def add(
        self, category: str, templates: Sequence[CaseTemplate], *, written_for: str, model: str, batch: int
    ) -> list[StoredTemplate]:
        """Keep what one call has brought, all of it or nothing; on disk when this returns."""
        category_id, now = self._store.ids[category], self._store.clock.now()

        def write(connection: sqlite3.Connection) -> list[StoredTemplate]:
            known = connection.execute(
                "SELECT count(*) FROM template WHERE branch_id=? AND category_id=?", (MAIN_BRANCH, category_id)
            ).fetchone()[0]
            stored = [
                StoredTemplate(f"{category}-t{known + number}", category, template, written_for, model, batch)
                for number, template in enumerate(templates, 1)
            ]
            connection.executemany(
                "INSERT INTO template (branch_id, category_id, name, template, written_for, model, batch, dropped, created_at) "
                "VALUES (?,?,?,?,?,?,?,'',?)",
                [
                    (MAIN_BRANCH, category_id, one.name, to_text(one.template.model_dump(mode="json")), written_for, model,
                     batch, now)
                    for one in stored
                ],
            )  # fmt: skip
            return stored

        return await self._store.write(write)

    async def all(self) -> list[StoredTemplate]:
        """The templates of all categories, oldest first."""

        def read(connection: sqlite3.Connection) -> list[StoredTemplate]:
            rows = connection.execute(
                "SELECT name, category_id, template, written_for, model, batch, dropped FROM template WHERE branch_id=? "
                "ORDER BY id",
                (MAIN_BRANCH,),
            )
            return [
                StoredTemplate(name, self._store.names[number], CaseTemplate.model_validate(orjson.loads(text)), *rest)
                for name, number, text, *rest in rows
            ]

        return await self._store.read(read)

    async def drop(self, name: str, why: str) -> None:
        """Note that no more cases are made of a template."""
        sql = "UPDATE template SET dropped=? WHERE branch_id=? AND name=?"
        await self._store.write(lambda connection: connection.execute(sql, (why, MAIN_BRANCH, name)))

    async def uses(self) -> dict[str, TemplateUse]:
        """What became of the cases of each template, by its name. Reads all cases."""

        def read(connection: sqlite3.Connection) -> dict[str, TemplateUse]:
            if not connection.execute("SELECT 1 FROM template LIMIT 1").fetchone():
                return {}
            accepted = dict(
                connection.execute(
                    "SELECT json_extract(tags, ?) AS name, count(*) FROM accepted_case WHERE branch_id=? AND name IS NOT NULL "
                    "GROUP BY name",
                    (f"$.{TEMPLATE_TAG}", MAIN_BRANCH),
                )
            )
            rejected = dict(
                connection.execute(
                    "SELECT json_extract(candidate, ?) AS name, count(*) FROM rejection WHERE branch_id=? AND name IS NOT NULL "
                    "GROUP BY name",
                    (f"$.tags.{TEMPLATE_TAG}", MAIN_BRANCH),
                )
            )
            return {
                name: TemplateUse(accepted.get(name, 0), rejected.get(name, 0)) for name in {**accepted, **rejected}
            }

        return await self._store.read(read)
