"""A company's issuer of tokens: keys, metadata and tokens of every kind, good and bad."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from server.errors import Code, Failure
from server.http.transport import Reply
from server.team.settings import OidcSettings

ISSUER = "https://login.example.com/"
AUDIENCE = "https://archive-mcp.example.com/mcp"
KEYS_URL = "https://login.example.com/keys"
NOW = 1_800_000_000.0
SETTINGS = OidcSettings(ISSUER, AUDIENCE)


@cache
def rsa_key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """A private key; making one takes a while, so each is made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def curve_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def edwards_key() -> ed25519.Ed25519PrivateKey:
    return ed25519.Ed25519PrivateKey.generate()


def public(key: Any, key_id: str, **more: Any) -> dict[str, Any]:
    """A public key as an entry of the issuer's list."""
    algorithms: dict[type[Any], Any] = {
        rsa.RSAPrivateKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePrivateKey: jwt.algorithms.ECAlgorithm,
        ed25519.Ed25519PrivateKey: jwt.algorithms.OKPAlgorithm,
    }
    algorithm = next(value for kind, value in algorithms.items() if isinstance(key, kind))
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig", **more}


def claims(**changes: Any) -> dict[str, Any]:
    """What a good token says; None takes a claim away."""
    usual = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "anna-1",
        "exp": NOW + 300,
        "iat": NOW,
        "name": "Anna",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(
    key: Any = None, algorithm: str = "RS256", key_id: str | None = "one", **changes: Any
) -> str:
    """A signed token."""
    headers = {"kid": key_id} if key_id is not None else {}
    return jwt.encode(claims(**changes), key or rsa_key(), algorithm=algorithm, headers={**headers})


@dataclass
class Web:
    """The issuer's addresses; any other is refused."""

    keys: list[dict[str, Any]] = field(default_factory=lambda: [public(rsa_key(), "one")])
    metadata: dict[str, Any] = field(
        default_factory=lambda: {"issuer": ISSUER, "jwks_uri": KEYS_URL}
    )
    is_down: bool = False
    asked: Counter[str] = field(default_factory=Counter)

    async def get(self, url: str, *, seconds: float, largest: int) -> Reply:
        self.asked[url] += 1
        if self.is_down:
            raise Failure(Code.UNAVAILABLE, "no connection")
        contents = {
            f"{ISSUER}.well-known/openid-configuration": self.metadata,
            KEYS_URL: {"keys": self.keys},
        }
        assert url in contents, f"nothing of the issuer's: {url}"
        return Reply(200, {}, json.dumps(contents[url]).encode())
