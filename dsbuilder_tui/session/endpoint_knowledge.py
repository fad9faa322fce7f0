"""Knowledge of endpoints and models that a session gathers: options they refuse, limits they have. It outlives a run."""

from __future__ import annotations

from dsbuilder_tui.models.chat_options import OptionMemory
from dsbuilder_tui.session.files import SessionFiles

_FACTS = "endpoints"  # the key in the session's ``meta``


class EndpointKnowledge:
    """Shared by the workers and the main agent, and kept in the session file."""

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self.options = OptionMemory(files.meta.get(_FACTS), files.clock.now())

    async def keep(self) -> None:
        """Have what was learned since written."""
        facts = self.options.facts(self._files.clock.now())
        if facts != (self._files.meta.get(_FACTS) or {}):
            await self._files.remember(**{_FACTS: facts})

    async def forget(self) -> None:
        """Find all of it out anew."""
        self.options.forget()
        await self.keep()
