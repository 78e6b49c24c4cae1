"""The pictures of posts: which of a post's media are shown, and what is said of those that are
not."""

from __future__ import annotations

import re
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
    frames = [
        Frame(_url(media) or "", media["type"] == "VIDEO", {**legend, **_report(media, place, own)})
        for place, media in enumerate(own, 1)
    ]
    usable = [frame for frame in frames if frame.url]
    if not usable:
        gone = any(media["deleted"] for media in own)
        reason = "its files were deleted" if gone else "Archive has no picture of it"
        skipped.append({"itemId": legend["itemId"], "reason": reason})
    return usable if alone else usable[:1]


def _url(media: dict[str, Any]) -> str | None:
    # Deleted media may still have links, which lead nowhere.
    if media["deleted"]:
        return None
    # The file of a video is no picture.
    file = media["fileUrl"] if media["type"] == "IMAGE" else None
    return media["thumbnailUrl"] or file


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
    # A malformed address has no host to name.
    host = _HOST.match(frame.url)
    about["host"] = host and host[1]
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
