"""Pages that were saved before: which of some URLs have one, and their tags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import filterfalse
from typing import Any, TypeVar

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.filters import has_tag, normalize_url, spellings
from server.text import count_noun
from tools.archivebox.command import SEARCH, has_fast_search, search_rows
from tools.archivebox.listing import list_stored_urls

ADD_TAG = "POST /core/tags/add-to-snapshot/"
_VERIFY = "look at the page's tags; adding them twice is harmless."
# One request for so many URLs.
_ASKED_AT_ONCE = 100
# Newest first, so that several copies of each URL fit.
_MOST_COPIES = 1_000
_SHOWN = 10
# Seconds of a call that are left for its answer.
_RESERVE_SECONDS = 5.0

Json = dict[str, Any]
T = TypeVar("T")
Find = Callable[[ArchiveBoxApi, T], Awaitable[dict[str, Json]]]


async def find_known(api: ArchiveBoxApi, urls: Sequence[str]) -> dict[str, Json]:
    """Return the newest saved page of each of the URLs that has one, in the URL's own spelling
    before any other; nothing is changed."""
    known = await find_same(api, urls)
    rest = [url for url in dict.fromkeys(urls) if url not in known]
    if not api.description.has(SEARCH):
        return known | await _gather(_find_usual, api, rest)
    return known | await _gather(_find_otherwise, api, _split(rest))


async def find_same(api: ArchiveBoxApi, urls: Sequence[str]) -> dict[str, Json]:
    """Return the newest saved page of each of the URLs that has one in this very spelling."""
    # 0.8.5 has no such search, and takes few URLs at once.
    if not api.description.has(SEARCH):
        return await _gather(_find_one, api, urls)
    return await _gather(_find_some, api, _split(urls))


def select_same(known: Mapping[str, Json]) -> dict[str, Json]:
    """Return the pages that are saved in the very spelling of their URL: ArchiveBox compares
    letter by letter, and makes another copy of the others."""
    return dict(filter(lambda item: item[1]["url"] == item[0], known.items()))


def keeps_known(api: ArchiveBoxApi, *, only_new: bool | None, anew: bool) -> bool:
    """Return whether this server makes no second copy of a URL that it has.

    Args:
        anew: whether another copy is asked for.
    """
    if anew or only_new is False:
        return False
    # 0.9.31 has no such option, and makes another copy each time.
    has_crawls = api.description.has("GET /crawls/crawls")
    return api.description.takes("POST /cli/add", "only_new") or not has_crawls


def missing_tags(page: Json, tags: Sequence[str]) -> list[str]:
    """Return the tags that a page lacks; capitals make no difference."""
    present = page.get("tags") or ()
    return list(filterfalse(partial(has_tag, present), dict.fromkeys(tags)))


async def add_tags(api: ArchiveBoxApi, page: Json, tags: Sequence[str]) -> bool:
    """Put those tags on a page that it lacks, and return whether there were any."""
    missing = missing_tags(page, tags)
    # 0.8.5 has no such endpoint, and puts the tags on pages that it knows by itself.
    if not missing or not api.description.has(ADD_TAG):
        return False
    for tag in missing:
        body = {"snapshot_id": page["id"], "tag_name": tag}
        await api.change("POST", ADD_TAG.partition(" ")[2], body, repeatable=True, verify=_VERIFY)
    return True


async def tag_all(api: ArchiveBoxApi, known: Mapping[str, Json], tags: Sequence[str]) -> list[str]:
    """Put the tags on the pages that lack them, as long as the call has time, and return notes
    for people."""
    tagged = 0
    waiting = list(filter(partial(missing_tags, tags=tags), known.values()))
    for number, page in enumerate(waiting):
        if api.deadline - api.client.now() < _RESERVE_SECONDS:
            rest = len(waiting) - number
            return [
                f"The tags were put on {tagged} of the pages that were saved before; time ran out "
                f"for {rest} more: add these URLs once more, which tags the rest."
            ]
        tagged += await add_tags(api, page, tags)
    return [f"The tags were put on {count_noun(tagged, 'page')} saved before."] if tagged else []


def show_known(known: dict[str, Json]) -> Json:
    """Return how many of the URLs were saved before, and the first of them with their pages."""
    if not known:
        return {}
    first = [_show_page(url, page) for url, page in known.items()]
    return {"saved_before": {"count": len(known), "first": first[:_SHOWN]}}


def describe_known(known: Mapping[str, Json], *, keeps: bool) -> list[str]:
    """Return what becomes of the URLs that were saved before."""
    if not keeps:
        pages = count_noun(len(known), "page")
        return [f"{pages} saved before: another copy is made of each."] if known else []
    same = len(select_same(known))
    notes: list[str] = []
    if same:
        notes.append(
            f"{count_noun(same, 'page')} saved before: ArchiveBox keeps these copies and makes "
            "none anew. `update: true` makes another copy."
        )
    if other := len(known) - same:
        notes.append(
            f"{count_noun(other, 'page')} saved before under another spelling of the URL "
            "(`saved_as`): ArchiveBox takes these for other pages and saves them too."
        )
    return notes


async def _gather(find: Find[T], api: ArchiveBoxApi, parts: Iterable[T]) -> dict[str, Json]:
    """Return the pages of all parts, which are asked for one after the other."""
    known: dict[str, Json] = {}
    for part in parts:
        known |= await find(api, part)
    return known


def _split(urls: Sequence[str]) -> Iterator[Sequence[str]]:
    return (urls[start : start + _ASKED_AT_ONCE] for start in range(0, len(urls), _ASKED_AT_ONCE))


async def _find_some(api: ArchiveBoxApi, urls: Sequence[str]) -> dict[str, Json]:
    filters = {"filter_patterns": list(urls), "filter_type": "exact"}
    most = _MOST_COPIES if has_fast_search(api.description) else None
    pages = await search_rows(api, filters, most)
    known = _newest_by_url(pages)
    if len(pages) < _MOST_COPIES:
        return known
    # So many copies may have hidden a URL whose copies are all older.
    return known | await _gather(_find_one, api, set(urls) - known.keys())


async def _find_otherwise(api: ArchiveBoxApi, urls: Sequence[str]) -> dict[str, Json]:
    """Return the newest page of each of the URLs that is saved in another spelling."""
    stored = await list_stored_urls(api, urls)
    pages = await find_same(api, stored)
    return _pick(pages, urls)


async def _find_usual(api: ArchiveBoxApi, url: str) -> dict[str, Json]:
    return _pick(await _gather(_find_one, api, spellings(url)[1:]), [url])


def _pick(known: Mapping[str, Json], urls: Sequence[str]) -> dict[str, Json]:
    """Return of pages by the URL that they are saved under the newest of each of some URLs."""
    newest = {normalize_url(page["url"]): page for page in _in_time(known.values())}
    pages = zip(urls, map(newest.get, map(normalize_url, urls)), strict=True)
    return {url: page for url, page in pages if page is not None}


def _show_page(url: str, page: Json) -> Json:
    shown = {"url": url, "id": page.get("id")}
    return shown if page["url"] == url else {**shown, "saved_as": page["url"]}


async def _find_one(api: ArchiveBoxApi, url: str) -> dict[str, Json]:
    answer = await api.get("/core/snapshots", url=url, limit=1)
    total = int(answer["total_items"])
    if total > 1:
        # Oldest first, whatever is asked for.
        answer = await api.get("/core/snapshots", url=url, limit=1, offset=total - 1)
    return _newest_by_url(answer["items"])


def _newest_by_url(pages: Iterable[Json]) -> dict[str, Json]:
    # What is about to be removed stands in nobody's way.
    staying = filter(lambda page: page.get("status") != "deleting", pages)
    return {str(page["url"]): page for page in _in_time(staying)}


def _in_time(pages: Iterable[Json]) -> list[Json]:
    return sorted(pages, key=lambda page: str(page.get("created_at") or page["timestamp"]))
