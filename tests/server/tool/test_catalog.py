from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from server.errors import Code, Failure
from server.tool.catalog import OWN, Catalog, Entry


def entry(
    name: str,
    *,
    backend: str = "shop",
    toolset: str = "goods",
    reads: bool = True,
    operation: str = "",
    core: bool = False,
) -> Entry:
    return Entry(
        {"name": name, "annotations": {"readOnlyHint": reads}},
        backend,
        toolset,
        operation or f"{name}Operation",
        f"tools.{backend}.{toolset}",
        name.title(),
        core,
    )


ENTRIES = [
    entry("shop_list_things", operation="things"),
    entry("shop_delete_thing", reads=False),
    entry("shop_get_bill", toolset="bills", core=True),
    entry("bank_get_account", backend="bank", toolset="accounts", operation="GET /accounts"),
]
NAMES = [each.name for each in ENTRIES]
READER, WRITER = (
    entry("shop_call_read", backend=OWN, toolset="discover", operation="call_read_tool"),
    entry(
        "shop_call_write", backend=OWN, toolset="discover", operation="call_write_tool", reads=False
    ),
)


def surface(**restriction: Any) -> Catalog:
    made = Catalog(
        [*ENTRIES, READER, WRITER], lambda module: SimpleNamespace(Shop_List_Things=module)
    )
    if restriction:
        made.offer(
            **{"backends": {"shop", "bank"}, "toolsets": ["all"], "read_only": False, **restriction}
        )
    return made


def names(made: Catalog) -> list[str]:
    return [each["name"] for each in made.list_tools()]


def refused(made: Catalog, name: str) -> Failure:
    with pytest.raises(Failure) as caught:
        made.find(name)
    return caught.value


def test_the_packaged_file_is_listed_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "surface.json"
    rows = [
        {
            "tool": {"name": name, "annotations": {"readOnlyHint": True}, "x": {"ü": None}},
            "backend": "shop",
            "toolset": "goods",
            "operation": name,
            "module": "m",
            "class_name": "C",
        }
        for name in ("b", "a")
    ]
    file.write_text(json.dumps({"tools": rows}, ensure_ascii=False), encoding="utf-8")

    made = Catalog.read(file, lambda module: None)

    assert made.list_tools() == [row["tool"] for row in rows]


@pytest.mark.parametrize(
    ("restriction", "offered"),
    [
        ({}, NAMES),
        ({"toolsets": ["all"]}, NAMES),
        ({"read_only": True}, [NAMES[0], NAMES[2], NAMES[3]]),
        ({"backends": {"bank"}}, [NAMES[3]]),
        ({"backends": set()}, []),
        ({"toolsets": ["bills"]}, [NAMES[2]]),
        ({"toolsets": ["bills", "accounts"]}, [NAMES[2], NAMES[3]]),
        ({"toolsets": ["bills", "all"]}, NAMES),
        ({"toolsets": ["accounts"], "backends": {"shop"}}, []),
        ({"toolsets": []}, []),
        ({"toolsets": ["Bills"]}, [NAMES[2]]),
        ({"toolsets": ["core"]}, [NAMES[2]]),
        ({"toolsets": ["core", "accounts"]}, [NAMES[2], NAMES[3]]),
        ({"toolsets": ["discover"]}, [READER.name, WRITER.name]),
        ({"toolsets": ["discover"], "read_only": True}, [READER.name]),
        ({"toolsets": ["discover", "core"], "backends": set()}, []),
        ({"toolsets": ["discover"], "backends": {"bank"}}, [READER.name, WRITER.name]),
        ({"toolsets": ["discover", "all"]}, [*NAMES, READER.name, WRITER.name]),
    ],
)
def test_only_what_the_settings_allow_is_offered(
    restriction: dict[str, Any], offered: list[str]
) -> None:
    assert names(surface(**restriction)) == offered


def test_an_unknown_toolset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(
        ValueError,
        match=r"unknown toolset nope; known: all, core, discover, accounts, bills, goods\.",
    ):
        surface(toolsets=["goods", "nope"])


@pytest.mark.parametrize("name", NAMES)
def test_an_offered_tool_is_found_by_its_name(name: str) -> None:
    assert surface().find(name).name == name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("shop_list_thing", "Did you mean shop_list_things?"),
        ("list_things", "Did you mean shop_list_things?"),
        ("things_list", "Did you mean shop_list_things?"),
        ("shop", "Use a tool that this server lists."),
        ("zzz", "Use a tool that this server lists."),
        ("", "Use a tool that this server lists."),
    ],
)
def test_an_unknown_tool_gets_a_suggestion(name: str, hint: str) -> None:
    failure = refused(surface(), name)

    assert failure.code is Code.NOT_FOUND
    assert failure.hint == hint


def test_a_suggestion_is_never_a_tool_that_is_not_offered() -> None:
    assert "delete" not in refused(surface(read_only=True), "shop_delete_things").hint


def test_a_write_of_a_read_only_server_is_told_apart_from_an_unknown_tool() -> None:
    failure = refused(surface(read_only=True), "shop_delete_thing")

    assert failure.code is Code.READ_ONLY
    assert "--read-only (ARCHIVE_MCP_READ_ONLY)" in failure.hint


@pytest.mark.parametrize(
    ("restriction", "name"),
    [
        ({"toolsets": ["bills"]}, "shop_list_things"),
        ({"toolsets": ["bills"]}, "shop_delete_thing"),
        ({"toolsets": ["bills"], "read_only": True}, "shop_list_things"),
    ],
)
def test_a_tool_that_is_switched_off_is_told_apart_from_an_unknown_one(
    restriction: dict[str, Any], name: str
) -> None:
    failure = refused(surface(**restriction), name)

    assert failure.code is Code.NOT_CONFIGURED
    assert "--toolsets (ARCHIVE_MCP_TOOLSETS)" in failure.hint


def test_a_tool_without_its_backend_is_told_apart_from_one_that_is_switched_off() -> None:
    failure = refused(surface(backends={"shop"}, toolsets=["bills"]), "bank_get_account")

    assert failure.code is Code.NOT_CONFIGURED
    assert "backend is not configured" in failure.message


@pytest.mark.parametrize(
    ("name", "through"),
    [("shop_list_things", "{call_read_tool}"), ("shop_delete_thing", "{call_write_tool}")],
)
def test_what_is_reached_through_another_tool_is_not_called_by_itself(
    name: str, through: str
) -> None:
    failure = refused(surface(toolsets=["discover"]), name)

    assert failure.code is Code.NOT_CONFIGURED
    assert failure.hint == f"Call it through {through}."


@pytest.mark.parametrize("toolsets", [["discover"], ["core"], ["bills"]])
def test_what_can_be_reached_does_not_depend_on_the_toolsets(toolsets: list[str]) -> None:
    made = surface(toolsets=toolsets)

    assert [each.name for each in made.list_callable()] == NAMES
    assert [made.find_reachable(name).name for name in NAMES] == NAMES


def test_what_cannot_be_called_cannot_be_reached() -> None:
    made = surface(toolsets=["discover"], backends={"shop"}, read_only=True)

    assert [each.name for each in made.list_callable()] == [NAMES[0], NAMES[2]]
    for name, code in [
        (NAMES[1], Code.READ_ONLY),
        (NAMES[3], Code.NOT_CONFIGURED),
        ("zzz", Code.NOT_FOUND),
    ]:
        with pytest.raises(Failure) as caught:
            made.find_reachable(name)
        assert caught.value.code is code


def test_a_tools_class_is_loaded_from_its_module() -> None:
    made = surface()

    assert made.load(made.find("shop_list_things")) == "tools.shop.goods"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call {things} first.", "Call shop_list_things first."),
        ("{things} and {things}", "shop_list_things and shop_list_things"),
        ("{unknown} stays", "unknown stays"),
        ("no braces", "no braces"),
        ("List them ({GET /shop/{id}/goods}).", "List them (shop_get_goods)."),
        ('{"a": 1} {} { things }', '{"a": 1} {} { things }'),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("", ""),
    ],
)
def test_a_hint_names_the_tool_behind_an_operation(text: str, expected: str) -> None:
    made = Catalog(
        [*ENTRIES, entry("shop_get_goods", operation="GET /shop/{id}/goods")], lambda module: None
    )
    made.offer(backends={"shop", "bank"}, toolsets=["all"], read_only=True)

    assert made.render_hint(text) == expected


@pytest.mark.parametrize(
    ("restriction", "expected"),
    [
        ({}, "Call shop_delete_thing."),
        ({"toolsets": ["bills"]}, "Call shop_delete_thing (not offered here)."),
        ({"read_only": True}, "Call shop_delete_thing (not offered here)."),
        ({"backends": {"bank"}}, "Call shop_delete_thing (not offered here)."),
        ({"toolsets": ["discover"]}, "Call shop_delete_thing."),
        (
            {"toolsets": ["discover"], "read_only": True},
            "Call shop_delete_thing (not offered here).",
        ),
    ],
)
def test_a_hint_says_where_its_tool_cannot_be_called(
    restriction: dict[str, Any], expected: str
) -> None:
    assert surface(**restriction).render_hint("Call {shop_delete_thingOperation}.") == expected
    assert surface().render_hint("Call {shop_delete_thingOperation}.") == "Call shop_delete_thing."
