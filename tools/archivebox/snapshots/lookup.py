"""Which saved page a caller means: by id, a part of one, timestamp, or URL."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import quote

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.pagination import Record, every, refuse_ambiguous
from server.errors import Code, Failure
from server.text import show_url
from tools.archivebox.listing import pages, stored_urls
from tools.archivebox.shapes import plain_id

_WHOLE_ID = re.compile(r"[0-9a-f]{32}\Z", re.IGNORECASE)
_PATH = "/core/snapshot/"


async def one_snapshot(
    api: ArchiveBoxApi, reference: str, *, with_archiveresults: bool = False
) -> Record:
    """Return the snapshot behind an id, a unique part of one, a timestamp, or its URL.

    Raises: Failure: `NOT_FOUND`; `AMBIGUOUS` with the candidates, which 0.8.5 would answer with
        just any of them.
    """
    if is_url(reference):
        return await _by_url(api, reference, with_archiveresults=with_archiveresults)
    # A whole id needs no list to be looked through.
    if _WHOLE_ID.match(plain_id(reference)):
        return await read_snapshot(api, reference, with_archiveresults=with_archiveresults)
    # Ten candidates are shown, so one more is enough to know.
    candidates, _ = await every(pages(api, {"id": reference}), 11)
    if len(candidates) > 1:
        # The timestamp of one page may be the start of another's.
        same = list(filter(partial(_has_id, reference), candidates))
        refuse_ambiguous(same or candidates, "saved pages")
        candidates = same
    for candidate in candidates:
        return await _complete(api, candidate, with_archiveresults=with_archiveresults)
    # 0.8.5 would answer with any page that has this somewhere in its id.
    if not api.description.has("PATCH /core/snapshot/{}"):
        raise Failure(
            Code.NOT_FOUND,
            f"There is no saved page {reference!r}.",
            "Give the beginning or end of its id.",
        )
    return await read_snapshot(api, reference, with_archiveresults=with_archiveresults)


async def _complete(api: ArchiveBoxApi, listed: Record, *, with_archiveresults: bool) -> Record:
    """Return a snapshot of the list, with its outputs where they are asked for."""
    if not with_archiveresults:
        return listed
    return await read_snapshot(api, str(listed["id"]), with_archiveresults=True)


def is_url(reference: str) -> bool:
    """Return whether a reference to a snapshot is the URL of its page."""
    return reference.strip().lower().startswith(("http://", "https://"))


async def resolve_url(api: ArchiveBoxApi, reference: str) -> str:
    """Return the id of the snapshot where a reference is its URL; any other as it is.

    Raises: Failure: `NOT_FOUND`; `AMBIGUOUS` where the page was saved several times.
    """
    return str((await one_snapshot(api, reference))["id"]) if is_url(reference) else reference


async def _by_url(api: ArchiveBoxApi, url: str, *, with_archiveresults: bool) -> Record:
    stored = await stored_urls(api, url.strip())
    candidates, _ = await every(pages(api, {}, urls=stored), 11)
    if not candidates:
        raise Failure(
            Code.NOT_FOUND,
            f"No saved page has the URL {show_url(url)}.",
            "Look for it with a part of it in `search`: {GET /core/snapshots}.",
        )
    refuse_ambiguous(candidates, "saved pages, which are copies of one page")
    return await _complete(api, candidates[0], with_archiveresults=with_archiveresults)


async def read_snapshot(api: ArchiveBoxApi, identity: str, *, with_archiveresults: bool) -> Record:
    """Return the snapshot of a whole id."""
    # A model wrote the id: unquoted, a slash or `..` in it would reach another endpoint.
    path = _PATH + quote(identity, safe="")
    record: Record = await api.get(path, with_archiveresults=with_archiveresults)
    return record


def _has_id(reference: str, record: Record) -> bool:
    return plain_id(record["id"]) == plain_id(reference) or record.get("timestamp") == reference
