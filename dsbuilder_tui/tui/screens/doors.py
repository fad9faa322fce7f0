"""The ways from the studio to the screens about its session, by key and by slash command."""

from __future__ import annotations

from dsbuilder_tui.tui.screens.base import Watching


class Doors(Watching):
    """Opens the other screens; each is imported when it is wanted."""

    def action_cases(self, words: str = "") -> None:
        from dsbuilder_tui.tui.screens.cases import CasesScreen

        self.studio.push_screen(CasesScreen(self.watched, words))

    def action_coverage(self) -> None:
        from dsbuilder_tui.tui.screens.coverage import CoverageScreen

        self.studio.push_screen(CoverageScreen(self.watched))

    def action_checkpoints(self) -> None:
        from dsbuilder_tui.tui.screens.checkpoints import CheckpointsScreen

        self.studio.push_screen(CheckpointsScreen(self.watched))

    def action_rejected(self) -> None:
        from dsbuilder_tui.tui.screens.rejected import RejectedScreen

        self.studio.push_screen(RejectedScreen(self.watched))

    def action_workers(self) -> None:
        from dsbuilder_tui.tui.screens.workers import WorkersScreen

        self.studio.push_screen(WorkersScreen(self.watched))

    async def _do_cases(self, argument: str) -> None:
        self.action_cases(argument)

    async def _do_coverage(self, argument: str) -> None:
        self.action_coverage()

    async def _do_checkpoints(self, argument: str) -> None:
        self.action_checkpoints()

    async def _do_rejected(self, argument: str) -> None:
        self.action_rejected()

    async def _do_workers(self, argument: str) -> None:
        self.action_workers()
