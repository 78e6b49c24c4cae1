"""Confirmation tokens that every replica knows: each counts once, whoever handed it out."""

from __future__ import annotations

import hashlib

from server.shared_state.tokens import TOKEN_SECONDS, make_token
from server.team.store.database import Database

_FORGET = "DELETE FROM confirmation_tokens WHERE expires_at <= now()"
_ADD = (
    "INSERT INTO confirmation_tokens (digest, principal_id, basis, expires_at) "
    "VALUES (%s, %s, %s, now() + make_interval(secs => %s)) ON CONFLICT DO NOTHING"
)
# One statement finds and removes it, so that of several that come at once one alone counts.
_USE = (
    "DELETE FROM confirmation_tokens WHERE digest = %s AND principal_id = %s AND basis = %s "
    "AND expires_at > now() RETURNING 1"
)


class PostgresTokens:
    """The tokens of one principal in the team's database.

    Args:
        principal_id: Whose tokens they are; nobody else's count.

    The methods are those of `Tokens`.
    """

    def __init__(self, database: Database, principal_id: str) -> None:
        self._database = database
        self._principal_id = principal_id

    async def issue(self, basis: str) -> str:
        await self._database.execute(_FORGET)
        token = make_token()
        parameters = (_digest(token), self._principal_id, basis, TOKEN_SECONDS)
        await self._database.execute(_ADD, parameters)
        return token

    async def redeem(self, token: str, basis: str) -> bool:
        """See `Tokens.redeem`. Where the database was lost in between, a token may be used up
        although it did not count: then the user is asked once more."""
        parameters = (_digest(token), self._principal_id, basis)
        return bool(await self._database.execute(_USE, parameters))


def _digest(token: str) -> bytes:
    # Whoever reads the database, or a backup of it, must not be able to confirm anything.
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
