"""The search command of ArchiveBox since 0.9, which selects by patterns that its list of pages does
not take."""

from __future__ import annotations

from typing import Any

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import get_command_result, get_command_rows
from server.archivebox.openapi import Description
from server.archivebox.pagination import Record
from server.errors import Code, Failure

SEARCH = "POST /cli/search"


def has_fast_search(description: Description) -> bool:
    """Return whether the command sends as many pages as are asked for, or URLs alone.

    Before 0.9.73 it sends all that fit, at 76 ms for each (observed on 0.9.31).
    """
    return description.takes(SEARCH, "limit")


async def search_rows(api: ArchiveBoxApi, filters: Record, most: int | None) -> list[Record]:
    """Return the pages that fit, newest first.

    Args:
        most: how many at most; None where the server does not take that.

    Raises:
        Failure: `UNSUPPORTED` for a filter that this server would ignore.
    """
    limit = {} if most is None else {"limit": most}
    return get_command_rows(await _send(api, {**filters, **limit, "as_json": True}))


async def search_urls(api: ArchiveBoxApi, filters: Record) -> list[str]:
    """Return the URLs of all pages that fit, newest first; those of several copies come as often.

    0.9.73 sends 25,000 in about a second, and takes ten minutes for as many whole pages.

    Raises:
        Failure: `UNSUPPORTED` for a filter that this server would ignore.
    """
    text = get_command_result(await _send(api, {**filters, "as_json": False, "as_csv": ""}))
    return str(text or "").splitlines()


async def _send(api: ArchiveBoxApi, body: Record) -> Any:
    # The server ignores unknown names: without its filter a search selects too much to delete.
    for name in body:
        if not api.description.takes(SEARCH, name):
            raise make_unsupported(api.description, name)
    path = SEARCH.partition(" ")[2]
    return await api.change("POST", path, body, repeatable=True, verify="")


def make_unsupported(description: Description, name: str) -> Failure:
    """Return the failure for a filter that the server would ignore."""
    return Failure(
        Code.UNSUPPORTED,
        f"This ArchiveBox ({description.version}) does not know `{name}` here and would ignore it.",
        "Leave it out, or use {GET /core/snapshots}.",
    )
