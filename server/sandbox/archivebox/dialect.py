"""In what the three imitated releases differ, beside their descriptions; observed on servers of
each release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Version = Literal["0.9.73", "0.9.31", "0.8.5"]


@dataclass(frozen=True)
class Dialect:
    """How one release behaves where the releases differ.

    compact_ids: ids are 32 hexadecimal digits, else with dashes. statuses: what a snapshot can be.
    loose_statuses: case does not matter, and empty means none. status_filter: `status` filters
    snapshots, else it is ignored. contents: search looks into the pages' text. deletes_later:
    deleting only queues. merges_tags: a crawl's tags stay on its snapshots. adds_later: snapshots
    appear some seconds after adding. permissions: each snapshot is public or private, else all are
    the same. redacts: secrets in configurations are masked. basic: a user name and password are
    accepted on every request.
    """

    version: Version
    release: str
    compact_ids: bool = False
    statuses: tuple[str, ...] = ("queued", "started", "sealed")
    loose_statuses: bool = False
    status_filter: bool = False
    contents: bool = False
    deletes_later: bool = False
    merges_tags: bool = False
    adds_later: bool = False
    permissions: bool = False
    redacts: bool = False
    basic: bool = False

    @property
    def old(self) -> bool:
        """The API before 0.9: other field names, ABIDs, and commands that work while the caller
        waits."""
        return self.version == "0.8.5"


DIALECTS: dict[str, Dialect] = {
    "0.9.73": Dialect(
        "0.9.73",
        "0.9.73",
        compact_ids=True,
        statuses=("queued", "started", "paused", "sealed", "deleting"),
        loose_statuses=True,
        status_filter=True,
        contents=True,
        deletes_later=True,
        merges_tags=True,
        adds_later=True,
        permissions=True,
        redacts=True,
    ),
    "0.9.31": Dialect("0.9.31", "0.9.31rc1"),
    "0.8.5": Dialect("0.8.5", "0.8.5rc51", basic=True),
}
