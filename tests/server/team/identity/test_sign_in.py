"""Which way of signing in a token takes: by its form alone, so that no secret goes astray."""

from __future__ import annotations

import anyio
import pytest

from server.errors import Code, Failure
from server.settings import Secret
from server.team.identity import Refusal, SignIn, machine_keys
from server.team.identity.archive_token import (
    MOST_TRIED,
    REFUSED_SECONDS,
    TRUSTED_SECONDS,
    ArchiveTokenSignIn,
    fingerprint,
)
from server.team.identity.trial import TrialSignIn
from server.team.policy import Identity, Policy, Rights
from server.team.policy.policy import Machine
from tests.support.doubles import Clock
from tests.support.team import issuer

OWN = "arch_live_0123456789abcdef"
KEY = machine_keys.make_key()
POLICY = Policy(
    machines=[Machine("nightly", machine_keys.digest(KEY), Rights())], own_tokens=Rights()
)


class Archive:
    """Says which tokens are valid, and counts how often it was asked."""

    def __init__(self, *valid: str) -> None:
        self.valid = set(valid)
        self.asked: list[str] = []
        self.failure: Failure | None = None

    async def verify(self, token: Secret) -> None:
        self.asked.append(token.reveal())
        await anyio.lowlevel.checkpoint()
        if self.failure is not None:
            raise self.failure
        if token.reveal() not in self.valid:
            raise Failure(Code.UNAUTHENTICATED, "No.")


async def refuse(sign_in: SignIn, header: str | None, address: str = "") -> Refusal:
    with pytest.raises(Refusal) as caught:
        await sign_in.identify(header, address)
    return caught.value


def make(archive: Archive, policy: Policy = POLICY, clock: Clock | None = None) -> SignIn:
    own = ArchiveTokenSignIn(archive.verify, clock or Clock())
    return SignIn(lambda: policy, own_tokens=own)


async def identify(sign_in: SignIn, token: str) -> Identity:
    return await sign_in.identify(f"Bearer {token}")


async def test_a_machine_is_known_by_its_key() -> None:
    identity = await identify(make(Archive()), KEY)

    assert identity.principal.id == "machine:nightly"


async def test_a_key_that_was_taken_out_of_the_policy_lets_nobody_in() -> None:
    archive = Archive()

    assert (await refuse(make(archive, Policy()), f"Bearer {KEY}")).status == 401
    assert (await refuse(make(archive), f"Bearer {KEY}x")).status == 401
    assert archive.asked == []


async def test_a_token_of_the_company_never_goes_to_archive() -> None:
    archive = Archive()

    assert (await refuse(make(archive), f"Bearer {issuer.token()}")).status == 401
    assert archive.asked == []


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic YTpi", "Bearer", "Bearer a b", "Bearer tok\x7fen", f"Bearer {'x' * 20_001}"],
)
async def test_a_header_without_a_token_is_refused(header: str | None) -> None:
    archive = Archive()

    assert (await refuse(make(archive), header)).status == 401
    assert archive.asked == []


async def test_ones_own_token_is_tried_once_in_five_minutes() -> None:
    archive, clock = Archive(OWN), Clock()
    sign_in = make(archive, clock=clock)
    identity = await identify(sign_in, OWN)

    assert identity.principal.id == f"token:{fingerprint(OWN)}"
    assert identity.token is not None
    assert OWN not in f"{identity!r} {identity.name} {identity.principal}"
    clock.now += TRUSTED_SECONDS - 1
    await identify(sign_in, OWN)
    assert archive.asked == [OWN]


async def test_a_revoked_token_stops_working_within_five_minutes() -> None:
    archive, clock = Archive(OWN), Clock()
    sign_in = make(archive, clock=clock)
    await identify(sign_in, OWN)
    archive.valid.clear()

    clock.now += TRUSTED_SECONDS
    assert (await refuse(sign_in, f"Bearer {OWN}")).status == 401


async def test_a_refused_token_is_not_asked_about_again_for_a_while() -> None:
    archive, clock = Archive(), Clock()
    sign_in = make(archive, clock=clock)
    for _ in range(5):
        await refuse(sign_in, f"Bearer {OWN}")
    assert archive.asked == [OWN]

    archive.valid.add(OWN)
    clock.now += REFUSED_SECONDS
    await identify(sign_in, OWN)


async def test_calls_at_once_with_one_token_ask_once() -> None:
    archive = Archive(OWN)
    sign_in = make(archive)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(identify, sign_in, OWN)
    assert archive.asked == [OWN]


async def test_made_up_tokens_do_not_use_up_the_pace() -> None:
    archive, clock = Archive(OWN), Clock()
    sign_in = make(archive, clock=clock)
    await identify(sign_in, OWN)
    refusals = [await refuse(sign_in, f"Bearer made-up-token-{n:04}") for n in range(100)]

    assert len(archive.asked) == 1 + (MOST_TRIED - 1) // 2
    assert (refusals[-1].status, refusals[-1].retry_after) == (429, 60)
    assert await identify(sign_in, OWN)
    clock.now += 60
    assert (await refuse(sign_in, "Bearer made-up-token-new")).status == 401


async def test_made_up_tokens_keep_nobody_out_who_was_let_in_before() -> None:
    archive, clock = Archive(OWN), Clock()
    sign_in = make(archive, clock=clock)
    await identify(sign_in, OWN)
    clock.now += TRUSTED_SECONDS
    for number in range(MOST_TRIED + 1):
        await refuse(sign_in, f"Bearer made-up-token-{number:04}")

    assert await identify(sign_in, OWN)
    assert archive.asked[-1] == OWN


async def test_made_up_tokens_from_one_address_do_not_keep_a_newcomer_out() -> None:
    archive = Archive(OWN)
    sign_in = make(archive)
    refusals = [
        await refuse(sign_in, f"Bearer made-up-token-{number:04}", "198.51.100.7")
        for number in range(1_000)
    ]

    assert [refusal.status for refusal in refusals].count(401) == MOST_TRIED // 2
    assert (await sign_in.identify(f"Bearer {OWN}", "203.0.113.9")).token is not None
    # Whoever shares that address waits with it.
    assert (await refuse(sign_in, f"Bearer {OWN}-other", "198.51.100.7")).status == 429


async def test_made_up_tokens_from_many_addresses_stay_within_the_bound() -> None:
    archive = Archive(OWN)
    sign_in = make(archive)
    for number in range(20 * MOST_TRIED):
        address = f"198.51.100.{number % (MOST_TRIED - 1)}"
        await refuse(sign_in, f"Bearer made-up-token-{number:04}", address)

    # One less than the bound at once: still there is room for somebody new.
    assert len(archive.asked) == MOST_TRIED - 1
    assert await sign_in.identify(f"Bearer {OWN}", "203.0.113.9")
    assert (await refuse(sign_in, "Bearer made-up-token-last", "203.0.113.10")).status == 429
    assert len(archive.asked) == MOST_TRIED


async def test_where_archive_does_not_answer_nobody_is_let_in_or_sent_away() -> None:
    archive = Archive(OWN)
    archive.failure = Failure(Code.UNAVAILABLE, "Gone.")
    sign_in = make(archive)

    assert (await refuse(sign_in, f"Bearer {OWN}")).status == 503
    archive.failure = None
    assert await identify(sign_in, OWN)


@pytest.mark.parametrize("policy", [Policy(), Policy(people=[])])
async def test_ones_own_token_counts_only_where_the_policy_says_so(policy: Policy) -> None:
    archive = Archive(OWN)

    assert (await refuse(make(archive, policy), f"Bearer {OWN}")).status == 401
    assert archive.asked == []


async def test_in_the_sandbox_a_token_is_a_person_of_that_name() -> None:
    trial = TrialSignIn()
    anna, ben = [await trial.identify(f"Bearer {name}") for name in ("anna", "ben")]

    assert anna.principal != ben.principal
    assert (await trial.identify("Bearer anna")).principal == anna.principal
    assert (await trial.identify(None)).principal.id == "trial:somebody"
