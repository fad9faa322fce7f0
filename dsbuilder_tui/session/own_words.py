"""Words of the person in a session: which messages they typed themselves, on this machine.

A session's folder from elsewhere holds messages that anybody may have written in a person's name. Some tools do only what
the person named in their own words: there such a message counts for nothing.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from dsbuilder_tui.domain.message import Message, MessageRole
from dsbuilder_tui.session.files import SessionFiles

_NAME = "own_words"


class OwnWords:
    """Messages of the person, told apart from strange ones by a sealed digest of them all."""

    def __init__(self, files: SessionFiles) -> None:
        self._files = files
        self._since = 0
        self._digest: str | None = None  # None: not compared yet

    async def since(self) -> int:
        """The place in the history from which messages of the person are their own."""
        if self._digest is None:
            await self._compare(self._files.store.seq + 1)
        return self._since

    async def with_message(self, message: Message) -> dict[str, Any]:
        """Values to be kept together with a message that is added, so that it counts as the person's own."""
        if message.role != MessageRole.PERSON:
            return {}
        if self._digest is None:
            await self._compare(message.seq)
        self._digest = _chained(self._digest or "", message)
        said = [self._since, self._digest]
        return {_NAME: said, "seals": self._files.seals_with(_NAME, said)}

    async def _compare(self, now: int) -> None:
        """Find out from where on the messages are own: all that the digest tells of, or none before ``now``."""
        files, kept = self._files, self._files.meta.get(_NAME)
        if isinstance(kept, list) and len(kept) == 2 and isinstance(kept[0], int) and files.is_own(_NAME, kept):
            digest = ""
            for message in await files.store.chat.of_role(MessageRole.PERSON, kept[0]):
                digest = _chained(digest, message)
            if digest == kept[1]:
                self._since, self._digest = kept[0], digest
                return
        self._since, self._digest = now, ""


def _chained(digest: str, message: Message) -> str:
    said = [digest, message.seq, message.text, message.content.data()]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
