"""Importing a post by its URL: Archive docs, uploads."""

from __future__ import annotations

from typing import Any

from server.sandbox.archive import urls as post_urls
from server.sandbox.archive.resolvers.context import Info, Resolver, user_error

# Codes with these endings are accepted and never arrive, as posts do that were deleted or went
# private meanwhile.
_LOST = ("x", "000")


def upload_item_from_url(_: None, info: Info, **given: dict[str, str]) -> dict[str, Any]:
    """Accept a public URL; whether and when the post arrives is not told.

    After `changes.UPLOAD_SECONDS` a post of a recognised shape is in the archive. One that is there
    already, or on its way, is not added again. What never arrives: URLs of other shapes, and posts
    whose code ends in "x" or "000".
    """
    url = given["input"]["url"]
    if not post_urls.is_valid(url):
        return {
            "success": False,
            "user_errors": [user_error("url", "URL must be a public http or https address")],
        }
    home = info.context.workspace
    known = post_urls.external_in(url)
    if known is not None and not known[1].endswith(_LOST) and home.item_by_code(*known) is None:
        home.changes.upload(url, *known)
    return {"success": True, "user_errors": []}


TABLE: dict[str, Resolver] = {"uploadItemFromUrl": upload_item_from_url}
