"""Verdicts on pages of every kind, against the truth, on real servers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from tests.support.archivebox.browser import chromium_or_skip
from tests.support.archivebox.install import Installed, Version, installed_or_skip
from tests.support.archivebox.kinds import IMPORTANT, KINDS, Truth, served_kinds
from tests.support.archivebox.server import real_archivebox
from tests.support.archivebox.stored import Stored
from tests.support.archivebox.table import make_table
from tests.support.archivebox.targets import Target, over_real

Json = dict[str, Any]

WITH_BROWSER = "0.8.5 with Chromium"
"""It also archives a page by a browser: as PDF, picture and DOM."""

UNSAID: Mapping[str, frozenset[str]] = {
    # It keeps no sizes of files, so that only reading the page shows that it is empty; its wget
    # tries until its time is over, and that is what it says.
    "0.8.5": frozenset({"empty", "cut.html"}),
    WITH_BROWSER: frozenset({"empty", "cut.html"}),
}
"""Pages of a version whose verdict is true without a reason."""

_SAVED: Mapping[str, Truth] = {"saved": "good", "partly": "good", "failed": "bad"}
_CHECKED: Mapping[str, Truth] = {"good": "good", "noOutput": "bad"}
_LISTED: Mapping[str, Truth] = {"saved": "good", "partly": "good", "failed": "bad"}


@pytest.mark.parametrize(
    ("version", "names"),
    [
        pytest.param("0.9.73", IMPORTANT, id="0.9.73-important"),
        pytest.param("0.9.73", tuple(KINDS), id="0.9.73-all", marks=pytest.mark.campaign),
        pytest.param("0.9.31", tuple(KINDS), id="0.9.31-all", marks=pytest.mark.campaign),
        pytest.param("0.8.5", tuple(KINDS), id="0.8.5-all", marks=pytest.mark.campaign),
        pytest.param(WITH_BROWSER, tuple(KINDS), id="0.8.5-chromium", marks=pytest.mark.campaign),
    ],
)
async def test_a_verdict_is_the_truth(
    version: str,
    names: tuple[str, ...],
    pages: Mapping[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    with served_kinds() as site, real_archivebox(_install(version), pages) as real:
        urls = {name: site[name] for name in names}
        async with (
            over_real(real) as plain,
            plain.connect(ARCHIVEBOX_API_KEY=real.key, ARCHIVE_MCP_STATE_DIR=str(tmp_path)) as one,
        ):
            target = replace(plain, calls=one)
            saved = await _save(target, list(urls.values()))
            checked = await _run_job(target, action="check", urls=list(urls.values()))
            listed = await target.every("list_snapshots", with_archiveresults=True)
        verdicts = {
            "save": _read(saved, _SAVED, urls),
            "check": _read(checked, _CHECKED, urls),
            "list": _tell(((page["url"], page["outcome"]) for page in listed), _LISTED, urls),
        }
        right = {(way, name): _right(name, version) for way in verdicts for name in names}
        told = {row["url"]: str(row.get("reason", "")) for row in _rows(saved)}
        said = {name: told.get(url, "") for name, url in urls.items()}
        table = make_table(Stored(real), urls, verdicts, said, right)
    # The figures of a campaign, whatever is captured.
    if request.node.get_closest_marker("campaign"):
        with capsys.disabled():
            print(f"\n{table}\n")

    wrong = {
        (way, name): verdicts[way].get(name, "not told")
        for way, name in right
        if verdicts[way].get(name, "not told") not in right[way, name]
    }
    assert wrong == {}
    reasons = {page["url"]: page.get("reason") or "" for page in listed}
    assert all(reasons[urls[name]] for name in names if KINDS[name].truth == "bad")
    # What only the site's own answer tells is looked up by jobs, not by lists.
    untold = [
        name
        for name, url in urls.items()
        if name not in UNSAID.get(version, ())
        and KINDS[name].hint not in f"{told.get(url)} {reasons[url]}"
    ]
    assert untold == []


def _install(version: str) -> Installed:
    if version != WITH_BROWSER:
        return installed_or_skip(cast("Version", version))
    installed = installed_or_skip("0.8.5")
    path = f"{installed.programs}:{chromium_or_skip()}:{os.defpath}"
    plugins = dict.fromkeys(("DOM", "PDF", "SCREENSHOT"), "True")
    switches = {f"{verb}_{name}": on for name, on in plugins.items() for verb in ("FETCH", "SAVE")}
    return replace(installed, settings={**switches, "PATH": path, "CHROME_SANDBOX": "False"})


def _right(name: str, version: str) -> set[str]:
    # Its wget and its browser give up on it; whether a text was drawn from the part differs by run.
    if (version, name) == (WITH_BROWSER, "cut.html"):
        return {"good", "bad"}
    return {KINDS[name].truth}


async def _save(target: Target, urls: list[str]) -> Json:
    """The result of the job that saves pages, which are archived meanwhile."""
    results: list[Json] = []

    async def save() -> None:
        order = {"urls": urls, "tags": ["kinds"], "wait_minutes": 30}
        results.append(await _run_job(target, action="save", **order))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(save)
        while target.version != "0.8.5" and not results:
            # A long list is added in parts, each a crawl of its own.
            for crawl in await target.every("list_crawls"):
                if crawl["status"] != "sealed":
                    await _archive(target, crawl["id"])
            await anyio.sleep(0.5)
    return results[0]


async def _archive(target: Target, crawl: str) -> None:
    """Archive the pages of a crawl; where the runner gives up, as 0.9.31's does on a busy machine,
    once more."""
    for is_last in (False, False, True):
        try:
            await target.archive(crawl)
        except RuntimeError:
            if is_last:
                raise
        else:
            return


async def _run_job(target: Target, **order: Any) -> Json:
    """The result of a job, which may take several calls."""
    told = await target.call("start_save", **order)
    while "result" not in told:
        told = await target.call("start_save", action=order["action"], resume=told["jobId"])
    result: Json = told["result"]
    return result


def _read(result: Json, meaning: Mapping[str, Truth], urls: Mapping[str, str]) -> dict[str, str]:
    """Name of a page -> what the groups of a job's result say about it."""
    groups = ((group, row) for group, pages in result.items() for row in _rows({group: pages}))
    return _tell(((row["url"], group) for group, row in groups), meaning, urls)


def _rows(result: Json) -> list[Json]:
    """The pages in all groups of a job's result."""
    groups = [pages for pages in result.values() if isinstance(pages, list)]
    return [row for pages in groups for row in pages if isinstance(row, dict) and "url" in row]


def _tell(
    rows: Iterable[tuple[str, str]], meaning: Mapping[str, Truth], urls: Mapping[str, str]
) -> dict[str, str]:
    names = {url: name for name, url in urls.items()}
    return {names[url]: meaning.get(word, word) for url, word in rows if url in names}
