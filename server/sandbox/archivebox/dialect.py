"""In what the imitated releases differ, beside their descriptions; observed on servers of
each release."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Version = Literal["0.9.73", "0.9.74", "0.9.31", "0.8.5"]


@dataclass(frozen=True)
class Dialect:
    """How one release behaves where the releases differ. Every boolean is a behaviour that some
    releases have and others lack.

    Ids:
        compact_ids: ids are 32 hexadecimal digits, else with dashes.
        exact_ids_first: a whole id means the object with this id, else it is a text that ids may
            contain.
        matches_id_ends: a part of an id is its beginning or its end, else any part of it.

    Snapshots:
        statuses: what a snapshot can be.
        loose_statuses: case does not matter, and empty means none.
        status_filter: `status` filters snapshots, else it is ignored.
        searches_contents: search looks into the pages' text.
        names_crawl: a snapshot says which crawl and persona it is of.
        checks_urls: what is no web address is refused.
        adds_later: snapshots appear some seconds after adding.
        deletes_later: deleting only queues.
        permissions: each snapshot is public or private, else all are the same.
        separates_replay: the page about a snapshot and its files have addresses of their own that
            redirect to each other.
        serves_raw: files asked for raw come as they are, else some come in another form.

    Tags:
        merges_tags: a crawl's tags stay on its snapshots.
        counts_suggestions: suggested tags say how many snapshots they have, else always none.
        previews_tags: cards of tags show their latest snapshots.

    Crawls:
        copies_config: a crawl carries the whole configuration of the server, else limits and what
            was set for it.
        locks_crawls: changes to a crawl wait while it runs.
        reruns_sealed: the runner looks once more at a crawl that somebody seals.
        redirects_crawl_feed: the feed of a crawl is the feed of snapshots with a filter.

    Others:
        filters_commands: commands select by every field of a snapshot, else by patterns and dates.
        wraps_listings: a command's listing can come with a head around it.
        paginates_personas: personas come in pages.
        writes_empty_files: syncing a persona writes every file that was sent, also an empty one.
        masks_secrets: secrets in configurations are masked.
        accepts_basic: a user name and password are accepted on every request.
    """

    version: Version
    release: str
    compact_ids: bool = False
    exact_ids_first: bool = False
    matches_id_ends: bool = False
    statuses: tuple[str, ...] = ("queued", "started", "sealed")
    loose_statuses: bool = False
    status_filter: bool = False
    searches_contents: bool = False
    names_crawl: bool = False
    checks_urls: bool = False
    adds_later: bool = False
    deletes_later: bool = False
    permissions: bool = False
    separates_replay: bool = False
    serves_raw: bool = False
    merges_tags: bool = False
    counts_suggestions: bool = False
    previews_tags: bool = False
    copies_config: bool = False
    locks_crawls: bool = False
    reruns_sealed: bool = False
    redirects_crawl_feed: bool = False
    filters_commands: bool = False
    wraps_listings: bool = False
    paginates_personas: bool = False
    writes_empty_files: bool = False
    masks_secrets: bool = False
    accepts_basic: bool = False

    @property
    def old(self) -> bool:
        """Whether the API is the one before 0.9: other field names, ABIDs beside the ids, and
        commands that work while the caller waits."""
        return self.version == "0.8.5"


_NEWEST = Dialect(
    "0.9.73",
    "0.9.73",
    compact_ids=True,
    exact_ids_first=True,
    matches_id_ends=True,
    statuses=("queued", "started", "paused", "sealed", "deleting"),
    loose_statuses=True,
    status_filter=True,
    searches_contents=True,
    names_crawl=True,
    checks_urls=True,
    adds_later=True,
    deletes_later=True,
    permissions=True,
    separates_replay=True,
    serves_raw=True,
    merges_tags=True,
    counts_suggestions=True,
    copies_config=True,
    locks_crawls=True,
    reruns_sealed=True,
    redirects_crawl_feed=True,
    filters_commands=True,
    paginates_personas=True,
    writes_empty_files=True,
    masks_secrets=True,
)


DIALECTS: dict[str, Dialect] = {
    "0.9.74": replace(_NEWEST, version="0.9.74", release="0.9.74rc408"),
    "0.9.73": _NEWEST,
    # Each version stands for the release whose description and behaviour were recorded.
    "0.9.31": Dialect("0.9.31", "0.9.31rc1", previews_tags=True, wraps_listings=True),
    "0.8.5": Dialect("0.8.5", "0.8.5rc51", accepts_basic=True),
}
