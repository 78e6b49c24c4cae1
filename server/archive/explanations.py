"""What a caller reads about an error of Archive, by the error's code or by a part of its text."""

from __future__ import annotations

from typing import NamedTuple

from server.errors import Code, Failure


class Explanation(NamedTuple):
    """The words for an error; `{text}` in the message stands for Archive's own text."""

    code: Code
    message: str
    hint: str = ""

    def make_failure(self, text: str = "") -> Failure:
        """Return the failure, with Archive's own text in its message."""
        return Failure(self.code, self.message.format(text=text), self.hint)


BAN = Explanation(
    Code.FORBIDDEN,
    "This token may not use that workspace or operation.",
    "Call {workspaces} for the workspaces it may use; some operations depend on the plan.",
)
_WRONG_VIEW = "`presetId` names no view or collection of the kind this search takes: {text}"
# The packaged schema is all we know: production refuses introspection, so some codes are the only
# sign that the API changed. The schema ends where the installed version does, so an update may know
# the change.
_DRIFT = Explanation(
    Code.UNSUPPORTED,
    "Archive's API has changed: {text}",
    "Name other `fields`, and look for a newer version of archive-mcp.",
)
BY_CODE = {
    "UNAUTHORIZED": BAN,
    "NOT_FOUND": Explanation(Code.NOT_FOUND, "Archive did not find it: {text}"),
    "WRONG_VIEW_TYPE": Explanation(
        Code.INVALID_ARGUMENT,
        _WRONG_VIEW,
        "{creatorViews} lists the views for {creators}, "
        "{socialProfileViews} those for {socialProfiles}.",
    ),
    "WRONG_VIEW_TYPE_FOR_ITEMS": Explanation(
        Code.INVALID_ARGUMENT,
        _WRONG_VIEW,
        "{filterPresets} lists the content views and collections that {items} takes.",
    ),
    "argumentLiteralsIncompatible": Explanation(
        Code.INVALID_ARGUMENT, "Archive does not accept a value: {text}"
    ),
    "undefinedField": _DRIFT,
    "argumentNotAccepted": _DRIFT,
    "undefinedType": _DRIFT,
    "variableMismatch": _DRIFT,
    "missingRequiredArguments": _DRIFT,
}
# Errors that only a part of their text, in small letters, identifies.
BY_TEXT = {
    # It comes as INTERNAL_SERVER_ERROR, but the caller's value is wrong: do not repeat it.
    "cannot coerce": Explanation(
        Code.INVALID_ARGUMENT, "Archive cannot read a value: {text}", "Write dates in UTC."
    ),
    "invalid cursor": Explanation(
        Code.INVALID_ARGUMENT,
        "`after` is no longer valid at Archive.",
        "Start again without `after`.",
    ),
    "exceeds max depth": Explanation(
        Code.INVALID_ARGUMENT, "`fields` go too deep: {text}", "Name shallower paths."
    ),
    "must be less than or equal to": Explanation(
        Code.INVALID_ARGUMENT, "Archive refused the page size: {text}"
    ),
}
# Codes of errors that may pass, and whether a second attempt makes sense at once:
# INTERNAL_SERVER_ERROR also comes for faults of the request, which would fail again.
PASSING_CODES = {"SERVICE_UNAVAILABLE": True, "INTERNAL_SERVER_ERROR": False}
UNKNOWN_REFUSAL = (
    "Change the arguments; if they are right, `archive-mcp doctor` checks the connection."
)
"""The hint of a refusal that only Archive's own text explains."""
