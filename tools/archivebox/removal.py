"""How saved pages are deleted so that their files go as well, which each version does its own
way."""

from __future__ import annotations

from typing import Any

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.failures import get_command_result
from server.archivebox.openapi import Description
from server.archivebox.pagination import Record
from server.errors import Code, Failure

_REMOVE = "POST /cli/remove"
_DELETE = "DELETE /core/snapshot/{}"
LATER = (
    "ArchiveBox removes page and files within about a minute, and only while its own server runs."
)


def require_deletion(description: Description) -> None:
    """Refuse where nothing deletes a page.

    The command of 0.8.5 deletes the files of a page and then fails, so that its entry stays (looked
    at in the database and on the disk of a real server).

    Raises:
        Failure: `UNSUPPORTED`.
    """
    if not description.has(_DELETE):
        raise Failure(
            Code.UNSUPPORTED,
            f"ArchiveBox {description.version} cannot delete a page: its command would delete the "
            "files and then fail, and the entry would stay. Nothing was deleted.",
            "The user updates ArchiveBox.",
        )


def leaves_files(description: Description) -> bool:
    """Return whether a DELETE of this version removes a page's row and leaves its files.

    It does before 0.9.73; there the command, with its own `delete`, removes the folder (both looked
    at on the disk of real servers).
    """
    return description.has(_DELETE) and description.takes(_REMOVE, "delete")


def describe_removal(description: Description) -> str:
    """Return what people have to know before they confirm, beside that the page goes."""
    if description.has(_DELETE) and not leaves_files(description):
        return LATER
    return ""


async def warn_of_return(api: ArchiveBoxApi, page: Record) -> str:
    """Return the warning that a page may come back, which it does on 0.9.73 while its crawl is
    still at work: the crawl makes each page of its own that is missing."""
    crawl_id = page.get("crawl_id")
    if not crawl_id:
        return ""
    crawl = await api.get(f"/crawls/crawl/{crawl_id}")
    if crawl.get("status") not in ("queued", "started"):
        return ""
    return "Its crawl is still at work and will save it again: cancel the crawl first."


async def delete_page(api: ArchiveBoxApi, page: Record) -> Record:
    """Delete one page that was just seen, with its files, and return how many are gone or
    queued."""
    if leaves_files(api.description):
        return await remove_with_files(api, page)
    path = f"/core/snapshot/{page['id']}"
    result: Record = await api.change("DELETE", path, None, repeatable=True, verify="search again.")
    return result


async def remove_with_files(api: ArchiveBoxApi, page: Record) -> Record:
    """Delete one page whose timestamp was just seen, with its files, by the command.

    Raises:
        Failure: `BAD_RESPONSE` where it is still there afterwards.
    """
    # Exactly this timestamp, and never an empty filter: without one the command takes all pages.
    # Nor one that fits nothing: then it ends the server's web process.
    timestamp = str(page["timestamp"])
    await _require_only(api, page, timestamp)
    body = {"filter_type": "timestamp", "filter_patterns": [timestamp], "delete": True}
    answer = await api.change(
        "POST", "/cli/remove", body, repeatable=False, verify="get the snapshot again."
    )
    result = get_command_result(answer)
    removed = result.get("removed_count") if isinstance(result, dict) else None
    if removed != 1:
        raise Failure(
            Code.BAD_RESPONSE,
            f"ArchiveBox says that it removed {removed} pages instead of this one.",
            "Get the snapshot again to see whether it is still there.",
        )
    return {"success": True, "snapshot_id": page["id"], "deleted_count": 1, "files": "removed"}


async def _require_only(api: ArchiveBoxApi, page: Record, timestamp: str) -> None:
    answer: Any = await api.get("/core/snapshots", timestamp=timestamp, limit=2)
    same = [item for item in answer["items"] if str(item["timestamp"]) == timestamp]
    if not same:
        raise Failure(
            Code.NOT_FOUND, "The page is not there any more.", "There is nothing to delete."
        )
    if not timestamp or [item["id"] for item in same] != [page["id"]]:
        raise Failure(
            Code.REJECTED,
            f"The page is no longer the only one with timestamp {timestamp}. Nothing was deleted.",
            "Look at it again before deciding.",
        )
