"""Sign-in with a token of the company's issuer (OAuth 2.1 resource server, JWT of RFC 9068)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt

from server import wall_clock
from server.team.identity.issuer_keys import IssuerKey, IssuerKeys
from server.team.identity.refusal import Refusal
from server.team.policy.policy import OIDC, Identity
from server.team.settings import OidcSettings
from server.text import clean_sentence, truncate

# Fixed here and asymmetric only: a token never chooses how it is checked. With HS256 among them
# the issuer's public key would be a password that everybody has.
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
# Clocks of servers differ by seconds.
_LEEWAY_SECONDS = 30
LONGEST_TOKEN = 16_384
_LONGEST_NAME = 200
_MOST_GROUPS = 1000


def looks_like_jwt(token: str) -> bool:
    """Return whether a token is one of an issuer: it must never be tried as anything else."""
    return token.count(".") == 2 and token.startswith("ey")


def _read_wall_clock() -> float:
    return wall_clock.utc_now().timestamp()


class OidcSignIn:
    """Reads tokens of one issuer.

    Args:
        wall: seconds since 1970, as the token counts.
    """

    def __init__(
        self, settings: OidcSettings, keys: IssuerKeys, wall: Callable[[], float] = _read_wall_clock
    ) -> None:
        self._settings = settings
        self._keys = keys
        self._wall = wall

    async def identify(self, token: str) -> Identity:
        """Return whom a token is about.

        Raises:
            Refusal: `invalid`, `scope`, or `unavailable` where the issuer cannot be asked.
        """
        if len(token) > LONGEST_TOKEN:
            raise _refuse("the token is too long")
        key_id, algorithm = _read_header(token)
        key = await self._keys.find(key_id)
        if key is None:
            raise _refuse("the token is signed with a key that the issuer does not have")
        _check_key(key, algorithm)
        claims = self._decode(token, key, algorithm)
        subject = claims["sub"]
        if not isinstance(subject, str) or not subject or len(subject) > _LONGEST_NAME:
            raise _refuse("the token names nobody")
        self._check_scopes(claims, subject)
        return Identity(
            OIDC,
            subject,
            _find_name(claims, subject),
            _find_email(claims),
            self._find_groups(claims),
        )

    def _decode(self, token: str, key: IssuerKey, algorithm: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self._settings.audience,
                issuer=self._settings.issuer,
                # The moments are compared below, by a clock that tests can set.
                options={
                    "require": ["exp", "iss", "aud", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidAudienceError:
            raise _refuse("the token is made for another server") from None
        except jwt.InvalidIssuerError:
            raise _refuse("the token comes from another issuer") from None
        except (jwt.PyJWTError, ValueError, TypeError):
            raise _refuse("the token is not valid") from None
        self._check_moments(claims)
        return claims

    def _check_moments(self, claims: dict[str, Any]) -> None:
        now = self._wall()
        expires, begins = claims["exp"], claims.get("nbf", now)
        if not all(_is_number(moment) for moment in (expires, begins)):
            raise _refuse("the token is not valid")
        if expires <= now - _LEEWAY_SECONDS:
            raise _refuse("the token has expired")
        if begins > now + _LEEWAY_SECONDS:
            raise _refuse("the token is not valid yet")

    def _check_scopes(self, claims: dict[str, Any], subject: str) -> None:
        missing = set(self._settings.scopes) - _read_scopes(claims)
        if missing:
            raise Refusal(
                "scope",
                f"The token lacks the scope {', '.join(sorted(missing))}.",
                subject=subject,
            )

    def _find_groups(self, claims: dict[str, Any]) -> frozenset[str]:
        groups = claims.get(self._settings.groups_claim, [])
        entries = [groups] if isinstance(groups, str) else groups
        if not isinstance(entries, list):
            return frozenset()
        return frozenset(entry for entry in entries[:_MOST_GROUPS] if isinstance(entry, str))


def _read_header(token: str) -> tuple[str, str]:
    """Return the id of the key and the algorithm, both still to be checked."""
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError):
        raise _refuse("the token is not valid") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise _refuse("the token is signed in a way that does not count here")
    if not isinstance(key_id, str) or not key_id:
        raise _refuse("the token does not say with which key it is signed")
    # Extensions that must be understood, and are not.
    if "crit" in header:
        raise _refuse("the token asks for what this server does not do")
    return key_id, str(algorithm)


def _check_key(key: IssuerKey, algorithm: str) -> None:
    """Refuse a key of another kind than the token's signature, or made for another."""
    if key.kind != _KEY_TYPES[algorithm[:2]] or key.algorithm not in (None, algorithm):
        raise _refuse("the token is signed in another way than its key is for")


def _read_scopes(claims: dict[str, Any]) -> set[str]:
    scopes = claims.get("scope", claims.get("scp", ""))
    entries = scopes.split() if isinstance(scopes, str) else scopes
    if not isinstance(entries, list):
        return set()
    return {entry for entry in entries if isinstance(entry, str)}


def _find_name(claims: dict[str, Any], subject: str) -> str:
    for claim in ("name", "preferred_username", "email"):
        name = claims.get(claim)
        if isinstance(name, str) and name.strip():
            return truncate(clean_sentence(name), _LONGEST_NAME)
    return truncate(clean_sentence(subject), _LONGEST_NAME)


def _find_email(claims: dict[str, Any]) -> str | None:
    """Return the address of mail where the issuer checked it: anybody can claim one."""
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True
    return email if isinstance(email, str) and is_verified else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(detail: str) -> Refusal:
    return Refusal("invalid", f"{detail[0].upper()}{detail[1:]}.", detail=detail)
