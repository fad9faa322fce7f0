"""One batch job from its input file to its end at the provider; each step is written down before it is taken and behind it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from dsbuilder_tui.domain.batch_job import BatchJob, BatchJobState
from dsbuilder_tui.domain.clock import Clock
from dsbuilder_tui.domain.errors import EndpointRefused, EndpointUnavailable
from dsbuilder_tui.generation.batch_input import InputFile
from dsbuilder_tui.models.batch_client import TOKEN, BatchClient, GoneAtProvider, RemoteBatch, RemoteStatus
from dsbuilder_tui.models.batch_row import BatchRow, read_row
from dsbuilder_tui.models.protocol import CallRefused, TransientError
from dsbuilder_tui.models.retry import backoff
from dsbuilder_tui.settings.schema import DatasetBuilderConfig
from dsbuilder_tui.store.batch_jobs import BatchJobTable

_FIRST_WAIT = 5.0  # seconds between the first looks at a job
_GROWTH = 1.6  # of the wait, from look to look at which nothing has moved
_ENOUGH_ABSENT = 3  # looks that do not find a job, until it is believed that there is none
_TOKEN_LIMIT = "token_limit_exceeded"  # the code for more tokens in waiting than an account may have

T = TypeVar("T")


class BatchJobKeeper:
    """Sends one job, waits for it and reads its results.

    ``changed`` is told of it after each step; ``remote`` is what the provider said last.
    """

    def __init__(
        self,
        job: BatchJob,
        client: BatchClient,
        table: BatchJobTable,
        session: str,
        config: DatasetBuilderConfig,
        clock: Clock,
        changed: Callable[[BatchJob, bool], None],
    ) -> None:
        """``session`` tells a person whose it is, in the provider's console; ``changed`` is told whether it is more than
        another look."""
        self.job, self._client, self._table, self._session = job, client, table, session
        self._config, self._clock, self._changed = config, clock, changed
        self._rng = random.Random()
        self._hurry = asyncio.Event()
        self.remote: RemoteBatch | None = None
        self.looks = 0  # in this run
        self.broken_lines = 0

    @property
    def lacks_room(self) -> bool:
        """Whether the provider would not take so many tokens at once."""
        return self.remote is not None and _TOKEN_LIMIT in self.remote.error_codes

    def look_now(self) -> None:
        """End the wait before the next look."""
        self._hurry.set()

    async def send(self, file: InputFile) -> None:
        """Have the provider work on an input file; it has the job when this returns.

        Raises ``EndpointUnavailable`` or ``EndpointRefused``; there is no job then, or one that ``recover`` finds.
        """
        try:
            file_id = await self._retried(lambda: self._client.upload(file.path, f"dsbuilder-{self.job.number}.jsonl"))
        except (EndpointUnavailable, EndpointRefused):
            await self.drop("it could not be sent")
            raise
        await self._write(state=BatchJobState.ASKED, file_id=file_id, trouble="")
        await self._create()

    async def recover(self) -> None:
        """Find a job that was asked for when the process ended; ask for it again when the provider has none."""
        for look in range(_ENOUGH_ABSENT):
            if look:
                await self._sleep(min(self._config.batch_poll, _FIRST_WAIT))
            if (found := await self._retried(lambda: self._client.find(self.job.token))) is not None:
                await self._has(found)
                return
        await self._create()

    async def _create(self) -> None:
        tries = 0
        while True:
            try:
                return await self._has(await self._client.create(self.job.file_id, self._metadata))
            except TransientError as error:
                tries += 1
                if tries > self._config.max_retries:
                    raise _unavailable(error) from None
                await self._trouble(error.detail)
                await asyncio.sleep(min(backoff(tries, error.retry_after, self._rng), self._config.batch_poll))
                # What broke may have been the answer alone.
                if (found := await self._retried(lambda: self._client.find(self.job.token))) is not None:
                    return await self._has(found)
            except (CallRefused, EndpointRefused, GoneAtProvider) as error:
                await self.drop("the provider refused it")
                raise _refused(error, self._client.url) from None

    async def _has(self, remote: RemoteBatch) -> None:
        self.remote = remote
        await self._write(state=BatchJobState.WAITING, remote_id=remote.id, status=remote.status.value, trouble="")

    async def wait(self) -> None:
        """Look at the job, less and less often, until nothing more will come of it. Raises ``EndpointRefused``."""
        wait, absent = 0.0, 0
        while self.remote is None or not self.remote.status.is_over or not self.looks:
            if wait:
                await self._sleep(wait)
            if self.job.cancelled and (self.remote is None or self.remote.status is not RemoteStatus.CANCELLING):
                await self._cancel()
            moved = False
            try:
                before, self.remote = self.remote, await self._client.look(self.job.remote_id)
            except GoneAtProvider:
                absent += 1
                if absent >= _ENOUGH_ABSENT:
                    raise EndpointRefused(
                        f"{self._client.url} does not know batch job {self.job.number} ({self.job.remote_id}).",
                        "Use the key, organization and project that it was sent with, or give it up with --drop-batches.",
                    ) from None
                trouble = "the provider does not know it"
            except TransientError as error:
                trouble = error.detail
            except (CallRefused, EndpointRefused) as error:
                raise _refused(error, self._client.url) from None
            else:
                absent, trouble = 0, ""
                moved = before is None or (before.status, before.request_counts) != (
                    self.remote.status, self.remote.request_counts,
                )  # fmt: skip
            self.looks += 1
            first = min(_FIRST_WAIT, self._config.batch_poll)
            wait = first if moved or not wait else min(wait * _GROWTH, self._config.batch_poll)
            wait *= self._rng.uniform(0.85, 1.0)
            await self._looked(trouble, wait)
        await self._write(state=BatchJobState.ENDED, trouble="")

    async def _looked(self, trouble: str, wait: float) -> None:
        remote, job = self.remote, self.job
        over = remote is not None and remote.status.is_over
        told = replace(job, trouble=trouble, next_look=None if over else self._clock.now() + wait)
        if remote is not None:
            counts = remote.request_counts
            told = replace(told, status=remote.status.value, done=counts.completed, failed=counts.failed)
        self.job = told
        news = (told.status, told.done, told.failed, told.trouble) != (job.status, job.done, job.failed, job.trouble)
        if news:
            await self._table.update(told)
        self._changed(told, news)

    async def rows(self) -> AsyncIterator[BatchRow]:
        """The lines of output and errors in the order in which they come, each request's first one.

        A download that breaks off begins anew. Ends early when a file is not there any more.
        """
        remote, seen = self.remote, set[str]()
        files = () if remote is None else (remote.output_file_id, remote.error_file_id)
        for file_id in filter(None, files):
            tries = 0
            while True:
                broken = 0
                try:
                    async for line in self._client.lines(file_id):
                        row = read_row(line)
                        if row is None:
                            broken += bool(line.strip())
                        elif row.custom_id not in seen:
                            seen.add(row.custom_id)
                            yield row
                    break
                except GoneAtProvider:
                    await self._trouble("its results are not there any more")
                    break
                except TransientError as error:
                    tries += 1
                    if tries > self._config.max_retries:
                        raise _unavailable(error) from None
                    await self._trouble(error.detail)
                    await asyncio.sleep(min(backoff(tries, error.retry_after, self._rng), self._config.batch_poll))
                except (CallRefused, EndpointRefused) as error:
                    raise _refused(error, self._client.url) from None
            self.broken_lines += broken

    async def cancel(self) -> None:
        """Have the provider stop; what is done is collected. It has been told when this returns, unless it cannot be reached."""
        if not self.job.cancelled:
            await self._write(cancelled=True)
        if self.job.remote_id:
            await self._cancel()
        self.look_now()

    async def _cancel(self) -> None:
        try:
            self.remote = await self._client.cancel(self.job.remote_id)
        except TransientError as error:
            await self._trouble(error.detail)  # the next look tries it again
        except (CallRefused, EndpointRefused, GoneAtProvider):
            pass  # it is over by now: the look says how

    async def drop(self, why: str) -> None:
        """There is no such job."""
        await self._write(state=BatchJobState.DROPPED, trouble=why)

    async def collected(self) -> None:
        """All that it brought is taken in."""
        await self._write(state=BatchJobState.COLLECTED, trouble="")

    @property
    def _metadata(self) -> dict[str, str]:
        return {
            "dsbuilder_session": self._session, TOKEN: self.job.token, "dsbuilder_round": str(self.job.round),
        }  # fmt: skip

    async def _write(self, **changes: object) -> None:
        self.job = replace(self.job, next_look=None, **changes)  # type: ignore[arg-type]
        await self._table.update(self.job)
        self._changed(self.job, True)

    async def _trouble(self, words: str) -> None:
        if words != self.job.trouble:
            await self._write(trouble=words)

    async def _sleep(self, seconds: float) -> None:
        self._hurry.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            pass

    async def _retried(self, ask: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            try:
                return await ask()
            except TransientError as error:
                tries += 1
                if tries > self._config.max_retries:
                    raise _unavailable(error) from None
                await self._trouble(error.detail)
                await asyncio.sleep(min(backoff(tries, error.retry_after, self._rng), self._config.batch_poll))
            except (CallRefused, EndpointRefused, GoneAtProvider) as error:
                raise _refused(error, self._client.url) from None


def _unavailable(error: TransientError) -> EndpointUnavailable:
    return EndpointUnavailable(
        f"The endpoint's Batch API kept failing ({error.detail}); the run stopped. Everything accepted is saved.",
        "Check the connection with `dsbuilder doctor`, then resume.",
    )


def _refused(error: Exception, url: str) -> EndpointRefused:
    if isinstance(error, EndpointRefused):
        return error
    said = error.detail if isinstance(error, CallRefused) else str(error)
    return EndpointRefused(f"{url} refused the batch job: {said}.", "`dsbuilder doctor` looks closer.")
