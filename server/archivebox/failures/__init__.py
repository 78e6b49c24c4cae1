"""Every way in which ArchiveBox refuses a request, decoded from what real servers of three versions
answered.

Four shapes: `{"detail": ...}` for deliberate refusals, `{"succeeded": false, "message", "errors":
[traceback]}` for any exception of its own (404 or 503, so a 503 is not overload), plain text or
HTML from the web server, and HTTP 200 with `{"success": false, "errors": [...]}`. Tracebacks and
markup never leave this module.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin, urlsplit

from server.archivebox.failures.wording import clean
from server.errors import Code, Failure
from server.http.intermediary import recognize
from server.http.json_body import load_json
from server.http.retry import Transient
from server.http.transport import Reply
from server.http.urls import parse_origin

_EXCEPTION = re.compile(r"^(?P<kind>[A-Za-z_.]+): (?P<text>.*)", re.DOTALL)
# What goes wrong inside the server because of the arguments, which it did not check before.
_ARGUMENT_ERRORS = (
    "ValueError",
    "ValidationError",
    "FieldError",
    "ZeroDivisionError",
    "OverflowError",
    "AssertionError",
)
# What the API's own refusals hold, and what its web server says before it looks at a request.
_OWN_KEYS = frozenset({"detail", "succeeded", "success"})
_OWN_WORDS = (b"disabled on this host", b"CSRF", b"Method not allowed")
_MOST_DETAILS = 5
_MOST_BYTES = 2000
_LONGEST_HOST = 100

KEY_HINT = (
    "The user makes an API key for a superuser in ArchiveBox's admin "
    "(/admin/api/apitoken/add/), sets ARCHIVEBOX_API_KEY (or ARCHIVEBOX_USERNAME and "
    "ARCHIVEBOX_PASSWORD) and restarts this server."
)
_URL_HINT = (
    "ARCHIVEBOX_URL may point at something other than an ArchiveBox; `archive-mcp doctor` checks "
    "it."
)

HINTS = {
    Code.NOT_FOUND: (
        "Look it up in its list again: it may be gone, or the id may be that of another kind of "
        "object."
    ),
    Code.INVALID_ARGUMENT: "Correct the arguments and call again.",
    Code.UNSUPPORTED: "The user can update ArchiveBox.",
    Code.BAD_RESPONSE: (
        "Check whether it was done before trying again; ArchiveBox's log on the server says more."
    ),
    Code.REJECTED: "Look at what it says before trying again.",
}
"""What to do about a failure of which nothing more is known."""


def decode(reply: Reply) -> Any:
    """Return the answer's JSON.

    Raises:
        Failure: what ArchiveBox refused, in the caller's words. Transient: what may pass.
    """
    if 300 <= reply.status < 400:
        raise make_redirect_failure(reply)
    try:
        # Whatever else it is, it is text: invalid bytes are no reason to lose a whole page.
        payload = load_json(reply.body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        if reply.status < 400:
            raise _make_garbage_failure(reply) from None
        # Refusals of the web server in front of the API are HTML or plain text.
        payload = None
    if reply.status < 400:
        return payload
    failure = _make_failure(reply, payload)
    # Here already: jobs keep a failure as it is.
    failure.hint = failure.hint or HINTS.get(failure.code, "")
    raise failure


def check_answer(problem: str) -> None:
    """Raise for an answer that has a problem.

    Raises:
        Transient: it says neither what is there nor whether a change was made.
    """
    if problem:
        raise Transient(
            Code.BAD_RESPONSE,
            f"ArchiveBox sent what its own description rules out: {clean(problem)}.",
            "Try again. If it stays so, ArchiveBox's log on the server says more.",
            # Whatever is wrong with its records is wrong the next time, too.
            worth_repeating=False,
        )


def is_refused_command(payload: Any) -> bool:
    """Return whether an answer reports that a command failed."""
    if not isinstance(payload, dict) or payload.get("success") is not False:
        return False
    # Without its reasons it is no report.
    return isinstance(payload.get("errors"), list)


def get_command_result(payload: Any) -> Any:
    """Return the `result` of a command, which reports its failures with HTTP 200.

    Raises:
        Failure: `REJECTED` with the command's own message.
    """
    if not isinstance(payload, dict):
        raise Failure(
            Code.BAD_RESPONSE, "ArchiveBox answered a command with something other than its report."
        )
    if is_refused_command(payload):
        errors = map(clean, map(str, payload.get("errors") or ()))
        # Commands that print their mistake leave the list empty.
        message = "; ".join(errors) or clean(payload.get("stderr", "")) or "without a reason"
        raise Failure(Code.REJECTED, f"ArchiveBox refused the command: {message}")
    return payload.get("result")


def get_command_report(payload: Any) -> dict[str, Any]:
    """Return the `result` of a command that reports by an object; empty where it reports otherwise.

    Raises:
        Failure: as of `get_command_result`.
    """
    report = get_command_result(payload)
    return report if isinstance(report, dict) else {}


def get_command_rows(payload: Any) -> list[dict[str, Any]]:
    """Return the objects in the `result` of a command that lists them; none for other results.

    Raises:
        Failure: as of `get_command_result`.
    """
    rows = get_command_result(payload)
    entries = rows if isinstance(rows, list) else []
    return list(filter(lambda entry: isinstance(entry, dict), entries))


def make_redirect_failure(reply: Reply, url: str = "") -> Failure:
    """Return the failure for a redirect of that URL that was not followed: it leaves the origin, or
    would repeat a change elsewhere."""
    try:
        target = urljoin(url, reply.headers.get("location", ""))
        host = urlsplit(target).hostname
    except ValueError:
        target, host = "", None
    if not host or parse_origin(target) == parse_origin(url):
        return Failure(
            Code.BAD_RESPONSE,
            f"ArchiveBox answered with a redirect (HTTP {reply.status}) that leads nowhere useful.",
            _URL_HINT,
        )
    if not _may_be_told(url, target):
        return Failure(
            Code.NOT_CONFIGURED,
            f"ArchiveBox's address sends callers on to another host, {host[:_LONGEST_HOST]}; "
            "the key is not sent there.",
            "Often that is the sign-in page of a proxy, which no program can pass: whoever runs it "
            "lets requests to ArchiveBox pass. If ArchiveBox has moved, the user knows its new "
            "address and sets ARCHIVEBOX_URL.",
        )
    # A prefix in front of the API belongs to the address; any other path (a login page) does not.
    prefix, api, _ = urlsplit(target).path.partition("/api/v1")
    address = parse_origin(target)
    if api:
        address += prefix
    return Failure(
        Code.NOT_CONFIGURED,
        f"ArchiveBox sends callers of this address on to {address}; "
        "the key is not sent to another address.",
        f"Tell the user to set ARCHIVEBOX_URL={address} and restart this server.",
    )


def _may_be_told(url: str, target: str) -> bool:
    """Return whether a redirect leads to the same server for sure: only then is its target an
    address to send a key to. Whoever answers could name any other."""
    here, there = urlsplit(url), urlsplit(target)
    is_upgrade = (here.scheme, there.scheme) == ("http", "https")
    if there.hostname == here.hostname and is_upgrade:
        return True
    # Those names are this machine's own (RFC 6761), and ArchiveBox's by default.
    return f".{there.hostname}".endswith(".archivebox.localhost")


def make_long_failure() -> Failure:
    """Return the failure for arguments that no address can hold."""
    return Failure(
        Code.INVALID_ARGUMENT,
        "The arguments are too long to be sent: nothing was asked.",
        "Shorten the longest of them.",
    )


def make_foreign_failure() -> Failure:
    """Return the failure for a server without the description of an ArchiveBox's API."""
    return Failure(
        Code.UNSUPPORTED,
        "What answers at ARCHIVEBOX_URL is not an ArchiveBox with a REST API (0.8.5 or newer).",
        "Tell the user to check ARCHIVEBOX_URL: it is the address of the ArchiveBox itself.",
    )


def is_own_refusal(reply: Reply) -> bool:
    """Return whether ArchiveBox itself refused a request: whoever else answers cannot know what
    became of it."""
    try:
        payload = load_json(reply.body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        return not _OWN_KEYS.isdisjoint(payload)
    text = reply.body[:_MOST_BYTES]
    return is_refused_host(reply) or any(words in text for words in _OWN_WORDS)


def make_doubt(failure: Failure) -> Transient:
    """Return the failure of a change whose answer does not tell whether it was made."""
    return Transient(
        failure.code, failure.message, failure.hint, worth_repeating=False, **failure.details
    )


def is_refused_host(reply: Reply) -> bool:
    """Return whether this is Django's own refusal, which the API never sends: of a host name that
    is not in ALLOWED_HOSTS."""
    start = reply.body[:_MOST_BYTES] if reply.status == 400 else b""
    return b"Bad Request (400)" in start


def make_host_failure() -> Failure:
    """Return the failure for a host name that ArchiveBox does not answer to."""
    return Failure(
        Code.FORBIDDEN,
        "ArchiveBox does not answer to the host name in ARCHIVEBOX_URL: it is not in the server's "
        "ALLOWED_HOSTS.",
        "Tell the user to add that host name to ALLOWED_HOSTS in ArchiveBox's settings and restart "
        "ArchiveBox, or to set ARCHIVEBOX_URL to a name that is in there.",
    )


def _make_failure(reply: Reply, payload: Any) -> Failure:
    fields = payload if isinstance(payload, dict) else {}
    if fields.get("succeeded") is False:
        return _make_exception_failure(reply.status, str(fields.get("message", "")))
    detail = fields.get("detail")
    # A page may be long, and a message shows only its beginning.
    text = clean(reply.body[:_MOST_BYTES].decode("utf-8", "replace"))
    message = text if detail is None else _join_details(detail)
    match reply.status:
        case 400 if is_refused_host(reply):
            return make_host_failure()
        case 400 | 422:
            return Failure(
                Code.INVALID_ARGUMENT,
                f"ArchiveBox refused the arguments: {message}",
                "Correct the arguments and call again.",
            )
        case _ if not fields and (failure := _recognize(reply, message)):
            return failure
        case 401:
            return Failure(Code.UNAUTHENTICATED, "ArchiveBox does not accept the key.", KEY_HINT)
        case 403 if "disabled on this host" in message:
            return Failure(
                Code.FORBIDDEN,
                "ArchiveBox serves its API under another host name than the configured one.",
                "Tell the user to set ARCHIVEBOX_URL=http://api.archivebox.localhost:PORT, "
                "or the server's BASE_URL.",
            )
        case 403:
            return Failure(
                Code.FORBIDDEN,
                "ArchiveBox refuses this key: it is bad, or not a superuser's.",
                KEY_HINT,
            )
        # Only the API itself gives a detail; a page comes from the web server around it.
        case 404 if detail is not None:
            return Failure(Code.NOT_FOUND, f"ArchiveBox did not find it: {message}")
        case 404:
            return Failure(
                Code.NOT_FOUND,
                "ArchiveBox has nothing at that address.",
                "If every call says so, ARCHIVEBOX_URL does not point at an ArchiveBox.",
            )
        case 405:
            return Failure(
                Code.UNSUPPORTED,
                "This ArchiveBox does not offer that.",
                "The user can update ArchiveBox.",
            )
        case 409:
            return Failure(Code.REJECTED, f"ArchiveBox refused it as it stands: {message}")
    return Transient(
        Code.UNAVAILABLE,
        f"ArchiveBox has a problem of its own (HTTP {reply.status}).",
        "Try again in a minute.",
        # Both come from a proxy that did not reach ArchiveBox in time.
        worth_repeating=reply.status in (502, 504),
    )


def _recognize(reply: Reply, message: str) -> Failure | None:
    # Its own pages: it shows one for a host name that is not its own.
    if "disabled on this host" in message or "CSRF" in message:
        return None
    return recognize(reply, "ArchiveBox", "ARCHIVEBOX_URL")


def _make_exception_failure(status: int, message: str) -> Failure:
    """Return the failure for an exception inside ArchiveBox, by the exception's class: the status
    is 503 for nearly all."""
    kind, text = "", message
    if match := _EXCEPTION.match(message.strip()):
        kind, text = match["kind"].rpartition(".")[2], match["text"]
    text = clean(text)
    if "MultipleObjectsReturned" in kind:
        return Failure(
            Code.AMBIGUOUS,
            "That id fits several objects.",
            "Give more of it, preferably the whole id.",
        )
    if status == 404 or "DoesNotExist" in kind:
        return Failure(Code.NOT_FOUND, f"ArchiveBox did not find it: {text}")
    if kind in _ARGUMENT_ERRORS:
        return Failure(
            Code.INVALID_ARGUMENT, f"ArchiveBox cannot work with these arguments: {text}"
        )
    return Transient(
        Code.UNAVAILABLE,
        f"ArchiveBox has an internal error ({kind or 'error'}): {text}",
        "Its log on the server says more.",
        # An exception comes again with the same request.
        worth_repeating=False,
    )


def _join_details(detail: Any) -> str:
    if not isinstance(detail, list):
        return clean(str(detail))
    # The first mistakes are enough to see what is wrong.
    return "; ".join(map(_render_detail, detail[:_MOST_DETAILS]))


def _render_detail(entry: Any) -> str:
    if not isinstance(entry, dict):
        return clean(str(entry))
    steps = entry.get("loc")
    # The first step says only "query", "path" or "body", which means nothing to a tool's caller.
    place = ".".join(map(str, steps[1:])) if isinstance(steps, list) else ""
    message = clean(str(entry.get("msg", "")))
    return f"{place}: {message}" if place else message


def _make_garbage_failure(reply: Reply) -> Transient:
    is_page = reply.body[:200].lstrip().startswith(b"<")
    content = "an HTML page instead of data" if is_page else "an answer that is not JSON"
    return Transient(
        Code.BAD_RESPONSE, f"ArchiveBox sent {content}.", _URL_HINT, worth_repeating=False
    )
