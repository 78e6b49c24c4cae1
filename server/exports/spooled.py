"""Work that gathers rows into a spool, which becomes the file in one step at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

from server.exports import (
    Draft,
    Export,
    ExportFolder,
    Format,
    Layout,
    Spool,
    Target,
    build,
    discard,
)
from server.exports.job_file import (
    describe_name,
    finish_draft,
    on_disk,
    open_spool,
    publish_once,
    remove_abandoned,
)
from server.jobs import Handle, Jobs, RecordRow, Stopped

LOST_ROWS = (
    "The rows that were gathered before an interruption were not there any more (they are on the "
    "machine that gathered them), so all were gathered again."
)
# A spool is read in pieces of so many rows, or so many bytes.
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 1 << 17

Row = dict[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class SpoolPlace:
    """How far an export is, as it is journalled: the file, the spool's length in bytes, the rows in
    it, and how often all were gathered again."""

    name: str
    offset: int = 0
    rows: int = 0
    over: bool = False
    draft: Row | None = None
    restarts: int = 0

    @property
    def spool(self) -> str:
        """What the spool is for: rows of another run, on a machine that the job comes back to, are
        never taken for those of this one."""
        return f"{self.name}~{self.restarts}" if self.restarts else self.name

    def rewind(self) -> Self:
        """Return the same export at its beginning."""
        # The name stays: the user was told it when the job began.
        return type(self)(self.name, restarts=self.restarts)


P = TypeVar("P", bound=SpoolPlace)


class Owner(Protocol):
    """Whose files and jobs these are."""

    def exports(self) -> ExportFolder:
        """Return the folder for the user's files."""

    async def jobs(self) -> Jobs:
        """Return the jobs that run in the background of this process."""


class SpoolWork(ABC, Generic[P]):
    """Gathers rows and makes them a file. Whatever a crash must not lose is in the job's cursor."""

    writes = False
    repeatable = True
    batch = 1
    # Pages follow each other, by cursor or by offset: there is nothing to read side by side.
    width = 1

    def __init__(self, owner: Owner, place_type: type[P], file_format: Format) -> None:
        self._owner = owner
        self._place_type = place_type
        self._format: Format = file_format

    @abstractmethod
    def choose_place(self, job: Handle, folder: ExportFolder) -> P:
        """Return the place at the beginning, with the name of the file. It may block on the disk.

        Raises:
            Failure: as `ExportFolder.choose_target`.
        """

    @abstractmethod
    async def gather_rows(self, job: Handle, spool: Spool, place: P) -> P:
        """Append rows to the spool, journal each place with `reach`, and return the last one."""

    @abstractmethod
    async def make_layout(self) -> Layout:
        """Return the columns of the file."""

    @abstractmethod
    async def report(self, export: Export, place: P) -> dict[str, Any]:
        """Return the result of the job."""

    async def gather(self, job: Handle) -> None:
        """Append page after page to the spool, each journalled with the place behind it."""
        place = self._place_type(**job.cursor) if job.cursor else await self._begin(job)
        if place.over:
            return
        async with open_spool(self._owner.exports(), job, place.spool, place.offset) as spool:
            if spool.offset == place.offset:
                place = await self.gather_rows(job, spool, place)
                over = asdict(replace(place, over=True))
                await job.checkpoint(over, total=place.rows, gathered=place.rows)
                return
        await self._restart(job, place)

    async def send(self, job: Handle, records: list[RecordRow]) -> None:
        """Refuse: an export has nothing to send."""
        raise TypeError(f"{job.row.id} has no records")

    async def finish(self, job: Handle) -> dict[str, Any]:
        """Build the file and give it its name, which happens once however often this is called."""
        job.set_message("writing the file")
        place = self._place_type(**job.cursor)
        export = None
        if place.draft is not None:
            export = await finish_draft(self._owner.exports(), Draft.from_dict(place.draft))
        if export is None:
            place, export = await self._build(job, place)
        # Of a file that was published before a crash the spool is still there.
        await self._discard(job)
        return await self.report(export, place)

    async def reach(self, job: Handle, place: P) -> None:
        """Journal a place, once its rows are on disk: a crash between the two only cuts the spool
        again."""
        await job.checkpoint(asdict(place), gathered=place.rows)
        job.set_message(f"{place.rows:,} rows")

    async def _begin(self, job: Handle) -> P:
        folder = self._owner.exports()
        # At the start of the next export, since a process that crashed could not do it.
        await remove_abandoned(folder, await self._owner.jobs(), job.row.id)
        place = await on_disk(lambda: self.choose_place(job, folder))
        await self.reach(job, place)
        return place

    async def _restart(self, job: Handle, place: P) -> None:
        """Gather all rows again: the spool is shorter than the journal says (a full disk, a removed
        file), or on another machine."""
        await self._discard(job)
        place = replace(place.rewind(), restarts=place.restarts + 1)
        await job.checkpoint(asdict(place))
        await self.gather(job)

    async def _build(self, job: Handle, place: P) -> tuple[P, Export]:
        folder = self._owner.exports()

        # Building runs in a thread that cannot be cancelled: it asks between pieces.
        def tick() -> None:
            if job.stopping:
                raise Stopped(job.row.id)

        async with open_spool(folder, job, place.spool, place.offset) as spool:
            if spool.offset == place.offset:
                target = Target(place.name, self._format)
                layout = await self.make_layout()
                draft = await on_disk(lambda: build(folder, spool, target, layout, tick))
                journalled = job.checkpoint(asdict(replace(place, draft=draft.to_dict())))
                return place, await publish_once(folder, draft, journalled)
        await self._restart(job, place)
        return await self._build(job, self._place_type(**job.cursor))

    async def _discard(self, job: Handle) -> None:
        await on_disk(lambda: discard(self._owner.exports(), job.row.id))


async def read_keys(spool: Spool, key: Callable[[Row], T]) -> set[T]:
    """Return what tells the rows of a spool apart: after a restart they are there only."""

    def read() -> set[T]:
        keys: set[T] = set()
        for rows in spool.batches(_ROWS_AT_ONCE, _BYTES_AT_ONCE):
            keys.update(map(key, rows))
        return keys

    return await on_disk(read)


def describe_file(export: Export, place: SpoolPlace) -> list[str]:
    """Return what the user does not expect of the file."""
    lost = [LOST_ROWS] if place.restarts else []
    return [*lost, *describe_name(export, place.name)]
