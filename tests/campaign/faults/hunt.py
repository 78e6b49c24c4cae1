"""Calls of every tool over an API whose answers are faulty, and what is wrong with what comes of
them."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel

from server.errors import Code, Failure
from server.sandbox.archivebox import Version
from tests.campaign.faults.answers import BENIGN, FAULTS, LIES
from tests.campaign.faults.calls import Call, archive_calls, archivebox_calls
from tests.campaign.faults.figures import CERTAIN, Figures, show
from tests.campaign.faults.pages import OWN_PAGES, PAGES
from tests.campaign.faults.rest import REST, REST_LIES
from tests.campaign.faults.server import Fault, Loop
from tests.campaign.faults.station import Station, archive_station, archivebox_station
from tests.campaign.faults.watch import Watch
from tests.campaign.faults.wire import HARMLESS, THROTTLED, WIRE
from tests.campaign.faults.work import ARCHIVE_WORK, ARCHIVEBOX_WORK, Work, run_work

Json = dict[str, Any]
LONGEST_CALL = 25.0
"""Seconds after which a call hangs; silence, and retries of it, end long before."""
VERSIONS: tuple[Version, ...] = ("0.9.74", "0.9.73", "0.9.31", "0.8.5")


@dataclass(frozen=True)
class Kind:
    """A kind of fault: whether the API does what it is asked before, and whether a call may even
    notice."""

    name: str
    fault: Fault
    reached: bool = True
    harmless: bool = False


def _kinds(own: dict[str, Any], benign: frozenset[str]) -> list[Kind]:
    return [
        *(Kind(name, fault, harmless=name in benign) for name, fault in own.items()),
        *(Kind(name, fault, harmless=name in HARMLESS) for name, fault in WIRE.items()),
        *(Kind(name, fault, reached=False) for name, fault in {**PAGES, **THROTTLED}.items()),
        # What holds back an answer may have let the request through.
        *(
            Kind(f"{name}, behind it", fault)
            for name, fault in PAGES.items()
            if name not in OWN_PAGES
        ),
    ]


ARCHIVE_KINDS = _kinds(FAULTS, BENIGN)
ARCHIVEBOX_KINDS = _kinds(REST, frozenset())


class Hunter:
    """Injects faults and keeps the figures; files go into `folder`."""

    def __init__(self, loop: Loop, folder: Path, watch: Watch, seed: int) -> None:
        self.figures = Figures()
        self._loop = loop
        self._folder = folder
        self._watch = watch
        self._random = random.Random(seed)
        self._number = 0

    async def hunt_archive(self, count: int) -> None:
        """Inject that many faults into calls of Archive."""
        async with self.archive() as station:
            calls = archive_calls(await station.api.saved(), await _find_ids(station))
        for kind, call in self._pairs(ARCHIVE_KINDS, calls, count):
            async with self.archive() as station:
                await self._try_archive(station, kind, call)

    async def hunt_archivebox(self, count: int) -> None:
        """Inject that many faults into calls of ArchiveBoxes of several versions."""
        for version in VERSIONS:
            async with self.archivebox(version) as station:
                calls = await _find_calls(station)
            for kind, call in self._pairs(ARCHIVEBOX_KINDS, calls, count // len(VERSIONS)):
                async with self.archivebox(version) as station:
                    await self._try_archivebox(station, kind, call, version)

    async def hunt_work(self, count: int) -> None:
        """Inject that many faults into jobs and exports of both APIs."""
        pairs: list[tuple[Work, Kind]] = [
            *((work, kind) for work in ARCHIVE_WORK for kind in ARCHIVE_KINDS),
            *((work, kind) for work in ARCHIVEBOX_WORK for kind in ARCHIVEBOX_KINDS),
        ]
        for work, kind in self._random.sample(pairs, min(count, len(pairs))):
            if work in ARCHIVE_WORK:
                async with self.archive() as station:
                    await self._try_work(station, work, kind)
            else:
                async with self.archivebox("0.9.73") as station:
                    await self._try_work(station, work, kind)

    async def _try_work(self, station: Station, work: Work, kind: Kind) -> None:
        def is_meant(method: str, target: str, body: bytes) -> bool:
            return b"query Workspaces(" not in body and not target.endswith("/openapi.json")

        server = station.server
        server.is_meant, server.reached, server.fault = is_meant, kind.reached, kind.fault
        server.skip, server.left = self._random.randrange(6), self._random.randrange(1, 6)
        case = f"{work.name} / {kind.name} ({server.skip}, {server.left})"
        await self._forget()
        await run_work(work, station, self._folder, self.figures, case)
        self.figures.count(kind.name)
        self._judge_watch(case)

    async def _forget(self) -> None:
        """Let go of what was seen so far: building a station takes time that is nobody's fault."""
        await anyio.lowlevel.checkpoint()
        self._watch.take_lines()
        self._watch.take_stalls()

    @asynccontextmanager
    async def archive(self) -> AsyncIterator[Station]:
        """A fresh Archive, with the product in front of it."""
        async with archive_station(self._loop, self._next_folder()) as station:
            yield station

    @asynccontextmanager
    async def archivebox(self, version: Version) -> AsyncIterator[Station]:
        """A fresh ArchiveBox, with the product in front of it."""
        async with archivebox_station(self._loop, self._next_folder(), version) as station:
            yield station

    def _next_folder(self) -> Path:
        self._number += 1
        return self._folder / str(self._number)

    def _pairs(self, kinds: list[Kind], calls: list[Call], count: int) -> list[tuple[Kind, Call]]:
        pairs = [(kind, call) for kind in kinds for call in calls]
        return self._random.sample(pairs, min(count, len(pairs)))

    async def _try_archive(self, station: Station, kind: Kind, call: Call) -> None:
        def is_meant(method: str, target: str, body: bytes) -> bool:
            query = json.loads(body)["query"] if body else ""
            return query.startswith("mutation") if call.writes else "query Workspaces(" not in query

        await self.attempt(station, kind, call, f"{call.tool} / {kind.name}", is_meant)

    async def _try_archivebox(self, station: Station, kind: Kind, call: Call, version: str) -> None:
        def is_meant(method: str, target: str, body: bytes) -> bool:
            if target.endswith("/openapi.json"):
                return False
            return is_change(method, target, body) or not call.writes

        await self.attempt(station, kind, call, f"{version} {call.tool} / {kind.name}", is_meant)

    async def attempt(
        self,
        station: Station,
        kind: Kind,
        call: Call,
        case: str,
        is_meant: Callable[[str, str, bytes], bool],
    ) -> None:
        """Make one call with a fault in it, and judge what comes of it."""
        server = station.server
        server.is_meant, server.reached, server.fault = is_meant, kind.reached, kind.fault
        server.arrived.clear()
        await self._forget()
        failure: Failure | None = None
        try:
            with anyio.fail_after(LONGEST_CALL):
                result = await station.call(call.tool, call.arguments)
        except Failure as raised:
            failure = raised
        except TimeoutError:
            self.figures.blame("hang", case)
            return
        except Exception as error:  # noqa: BLE001 - whatever escapes is what is looked for
            self.figures.blame("crash", f"{case}: {error!r}")
            return
        else:
            self.figures.judge_result(result, case)
        self.figures.count(kind.name)
        if failure is not None:
            is_harmless = kind.harmless and failure.code is not Code.UNSUPPORTED
            self.figures.judge_failure(
                failure, case, harmless=is_harmless and server.faults_made > 0
            )
        self._judge_watch(case)
        if call.writes and server.faults_made:
            self._judge_write(station, kind, call, case, failure)

    def _judge_watch(self, case: str) -> None:
        for line in self._watch.take_lines():
            self.figures.judge_text(line, f"{case}, in the log")
            if "Traceback" in line or "fault in this server" in line:
                self.figures.blame("crash", f"{case}, in the log: {line[-600:]}")
        for seconds, what in self._watch.take_stalls():
            self.figures.blame("stall", f"{case}: {seconds:.2f} s in {what}")

    def _judge_write(
        self, station: Station, kind: Kind, call: Call, case: str, failure: Failure | None
    ) -> None:
        arrived = [
            request for request in station.server.arrived if station.server.is_meant(*request)
        ]
        if failure is None and not kind.reached and not arrived:
            self.figures.blame("untrue about a write", f"{case}: told as done, and was never sent")
        is_misled = kind.name in LIES | REST_LIES
        is_certain = failure is not None and failure.code in CERTAIN and not is_misled
        if failure is not None and kind.reached and arrived and is_certain:
            self.figures.blame("untrue about a write", f"{case}: {failure.code} {failure.message}")
        if call.once and len(arrived) > 1:
            self.figures.blame("doubled", f"{case}: sent {len(arrived)} times")


def _is_of_version(failure: Failure) -> bool:
    """Return whether a call fails on this version of the API without any fault, too."""
    return failure.code in (Code.UNSUPPORTED, Code.REJECTED)


def is_change(method: str, target: str, body: bytes) -> bool:
    """Return whether a request to an ArchiveBox changes something: some reads are posted, too."""
    reads = target.endswith(("/cli/search", "/cli/list", "_api_token")) or b'"quiet"' in body
    return method != "GET" and not reads


_IDS = (
    "{ items(first: 1) { nodes { originalUrl } } creators(first: 1) { nodes { id } } "
    "socialProfiles(first: 1) { nodes { id } } operations(first: 1) { nodes { id } } "
    "competitorBrands(first: 2, period: MONTH) { nodes { id } } }"
)


async def _find_ids(station: Station) -> Json:
    from server.sandbox import MAIN

    data = await station.api._asked(MAIN, _IDS)
    return {
        "url": data["items"]["nodes"][0]["originalUrl"],
        "creator": data["creators"]["nodes"][0]["id"],
        "profile": data["socialProfiles"]["nodes"][0]["id"],
        "operation": data["operations"]["nodes"][0]["id"],
        "brand": data["competitorBrands"]["nodes"][-1]["id"],
    }


async def _find_calls(station: Station) -> list[Call]:
    """Return the calls that this version of ArchiveBox answers, with ids of what is there."""

    async def rows(tool: str, **given: Any) -> list[Json]:
        try:
            nodes: list[Json] = (await station.call(tool, given)).structured["nodes"]
        except Failure:
            return []
        return nodes

    async def first(tool: str) -> str:
        nodes = await rows(tool)
        return str(nodes[0]["id"]) if nodes else "none"

    snapshots, tags = await rows("archivebox_list_snapshots"), await rows("archivebox_list_tags")
    ids = {
        "snapshot": snapshots[0]["id"] if snapshots else "none",
        "url": snapshots[0]["url"] if snapshots else "https://none.example/",
        "tag": str(tags[0]["id"]) if tags else "1",
        "tag_name": tags[0]["name"] if tags else "none",
        "crawl": await first("archivebox_list_crawls"),
        "archiveresult": await first("archivebox_list_archiveresults"),
        "machine": await first("archivebox_list_machines"),
        "binary": await first("archivebox_list_binaries"),
    }
    calls = archivebox_calls(ids)
    works = []
    for call in calls:
        if call.writes or await _works(station, call):
            works.append(call)
    return works


async def _works(station: Station, call: Call) -> bool:
    try:
        await station.call(call.tool, call.arguments)
    except Failure:
        return False
    return True


def describe(station: Station) -> str:
    """Return what arrived at a station's server, for looking at a case."""
    return show([(method, target) for method, target, _ in station.server.arrived])
