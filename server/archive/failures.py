"""Archive's errors, decoded whatever the HTTP status (Archive docs, error handling).

`errors` may be a string or a list, `data` may be null, missing or partial, and a proxy may answer
in HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from server.archive.explanations import BAN, BY_CODE, BY_TEXT, PASSING_CODES, UNKNOWN_REFUSAL
from server.errors import Code, Failure
from server.http.intermediary import find_redirect_host, recognize
from server.http.json_body import load_json
from server.http.retry import Transient
from server.http.transport import Reply
from server.text import truncate_line

HOW_TO_GET_A_KEY = (
    "The user gets a token in Archive under Settings > Integrations (or Settings > API), "
    "sets ARCHIVE_APP_TOKEN and restarts the server; `archive-mcp doctor` checks it."
)

# The message may name fractions of a second, the header only whole ones.
_SECONDS = re.compile(r"retry after (\d+(?:\.\d+)?) second", re.IGNORECASE)
_LONGEST_RETRY = 86_400.0
_MARKUP = re.compile(r"<[a-z!/][^>]*>", re.IGNORECASE)
# Searched in the bytes, because only few answers need the costly second pass.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
# A gateway's own answers: the request may never have reached Archive, so a read is repeated.
_GATEWAY = (502, 503, 504)
# What the status alone says of the token and the workspace, and of the pace; 5xx come on top.
_DENIALS = (401, 403)
_REFUSALS = (*_DENIALS, 429)


class Answer(NamedTuple):
    """The operation's data; `partial` where Archive could not compute a part of it now."""

    data: Any
    partial: bool


def decode(reply: Reply, operation: str) -> Answer:
    """Return the operation's data; it is partial where an error that may pass comes beside it.

    Raises:
        Failure: what Archive refused, in the caller's words.
        Transient: what may pass, with the seconds Archive asked for.
    """
    errors, data = _read_payload(reply)
    # A null result is an answer, a missing key is none.
    result = data.get(operation)
    # Competitor metrics come with SERVICE_UNAVAILABLE where some could not be computed.
    if errors and result is not None and _may_pass(errors):
        return Answer(result, True)
    if errors:
        raise _choose_failure(reply, errors)
    # Only now: a server error whose body explains itself has been raised above already.
    if _is_refusal(reply):
        raise _describe_refusal(reply, "")
    if operation not in data:
        raise _describe_bad_answer("an answer without data")
    return Answer(result, False)


def decode_change(reply: Reply, operation: str) -> Answer:
    """Return the payload of a change, which was made for sure only where nothing else is said.

    Raises:
        Failure: what Archive refused before it ran the change.
        Transient: the change may have been made, whatever else the answer says.
    """
    content = _json_object(reply)
    errors, data = content.get("errors"), content.get("data")
    result = data.get(operation) if isinstance(data, dict) else data
    # Even an error that means "not now" elsewhere came after the change where it has a payload:
    # a second attempt would make, and pay for, the change twice.
    if result is not None and (errors or not 200 <= reply.status < 300):
        raise describe_doubt(f"{operation} with a result and an error")
    if isinstance(errors, list) and _may_have_run(reply, errors, data, operation):
        raise describe_doubt(f"{operation} with an error: {_first_message(errors)}")
    # Archive says why it refuses; a gateway in front of it that only says so may hold back the
    # answer to a change that was made.
    if errors is None and reply.status in _DENIALS:
        raise describe_doubt(f"{operation} with HTTP {reply.status} and no reason")
    return decode(reply, operation)


def describe_doubt(description: str) -> Transient:
    """Return the failure of a change of which the answer does not tell whether it was made."""
    return Transient(Code.BAD_RESPONSE, f"Archive answered {description}.", worth_repeating=False)


def decode_batch(reply: Reply, aliases: Sequence[str]) -> dict[str, Answer | Failure]:
    """Return for each alias its data and whether it is partial, or its own failure.

    Aliases that are missing were not answered: where a read may not be null, the error of one
    takes the data of all with it (GraphQL specification, errors and non-nullability).

    Raises:
        Failure: what Archive refused as a whole; an error without a path counts for all, unless a
            null explains it.
        Transient: what may pass, with the seconds Archive asked for.
    """
    errors, data = _read_payload(reply)
    _check_whole(reply, errors)
    own: dict[str, list[dict[str, Any]]] = {alias: [] for alias in aliases}
    general: list[dict[str, Any]] = []
    for error in errors:
        own.get(_read_alias(error), general).append(error)
    if general and _concerns_all(general, own, data):
        raise _choose_failure(reply, general)
    if not errors and data.keys().isdisjoint(aliases):
        raise _describe_bad_answer("an answer without data")
    results: dict[str, Answer | Failure] = {}
    for alias, mine in own.items():
        value = data.get(alias)
        if value is not None and _may_pass(mine):
            results[alias] = Answer(value, bool(mine or general))
        elif mine:
            results[alias] = _choose_failure(reply, mine)
        elif alias in data and not general:
            results[alias] = Answer(None, False)
    return results


def retry_after(reply: Reply, message: str) -> float:
    """Return the seconds to wait after a 429: the larger of the header and the message."""
    stated = [float(result) for result in _SECONDS.findall(message)]
    header = reply.headers.get("retry-after", "")
    # The header may also be a date (RFC 9110), which would need the wall clock.
    if re.fullmatch(r"\d+(\.\d+)?", header):
        stated.append(float(header))
    # A number of hundreds of digits is infinite, which no wait and no sentence can hold.
    return min(max(stated, default=1.0), _LONGEST_RETRY)


def user_errors(operation: str, errors: list[dict[str, Any]], hint: str = "") -> Failure:
    """Return the `userErrors` of a mutation, which changed nothing, as a failure."""
    texts = [_describe_user_error(error) for error in errors]
    refusal = f"Archive refused {operation}: {_clean('; '.join(texts))}"
    return Failure(Code.REJECTED, refusal, f"Nothing was changed. {hint}".strip())


def _may_have_run(reply: Reply, errors: list[Any], data: Any, operation: str) -> bool:
    """Return whether a change without a payload may have been made, in spite of the errors."""
    depth = max((_find_depth(error, operation) for error in errors), default=0)
    # Without data the request was refused before it ran (GraphQL specification, request errors).
    if not errors or not (depth or isinstance(data, dict)):
        return False
    # An error inside the payload: it was made, and then not all of it could be told. And only the
    # known refusals come before anything is done.
    return depth > 1 or not all(_is_known_refusal(reply, error) for error in errors)


def _find_depth(error: Any, operation: str) -> int:
    """Return how many steps an error's path has; 0 where it is not about the operation."""
    path = error.get("path") if isinstance(error, dict) else None
    return len(path) if isinstance(path, list) and path[:1] == [operation] else 0


def _is_known_refusal(reply: Reply, error: Any) -> bool:
    return isinstance(error, dict) and _describe_error(reply, error).code is not Code.REJECTED


def _first_message(errors: list[Any]) -> str:
    error = errors[0]
    message = error.get("message", "") if isinstance(error, dict) else error
    return _clean(str(message)).rstrip(".")


def _describe_user_error(error: dict[str, Any]) -> str:
    message, field = str(error.get("message", "")), error.get("field")
    if not field:
        return message
    # A list of names by the schema, one text in the docs' examples.
    where = ".".join(field) if isinstance(field, list) else field
    return f"{where}: {message}"


def _read_payload(reply: Reply) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the errors and the data of an answer, each empty where there are none."""
    payload = _json_object(reply)
    errors, data = payload.get("errors"), payload.get("data")
    # One error without the list around it is an error all the same.
    if isinstance(errors, dict):
        errors = [errors]
    # A text instead of a list: the token or the workspace is refused (Archive docs, errors).
    if isinstance(errors, str):
        raise _describe_refusal(reply, errors)
    if not isinstance(errors, list):
        errors = []
    objects = [error if isinstance(error, dict) else {"message": str(error)} for error in errors]
    return objects, data if isinstance(data, dict) else {}


def _check_whole(reply: Reply, errors: list[dict[str, Any]]) -> None:
    """Raise for an answer whose data does not count: throttled, forbidden, or a server error."""
    # The code is looked at as well, because older deployments send it with status 200.
    throttled = [error for error in errors if _read_code(error) == "RATE_LIMIT_EXCEEDED"]
    if throttled or reply.status == 429:
        texts = [str(error.get("message", "")) for error in throttled or errors]
        raise _describe_throttling(reply, " ".join(texts))
    if _is_refusal(reply):
        raise _choose_failure(reply, errors) if errors else _describe_refusal(reply, "")


def _concerns_all(
    general: list[dict[str, Any]], own: dict[str, list[dict[str, Any]]], data: dict[str, Any]
) -> bool:
    """Return whether errors without an alias concern every read, and explain no null of some."""
    if not data:
        return True
    # The default keeps aliases that are missing apart from those that are null.
    nulls = [alias for alias, errors in own.items() if data.get(alias, "") is None and not errors]
    if len(nulls) == len(own):
        return True
    return len(nulls) < len(general) and not _may_pass(general)


def _may_pass(errors: list[dict[str, Any]]) -> bool:
    return all(_read_code(error) == "SERVICE_UNAVAILABLE" for error in errors)


def _read_alias(error: dict[str, Any]) -> str:
    """Return the alias that an error is about, empty if it is about the document."""
    # The first step of an error's path is the alias (GraphQL specification, response format).
    path = error.get("path")
    if not isinstance(path, list) or not path:
        return ""
    return path[0] if isinstance(path[0], str) else ""


def _is_refusal(reply: Reply) -> bool:
    """Return whether the status alone tells that the request was not answered."""
    return reply.status in _REFUSALS or reply.status >= 500


def _json_object(reply: Reply) -> dict[str, Any]:
    try:
        payload = _load_json(reply.body)
    # Deeply nested brackets exhaust the parser's recursion, and are as unreadable as broken JSON.
    except (ValueError, RecursionError):
        payload = None
    # Redirects are not followed, because the token goes to the configured origin only; and a body
    # beside one is not Archive's answer.
    if 300 <= reply.status < 400:
        raise _describe_redirect(reply)
    if isinstance(payload, dict):
        return payload
    if failure := recognize(reply, "Archive", "ARCHIVE_API_URL"):
        raise failure
    if _is_refusal(reply):
        raise _describe_refusal(reply, "")
    raise _describe_bad_answer(_describe_body(reply.body))


def _load_json(body: bytes) -> Any:
    """Return JSON that can be written as UTF-8 again.

    Half a surrogate pair, left where a caption was cut, becomes `?`.
    """
    # A byte order mark and invalid bytes are no reason to lose a whole page of records.
    payload = load_json(body.decode("utf-8-sig", "replace"))
    if not _SURROGATE.search(body):
        return payload
    return json.loads(json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace"))


def _describe_body(body: bytes) -> str:
    start = body[:200].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<"):
        return "an HTML page instead of data"
    return "an answer that is not complete JSON"


def _describe_bad_answer(description: str) -> Transient:
    return Transient(
        Code.BAD_RESPONSE,
        f"Archive sent {description}.",
        "Try again. If it stays so, open a page in a browser, as the network may ask for a "
        "sign-in; `archive-mcp doctor` shows whether ARCHIVE_API_URL is right.",
        # Whatever answers in this way does so again: the URL is wrong, or a proxy stands before it.
        worth_repeating=False,
    )


def _describe_redirect(reply: Reply) -> Transient:
    failure = _describe_bad_answer(f"a redirect (HTTP {reply.status}), which is not followed")
    if host := find_redirect_host(reply):
        failure.hint = (
            f"It leads to {host}: often the sign-in page of a company or network, which no program "
            "can pass. The token was not sent there. The user asks whoever runs the network to "
            "let requests to Archive pass, or corrects ARCHIVE_API_URL."
        )
    return failure


def _describe_outage(reply: Reply) -> Transient:
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
        return _describe_outage(reply)
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
        return BAN.make_failure()
    hint = "`archive-mcp doctor` shows whether the token and ARCHIVE_API_URL are right."
    return Failure(Code.REJECTED, f"Archive refused the request: {_clean(text)}", hint)


def _choose_failure(reply: Reply, errors: list[dict[str, Any]]) -> Failure:
    """Return the most telling failure: one with a known code before one without."""
    # One mistake may bring several errors, of which those without a code say least.
    failures = [_describe_error(reply, error) for error in errors]
    for failure in failures:
        if failure.code is not Code.REJECTED:
            return failure
    return failures[0]


def _describe_error(reply: Reply, error: dict[str, Any]) -> Failure:
    message, code = str(error.get("message", "")), _read_code(error)
    text, lowered = _clean(message), message.lower()
    if reply.status == 401:
        return _describe_refusal(reply, message)
    # The text goes first: some errors of the caller carry the code of a server error.
    for part, explanation in BY_TEXT.items():
        if part in lowered:
            return explanation.make_failure(text)
    if code == "RATE_LIMIT_EXCEEDED" or reply.status == 429:
        return _describe_throttling(reply, message)
    if code in BY_CODE:
        return BY_CODE[code].make_failure(text)
    if code in PASSING_CODES:
        return Transient(
            Code.UNAVAILABLE,
            f"Archive failed: {text}",
            "Try again in a minute.",
            worth_repeating=PASSING_CODES[code],
        )
    if reply.status >= 500:
        return _describe_outage(reply)
    return Failure(Code.REJECTED, f"Archive refused it: {text}", UNKNOWN_REFUSAL)


def _read_code(error: dict[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code", "")) if isinstance(extensions, dict) else ""


def _clean(text: str) -> str:
    """Return Archive's text without markup, at most 300 characters of it."""
    return truncate_line(_MARKUP.sub(" ", text), 300)
