"""`fields` of ArchiveBox's lists: what is asked for is shown, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from server.archivebox.fields import Shape, select_fields
from server.errors import Code
from tests.support.archivebox.keeping import keeper
from tests.support.paths import OPENAPI
from tools.archivebox.cli.search import Search
from tools.archivebox.crawls import ListCrawls
from tools.archivebox.machine import ListBinaries, ListMachines
from tools.archivebox.personas import ListPersonas
from tools.archivebox.records import (
    ArchiveResult,
    Binary,
    Crawl,
    Machine,
    Persona,
    Snapshot,
    Tag,
)
from tools.archivebox.results import ListArchiveresults
from tools.archivebox.snapshots.snapshots import ListSnapshots
from tools.archivebox.tags import ListTags

LISTS = [
    (ListSnapshots, ["url", "id"]),
    (Search, ["url", "title"]),
    (ListArchiveresults, ["plugin", "status"]),
    (ListTags, ["name"]),
    (ListCrawls, ["urls", "status"]),
    (ListMachines, ["hostname"]),
    (ListBinaries, ["name", "version"]),
    (ListPersonas, ["name"]),
]
HIDDEN = {
    "ArchiveResultSchema": {"pwd"},
    "PersonaSchema": {"config"},
    "TagSchema": {"snapshots"},
}
"""By schema of 0.9: fields that no tool shows."""
SHAPES = [ArchiveResult, Snapshot, Tag, Crawl, Machine, Binary, Persona]
RECORDED = ("0.9.31", "0.9.73", "0.9.74rc408")


@pytest.mark.parametrize(("request_type", "fields"), LISTS)
async def test_a_list_shows_the_fields_that_are_asked_for(
    request_type: type[Any], fields: list[str]
) -> None:
    async with keeper("0.9.73") as keep:
        answer = await keep.call(request_type, fields=fields, limit=5)
    assert answer["nodes"]
    assert all(list(node) == fields for node in answer["nodes"])


async def test_a_star_stands_for_what_is_shown_without_fields() -> None:
    async with keeper("0.9.73") as keep:
        plain = await keep.call(ListCrawls, limit=3)
        starred = await keep.call(ListCrawls, limit=3, fields=["*", "config"])
    for node, more in zip(plain["nodes"], starred["nodes"], strict=True):
        assert "config" not in node
        assert {**node, "config": more["config"]} == more


async def test_outputs_are_read_only_where_a_field_needs_them() -> None:
    async with keeper("0.9.73") as keep:
        await keep.call(ListSnapshots, fields=["url"], limit=3)
        assert keep.sandbox.times(r"GET /core/snapshots\?.*with_archiveresults") == 0
        judged = await keep.call(ListSnapshots, fields=["url", "outcome"], limit=3)
        assert keep.sandbox.times(r"GET /core/snapshots\?.*with_archiveresults") == 1
        inner = await keep.call(ListSnapshots, fields=["archiveresults.plugin"], limit=3)
    assert all(node["outcome"] for node in judged["nodes"])
    outputs = [output for node in inner["nodes"] for output in node["archiveresults"]]
    assert {tuple(output) for output in outputs} == {("plugin",)}


@pytest.mark.parametrize(
    ("field", "hint"), [("titel", "title"), ("archiveresults.plugins", "plugin")]
)
async def test_a_field_that_no_version_has_is_refused(field: str, hint: str) -> None:
    async with keeper("0.9.73") as keep:
        with pytest.raises(Exception, match="does not exist") as caught:
            await keep.call(ListSnapshots, fields=[field])
    failure: Any = caught.value
    assert failure.code is Code.INVALID_ARGUMENT
    assert hint in failure.hint


async def test_a_list_goes_on_with_other_fields() -> None:
    async with keeper("0.9.73") as keep:
        first = await keep.call(ListSnapshots, fields=["id"], limit=2)
        rest = await keep.call(ListSnapshots, fields=["url"], limit=2, after=first["nextCursor"])
        pages = await keep.call(ListSnapshots, limit=4)
    assert [node["url"] for node in rest["nodes"]] == [node["url"] for node in pages["nodes"][2:]]


def test_a_field_that_a_record_lacks_is_null() -> None:
    record = {"url": "u", "archiveresults": [{"plugin": "wget", "cmd": []}]}
    fields = ["crawl_id", "archiveresults.plugin", "archiveresults.hook_name"]
    outputs = [{"plugin": "wget", "hook_name": None}]
    assert select_fields(record, fields) == {"crawl_id": None, "archiveresults": outputs}


@pytest.mark.parametrize("version", RECORDED)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_fields_of_every_version_can_be_asked_for(shape: type[Shape], version: str) -> None:
    recorded = json.loads((OPENAPI / f"archivebox-{version}.json").read_text())
    name = f"{shape.__name__}Schema"
    declared = set(recorded["components"]["schemas"][name]["properties"])
    shown = declared - {"TYPE", *HIDDEN.get(name, ())}
    assert shown <= set(shape.fields.split())


def test_no_field_is_named_twice() -> None:
    assert list(_repeated()) == []


def _repeated() -> Iterator[str]:
    for shape in SHAPES:
        names = shape.fields.split()
        yield from (name for name in set(names) if names.count(name) > 1)
