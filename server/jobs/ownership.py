"""Whose a job is: jobs of other tokens and addresses are neither listed nor touched."""

from __future__ import annotations

from server.errors import Code, Failure


def make_foreign(name: str) -> Failure:
    """Return the refusal of a job that was started with another token or address."""
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{name} belongs to another token or server address.",
        "Tell the user: it can be used only with the settings that it was started with.",
    )


def make_missing(name: str) -> Failure:
    """Return the failure of a job that does not exist."""
    return Failure(
        Code.NOT_FOUND,
        f"There is no job {name[:100]!r}.",
        "{list_jobs} shows them; they are kept for 30 days.",
    )
