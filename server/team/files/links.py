"""Links by which a person's browser loads one of their files, for a short time and without a
sign-in.

A link is sealed with the server's keys: nobody else can make or change one, and what it is for
cannot be read from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from server import wall_clock
from server.exports import Download
from server.team.identity.archive_token import TRUSTED_SECONDS
from server.team.identity.refusal import Reason
from server.team.policy import Identity, Policy
from server.team.policy.policy import OWN_TOKEN
from server.team.sealing import Seal

PATH = "/files"
LIFE = timedelta(minutes=15)
# No link holds a token, so nobody can ask Archive about it when the link is opened: it works no
# longer than an answer of Archive's is trusted.
OWN_TOKEN_LIFE = timedelta(seconds=TRUSTED_SECONDS)
_PURPOSE = "link of a file"
# Longer than any link that this makes.
_LONGEST = 16_000


class LinkError(Exception):
    """A link does not work; the message is for whoever opened it.

    Args:
        reason: why that is a refusal; None where nobody was refused anything.
        subject: whom the link was made for, where that can be read.
    """

    def __init__(
        self, status: int, message: str, reason: Reason | None = None, subject: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.subject = subject


class Links:
    """Makes and opens links.

    Args:
        address: what people's clients call the server, without a path; None where no link would
            lead here.
        keys: the first one seals.
        policy: returns the policy that holds now.
    """

    def __init__(
        self,
        address: str | None,
        keys: Sequence[bytes],
        policy: Callable[[], Policy],
        now: Callable[[], datetime] = lambda: wall_clock.utc_now(),
    ) -> None:
        self._address = address
        self._seal = Seal(keys, _PURPOSE)
        self._policy = policy
        self._now = now

    def make(self, identity: Identity, name: str) -> Download | None:
        """Return a link to a file of somebody."""
        if self._address is None:
            return None
        until = (self._now() + _find_life(identity)).replace(microsecond=0)
        content = [self._shorten(identity).encode(), name, int(until.timestamp())]
        sealed = self._seal.close(json.dumps(content, ensure_ascii=False))
        return Download(f"{self._address}{PATH}/{sealed}", until)

    def open(self, sealed: str) -> tuple[Identity, str]:
        """Return whose file a link leads to, and its name.

        Raises:
            LinkError: it is not one of this server, too old, or of somebody who may not work here
                any more.
        """
        text = self._seal.open(sealed) if len(sealed) <= _LONGEST else None
        if text is None:
            raise LinkError(
                403,
                "This link does not work. Copy all of it, or ask the assistant for the file again.",
                "invalid",
            )
        owner, name, until = json.loads(text)
        identity = Identity.decode(owner)
        if self._now() >= datetime.fromtimestamp(until, UTC):
            minutes = _find_life(identity) // timedelta(minutes=1)
            raise LinkError(
                410,
                f"This link has expired: they work for {minutes} minutes. Ask the assistant for "
                "the file again.",
            )
        if self._policy().find(identity) is None:
            raise LinkError(
                403,
                "Whoever this link was made for may not use this server any more. Ask its "
                "administrators.",
                "unknown",
                identity.principal.id,
            )
        return identity, name

    def _shorten(self, identity: Identity) -> Identity:
        """Return what the policy has to know of somebody; never their token."""
        groups = identity.groups & self._policy().claims.keys()
        return replace(identity, token=None, groups=groups)


def _find_life(identity: Identity) -> timedelta:
    return OWN_TOKEN_LIFE if identity.method == OWN_TOKEN else LIFE
