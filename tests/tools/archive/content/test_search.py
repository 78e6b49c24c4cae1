"""Searches of items against an Archive that does not do all that it is asked."""

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
from tests.support.tools.calling import parsed
from tools.archive.content.items import SearchItems
from tools.archive.creators import GetSocialProfiles, SearchCreators

Json = dict[str, Any]
CAMPAIGN = "11111111-1111-4111-8111-111111111111"
HOME, SHELF, VIEW, OTHER = (f"{n}1111111-1111-4111-8111-111111111111" for n in range(1, 5))


def make_item(number: int, **more: Any) -> Json:
    return {
        "id": f"i{number}",
        "provider": "TIKTOK" if number % 2 else "INSTAGRAM",
        "type": "POST",
        "takenAt": "2026-08-01T00:00:00Z",
        "caption": f"Post {number} of the Travel  Press",
        "originalUrl": f"https://www.tiktok.com/@a/video/{number}",
        "socialProfile": {"id": "p", "accountName": "a"},
        "currentEngagement": {"earnedMediaValue": "1"},
        **more,
    }


def make_backend(archive: ScriptedArchive) -> ArchiveBackend:
    confirmations = Confirmations("ask", MemoryTokens(archive.clock))
    return ArchiveBackend(archive, HOME, confirmations, IdleProcess())


class Archive:
    """An Archive of 30 items that ignores every filter but ids; its only collection holds the first
    two."""

    def __init__(self, *items: Json) -> None:
        self.items = list(items) or [make_item(number) for number in range(30)]
        self.presets = [
            {"id": SHELF, "name": "Q3 Report", "accessor": "COLLECTIONS"},
            {"id": VIEW, "name": "q3 report", "accessor": "MEDIA_DECK"},
            {"id": OTHER, "name": "All Reels", "accessor": "MEDIA_DECK"},
        ]
        self.archive = ScriptedArchive(self._respond)
        self._backend = make_backend(self.archive)

    def _respond(self, call: Call) -> Any:
        variables = call.variables
        if call.operation == "filterPresets":
            return self.presets
        ids = variables.get("filter", {}).get("ids")
        items = [item for item in self.items if ids is None or item["id"] in ids]
        if "presetId" in variables:
            items = items[:2]
        start = int(variables.get("after", 0))
        end = start + variables["first"]
        return {
            "nodes": [dict(item) for item in items[start:end]],
            "pageInfo": {"endCursor": str(end), "hasNextPage": end < len(items)},
            "totalCount": len(items),
        }

    async def search(self, **arguments: Any) -> Json:
        request = parsed(SearchItems, **arguments)
        caller = Caller(Nobody(), self.archive.now() + 45)
        return (await self._backend.run(request, caller)).structured

    @property
    def sent(self) -> list[Json]:
        """The variables of the pages that were asked for."""
        return [call.variables for call in self.archive.calls]


async def test_items_that_do_not_fit_are_left_out_and_the_answer_says_so() -> None:
    answer = await Archive().search(filter={"provider": "TIKTOK"}, limit=10)

    assert {node["provider"] for node in answer["nodes"]} == {"TIKTOK"}
    assert len(answer["nodes"]) == 5
    assert "did not apply filter.provider: 5 items that do not fit are left out" in str(
        answer["notes"]
    )


async def test_all_of_a_workspace_for_a_narrow_filter_is_said_and_asked_for_once() -> None:
    archive = Archive()

    for _ in range(2):
        answer = await archive.search(filter={"campaignsIds": [CAMPAIGN]}, limit=5)
        assert "As many (30) came as without filter.campaignsIds" in answer["notes"][0]
        assert "presetId" in answer["notes"][0]

    # Two searches, and one look at how many there are in all.
    assert len(archive.sent) == 3
    assert [variables["first"] for variables in archive.sent] == [5, 1, 5]


async def test_a_count_alone_is_doubted_too() -> None:
    answer = await Archive().search(filter={"campaignsIds": [CAMPAIGN]}, countOnly=True)

    assert answer["totalCount"] == 30
    assert "nodes" not in answer
    assert "As many (30)" in answer["notes"][0]


async def test_a_count_alone_is_one_small_request() -> None:
    archive = Archive()

    assert await archive.search(countOnly=True) == {"totalCount": 30}
    assert archive.sent == [{"first": 1}]
    assert "caption" not in archive.archive.calls[0].document


async def test_which_items_are_in_a_collection_is_right_though_the_filter_is_ignored() -> None:
    answer = await Archive().search(
        filter={"ids": ["i1", "i5", "i7"], "collectionsIds": [SHELF]}, fields=["id"]
    )

    assert [node["id"] for node in answer["nodes"]] == ["i1"]
    assert "compared here with all that the collection holds" in str(answer["notes"])


async def test_items_that_are_all_in_the_collection_are_given_without_a_word() -> None:
    answer = await Archive().search(filter={"ids": ["i0", "i1"], "collectionsIds": [SHELF]})

    assert [node["id"] for node in answer["nodes"]] == ["i0", "i1"]
    assert "notes" not in answer


async def test_a_phrase_is_kept_exactly_over_all_pages_with_the_right_total() -> None:
    items = [make_item(number) for number in range(140)]
    items[3]["caption"], items[120]["caption"] = "Press for Travel", None
    archive = Archive(*items)

    answer = await archive.search(captionPhrase="travel PRESS", limit=2)

    assert [node["id"] for node in answer["nodes"]] == ["i0", "i1"]
    assert answer["totalCount"] == 138
    assert answer["nextCursor"] is None
    search = {"mode": "FUZZY_CAPTION", "searchQuery": "travel PRESS"}
    assert [variables["filter"] for variables in archive.sent] == [{"superSearch": search}] * 2


async def test_a_phrase_within_a_preset_or_another_search_changes_neither() -> None:
    archive = Archive()
    by_picture = {"mode": "EMBEDDING_CONTENT", "searchQuery": "a mug"}

    await archive.search(captionPhrase="press", presetId=VIEW)
    await archive.search(captionPhrase="press", filter={"superSearch": by_picture})

    assert archive.sent[0] == {"first": 100, "presetId": VIEW}
    assert archive.sent[1]["filter"] == {"superSearch": by_picture}


async def test_the_number_of_captions_with_a_phrase_is_exact() -> None:
    answer = await Archive().search(captionPhrase="Post 7 of", countOnly=True)

    assert answer["totalCount"] == 1


async def test_a_phrase_takes_no_cursor() -> None:
    with pytest.raises(Failure) as caught:
        await Archive().search(captionPhrase="press", after="x")

    assert caught.value.code is Code.INVALID_ARGUMENT


async def test_more_candidates_than_one_call_reads_are_said() -> None:
    archive = Archive(*[make_item(number) for number in range(1_200)])

    answer = await archive.search(captionPhrase="press", limit=1)

    assert answer["totalCount"] is None
    assert "Cut after 1,000 candidates" in str(answer["notes"])


@pytest.mark.parametrize(
    ("wanted", "notes"),
    [
        ({"provider": "TIKTOK", "itemTypes": ["POST"]}, ["type POST, ask for itemTypes TIKTOK."]),
        (
            {"provider": "TIKTOK", "itemTypes": ["STORY", "TIKTOK"]},
            ["type STORY, ask for itemTypes TIKTOK_STORY."],
        ),
        ({"provider": "YOUTUBE", "itemTypes": ["POST"]}, ["type POST, ask for itemTypes YOUTUBE."]),
        ({"provider": "TIKTOK", "itemTypes": ["TIKTOK"]}, []),
        ({"provider": "INSTAGRAM", "itemTypes": ["POST"]}, []),
        ({"itemTypes": ["POST"]}, []),
    ],
)
def test_nothing_of_a_type_that_answers_only_show_says_what_to_ask_for(
    wanted: Json, notes: list[str]
) -> None:
    query = parsed(SearchItems, filter=wanted)
    assert isinstance(query, SearchItems)

    told = [note for note in query.notes_if_empty() if "itemTypes" in note and "show" in note]
    assert [note.partition("show as ")[2] for note in told] == notes


async def test_a_view_or_collection_may_be_named() -> None:
    archive = Archive()

    await archive.search(presetId="all reels")
    await archive.search(filter={"collectionsIds": ["Q3 report", SHELF]}, limit=1)

    operations = [call.operation for call in archive.archive.calls]
    assert operations[:4] == ["filterPresets", "items", "filterPresets", "items"]
    assert archive.sent[1]["presetId"] == OTHER
    assert archive.sent[3]["filter"] == {"collectionsIds": [SHELF, SHELF]}


@pytest.mark.parametrize(
    ("request_type", "listing", "listed", "of_one"),
    [
        (SearchCreators, "creatorViews", "creators", "creator view"),
        (GetSocialProfiles, "socialProfileViews", "socialProfiles", "social profile view"),
    ],
)
async def test_a_view_of_people_may_be_named(
    request_type: Any, listing: str, listed: str, of_one: str
) -> None:
    views = [{"id": VIEW, "name": "Top Ambassadors"}, {"id": OTHER, "name": "Others"}]

    def respond(call: Call) -> Any:
        if call.operation == listing:
            return views
        return {
            "nodes": [],
            "totalCount": 0,
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        }

    archive = ScriptedArchive(respond)
    backend, caller = make_backend(archive), Caller(Nobody(), archive.now() + 45)
    await backend.run(parsed(request_type, presetId="top ambassadors"), caller)
    with pytest.raises(Failure) as caught:
        await backend.run(parsed(request_type, presetId="Top Ambassador"), caller)

    assert [call.operation for call in archive.calls] == [listing, listed, listing]
    assert archive.calls[1].variables["presetId"] == VIEW
    assert caught.value.message == (
        f"There is no {of_one} 'Top Ambassador'. Did you mean `Top Ambassadors`?"
    )


async def test_a_name_that_a_view_and_a_collection_share_is_not_guessed() -> None:
    with pytest.raises(Failure) as caught:
        await Archive().search(presetId="Q3 REPORT")

    assert caught.value.code is Code.AMBIGUOUS
    assert {entry["accessor"] for entry in caught.value.details["candidates"]} == {
        "COLLECTIONS",
        "MEDIA_DECK",
    }


async def test_what_resembles_no_name_is_left_to_archive() -> None:
    archive = Archive()

    await archive.search(presetId="x")

    assert archive.sent[-1]["presetId"] == "x"


@pytest.mark.parametrize(
    "arguments", [{"presetId": "Q3 Raport"}, {"filter": {"collectionsIds": ["Q3 Raport"]}}]
)
async def test_a_typo_in_a_name_is_refused_with_the_name(arguments: Json) -> None:
    with pytest.raises(Failure) as caught:
        await Archive().search(**arguments)

    assert caught.value.message.casefold() == (
        "there is no view or collection 'q3 raport'. did you mean `q3 report`?"
    )
