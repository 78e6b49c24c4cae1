"""Reads who is calling from the header `Authorization`, in whichever way is set up."""

from __future__ import annotations

from collections.abc import Callable

from server.team.identity import machine_keys
from server.team.identity.archive_token import ArchiveTokenSignIn
from server.team.identity.oidc import OidcSignIn, looks_like_jwt
from server.team.identity.refusal import Refusal
from server.team.policy.policy import Identity, Policy

LONGEST_HEADER = 20_000


class SignIn:
    """Finds out who is calling.

    Args:
        policy: returns the policy that holds now.
        oidc: reads tokens of the company's issuer, where there is one.
        own_tokens: tries the tokens that people bring from Archive, where the policy allows it.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        *,
        oidc: OidcSignIn | None = None,
        own_tokens: ArchiveTokenSignIn | None = None,
    ) -> None:
        self._policy = policy
        self._oidc = oidc
        self._own_tokens = own_tokens

    async def identify(self, header: str | None, address: str = "") -> Identity:
        """Return who is calling.

        Args:
            address: where the request comes from.

        Raises:
            Refusal: nobody that this server knows.
        """
        token = read_bearer(header)
        # By its form, before anything is tried: no secret is sent where it does not belong.
        if token.startswith(machine_keys.PREFIX):
            return machine_keys.identify(token, self._policy())
        if looks_like_jwt(token):
            if self._oidc is None:
                raise Refusal("invalid", "This server takes no tokens of an issuer.")
            return await self._oidc.identify(token)
        if self._own_tokens is None or self._policy().own_tokens is None:
            raise Refusal("invalid", "This token is none of those that this server takes.")
        return await self._own_tokens.identify(token, address)


def read_bearer(header: str | None) -> str:
    """Return the token of a header.

    Raises:
        Refusal: there is none.
    """
    if header is None or not header.strip():
        raise Refusal("missing", "Sign in first: the request carries no token.")
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    is_clean = token.isascii() and token.isprintable() and " " not in token
    if scheme.lower() != "bearer" or not token or not is_clean or len(header) > LONGEST_HEADER:
        raise Refusal("invalid", "The header must be: Authorization: Bearer TOKEN.")
    return token
