"""Bringing a post into Archive by its link."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from pydantic import Field

from server.archive.operations import Mutation, Text
from server.errors import Code, Failure
from server.http.urls import complete_link
from server.tool.request import Input
from tools.archive.schema.market_objects import UploadPayload

# Archive takes one link a call; whoever has several may try to send them joined.
_SEVERAL = re.compile(r"[\s,;]+(?=https?://)", re.IGNORECASE)
_NOT_YET = (
    "Archive gives no id: archive_get_item_ids_by_url finds the item by its link some minutes "
    "later."
)
_FINDING = "{itemIdsByUrl} finds the item by its link some minutes later."


class UploadItemFromUrlInput(Input):
    """What to upload."""

    url: Text = Field(description="One http(s) link.")


class UploadItemFromUrl(Mutation[UploadPayload]):
    """Have Archive add a public post by its link. First check with archive_get_item_ids_by_url
    whether the post is there already. No id is returned: the same tool finds the post some minutes
    later. Pass one link per call."""

    operation = "uploadItemFromUrl"
    title = "Upload a post by its link"
    search_hint = (
        "add a missing post, import one post, get it into our library, missed post, wasn't picked "
        "up, not captured, add this tiktok, reel, youtube short by link, manually add, here's the "
        "link, didn't catch, submit a post, track this post, didn't get picked up automatically, "
        "add by hand, pull in, missing reel, grab this post, bring it in"
    )
    risk = "adds"
    repeatable = False
    selected = "success"
    verify = _FINDING
    refused = f"Check that the link opens a public post. It may also be there already: {_FINDING}"

    input: UploadItemFromUrlInput = Field(description="The link to the post.")

    def check(self) -> None:
        # Pasted links bring blanks and line ends along.
        url = self.input.url = complete_link(self.input.url.strip())
        if _SEVERAL.search(url):
            raise Failure(
                Code.INVALID_ARGUMENT,
                "`input.url` holds more than one link.",
                "Call once for each of the links.",
            )
        if not _is_web_link(url):
            raise Failure(
                Code.INVALID_ARGUMENT,
                f"`input.url` is not an http or https link: {url[:80]!r}.",
                "Give the whole link of the post, as the browser shows it.",
            )

    def present_payload(self, payload: dict[str, Any]) -> dict[str, Any]:
        # Null is neither a yes nor a no.
        if payload.get("success") is None:
            raise Failure(
                Code.OUTCOME_UNKNOWN,
                "Archive does not say whether it took the link.",
                f"Do not repeat it blindly: {self.verify}",
            )
        # `success` can be false while `userErrors` is empty.
        if not payload["success"]:
            raise Failure(
                Code.REJECTED,
                "Archive did not take the link, and does not say why.",
                self.refused,
            )
        return {**payload, "notes": [_NOT_YET]}


def _is_web_link(text: str) -> bool:
    # `urlsplit` raises for malformed brackets of an IPv6 host.
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return (
        parts.scheme.lower() in ("http", "https")
        and bool(parts.hostname)
        and not re.search(r"\s", text)
    )
