"""What the main agent works at: an open session, and whoever runs it."""

from __future__ import annotations

from typing import Protocol

from dsbuilder_tui.config import DatasetBuilderConfig
from dsbuilder_tui.models.protocol import WorkerModel
from dsbuilder_tui.session import Session


class Desk(Protocol):
    """An open session and its run. The studio has one; so have the command line and the Python API."""

    session: Session

    @property
    def running(self) -> bool:
        """Whether a run is going on."""

    def start(self) -> None:
        """Begin or go on with the run, without waiting for it. Raises ``InputError`` when it cannot."""

    def pause(self, reason: str) -> None:
        """Ask the run to pause."""

    async def wait(self) -> None:
        """Until the run, if there is one, has ended."""

    async def reread(self) -> None:
        """Something changed while nothing ran: whoever watches must look again."""

    def make_model(self, config: DatasetBuilderConfig) -> WorkerModel:
        """A model for a few sample cases; the caller closes it."""

    async def load(self, reference: str) -> str:
        """Open something else that was saved, once the turn is over; returns what will happen in one sentence.

        Raises ``DsbuilderError`` when it cannot be opened.
        """
