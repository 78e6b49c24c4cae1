from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from server.errors import Code, Failure
from server.shared_state.tokens import TOKEN_SECONDS, MemoryTokens
from server.tool.confirmation import Confirmations, Preview
from server.tool.elicitation import Nobody, Reply
from tests.support.doubles import Clock, Person

PREVIEW = Preview("Refresh 2 items for 6 credits?", {"items": 2})
CALL: list[Any] = ["archive_refetch_engagement_bulk", {"itemIds": ["1", "2"]}, "workspace"]


async def refused(
    confirmations: Confirmations,
    asker: Person | Nobody,
    *,
    token: str | None = None,
    call: list[Any] = CALL,
    preview: Preview = PREVIEW,
) -> Failure:
    with pytest.raises(Failure) as caught:
        await confirmations.require(preview, call=call, token=token, asker=asker)
    return caught.value


async def offered(confirmations: Confirmations, asker: Person | Nobody | None = None) -> str:
    """The token that comes back with the preview."""
    return str((await refused(confirmations, asker or Nobody())).details["confirm"])


@pytest.mark.parametrize("mode", ["ask", "token"])
@pytest.mark.parametrize("word", [True, "true", "Yes", 1, "1"])
async def test_a_yes_of_the_person_is_a_yes(mode: Any, word: Any) -> None:
    person = Person([Reply("accept", {"confirm": word})])

    await Confirmations(mode).require(PREVIEW, call=CALL, token=None, asker=person)

    (question,) = person.questions
    assert question.message == PREVIEW.message
    assert question.properties["confirm"]["type"] == "boolean"


@pytest.mark.parametrize(
    "reply",
    [
        Reply("decline"),
        Reply("accept", {"confirm": False}),
        Reply("accept", {"confirm": "no"}),
        Reply("accept", {"confirm": 0}),
    ],
)
@pytest.mark.parametrize("mode", ["ask", "token"])
async def test_a_no_of_the_person_is_a_no(mode: Any, reply: Reply) -> None:
    failure = await refused(Confirmations(mode), Person([reply]))

    assert failure.code is Code.DECLINED
    assert "Nothing was changed" in failure.message
    assert failure.details == {}


@pytest.mark.parametrize(
    "reply",
    [
        Reply("unavailable"),
        Reply("accept"),
        Reply("accept", {"confirm": None}),
        Reply("accept", {"confirm": "?"}),
    ],
)
async def test_an_answer_of_nobody_is_neither_and_gives_no_token_unless_the_user_said_so(
    reply: Reply,
) -> None:
    failure = await refused(Confirmations("ask"), Person([reply]))
    told = await refused(Confirmations("token"), Person([reply]))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details == {"preview": {"items": 2}}
    assert "ARCHIVE_MCP_CONFIRM=token" in failure.hint
    assert told.details["confirm"]


async def test_no_answer_is_no_yes_and_gives_no_token_to_somebody_who_could_have_answered() -> None:
    failure = await refused(Confirmations("ask"), Person([Reply("cancel")]))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert PREVIEW.message in failure.message
    assert failure.details == {"preview": {"items": 2}}
    assert "No answer came" in failure.hint
    # A script has nobody to answer: it must not call again for ever.
    assert "ARCHIVE_MCP_CONFIRM=token" in failure.hint


async def test_a_headless_client_gets_a_token_where_the_server_was_told_so() -> None:
    failure = await refused(Confirmations("token"), Person([Reply("cancel")]))

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details["confirm"]
    assert "explicit yes" in failure.hint


@pytest.mark.parametrize("mode", ["ask", "token"])
async def test_a_client_that_cannot_ask_gets_the_preview_and_a_token(mode: Any) -> None:
    confirmations = Confirmations(mode)
    failure = await refused(confirmations, Nobody())

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details["preview"] == {"items": 2}
    await confirmations.require(
        PREVIEW, call=CALL, token=failure.details["confirm"], asker=Nobody()
    )


async def test_a_server_told_never_refuses_without_asking_anybody() -> None:
    confirmations = Confirmations("never")
    person = Person([])

    failure = await refused(confirmations, person, token="any")

    assert failure.code is Code.DECLINED
    assert "ARCHIVE_MCP_CONFIRM=never" in failure.message
    assert person.questions == []
    with pytest.raises(Failure, match="refuses every change"):
        confirmations.refuse_if_never()


@pytest.mark.parametrize("mode", ["ask", "token"])
def test_any_other_mode_refuses_nothing_beforehand(mode: Any) -> None:
    Confirmations(mode).refuse_if_never()


async def test_a_token_is_good_once() -> None:
    confirmations = Confirmations("ask")
    token = await offered(confirmations)
    await confirmations.require(PREVIEW, call=CALL, token=token, asker=Nobody())

    failure = await refused(confirmations, Nobody(), token=token)

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert "used already, has expired" in failure.message
    assert failure.details["confirm"] != token


async def test_a_token_lives_ten_minutes() -> None:
    clock = Clock()
    confirmations = Confirmations("ask", MemoryTokens(clock))
    early, late = await offered(confirmations), await offered(confirmations)

    clock.now += TOKEN_SECONDS - 0.001
    await confirmations.require(PREVIEW, call=CALL, token=early, asker=Nobody())
    clock.now += 0.001

    assert TOKEN_SECONDS == 600
    assert "expired" in (await refused(confirmations, Nobody(), token=late)).message


@pytest.mark.parametrize(
    ("call", "preview"),
    [
        (["other_tool", *CALL[1:]], PREVIEW),
        ([CALL[0], {"itemIds": ["1", "3"]}, CALL[2]], PREVIEW),
        ([*CALL[:2], "elsewhere"], PREVIEW),
        (CALL, Preview("Refresh 3 items for 9 credits?", {"items": 2})),
        (CALL, Preview(PREVIEW.message, {"items": 3})),
    ],
    ids=["tool", "arguments", "workspace", "message", "state"],
)
async def test_a_token_is_good_only_for_what_was_shown(call: list[Any], preview: Preview) -> None:
    confirmations = Confirmations("ask")
    token = await offered(confirmations)

    failure = await refused(confirmations, Nobody(), token=token, call=call, preview=preview)

    assert failure.code is Code.CONFIRMATION_REQUIRED
    assert failure.details["preview"] == preview.details
    assert preview.message in failure.message


async def test_a_token_tried_on_another_call_is_still_good_for_its_own() -> None:
    confirmations = Confirmations("ask")
    token = await offered(confirmations)
    await refused(confirmations, Nobody(), token=token, call=["other"])

    await confirmations.require(PREVIEW, call=CALL, token=token, asker=Nobody())


@pytest.mark.parametrize("token", ["", "made up", "..", "x" * 1000])
async def test_an_invented_token_is_no_yes(token: str) -> None:
    assert (
        await refused(Confirmations("ask"), Nobody(), token=token)
    ).code is Code.CONFIRMATION_REQUIRED


async def test_a_token_does_not_go_around_a_person_who_can_be_asked() -> None:
    person = Person([Reply("decline")])

    assert (await refused(Confirmations("ask"), person, token="made up")).code is Code.DECLINED


async def test_tokens_cannot_be_guessed_and_differ() -> None:
    confirmations = Confirmations("ask")
    tokens = {await offered(confirmations) for _ in range(50)}

    assert len(tokens) == 50
    assert all(len(token) >= 12 for token in tokens)


async def test_an_answer_counts_only_for_the_preview_it_was_given_to() -> None:
    person = Person([Reply("cancel"), Reply("cancel"), Reply("cancel")])
    confirmations = Confirmations("ask")

    await refused(confirmations, person)
    await refused(confirmations, person)
    await refused(confirmations, person, preview=Preview("Another?"))

    bases = [question.basis for question in person.questions]
    assert bases[0] == bases[1] != bases[2]


async def test_after_a_no_the_hint_says_what_to_do_instead() -> None:
    plain = await refused(Confirmations("ask"), Person([Reply("decline")]))
    assert plain.hint == "Do not ask for the same again."
    preview = replace(PREVIEW, otherwise="Leave it.")
    failure = await refused(Confirmations("ask"), Person([Reply("decline")]), preview=preview)
    assert failure.hint == "Leave it."


async def test_a_token_comes_with_what_to_do_after_a_no() -> None:
    assert "After a no" not in (await refused(Confirmations("token"), Nobody())).hint
    preview = replace(PREVIEW, otherwise="Leave it.")
    failure = await refused(Confirmations("token"), Nobody(), preview=preview)
    assert failure.hint.endswith(" After a no: Leave it.")


async def test_a_token_is_short_enough_to_be_repeated_without_an_error() -> None:
    assert len(await offered(Confirmations("token"))) == 12


def test_the_audit_log_tells_by_a_digest_whether_the_same_was_shown() -> None:
    assert PREVIEW.digest == replace(PREVIEW, outlook="About 4 minutes.").digest
    assert PREVIEW.digest.isalnum()
    for other in (replace(PREVIEW, message="Another?"), replace(PREVIEW, details={"items": 3})):
        assert other.digest != PREVIEW.digest
