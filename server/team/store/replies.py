"""The used replies to questions that every replica knows: each counts once on all of them."""

from __future__ import annotations

from server.shared_state.replies import REPLY_SECONDS, make_mark
from server.team.store.database import Database

_FORGET = "DELETE FROM used_replies WHERE expires_at <= now()"
# One statement looks and adds, so that of several that come at once one alone counts.
_USE = (
    "INSERT INTO used_replies (principal_id, mark, expires_at) "
    "VALUES (%s, %s, now() + make_interval(secs => %s)) ON CONFLICT DO NOTHING RETURNING 1"
)


class PostgresReplies:
    """The used replies of one principal in the team's database.

    The methods are those of `Replies`.
    """

    def __init__(self, database: Database, principal_id: str) -> None:
        self._database = database
        self._principal_id = principal_id

    def issue(self) -> str:
        return make_mark()

    async def redeem(self, mark: str) -> bool:
        """See `Replies.redeem`. Where the database was lost in between, a reply may not count
        although it is the first: then the user is asked once more."""
        if not mark:
            return False
        await self._database.execute(_FORGET)
        return bool(await self._database.execute(_USE, (self._principal_id, mark, REPLY_SECONDS)))
