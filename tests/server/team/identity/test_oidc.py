"""Tokens of the company's issuer: a good one lets its person in, every other kind nobody."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.team.identity import Refusal
from server.team.identity.issuer_keys import (
    FRESH_SECONDS,
    PAUSE_SECONDS,
    STALE_SECONDS,
    IssuerKeys,
)
from server.team.identity.oidc import LONGEST_TOKEN, OidcSignIn
from server.team.policy import Identity
from server.team.settings import OidcSettings
from tests.support.doubles import Clock
from tests.support.team import issuer
from tests.support.team.issuer import AUDIENCE, ISSUER, KEYS_URL, NOW, SETTINGS, Web, token


class Desk:
    """Sign-in with an issuer whose clock stands still."""

    def __init__(self, web: Web | None = None, settings: OidcSettings = SETTINGS) -> None:
        self.web = web or Web()
        self.clock = Clock()
        self.sign_in = OidcSignIn(settings, IssuerKeys(settings, self.web, self.clock), lambda: NOW)

    async def identify(self, text: str) -> Identity:
        return await self.sign_in.identify(text)

    async def refuse(self, text: str) -> Refusal:
        with pytest.raises(Refusal) as caught:
            await self.identify(text)
        return caught.value


def encode(part: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def forge(header: dict[str, Any], signature: bytes = b"", **changes: Any) -> str:
    """A token with any header."""
    body = f"{encode(header)}.{encode(issuer.claims(**changes))}"
    return f"{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


async def test_a_good_token_names_its_person() -> None:
    identity = await Desk().identify(
        token(email="Anna@example.com", email_verified=True, groups=["marketing", 7])
    )

    assert identity.principal.id == "oidc:anna-1"
    assert (identity.name, identity.email) == ("Anna", "Anna@example.com")
    assert identity.groups == {"marketing"}


@pytest.mark.parametrize(
    ("key", "algorithm", "more"),
    [
        (issuer.rsa_key(), "RS512", {}),
        (issuer.rsa_key(), "PS256", {"alg": "PS256"}),
        (issuer.curve_key(), "ES256", {}),
        (issuer.edwards_key(), "EdDSA", {}),
    ],
)
async def test_each_asymmetric_kind_of_signature_counts(
    key: Any, algorithm: str, more: dict[str, Any]
) -> None:
    desk = Desk(Web(keys=[issuer.public(key, "one", **more)]))

    assert (await desk.identify(token(key, algorithm))).subject == "anna-1"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"exp": NOW - 31}, "expired"),
        ({"exp": None}, "not valid"),
        ({"exp": "tomorrow"}, "not valid"),
        ({"exp": True}, "not valid"),
        ({"nbf": NOW + 31}, "not valid yet"),
        ({"aud": "https://other.example.com"}, "another server"),
        ({"aud": [AUDIENCE + "/x"]}, "another server"),
        ({"aud": None}, "not valid"),
        ({"iss": "https://evil.example.com/"}, "another issuer"),
        ({"iss": ISSUER.rstrip("/")}, "another issuer"),
        ({"iss": None}, "not valid"),
        ({"sub": None}, "not valid"),
        ({"sub": ""}, "nobody"),
        ({"sub": "x" * 201}, "nobody"),
    ],
)
async def test_a_token_with_a_wrong_claim_lets_nobody_in(
    changes: dict[str, Any], word: str
) -> None:
    refusal = await Desk().refuse(token(**changes))

    assert (refusal.reason, refusal.status) == ("invalid", 401)
    assert word in refusal.message


async def test_clocks_may_differ_by_seconds() -> None:
    assert await Desk().identify(token(exp=NOW - 29, nbf=NOW + 29))


async def test_a_token_without_a_signature_lets_nobody_in() -> None:
    for name in ("none", "None", "NONE", "", None):
        await Desk().refuse(forge({"alg": name, "kid": "one"}))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_the_public_key_is_no_password(algorithm: str) -> None:
    pem = (
        issuer.rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    header = {"alg": algorithm, "kid": "one"}
    body = f"{encode(header)}.{encode(issuer.claims())}"
    digest = hmac.new(pem, body.encode(), f"sha{algorithm[2:]}").digest()

    assert "does not count" in (await Desk().refuse(forge(header, digest))).message


async def test_a_symmetric_key_in_the_issuers_list_signs_nothing() -> None:
    secret = base64.urlsafe_b64encode(b"k" * 32).decode()
    desk = Desk(Web(keys=[{"kty": "oct", "k": secret, "kid": "one", "alg": "HS256"}]))

    await desk.refuse(forge({"alg": "HS256", "kid": "one"}))
    await desk.refuse(token())


@pytest.mark.parametrize(
    ("entry", "key", "algorithm"),
    [
        (issuer.public(issuer.rsa_key(), "one", alg="RS512"), issuer.rsa_key(), "RS256"),
        (issuer.public(issuer.rsa_key(), "one", use="enc"), issuer.rsa_key(), "RS256"),
        (issuer.public(issuer.curve_key(), "one"), issuer.rsa_key(), "RS256"),
        (issuer.public(issuer.rsa_key(), "one"), issuer.curve_key(), "ES256"),
        (issuer.public(issuer.rsa_key(1, 1024), "one"), issuer.rsa_key(1, 1024), "RS256"),
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_key_is_used_only_for_what_it_is_for(
    entry: dict[str, Any], key: Any, algorithm: str
) -> None:
    await Desk(Web(keys=[entry])).refuse(token(key, algorithm))


async def test_another_key_under_the_same_id_signs_nothing() -> None:
    await Desk().refuse(token(issuer.rsa_key(1)))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256"},
        {"alg": "RS256", "kid": ""},
        {"alg": "RS256", "kid": 1},
        {"alg": "RS256", "kid": "one", "crit": ["exp"]},
        {"alg": ["RS256"], "kid": "one"},
        {"kid": "one"},
    ],
)
async def test_a_header_that_says_too_little_or_asks_too_much_is_refused(
    header: dict[str, Any],
) -> None:
    await Desk().refuse(forge(header, b"signature"))


async def test_a_token_brings_no_key_of_its_own() -> None:
    stranger = issuer.rsa_key(1)
    key = issuer.public(stranger, "one")
    desk = Desk()
    for header in (
        {"jwk": key},
        {"jku": "https://evil.example.com/keys"},
        {"x5u": "https://e.example"},
    ):
        import jwt

        text = jwt.encode(
            issuer.claims(), stranger, algorithm="RS256", headers={"kid": "one", **header}
        )
        await desk.refuse(text)
    assert set(desk.web.asked) == {f"{ISSUER}.well-known/openid-configuration", KEYS_URL}


@pytest.mark.parametrize(
    "text", ["ey..", "eyJ.eyJ.x", "ey" + "a" * LONGEST_TOKEN + ".b.c", "eyé.b.c"]
)
async def test_what_is_no_token_is_refused(text: str) -> None:
    assert (await Desk().refuse(text)).status == 401


async def test_made_up_key_ids_are_no_requests_to_the_issuer() -> None:
    desk = Desk()
    for number in range(500):
        await desk.refuse(token(issuer.rsa_key(1), key_id=f"made-up-{number}"))
    assert desk.web.asked[KEYS_URL] == 1
    assert await desk.identify(token())


async def test_a_new_key_of_the_issuer_counts_after_half_a_minute() -> None:
    desk = Desk()
    await desk.identify(token())
    desk.web.keys = [issuer.public(issuer.rsa_key(1), "two")]
    await desk.refuse(token(issuer.rsa_key(1), key_id="two"))

    desk.clock.now += PAUSE_SECONDS
    assert await desk.identify(token(issuer.rsa_key(1), key_id="two"))
    await desk.refuse(token())


async def test_a_key_that_was_withdrawn_stops_counting() -> None:
    desk = Desk()
    await desk.identify(token())
    desk.web.keys = []

    desk.clock.now += FRESH_SECONDS
    await desk.refuse(token())


async def test_while_the_issuer_is_out_of_reach_its_keys_hold_for_hours() -> None:
    desk = Desk()
    await desk.identify(token())
    desk.web.is_down = True

    desk.clock.now += STALE_SECONDS - 1
    assert await desk.identify(token())
    desk.clock.now += 1
    refusal = await desk.refuse(token())
    assert (refusal.reason, refusal.status) == ("unavailable", 503)


async def test_without_any_key_nobody_is_refused_for_good() -> None:
    desk = Desk(Web(is_down=True))

    assert (await desk.refuse(token())).status == 503
    assert desk.web.asked.total() == 1


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example.com/", "jwks_uri": KEYS_URL},
        {"issuer": ISSUER, "jwks_uri": "http://login.example.com/keys"},
        {"issuer": ISSUER},
    ],
)
async def test_metadata_of_somebody_else_bring_no_keys(metadata: dict[str, Any]) -> None:
    desk = Desk(Web(metadata=metadata))

    assert (await desk.refuse(token())).status == 503
    assert KEYS_URL not in desk.web.asked


@pytest.mark.parametrize(
    ("changes", "is_enough"),
    [
        ({"scope": "archive other"}, True),
        ({"scp": ["archive"]}, True),
        ({"scope": "archiv"}, False),
        ({"scope": 7}, False),
        ({}, False),
    ],
)
async def test_the_scopes_of_the_settings_are_needed(
    changes: dict[str, Any], is_enough: bool
) -> None:
    desk = Desk(settings=OidcSettings(ISSUER, AUDIENCE, ("archive",)))
    if is_enough:
        assert await desk.identify(token(**changes))
        return
    refusal = await desk.refuse(token(**changes))
    assert (refusal.reason, refusal.status, refusal.subject) == ("scope", 403, "anna-1")


@pytest.mark.parametrize("verified", [None, False, "true", 1])
async def test_an_address_counts_only_where_the_issuer_checked_it(verified: Any) -> None:
    text = token(email="boss@example.com", email_verified=verified)

    assert (await Desk().identify(text)).email is None
