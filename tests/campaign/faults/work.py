"""Jobs and exports over an API whose answers are faulty for a while: in the end nothing is missing
and nothing was done twice."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

from server.errors import Code, Failure
from server.jobs.failures import REFUSED
from server.sandbox import MAIN
from tests.campaign.faults.figures import Figures
from tests.campaign.faults.station import Station

Json = dict[str, Any]
LONGEST_JOB = 60.0
"""Seconds after which a job hangs."""
MOST_RESUMES = 4
TARGET = "Campaign"
LINKS = [f"https://www.tiktok.com/@mia.stone/video/73111111111111111{n:02}" for n in range(6)]
_ALL = "{ items(first: 100%s) { nodes { id } pageInfo { endCursor hasNextPage } } }"
_MEMBERS = '{ items(first: 100, filter: {collectionsIds: ["%s"]}) { nodes { id } } }'
_CHANGED = "mutation"


@dataclass(frozen=True)
class Outcome:
    """How a job ended, as it is told; `twice` are changes that were sent more than once though
    they must not be."""

    row: Json
    station: Station
    folder: Path

    @property
    def told(self) -> str:
        """Everything that the job says."""
        return json.dumps(self.row)


Check = Callable[[Outcome, Figures, str], Awaitable[None]]


@dataclass(frozen=True)
class Work:
    """A tool that starts a job, its arguments, and the check of what came of it."""

    name: str
    tool: str
    arguments: Callable[[Station], Awaitable[Json]]
    check: Check


async def run_work(work: Work, station: Station, folder: Path, figures: Figures, case: str) -> None:
    """Start a job, resume it while it pauses, and check what came of it."""
    try:
        with anyio.fail_after(LONGEST_JOB):
            row = await _follow(work, station, figures, case)
    except TimeoutError:
        figures.blame("hang", case)
        return
    except Failure as failure:
        # Before the job was started: nothing was promised.
        figures.judge_failure(failure, case)
        return
    if row["state"] == "failed" and row["error"]["code"] in REFUSED:
        # It says so: the API refused, however wrongly.
        return
    if row["state"] != "done":
        figures.blame("lost", f"{case}: the job ended as {row['state']}: {row.get('error')}")
        return
    await work.check(Outcome(row, station, folder), figures, case)


async def _follow(work: Work, station: Station, figures: Figures, case: str) -> Json:
    result = await station.call(work.tool, await work.arguments(station))
    for _ in range(MOST_RESUMES):
        figures.judge_result(result, case)
        row = result.structured
        while row["state"] == "running":
            given = {"id": row["jobId"], "wait": 20}
            row = (await station.call("archive_mcp_get_job", given)).structured
        if error := row.get("error"):
            _judge_error(figures, error, case)
        if row["state"] != "paused":
            return row
        # Whatever was wrong is over, and somebody goes on.
        station.server.heal()
        result = await station.call(work.tool, {"resume": row["jobId"]})
    return result.structured


def _judge_error(figures: Figures, error: Json, case: str) -> None:
    failure = Failure(Code(error["code"]), error["message"], error.get("hint", ""))
    figures.judge_failure(failure, case)


async def _items(station: Station) -> list[str]:
    ids: list[str] = []
    after = ""
    while True:
        page = (await station.api._asked(MAIN, _ALL % after))["items"]
        ids += [node["id"] for node in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            return ids
        after = f', after: "{page["pageInfo"]["endCursor"]}"'


def _judge_rows(
    rows: list[str], expected: list[str], out: Outcome, figures: Figures, case: str
) -> None:
    """Compare the keys of a file's rows with those that there are."""
    twice = [key for key, times in Counter(rows).items() if times > 1]
    if twice:
        figures.blame("doubled", f"{case}: {len(twice)} rows of {len(rows)}")
    missing = set(expected) - set(rows)
    if missing and not any(word in out.told for word in ("counted", "came twice", "could not")):
        figures.blame("lost", f"{case}: {len(missing)} rows of {len(expected)}")


def _read_ids(out: Outcome, *columns: str) -> list[str]:
    """Return what tells the rows of the job's file apart."""
    names = columns or ("id",)
    path = Path(out.row["result"]["path"])
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [" ".join(row[name] for name in names) for row in csv.DictReader(file)]
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [" ".join(line[name] for name in names) for line in lines]


def _times_sent(out: Outcome, name: str, pick: Callable[[Json], list[str]]) -> Counter[str]:
    """Return how often each key was sent with a change of that name."""
    bodies = [json.loads(body) for _, _, body in out.station.server.arrived if body]
    return Counter(
        key
        for sent in bodies
        if sent["query"].startswith(f"mutation {name}")
        for key in pick(sent["variables"])
    )


async def _check_export(out: Outcome, figures: Figures, case: str) -> None:
    _judge_rows(_read_ids(out), await _items(out.station), out, figures, case)


async def _check_timelines(out: Outcome, figures: Figures, case: str) -> None:
    _judge_rows(_read_ids(out, "itemId", "at"), [], out, figures, case)


async def _check_members(out: Outcome, figures: Figures, case: str) -> None:
    saved = await out.station.api.saved()
    collection = saved.ids.get(f"collections/{TARGET}")
    expected = set((await _items(out.station))[:12])
    if collection is None:
        figures.blame("lost", f"{case}: the collection was never made")
        return
    held = await out.station.api._asked(MAIN, _MEMBERS % collection)
    missing = expected - {node["id"] for node in held["items"]["nodes"]}
    unknown = out.row["records"].get("unknown", 0) + out.row["records"].get("failed", 0)
    if len(missing) > unknown:
        figures.blame("lost", f"{case}: {len(missing)} of 12 items, {unknown} of them told")
    names = Counter(row["name"] for row in saved.records.values() if row.get("name") == TARGET)
    if names[TARGET] > 1:
        figures.blame("doubled", f"{case}: {names[TARGET]} collections")


async def _check_refresh(out: Outcome, figures: Figures, case: str) -> None:
    sent = _times_sent(out, "RefetchEngagementBulk", lambda given: given["itemIds"])
    if twice := [key for key, times in sent.items() if times > 1]:
        figures.blame("doubled", f"{case}: {len(twice)} items were paid twice")
    told = out.row["result"]["summary"]["accepted"]
    if told > sum(sent.values()):
        figures.blame("untrue about a write", f"{case}: {told} told as accepted")


async def _check_import(out: Outcome, figures: Figures, case: str) -> None:
    sent = _times_sent(out, "UploadItemFromUrl", lambda given: [given["input"]["url"]])
    if twice := [key for key, times in sent.items() if times > 1]:
        figures.blame("doubled", f"{case}: {len(twice)} links were uploaded twice")
    _judge_records(out, len(LINKS), sum(sent.values()), figures, case)


def _judge_records(out: Outcome, expected: int, sent: int, figures: Figures, case: str) -> None:
    """Blame records that are told as done and were never sent."""
    done = out.row["records"].get("done", 0)
    total = sum(number for name, number in out.row["records"].items() if name != "total")
    if done > sent:
        figures.blame("untrue about a write", f"{case}: {done} told as done, {sent} were sent")
    if total < expected:
        figures.blame("lost", f"{case}: {total} of {expected} records are told of")


async def _with_items(station: Station, **more: Any) -> Json:
    return {"itemIds": (await _items(station))[:12], **more}


async def _plainly(**arguments: Any) -> Json:
    return arguments


ARCHIVE_WORK = (
    Work(
        "export of items as CSV",
        "archive_start_export",
        lambda station: _plainly(search={}, name="all"),
        _check_export,
    ),
    Work(
        "export of items as JSON Lines",
        "archive_start_export",
        lambda station: _plainly(search={}, format="jsonl", fields=["caption"]),
        _check_export,
    ),
    Work(
        "timelines",
        "archive_start_engagement_job",
        lambda station: _with_items(station, mode="timelines"),
        _check_timelines,
    ),
    Work(
        "collection job",
        "archive_start_collection_job",
        lambda station: _with_items(
            station, action="add", collectionNames=[TARGET], autoCreate=True
        ),
        _check_members,
    ),
    Work(
        "paid refresh",
        "archive_start_engagement_job",
        lambda station: _with_items(station, mode="refresh"),
        _check_refresh,
    ),
    Work(
        "import",
        "archive_start_import",
        lambda station: _plainly(urls=LINKS, waitMinutes=0),
        _check_import,
    ),
)
"""The jobs of Archive."""


async def _pages(station: Station) -> list[str]:
    given = {"limit": 1000}
    nodes = (await station.call("archivebox_list_snapshots", given)).structured["nodes"]
    return [node["id"] for node in nodes]


async def _check_pages(out: Outcome, figures: Figures, case: str) -> None:
    out.station.server.heal()
    _judge_rows(_read_ids(out), await _pages(out.station), out, figures, case)


async def _check_saved(out: Outcome, figures: Figures, case: str) -> None:
    sent = Counter(
        body for method, target, body in out.station.server.arrived if target.endswith("/cli/add")
    )
    if twice := [key for key, times in sent.items() if times > 1]:
        figures.blame("doubled", f"{case}: {len(twice)} requests to save were sent twice")


async def _check_removed(out: Outcome, figures: Figures, case: str) -> None:
    arrived = [target for method, target, _ in out.station.server.arrived if method == "DELETE"]
    records = out.row["records"]
    told = sum(records.get(state, 0) for state in ("done", "unknown", "failed"))
    if told < records["total"]:
        figures.blame("lost", f"{case}: {told} of {records['total']} pages are told of")
    if records.get("done", 0) > len(set(arrived)):
        figures.blame("untrue about a write", f"{case}: {records} told, {len(set(arrived))} sent")


EARLIER = {"until": "2100-01-01"}
ARCHIVEBOX_WORK = (
    Work(
        "export of pages as CSV",
        "archivebox_start_export",
        lambda station: _plainly(name="pages"),
        _check_pages,
    ),
    Work(
        "export of pages as JSON Lines",
        "archivebox_start_export",
        lambda station: _plainly(format="jsonl"),
        _check_pages,
    ),
    Work(
        "save",
        "archivebox_start_save",
        lambda station: _plainly(action="save", urls=LINKS, wait_minutes=0),
        _check_saved,
    ),
    Work(
        "remove",
        "archivebox_start_remove",
        lambda station: _plainly(query=EARLIER),
        _check_removed,
    ),
)
"""The jobs of ArchiveBox."""
