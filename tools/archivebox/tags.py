"""Tags: find, make, rename, delete, put on and take off pages, export."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.context import ArchiveBoxContext
from server.archivebox.endpoints import Change, Confirmed, Get, Text
from server.archivebox.pagination import (
    Paged,
    Record,
    every,
    refuse_ambiguous,
)
from server.errors import Code, Failure
from server.text import quote_title
from server.tool.confirmation import Preview
from server.tool.names import find_matches, suggest
from server.tool.request import Risk
from server.tool.result import BUDGET, Result, whole
from tools.archivebox import records
from tools.archivebox.records import (
    Deleted,
    Exported,
    Report,
    Tag,
)
from tools.archivebox.snapshots.lookup import one_snapshot
from tools.archivebox.tag_names import TagName

_MOST_TAGS = 20_000
_MOST_COMPLETED = 20
"""Tags that the server completes with at most (50 where nothing is to be completed)."""


class ListTags(Paged[Tag]):
    """List all tags (labels) of ArchiveBox with the number of pages each has."""

    operation = "GET /core/tags"
    title = "List tags"
    search_hint = (
        "which labels do I use, topics, categories, how many pages per label, most used labels, "
        "number of bookmarks of each label, which labels exist, how often is each label used, "
        "label counts, what labels are we using for the web archive, all tags, how many pages per "
        "tag"
    )

    def one(self, record: Record) -> Record:
        return records.tag(record)


class GetTag(Get[Tag]):
    """Get one tag (label) by id or exact name. For its pages use archivebox_list_snapshots with
    `tag`."""

    operation = "GET /core/tag/{tag_id}"
    title = "Get a tag"
    search_hint = (
        "one label, details of a label, when was the label made, count of bookmarks with a topic, "
        "how many pages are labelled, info about the label, id of the label, look up the label, "
        "how many stored pages carry the label"
    )

    tag_id: Text = Field(description="Id or exact name.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        # Reading may go by a part of a name; what changes or deletes may not.
        self.tag_id = str((await one_tag(context.api, self.tag_id, partial=True))["id"])
        # Without this the answer carries every page of the tag.
        return whole(records.tag(await context.api.get(self.path(), with_snapshots=False)))


class SearchTags(Get[Tag]):
    """Search tags (labels) by a part of their name, with some of their pages."""

    operation = "GET /core/tags/search/"
    title = "Search tags"
    search_hint = (
        "find labels, search labels by name, labels containing, labels made this year, labels "
        "without pages, unused labels, empty labels, topic, labels with the word, labels nobody "
        "uses, newest labels, label that contains, which labels did I make, similar labels, do I "
        "have any label with, have a label that contains, tags containing, tags like"
    )
    since = "0.9.31"
    use = "Use {GET /core/tags}."

    q: str = Field("", description="Part of the name.")
    sort: Text | None = Field(None, description="Such as created_desc or name_asc.")
    created_by: Text | None = Field(None, description="Name of who made it.")
    year: Text | None = Field(None, description="Year it was made.")
    has_snapshots: Literal["all", "yes", "no"] | None = Field(
        None, description="Whether tags have pages."
    )

    def present(self, result: Any) -> dict[str, Any]:
        tags = [_card(tag) for tag in result.get("tags", [])]
        return {"nodes": tags, "totalCount": len(tags), "nextCursor": None}


class AutocompleteTags(Get[Tag]):
    """Complete the beginning of a tag's name."""

    operation = "GET /core/tags/autocomplete/"
    title = "Complete a tag's name"
    search_hint = (
        "labels starting with, label begins with, beginning, suggestions, typing, prefix, what "
        "labels start with, suggest labels, which tags could it be, starts with, do I have any "
        "label with"
    )
    since = "0.9"
    use = "Use {GET /core/tags}."

    q: str = Field("", description="Beginning of the name.")

    def present(self, result: Any) -> dict[str, Any]:
        tags = [records.tag(tag) for tag in result.get("tags", [])]
        # Fewer than the server's most: these are all, and the total is known.
        if len(tags) < _MOST_COMPLETED:
            return {"nodes": tags, "totalCount": len(tags), "nextCursor": None}
        notes = ["ArchiveBox completes with a few tags only: archivebox_list_tags lists all."]
        return {"nodes": tags, "totalCount": None, "nextCursor": None, "notes": notes}


class CreateTag(Change[Tag]):
    """Create a tag (label), or get the one of that name; capitals do not matter. Tagging a page
    creates its tag too."""

    operation = "POST /core/tags/create/"
    title = "Create a tag"
    search_hint = (
        "new empty label, make a label, set up a label called, add a label to choose from, new "
        "topic, category, make a label for saved pages"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = True
    since = "0.9"
    verify = "list the tags ({GET /core/tags})."

    name: TagName = Field(description="Name of the tag.")


class RenameTag(Change[Tag]):
    """Rename a tag (label) on all its pages."""

    operation = "POST /core/tag/{tag_id}/rename"
    title = "Rename a tag"
    search_hint = (
        "misspelled label, label should be called, fix a typo in a label, change label "
        "everywhere, spelling, merge into a better name, topic, should be spelled, label is "
        "wrong, call the label, capital letter"
    )
    risk: ClassVar[Risk] = "changes"
    repeatable = True
    since = "0.9.31"
    verify = "list the tags ({GET /core/tags})."

    tag_id: Text = Field(description="Id or exact name.")
    name: TagName = Field(description="New name of the tag.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        # The endpoint takes numbers only, so a name is looked up first.
        self.tag_id = str((await one_tag(context.api, self.tag_id))["id"])
        return await super().run(context)


class DeleteTag(Confirmed[Deleted]):
    """Delete a tag (label); its pages stay. The user is asked first."""

    operation = "DELETE /core/tag/{tag_id}"
    title = "Delete a tag"
    search_hint = (
        "get rid of the label, remove a label everywhere, pages can stay, keep the pages, drop a "
        "label, bin, unused label, topic, remove the label completely, kill the label"
    )
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    since = "0.9.31"
    verify = "list the tags ({GET /core/tags})."

    tag_id: Text = Field(description="Id or exact name.")

    async def prepare(self, context: ArchiveBoxContext) -> None:
        await super().prepare(context)
        # The exact name alone: a part of one must not choose what is deleted.
        self.tag_id = str((await one_tag(context.api, self.tag_id))["id"])

    async def preview(self, context: ArchiveBoxContext) -> Preview:
        tag = await one_tag(context.api, self.tag_id)
        pages = tag.get("num_snapshots", 0)
        return Preview(
            f"Delete the tag {quote_title(tag['name'])} from {pages} saved pages? The pages stay.",
            {"tag": tag["name"], "id": tag["id"], "snapshots": pages},
        )


class _OnSnapshot(Change[Report]):
    """A change of one page's tags."""

    since = "0.9"

    snapshot_id: Text = Field(description="Id, unique part of it, or URL.")
    tag_name: Text | None = Field(None, description="Name of the tag.")
    tag_id: int | None = Field(None, ge=1, description="Its id, instead of the name.")

    def check(self) -> None:
        if (self.tag_name is None) == (self.tag_id is None):
            raise Failure(
                Code.INVALID_ARGUMENT, "Give either `tag_name` or `tag_id`.", "A name is enough."
            )

    async def run(self, context: ArchiveBoxContext) -> Result:
        # The server takes the first match of an ambiguous id without a word.
        self.snapshot_id = str((await one_snapshot(context.api, self.snapshot_id))["id"])
        return await super().run(context)


class TagSnapshot(_OnSnapshot):
    """Put a tag (label) on a saved page; it is created if there is none. For many pages use
    archivebox_start_save."""

    operation = "POST /core/tags/add-to-snapshot/"
    title = "Tag a page"
    search_hint = (
        "put a label on a page, add a label to a bookmark, mark a saved page as, categorise, "
        "categorize, file under a topic, give this article the label, flag, saved article"
    )
    risk: ClassVar[Risk] = "adds"
    repeatable = True
    use = "On 0.8.5 pages are tagged when they are added ({POST /cli/add})."
    verify = "get the snapshot again; tagging twice is harmless."

    tag_name: TagName | None = Field(None, description="Name of the tag.")


class UntagSnapshot(_OnSnapshot):
    """Take a tag (label) off a saved page; the tag itself stays."""

    operation = "POST /core/tags/remove-from-snapshot/"
    title = "Untag a page"
    search_hint = (
        "take a label off a page, remove the label from a bookmark, wrong label on a page, "
        "unlabel, not about that topic, strip the label from an article, page shouldn't have the "
        "label, remove label from this page, mislabelled, wrongly labelled, any more, no longer "
        "tagged"
    )
    risk: ClassVar[Risk] = "removes"
    repeatable = True
    verify = "get the snapshot again; untagging twice is harmless."


class ExportTagUrls(Get[Exported]):
    """Export the URLs of a tag's pages as text, one a line, each once."""

    operation = "GET /core/tag/{tag_id}/urls.txt"
    title = "Export a tag's URLs"
    most_characters = 200_000
    search_hint = (
        "links with a label, plain list of addresses, text file of links, copy the links, link "
        "list of a topic, addresses of everything labelled, one per line, send me the links "
        "about, paste, stored pages, just the links"
    )
    since = "0.9.31"
    use = "List its pages ({GET /core/snapshots} with `tag`)."

    tag_id: Text = Field(description="Id or exact name.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        return await _export(self, context.api)


class ExportTagSnapshots(Get[Exported]):
    """Export a tag's pages as JSON lines, with all details. For a file use
    archivebox_start_export."""

    operation = "GET /core/tag/{tag_id}/snapshots.jsonl"
    title = "Export a tag's pages"
    most_characters = 200_000
    search_hint = (
        "pages of a label as json lines, jsonl, hand over pages of a topic, machine readable, one "
        "label's bookmarks with details, everything labelled with all details, full records, dump "
        "of a label, for a script"
    )
    since = "0.9.31"
    use = "List its pages ({GET /core/snapshots} with `tag`)."

    tag_id: Text = Field(description="Id or exact name.")

    async def run(self, context: ArchiveBoxContext) -> Result:
        return await _export(self, context.api)


async def one_tag(api: ArchiveBoxApi, reference: str, *, partial: bool = False) -> Record:
    """Return the tag of that id or name; `partial` also takes a unique part of a name.

    Raises:
        Failure: `NOT_FOUND`, or `AMBIGUOUS` with the candidates.
    """

    async def fetch(offset: int, count: int) -> tuple[list[Record], int]:
        answer = await api.get("/core/tags", limit=count, offset=offset)
        return answer["items"], int(answer["total_items"])

    # Tags are small, so this is the largest page that the server gives.
    tags, _ = await every(fetch, _MOST_TAGS, page=500)
    # Matched here, over all tags, so that a mistyped name gets a suggestion.
    answer = find_matches(
        reference,
        tags,
        name=lambda tag: str(tag["name"]),
        identity=lambda tag: str(tag["id"]),
        partial=partial,
    )
    if not answer:
        raise Failure(
            Code.NOT_FOUND,
            "There is no tag "
            f"{reference!r}.{suggest(reference, (str(tag['name']) for tag in tags))}",
            "{GET /core/tags} lists the tags.",
        )
    refuse_ambiguous(answer, "tags")
    return answer[0]


async def _export(request: ExportTagUrls | ExportTagSnapshots, api: ArchiveBoxApi) -> Result:
    tag = await one_tag(api, request.tag_id, partial=True)
    request.tag_id = str(tag["id"])
    # A page that was saved several times is a URL several times.
    lines = [*dict.fromkeys((await api.text(request.path())).splitlines())]
    cached: list[str] = []
    size = 0
    for line in lines:
        # Two more for the line break, as JSON writes it.
        size += len(line) + 2
        if size > BUDGET:
            break
        cached.append(line)
    cut = [
        f"Cut: {len(cached)} of {len(lines)} lines fit; page through the tag's snapshots for all."
    ]
    return whole(
        {
            "text": "\n".join(cached),
            "lines": len(lines),
            **({"notes": cut} if len(cached) < len(lines) else {}),
        }
    )


def _card(card: dict[str, Any]) -> dict[str, Any]:
    pages = [
        {name: snapshot.get(name) for name in ("id", "title", "url")}
        for snapshot in card.get("snapshots", [])[:5]
    ]
    return {
        "id": card["id"],
        "name": card["name"],
        "num_snapshots": card.get("num_snapshots"),
        "snapshots": pages,
    }
