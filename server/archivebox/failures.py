"""Every way in which ArchiveBox says no, decoded from what real servers of three versions answered.

Four shapes: `{"detail": ...}` for deliberate refusals, `{"succeeded": false, "message", "errors":
[traceback]}` for any exception of its own (404 or 503, so a 503 is not overload), plain text or
HTML from the web server, and HTTP 200 with `{"success": false, "errors": [...]}`. Tracebacks and
markup never leave this module.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from server.errors import Code, Failure
from server.http.retry import Transient
from server.http.transport import Reply
from server.http.urls import parse_origin

_MARKUP = re.compile(r"<[a-z!/][^>]*>|\x1b\[[0-9;]*m", re.IGNORECASE)
_EXCEPTION = re.compile(r"^(?P<kind>[A-Za-z_.]+): (?P<text>.*)", re.DOTALL)
_OURS = (
    "ValueError",
    "ValidationError",
    "FieldError",
    "ZeroDivisionError",
    "OverflowError",
    "AssertionError",
)

KEY_HINT = (
    "The user makes an API key for a superuser in ArchiveBox's admin (/admin/api/apitoken/add/), sets "
    "ARCHIVEBOX_API_KEY (or ARCHIVEBOX_USERNAME and ARCHIVEBOX_PASSWORD) and restarts this server."
)


def decode(reply: Reply) -> Any:
    """The answer's JSON.

    Raises:
        Failure: what ArchiveBox refused, in the caller's words. Transient: what may pass.
    """
    if 300 <= reply.status < 400:
        raise redirected(reply)
    payload = _json(reply.body)
    if reply.status < 400:
        if payload is None:
            raise _unintelligible(reply)
        return payload[0]
    raise _refused(reply, payload[0] if payload else None)


def command(payload: Any) -> Any:
    """The `result` of a CLI route, which reports its failures with HTTP 200.

    Raises:
        Failure: `REJECTED` with the command's own words.
    """
    if not isinstance(payload, dict):
        raise Failure(
            Code.BAD_RESPONSE, "ArchiveBox answered a command with something else than its report."
        )
    if payload.get("success") is False:
        words = "; ".join(clean(str(each)) for each in payload.get("errors") or []) or clean(
            payload.get("stderr", "")
        )
        raise Failure(
            Code.REJECTED, f"ArchiveBox refused the command: {words or 'without a reason'}"
        )
    return payload.get("result")


def redirected(reply: Reply, asked: str = "") -> Failure:
    """A redirect of the URL `asked` that was not followed: it leaves the origin, or would repeat a
    change elsewhere."""
    try:
        target = urljoin(asked, reply.headers.get("location", ""))
        there = urlsplit(target).hostname
    except ValueError:
        target, there = "", None
    if not there or parse_origin(target) == parse_origin(asked):
        return Failure(
            Code.BAD_RESPONSE,
            f"ArchiveBox answered with a redirect (HTTP {reply.status}) that leads nowhere useful; nothing was done.",
            "ARCHIVEBOX_URL may point at something else than an ArchiveBox; `archive-mcp doctor` checks it.",
        )
    # A prefix in front of the API belongs to the address; any other path (a login page) does not.
    prefix, found, _ = urlsplit(target).path.partition("/api/v1")
    url = parse_origin(target) + (prefix if found else "")
    return Failure(
        Code.NOT_CONFIGURED,
        f"ArchiveBox sends callers of this address on to {url}; the key is not sent to another address.",
        f"Tell the user to set ARCHIVEBOX_URL={url} and restart this server.",
    )


def foreign() -> Failure:
    """What answers has no description of an ArchiveBox's API."""
    return Failure(
        Code.UNSUPPORTED,
        "What answers at ARCHIVEBOX_URL is not an ArchiveBox with a REST API (0.8.5 or newer).",
        "Tell the user to check ARCHIVEBOX_URL: it is the address of the ArchiveBox itself.",
    )


def clean(text: str, most: int = 300) -> str:
    """Their words: no markup, no colours, no traceback, not at length."""
    text = text.split("Traceback (most recent call last)")[0]
    plain = " ".join(_MARKUP.sub(" ", text).split())
    return plain if len(plain) <= most else plain[: most - 3] + "..."


def _json(body: bytes) -> tuple[Any] | None:
    try:
        return (json.loads(body),)
    except (ValueError, RecursionError):
        return None


def _refused(reply: Reply, payload: Any) -> Failure:
    if isinstance(payload, dict) and payload.get("succeeded") is False:
        return _raised(reply.status, str(payload.get("message", "")))
    detail = payload.get("detail") if isinstance(payload, dict) else None
    words = (
        _detail(detail)
        if detail is not None
        else clean(reply.body[:2000].decode("utf-8", "replace"))
    )
    match reply.status:
        case 400 | 422:
            return Failure(Code.INVALID_ARGUMENT, f"ArchiveBox refused the arguments: {words}")
        case 401:
            return Failure(Code.UNAUTHENTICATED, "ArchiveBox does not accept the key.", KEY_HINT)
        case 403 if "disabled on this host" in words:
            return Failure(
                Code.FORBIDDEN,
                "ArchiveBox serves its API under another host name than the configured one.",
                "Tell the user to set ARCHIVEBOX_URL=http://api.archivebox.localhost:PORT, or the server's BASE_URL.",
            )
        case 403:
            return Failure(
                Code.FORBIDDEN,
                "ArchiveBox refuses this key: it is bad, or not a superuser's.",
                KEY_HINT,
            )
        case 404 if detail is not None:
            return Failure(Code.NOT_FOUND, f"ArchiveBox did not find it: {words}")
        case 404:
            return Failure(
                Code.NOT_FOUND,
                "ArchiveBox has nothing at that address.",
                "If every call says so, ARCHIVEBOX_URL does not point at an ArchiveBox.",
            )
        case 405:
            return Failure(Code.UNSUPPORTED, "This ArchiveBox does not offer that.")
        case 409:
            return Failure(Code.REJECTED, f"ArchiveBox refused it as it stands: {words}")
    return Transient(
        Code.UNAVAILABLE,
        f"ArchiveBox has a problem of its own (HTTP {reply.status}).",
        "Try again in a minute.",
        worth_repeating=reply.status in (502, 504),
    )


def _raised(status: int, message: str) -> Failure:
    """An exception of ArchiveBox's own: told by its kind, since the status says 503 for nearly
    all."""
    found = _EXCEPTION.match(message.strip())
    kind, words = (
        (found["kind"].rpartition(".")[2], clean(found["text"])) if found else ("", clean(message))
    )
    if "MultipleObjectsReturned" in kind:
        return Failure(
            Code.AMBIGUOUS, "That id fits several objects.", "Give more of it, best the whole id."
        )
    if status == 404 or "DoesNotExist" in kind:
        return Failure(Code.NOT_FOUND, f"ArchiveBox did not find it: {words}")
    if kind in _OURS:
        return Failure(
            Code.INVALID_ARGUMENT, f"ArchiveBox cannot work with these arguments: {words}"
        )
    return Transient(
        Code.UNAVAILABLE,
        f"ArchiveBox failed inside ({kind or 'error'}): {words}",
        "Its log on the server says more.",
        worth_repeating=False,
    )


def _detail(detail: Any) -> str:
    if not isinstance(detail, list):
        return clean(str(detail))
    parts = []
    for each in detail[:5]:
        place = (
            ".".join(str(step) for step in each.get("loc", [])[1:])
            if isinstance(each, dict)
            else ""
        )
        words = clean(str(each.get("msg", ""))) if isinstance(each, dict) else clean(str(each))
        parts.append(f"{place}: {words}" if place else words)
    return "; ".join(parts)


def _unintelligible(reply: Reply) -> Transient:
    page = reply.body[:200].lstrip().startswith(b"<")
    return Transient(
        Code.BAD_RESPONSE,
        f"ArchiveBox sent {'an HTML page instead of data' if page else 'an answer that is not JSON'}.",
        "ARCHIVEBOX_URL may point at something else than an ArchiveBox; `archive-mcp doctor` checks it.",
        worth_repeating=False,
    )
