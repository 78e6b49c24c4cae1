from __future__ import annotations

from typing import Any

import pytest

from server.archive.backend import ArchiveBackend
from server.archive.client import Call
from server.errors import Code, Failure
from server.shared_state.tokens import MemoryTokens
from server.tool.confirmation import Confirmations
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from tests.support.doubles import IdleProcess, ScriptedArchive
from tests.support.tools.calling import parsed, refused, sent
from tests.support.tools.through_sandbox import desk
from tools.archive.content.lookups import GetItemIdsByUrl
from tools.archive.content.uploads import UploadItemFromUrl

HOME = "11111111-1111-4111-8111-111111111111"


async def uploaded(payload: Any) -> tuple[Any, list[Call]]:
    """What the upload of a link answers, and what was sent."""
    archive = ScriptedArchive(lambda _: payload)
    backend = ArchiveBackend(
        archive, HOME, Confirmations("never", MemoryTokens(archive.clock)), IdleProcess()
    )
    request = parsed(UploadItemFromUrl, input={"url": "https://a.example/1"})
    result = await backend.run(request, Caller(Nobody(), archive.now() + 45))
    return result.structured, archive.calls


async def test_an_upload_is_sent_once_and_asks_nobody() -> None:
    answer, (call,) = await uploaded({"success": True, "userErrors": []})

    assert answer["success"] is True
    assert "archive_get_item_ids_by_url" in answer["notes"][0]
    assert call.variables == {"input": {"url": "https://a.example/1"}}
    assert not call.repeatable
    assert "{itemIdsByUrl}" in call.verify


async def test_a_link_that_is_not_taken_without_a_word_is_a_failure() -> None:
    with pytest.raises(Failure, match="did not take the link") as refused:
        await uploaded({"success": False, "userErrors": []})

    assert refused.value.code is Code.REJECTED
    assert "{itemIdsByUrl}" in refused.value.hint


async def test_a_link_that_is_refused_is_told_in_archives_words() -> None:
    with pytest.raises(Failure, match="url: is private") as refused:
        await uploaded(
            {"success": False, "userErrors": [{"field": ["url"], "message": "is private"}]}
        )

    assert refused.value.code is Code.REJECTED


async def test_an_uploaded_post_is_found_by_its_link_later() -> None:
    link = "https://www.instagram.com/reel/CabcDEF1234/"
    async with desk() as at:
        answer = await at.call(UploadItemFromUrl, input={"url": f" {link} "})
        at.clock.now += 600
        (found,) = (await at.call(GetItemIdsByUrl, urls=[link]))["nodes"]

    assert answer["success"] is True
    assert "no id" in answer["notes"][0]
    assert found["status"] == "FOUND"


async def test_an_upload_that_archive_refuses_is_a_failure() -> None:
    async with desk() as at:
        failure = await at.refused(UploadItemFromUrl, input={"url": "http://localhost/post"})

    assert failure.code is Code.REJECTED
    assert failure.hint.startswith("Nothing was changed.")
    assert "public post" in failure.hint


def test_a_link_without_a_scheme_is_completed() -> None:
    variables = sent(UploadItemFromUrl, input={"url": " instagram.com/p/abc "})

    assert variables == {"input": {"url": "https://instagram.com/p/abc"}}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("instagram/p/abc", "is not an http or https link: 'instagram/p/abc'"),
        ("ftp://a.example/b", "is not an http or https link"),
        ("https://", "is not an http or https link"),
        ("https://[", "is not an http or https link"),
        ("https://a.example/b c", "is not an http or https link"),
        ("@mia", "is not an http or https link"),
        ("https://a.example/1 https://a.example/2", "holds more than one link"),
        ("https://a.example/1,https://a.example/2", "holds more than one link"),
        ("https://a.example/1\nHTTPS://a.example/2", "holds more than one link"),
        ("", "must not be empty"),
    ],
)
def test_what_is_not_one_link_is_not_uploaded(url: str, words: str) -> None:
    assert words in refused(UploadItemFromUrl, input={"url": url}).message


def test_an_upload_is_sent_without_blanks_around_the_link_and_with_its_scheme_in_small() -> None:
    assert sent(UploadItemFromUrl, input={"url": " HTTPS://a.example/1?x=https://b.example "}) == {
        "input": {"url": "https://a.example/1?x=https://b.example"}
    }
