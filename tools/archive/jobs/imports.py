"""Import of many posts by their links."""

from __future__ import annotations

from math import ceil
from typing import Annotated, Any

from pydantic import Field

from server.archive.context import ArchiveContext
from server.archive.operations import Id, Workflow
from server.errors import Code, Failure
from server.jobs import JobRow, NewRecord
from server.text import count_noun, quote_title
from server.tool.confirmation import Preview
from server.tool.job import Plan, StartChange
from server.tool.request import Links, NewName
from server.tool.result import drop_empty
from tools.archive.collections import AddItemToCollections
from tools.archive.content.lookups import GetItemIdsByUrl
from tools.archive.content.uploads import UploadItemFromUrl
from tools.archive.items_source import AT_ONCE
from tools.archive.jobs.collections_targets import (
    list_collections,
    match_targets,
    resolve_names,
)
from tools.archive.jobs.imports_work import ImportWork, cut, look_up


class StartImport(StartChange[JobRow, ArchiveContext], Workflow[JobRow]):
    """Import many posts into Archive by their links (for one post use
    archive_upload_item_from_url). It skips posts that are there already, asks the user first,
    waits, and reports which posts arrived, are on their way or were refused. Returns the result or,
    if it takes longer, a job id."""

    operation = "import"
    title = "Import posts by their links"
    search_hint = (
        "bulk import, add all these posts, links from a spreadsheet, hundreds of tiktok links, "
        "missing posts, bring them into our library, put them into a folder, 50 links, batch "
        "upload, many urls at once, from a document, load them all, I've a list of instagram "
        "links, PR agency, which ones didn't work, 200, get them all in, bulk load, here are the "
        "links, monitoring, paste, ingest, upload all, onboard, sheet of links"
    )
    risk = "adds"
    repeatable = False
    verify = "{list_jobs} shows whether it was started."
    watch = "archive_mcp_get_job with {call} shows how it stands."

    urls: Annotated[Links, Field(min_length=1, max_length=5_000)] | None = Field(
        None, description="Links of the posts to import."
    )
    collection_names: list[NewName] | None = Field(
        None, description="Names of collections to put the posts into."
    )
    collection_ids: list[Id] | None = Field(None, description="Ids of such collections.")
    wait_minutes: int = Field(
        10, ge=0, le=120, description="Minutes to wait for the posts to arrive."
    )

    def check(self) -> None:
        if self.resume is None and not self.urls:
            raise Failure(
                Code.INVALID_ARGUMENT, "`urls` is missing.", "Give the links of the posts."
            )

    async def plan(self, context: ArchiveContext) -> Plan:
        links = self.links()
        into = await self._find_collections(context)
        statuses: list[str] = []
        for piece in cut(links):
            # Looked up before the question, so that the user confirms the number of real uploads.
            statuses += [entry["status"] for entry in (await look_up(context.api, piece)).values()]
        there, malformed = statuses.count("FOUND"), statuses.count("INVALID_URL")
        new = len(links) - there - malformed
        # What is in Archive already is put into the collections too, as the user would expect.
        filing = new + there if self.collections() else 0
        batches = ceil(len(links) / AT_ONCE)
        details = {
            "upload": new,
            "alreadyThere": there,
            "malformed": malformed,
            **self.collections(),
        }
        # With nothing to upload or to file there is nothing to confirm.
        preview = None
        if new or filing:
            preview = Preview(self._question(new, there, malformed, into), details)
        return Plan(
            f"Import of {count_noun(len(links), 'link')}",
            len(links),
            # Each batch is looked up twice: just before the upload, and after it.
            requests=new + filing + 2 * batches,
            credits=new * UploadItemFromUrl.cost
            + filing * AddItemToCollections.cost
            + 2 * batches * GetItemIdsByUrl.cost,
            records_known=[NewRecord(link) for link in links],
            preview=preview,
            details=details,
        )

    def work(self, context: ArchiveContext) -> ImportWork:
        return ImportWork(
            context,
            tool=self.tool_name(),
            links=self.links(),
            collections=self.collections(),
            wait_minutes=self.wait_minutes,
        )

    def links(self) -> list[str]:
        """Return the links, each once."""
        return list(dict.fromkeys(map(str.strip, self.urls or [])))

    def collections(self) -> dict[str, Any]:
        """Return where what arrives is put, as arguments; empty for nowhere."""
        return drop_empty(
            {"collectionNames": self.collection_names, "collectionIds": self.collection_ids}
        )

    def _question(self, new: int, there: int, malformed: int, collections: list[str]) -> str:
        question = f"Have Archive add {count_noun(new, 'post')} by link"
        aside = []
        if there:
            aside.append(f"{there} already there")
        if malformed:
            aside.append(f"{malformed} malformed")
        if aside:
            question += f" ({', '.join(aside)})"
        if collections:
            quoted = ", ".join(map(quote_title, collections))
            question += f", and put what is there then into {quoted}"
        return f"{question}?"

    async def _find_collections(self, context: ArchiveContext) -> list[str]:
        """Return the collections as the user reads them: full names, then ids.

        Raises:
            Failure: there is none of that name or id. It would be refused one item after another.
        """
        if not self.collections():
            return []
        names, ids = self.collection_names or [], self.collection_ids or []
        rows = await list_collections(context.api)
        match_targets(None, ids, rows, auto_create=False, partial=False)
        return [*resolve_names(names, rows), *ids]
