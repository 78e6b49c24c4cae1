"""The pictures of posts: which of a post's media are shown, and what is said of those that are
not."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from server.errors import Failure
from server.text import join_first
from server.tool.result import drop_nulls

T = TypeVar("T")

_HOST = re.compile(r"https?://([^/?#@:\\\s]+)", re.IGNORECASE)
_MOST_HOSTS = 3


class Frame(NamedTuple):
    """A picture to be shown: whose it is, where it is, and what the legend says of it."""

    url: str
    is_video: bool
    legend: dict[str, Any]


def choose_frames(
    legend: dict[str, Any],
    own: list[dict[str, Any]],
    skipped: list[dict[str, Any]],
    *,
    alone: bool,
) -> list[Frame]:
    """Return all usable frames of the only item, the first usable one of many; say why, where there
    is none."""
    usable: list[Frame] = []
    for place, media in enumerate(own, 1):
        url = _find_url(media)
        if url:
            about = {**legend, **_report(media, place, own)}
            usable.append(Frame(url, media["type"] == "VIDEO", about))
    if not usable:
        skipped.append({"itemId": legend["itemId"], "reason": _explain_absence(own)})
    if alone:
        return usable
    return usable[:1]


def _find_url(media: dict[str, Any]) -> str | None:
    # Deleted media may still have links, which lead nowhere.
    if media["deleted"]:
        return None
    thumbnail: str | None = media["thumbnailUrl"]
    # The file of a video is no picture.
    if media["type"] != "IMAGE":
        return thumbnail
    return thumbnail or media["fileUrl"]


def _explain_absence(own: list[dict[str, Any]]) -> str:
    if any(map(itemgetter("deleted"), own)):
        return "its files were deleted"
    return "Archive has no picture of it"


def make_legend(item: dict[str, Any]) -> dict[str, Any]:
    profile = item["socialProfile"] or {}
    return {
        "itemId": item["id"],
        "account": profile.get("accountName"),
        "provider": item["provider"],
        "type": item["type"],
        "takenAt": item["takenAt"],
        # Stories have no original link; Archive's own is stable.
        "link": item["archivePublicUrl"] or item["originalUrl"],
        "originalUrl": item["originalUrl"],
    }


def _report(media: dict[str, Any], place: int, own: list[dict[str, Any]]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    if len(own) > 1:
        report["frame"] = f"{place} of {len(own)}"
    if media["type"] == "VIDEO":
        report["videoSeconds"] = media["videoDuration"]
    return report


def sort_out(
    frames: list[Frame], results: list[T | Failure], skipped: list[dict[str, Any]]
) -> tuple[list[Frame], list[T]]:
    """The frames that there is a picture of, and the pictures; the others go to those that were
    skipped."""
    visible: list[Frame] = []
    pictures: list[T] = []
    for frame, result in zip(frames, results, strict=True):
        # One picture that fails must not cost the others.
        if isinstance(result, Failure):
            skipped.append(_describe_failure(frame, result))
        else:
            visible.append(frame)
            pictures.append(result)
    return visible, pictures


def _describe_failure(frame: Frame, failure: Failure) -> dict[str, Any]:
    about = {name: frame.legend.get(name) for name in ("itemId", "frame", "link")}
    host = _HOST.match(frame.url)
    # A malformed address has no host to name.
    if host is not None:
        about["host"] = host[1]
    return drop_nulls({**about, "reason": failure.message})


def describe_hosts(skipped: list[dict[str, Any]]) -> list[str]:
    """Return what to do about hosts that pictures did not come from."""
    hosts = list(dict.fromkeys(entry["host"] for entry in skipped if "host" in entry))
    if not hosts:
        return []
    return [
        f"Pictures come from {join_first(hosts, _MOST_HOSTS)}, not through Archive's API: the "
        "computer that runs this server must reach it (proxy, firewall). Addresses expire: ask "
        "again for those that are gone. `link` shows a post in a browser."
    ]
