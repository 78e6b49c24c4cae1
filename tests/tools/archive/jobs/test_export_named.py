from __future__ import annotations

from tests.support.tools.exporting_shop import (
    Shop,
    table,
)


async def test_items_are_named_by_id_in_the_order_given(there: Shop) -> None:
    ids = [each["id"] for each in await there.everything("archive_search_items", fields=["id"])]
    wanted = [*ids[200:210], *ids[:150], ids[0]]
    unknown = "00000000-0000-4000-8000-000000000000"
    result = await there.export(itemIds=[*wanted, unknown], fields=["caption"])

    assert [row["id"] for row in table(result)] == list(dict.fromkeys(wanted))
    assert result["missing"] == [unknown]
    assert result["notes"] == ["1 link or id without an item: `missing` names the first of them."]


async def test_ids_in_capitals_are_those_of_the_items(there: Shop) -> None:
    nodes = await there.everything("archive_search_items", fields=["id"])
    ids = [node["id"] for node in nodes[:3]]
    result = await there.export(itemIds=[identity.upper() for identity in reversed(ids)])

    assert [row["id"] for row in table(result)] == ids[::-1]
    assert "missing" not in result


async def test_links_to_one_item_bring_one_row_and_links_to_none_are_named(there: Shop) -> None:
    items = await there.everything("archive_search_items", fields=["id", "originalUrl"])
    posts = [each for each in items if each["originalUrl"]][:130]
    again = f"{posts[0]['originalUrl']}?utm_source=mail"
    gone = "https://www.instagram.com/p/NOSUCHPOST1/"
    result = await there.export(urls=[*(each["originalUrl"] for each in posts), again, gone])

    assert [row["id"] for row in table(result)] == [each["id"] for each in posts]
    assert result["missing"] == [f"{gone} (NOT_FOUND)"]
    assert any("1 link" in note for note in result["notes"])
