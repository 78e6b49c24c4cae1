"""Importing a post by its URL: Archive docs, uploads."""

from __future__ import annotations

from server.sandbox.archive import urls as post_urls
from server.sandbox.archive.resolvers.context import Info, Payload, Resolver, user_error

# Codes with these endings are accepted and never arrive, like posts that are deleted or go private
# meanwhile.
_LOST = ("x", "000")


def upload_item_from_url(_: None, info: Info, **arguments: dict[str, str]) -> Payload:
    """Accept a public URL, without a promise that the post arrives.

    After `changes.UPLOAD_SECONDS` a post of a recognised shape is in the archive. One that is there
    already, or on its way, is not added again. What never arrives: URLs of other shapes, and posts
    whose code ends in "x" or "000".
    """
    url = arguments["input"]["url"]
    if not post_urls.is_valid(url):
        return {
            "success": False,
            "user_errors": [user_error("url", "URL must be a public http or https address")],
        }
    workspace = info.context.workspace
    external = post_urls.external_in(url)
    if external and not external[1].endswith(_LOST) and not workspace.item_by_code(*external):
        workspace.changes.start_upload(url, *external)
    return {"success": True, "user_errors": []}


TABLE: dict[str, Resolver] = {"uploadItemFromUrl": upload_item_from_url}
