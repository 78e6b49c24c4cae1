"""Archive's errors, decoded whatever the HTTP status (Archive docs, error handling).

`errors` may be a string or a list, `data` may be null, missing or partial, and a proxy may answer
in HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from server.errors import Code, Failure
from server.http.retry import Transient
from server.http.transport import Reply
from server.text import truncate_line

HOW_TO_GET_A_KEY = (
    "The person gets a token in Archive under Settings > Integrations (or Settings > API), "
    "sets ARCHIVE_APP_TOKEN and restarts the server; `archive-mcp doctor` checks it."
)

# The message may name fractions of a second, the header only whole ones.
_SECONDS = re.compile(r"retry after (\d+(?:\.\d+)?) second", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-z!/][^>]*>", re.IGNORECASE)
# Searched in the bytes, because only few answers need the costly second pass.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# A gateway's own answers: the request may never have reached Archive, so a read is repeated.
_GATEWAY = (502, 503, 504)

_LISTS_OF_PRESETS = "{filterPresets} lists the content views and collections that {items} takes."
_LISTS_OF_VIEWS = (
    "{creatorViews} lists the views for {creators}, "
    "{socialProfileViews} those for {socialProfiles}."
)

# The packaged schema is all we know: production refuses introspection, so these codes are the only
# sign that the API changed.
_DRIFT = frozenset(
    {
        "undefinedField",
        "argumentNotAccepted",
        "undefinedType",
        "variableMismatch",
        "missingRequiredArguments",
    }
)


def decode(reply: Reply, operation: str) -> tuple[Any, bool]:
    """Return the operation's data, and whether it is partial (a passing error beside the data).

    Raises:
        Failure: what Archive refused, in the caller's words.
        Transient: what may pass, with the seconds Archive asked for.
    """
    payload = _json_object(reply)
    errors = payload.get("errors")
    # A text instead of a list: the token or the workspace is refused (Archive docs, errors).
    if isinstance(errors, str):
        raise _describe_refusal(reply, errors)
    listed = _error_list(errors)
    data = payload.get("data")
    result = data.get(operation) if isinstance(data, dict) else None
    if listed:
        # Competitor metrics come with SERVICE_UNAVAILABLE where some could not be computed.
        if result is not None and _passing(listed):
            return result, True
        raise _first(reply, listed)
    # Only now: a server error whose body explains itself has been raised above already.
    if reply.status in _GATEWAY or reply.status >= 500:
        raise _down(reply)
    if reply.status in (401, 403, 429):
        raise _describe_refusal(reply, "")
    # A null result is an answer, a missing key is none.
    if not isinstance(data, dict) or operation not in data:
        raise _unintelligible("an answer without data")
    return result, False


def decode_packed(reply: Reply, aliases: Sequence[str]) -> dict[str, tuple[Any, bool] | Failure]:
    """Return for each alias its data and whether it is partial, or its own failure.

    Aliases that are missing were not answered: where a read may not be null, the error of one
    takes the data of all with it (GraphQL specification, errors and non-nullability).

    Raises:
        Failure: what Archive refused as a whole; an error without a path counts for all, unless a
            null explains it.
        Transient: what may pass, with the seconds Archive asked for.
    """
    payload = _json_object(reply)
    errors = payload.get("errors")
    if isinstance(errors, str):
        raise _describe_refusal(reply, errors)
    listed, data = _error_list(errors), payload.get("data")
    _check_whole(reply, listed)
    # The first step of an error's path is the alias (GraphQL specification, response format).
    own = {alias: [entry for entry in listed if _alias(entry) == alias] for alias in aliases}
    rest = [entry for entry in listed if _alias(entry) not in own]
    parts = data if isinstance(data, dict) else {}
    # The default keeps aliases that are missing apart from those that are null.
    nulls = [alias for alias in aliases if parts.get(alias, "") is None and not own[alias]]
    if rest and (
        len(nulls) == len(aliases) or not parts or (len(nulls) < len(rest) and not _passing(rest))
    ):
        raise _first(reply, rest)
    if not listed and parts.keys().isdisjoint(aliases):
        raise _unintelligible("an answer without data")
    result: dict[str, tuple[Any, bool] | Failure] = {}
    for alias, mine in own.items():
        value = parts.get(alias)
        if value is not None and _passing(mine):
            result[alias] = value, bool(mine or rest)
        elif mine:
            result[alias] = _first(reply, mine)
        elif alias in parts and not rest:
            result[alias] = None, False
    return result


def retry_after(reply: Reply, message: str) -> float:
    """Return the seconds to wait after a 429: the larger of the header and the message."""
    stated = [float(result) for result in _SECONDS.findall(message)]
    header = reply.headers.get("retry-after", "")
    # The header may also be a date (RFC 9110), which would need the wall clock.
    if re.fullmatch(r"\d+(\.\d+)?", header):
        stated.append(float(header))
    return max(stated, default=1.0)


def user_errors(operation: str, errors: list[dict[str, Any]], hint: str = "") -> Failure:
    """Return the `userErrors` of a mutation, which changed nothing, as a failure."""
    texts = []
    for error in errors:
        field = error.get("field")
        # A list of names by the schema, one text in the docs' examples.
        where = ".".join(field) if isinstance(field, list) else str(field or "")
        texts.append(
            f"{where}: {error.get('message', '')}" if where else str(error.get("message", ""))
        )
    refusal = f"Archive refused {operation}: {_clean('; '.join(texts))}"
    return Failure(Code.REJECTED, refusal, f"Nothing was changed. {hint}".strip())


def _check_whole(reply: Reply, listed: list[dict[str, Any]]) -> None:
    """Raise for an answer whose data does not count: throttled, forbidden, or a server error."""
    # The code is looked at as well, because older deployments send it with status 200.
    throttled = [
        str(entry.get("message", "")) for entry in listed if _code(entry) == "RATE_LIMIT_EXCEEDED"
    ]
    if throttled or reply.status == 429:
        raise _describe_throttling(
            reply, " ".join(throttled or [str(entry.get("message", "")) for entry in listed])
        )
    if reply.status >= 500 or reply.status in (401, 403):
        raise _first(reply, listed) if listed else _describe_refusal(reply, "")


def _error_list(errors: Any) -> list[dict[str, Any]]:
    entries = errors if isinstance(errors, list) else []
    return [entry if isinstance(entry, dict) else {"message": str(entry)} for entry in entries]


def _passing(errors: list[dict[str, Any]]) -> bool:
    return all(_code(error) == "SERVICE_UNAVAILABLE" for error in errors)


def _alias(error: dict[str, Any]) -> str | None:
    """Return the alias that an error is about; None if it is about the document."""
    path = error.get("path")
    return path[0] if isinstance(path, list) and path and isinstance(path[0], str) else None


def _json_object(reply: Reply) -> dict[str, Any]:
    try:
        payload = _load_json(reply.body)
    # Deeply nested brackets exhaust the parser's recursion, and are as unreadable as broken JSON.
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        return payload
    if reply.status == 429:
        raise _describe_throttling(reply, "")
    if reply.status >= 500:
        raise _down(reply)
    if reply.status in (401, 403):
        raise _describe_refusal(reply, "")
    # Redirects are not followed, because the token goes to the configured origin only.
    if 300 <= reply.status < 400:
        raise _unintelligible(f"a redirect (HTTP {reply.status}), which is not followed")
    raise _unintelligible(_what(reply.body))


def _load_json(body: bytes) -> Any:
    """Return JSON that can be written as UTF-8 again.

    Half a surrogate pair, left where a caption was cut, becomes `?`.
    """
    # A byte order mark and invalid bytes are no reason to lose a whole page of records.
    payload = json.loads(body.decode("utf-8-sig", "replace"))
    if not _SURROGATE.search(body):
        return payload
    return json.loads(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))


def _what(body: bytes) -> str:
    start = body[:200].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<"):
        return "an HTML page instead of data"
    return "an answer that is not complete JSON"


def _unintelligible(what: str) -> Transient:
    return Transient(
        Code.BAD_RESPONSE,
        f"Archive sent {what}.",
        "Try again; if it stays so, `archive-mcp doctor` shows whether ARCHIVE_API_URL is right.",
        # Whatever answers in this way does so again: the URL is wrong, or a proxy stands before it.
        worth_repeating=False,
    )


def _down(reply: Reply) -> Transient:
    return Transient(
        Code.UNAVAILABLE,
        f"Archive has a problem of its own (HTTP {reply.status}).",
        "Try again in a minute.",
        worth_repeating=reply.status in _GATEWAY,
    )


def _describe_throttling(reply: Reply, message: str) -> Transient:
    seconds = retry_after(reply, message)
    return Transient(
        Code.RATE_LIMITED,
        f"Archive's request limit is used up for {seconds:g} s.",
        f"Wait {seconds:g} s and call again; something else may be using the same workspace.",
        # Throttled before it was executed, so even a write may be sent again.
        may_have_happened=False,
        retry_after=seconds,
    )


def _describe_refusal(reply: Reply, text: str) -> Failure:
    lowered = text.lower()
    if reply.status == 429:
        return _describe_throttling(reply, text)
    if reply.status >= 500:
        return _down(reply)
    # Archive's own words for a wrong WORKSPACE-ID, from the time when workspaces were shops.
    if "shop not found" in lowered or "workspace" in lowered:
        return Failure(
            Code.NOT_FOUND,
            "Archive knows no such workspace.",
            "Use the name or id of a workspace that the token sees ({workspaces} lists them).",
            unknown_workspace=True,
        )
    # By the words as well: older deployments refuse a token with status 200.
    if reply.status == 401 or "authentication" in lowered or "token" in lowered:
        return Failure(Code.UNAUTHENTICATED, "Archive does not accept the token.", HOW_TO_GET_A_KEY)
    if reply.status == 403:
        return _describe_ban()
    hint = "`archive-mcp doctor` shows whether the token and ARCHIVE_API_URL are right."
    return Failure(Code.REJECTED, f"Archive refused the request: {_clean(text)}", hint)


def _describe_ban() -> Failure:
    return Failure(
        Code.FORBIDDEN,
        "This token may not use that workspace or operation.",
        "Call {workspaces} for the workspaces it may use; some operations depend on the plan.",
    )


def _first(reply: Reply, errors: list[dict[str, Any]]) -> Failure:
    """Return the most telling failure: one with a known code before one without."""
    # One mistake may bring several errors, of which those without a code say least.
    failures = [_one(reply, error) for error in errors]
    return next((failure for failure in failures if failure.code is not Code.REJECTED), failures[0])


def _one(reply: Reply, error: dict[str, Any]) -> Failure:
    message, code = str(error.get("message", "")), _code(error)
    # The text goes first: some errors of the caller carry the code of a server error.
    if by_message := _by_message(reply, message):
        return by_message
    if code == "RATE_LIMIT_EXCEEDED" or reply.status == 429:
        return _describe_throttling(reply, message)
    if by_code := _by_code(code, _clean(message)):
        return by_code
    return (
        _down(reply)
        if reply.status >= 500
        else Failure(Code.REJECTED, f"Archive refused it: {_clean(message)}")
    )


def _by_code(code: str, message: str) -> Failure | None:
    match code:
        case "UNAUTHORIZED":
            return _describe_ban()
        case "NOT_FOUND":
            return Failure(Code.NOT_FOUND, f"Archive did not find it: {message}")
        case "WRONG_VIEW_TYPE" | "WRONG_VIEW_TYPE_FOR_ITEMS":
            return Failure(
                Code.INVALID_ARGUMENT,
                f"`presetId` names no view or collection of the kind this search takes: {message}",
                _LISTS_OF_VIEWS if code == "WRONG_VIEW_TYPE" else _LISTS_OF_PRESETS,
            )
        case "SERVICE_UNAVAILABLE" | "INTERNAL_SERVER_ERROR":
            # INTERNAL_SERVER_ERROR also comes for faults of the request, which would fail again.
            again = code == "SERVICE_UNAVAILABLE"
            return Transient(
                Code.UNAVAILABLE,
                f"Archive failed: {message}",
                "Try again in a minute.",
                worth_repeating=again,
            )
        case "argumentLiteralsIncompatible":
            return Failure(Code.INVALID_ARGUMENT, f"Archive does not accept a value: {message}")
        case _ if code in _DRIFT:
            # The packaged schema ends where the installed version does: an update may know the
            # change.
            hint = "Name other `fields`, and look for a newer version of archive-mcp."
            return Failure(Code.UNSUPPORTED, f"Archive's API has changed: {message}", hint)
    return None


def _by_message(reply: Reply, message: str) -> Failure | None:
    """Return the failure for an error that only its text identifies, if it is one."""
    lowered = message.lower()
    if reply.status == 401:
        return _describe_refusal(reply, message)
    if "cannot coerce" in lowered:
        # It comes as INTERNAL_SERVER_ERROR, but the caller's value is wrong: do not repeat it.
        return Failure(
            Code.INVALID_ARGUMENT,
            f"Archive cannot read a value: {_clean(message)}",
            "Write dates in UTC.",
        )
    if "invalid cursor" in lowered:
        return Failure(
            Code.INVALID_ARGUMENT,
            "`after` is no longer valid at Archive.",
            "Start again without `after`.",
        )
    if "exceeds max depth" in lowered:
        return Failure(
            Code.INVALID_ARGUMENT,
            f"`fields` go too deep: {_clean(message)}",
            "Name shallower paths.",
        )
    if "must be less than or equal to" in lowered:
        return Failure(Code.INVALID_ARGUMENT, f"Archive refused the page size: {_clean(message)}")
    return None


def _code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _clean(text: str) -> str:
    """Return Archive's text without markup, at most 300 characters of it."""
    return truncate_line(_MARKUP.sub(" ", text), 300)
