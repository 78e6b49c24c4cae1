"""What the person behind the calls may do, beyond what is listed for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.errors import Code, Failure

# What a call does to the user's data; only `reads` and `adds` leave all that exists as it is.
Risk = Literal["reads", "adds", "changes", "removes", "spends"]


@dataclass(frozen=True)
class Permissions:
    """Which kinds of calls are allowed; over stdio only reading may be all that is.

    Args:
        by_policy: whether administrators decided so, and not whoever started the server.
    """

    read_only: bool = False
    may_spend: bool = True
    may_delete: bool = True
    by_policy: bool = False

    def allow(self, risk: Risk) -> bool:
        """Return whether a call of this risk is allowed."""
        if risk == "reads":
            return True
        forbidden = {"spends": not self.may_spend, "removes": not self.may_delete}
        return not (self.read_only or forbidden.get(risk, False))

    def refuse(self, what: str, risk: Risk) -> None:
        """Refuse a call that is not allowed.

        Raises:
            Failure: `READ_ONLY`, or `FORBIDDEN`.
        """
        if self.allow(risk):
            return
        if self.read_only and not self.by_policy:
            raise Failure(
                Code.READ_ONLY,
                f"{what} changes data, and this server was started read-only.",
                "Tell the user; only they can restart it without --read-only "
                "(ARCHIVE_MCP_READ_ONLY).",
            )
        if self.read_only:
            raise Failure(
                Code.READ_ONLY,
                f"{what} changes data, and this user only reads here.",
                "Tell the user; the administrators of this server decide, or the header "
                "X-Archive-Read-Only of their client.",
            )
        verb = "spends billing credits" if risk == "spends" else "deletes or removes"
        raise Failure(
            Code.FORBIDDEN,
            f"{what} {verb}, which this user may not do.",
            "Tell the user; the administrators of this server decide.",
        )


EVERYTHING = Permissions()
