"""The templates that a model wrote for categories, kept so that they are paid for once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from dsbuilder_tui.domain.call_role import CallRole
from dsbuilder_tui.domain.case import Usage
from dsbuilder_tui.domain.case_template import TEMPLATE_TAG, CaseTemplate, shown_inputs
from dsbuilder_tui.store.connection import StoreConnection
from dsbuilder_tui.store.row_format import to_text
from dsbuilder_tui.store.schema import MAIN_BRANCH


@dataclass(frozen=True, slots=True, kw_only=True)
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

    @property
    def text(self) -> str:
        """Its inputs as one line."""
        return shown_inputs(self.template.inputs)


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
                StoredTemplate(
                    name=f"{category}-t{known + number}", category=category, template=template, written_for=written_for,
                    model=model, batch=batch,
                )
                for number, template in enumerate(templates, 1)
            ]  # fmt: skip
            self._insert(connection, stored, now)
            return stored

        return await self._store.write(write)

    async def take_over(self, stored: Sequence[StoredTemplate]) -> None:
        """Keep the templates of another session, under their names, unless there are some; those of categories that there are
        not are left out."""
        now = self._store.clock.now()

        def write(connection: sqlite3.Connection) -> None:
            if not connection.execute("SELECT 1 FROM template LIMIT 1").fetchone():
                self._insert(connection, [one for one in stored if one.category in self._store.ids], now)

        await self._store.write(write)

    def _insert(self, connection: sqlite3.Connection, stored: Sequence[StoredTemplate], now: float) -> None:
        connection.executemany(
            "INSERT INTO template (branch_id, category_id, name, template, written_for, model, batch, dropped, created_at) "
            "VALUES (?,?,?,?,?,?,?,?,?)",
            [
                (MAIN_BRANCH, self._store.ids[one.category], one.name, to_text(one.template.model_dump(mode="json")),
                 one.written_for, one.model, one.batch, one.dropped, now)
                for one in stored
            ],
        )  # fmt: skip

    async def all(self) -> list[StoredTemplate]:
        """The templates of all categories, oldest first."""

        def read(connection: sqlite3.Connection) -> list[StoredTemplate]:
            rows = connection.execute(
                "SELECT name, category_id, template, written_for, model, batch, dropped FROM template WHERE branch_id=? "
                "ORDER BY id",
                (MAIN_BRANCH,),
            )
            return [
                StoredTemplate(
                    name=name,
                    category=self._store.names[number],
                    written_for=written_for,
                    model=model,
                    batch=batch,
                    template=CaseTemplate.model_validate(orjson.loads(text)),
                    dropped=dropped,
                )
                for name, number, text, written_for, model, batch, dropped in rows
            ]

        return await self._store.read(read)

    async def drop(self, name: str, why: str) -> None:
        """Note that no more cases are made of a template."""
        sql = "UPDATE template SET dropped=? WHERE branch_id=? AND name=?"
        await self._store.write(lambda connection: connection.execute(sql, (why, MAIN_BRANCH, name)))

    async def made(self) -> tuple[int, int, dict[str, Usage]]:
        """How many cases were made of templates, the characters of their inputs and expectations, and the tokens of the
        calls for templates, by model. Reads all cases."""

        def read(connection: sqlite3.Connection) -> tuple[int, int, dict[str, Usage]]:
            if not connection.execute("SELECT 1 FROM template LIMIT 1").fetchone():
                return 0, 0, {}
            cases, characters = connection.execute(
                "SELECT count(*), total(length(inputs) + length(expectations)) FROM accepted_case WHERE branch_id=? "
                "AND json_extract(tags, ?) IS NOT NULL",
                (MAIN_BRANCH, f"$.{TEMPLATE_TAG}"),
            ).fetchone()
            calls = connection.execute(
                "SELECT model, sum(prompt_tokens), sum(completion_tokens) FROM worker_call WHERE branch_id=? AND role=? "
                "GROUP BY model ORDER BY min(seq)",
                (MAIN_BRANCH, CallRole.TEMPLATES),
            )
            return cases, int(characters), {model: Usage(prompt, answer, known=True) for model, prompt, answer in calls}

        return await self._store.read(read)

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
