"""Whose a job is: jobs of other tokens and addresses are neither listed nor touched."""

from __future__ import annotations

import json
from collections.abc import Collection

from server.errors import Code, Failure
from server.jobs.model import Account

# SQL conditions: the job belongs to one of the accounts, a JSON list of pairs, and to one token;
# null stands for any.
OF_ACCOUNTS = """(:accounts IS NULL OR EXISTS (SELECT 1 FROM json_each(:accounts)
    WHERE origin = json_extract(value, '$[0]') AND account = json_extract(value, '$[1]')))"""
OF_BOTH = f"{OF_ACCOUNTS} AND (:account IS NULL OR account = :account)"


def to_values(accounts: Collection[Account] | None) -> dict[str, str | None]:
    """Return what the condition of accounts refers to; None stands for everybody."""
    return {"accounts": None if accounts is None else json.dumps([*accounts])}


def make_foreign(name: str) -> Failure:
    """Return the refusal of a job that was started with another token or address."""
    return Failure(
        Code.INVALID_ARGUMENT,
        f"{name} belongs to another token or server address.",
        "Tell the user: only with the settings that it was started with can it be used.",
    )


def make_missing(name: str) -> Failure:
    """Return the failure of a job that does not exist."""
    return Failure(
        Code.NOT_FOUND,
        f"There is no job {name[:100]!r}.",
        "{list_jobs} shows them; they are kept for 30 days.",
    )
