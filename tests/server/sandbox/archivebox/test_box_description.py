"""The sandbox against what real servers of three releases say about themselves."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from server.sandbox.archivebox import Version
from tests.server.sandbox.archivebox.conftest import VERSIONS, Box
from tests.support.paths import OPENAPI

FILES = {
    "0.9.74": "archivebox-0.9.74rc408.json",
    "0.9.73": "archivebox-0.9.73.json",
    "0.9.31": "archivebox-0.9.31.json",
    "0.8.5": "archivebox-0.8.5rc51.json",
}
DOCUMENTS: dict[str, dict[str, Any]] = {
    version: json.loads((OPENAPI / name).read_text()) for version, name in FILES.items()
}
CHECKER = jsonschema.FormatChecker(formats=())
ENDPOINTS = [
    (version, method.upper(), path)
    for version, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
    for method in methods
]
# A redirect, and what is not JSON; each has a test of its own.
NOT_JSON = (
    "snapshots.rss",
    "screencast.jpg",
    "urls.txt",
    "snapshots.jsonl",
    "/files/",
    "/any/{id}",
)
OTHERS = sorted(
    (version, method, path)
    for version in VERSIONS
    for other, method, path in ENDPOINTS
    if other != version
    and not any(
        mine == version and same == method and bare == path for mine, same, bare in ENDPOINTS
    )
    and "{abid}" not in path
    and not (version == "0.8.5" and path.endswith("/any/{id}"))
)


@CHECKER.checks("uuid", ValueError)
def is_uuid(value: object) -> bool:
    return bool(UUID(str(value)))


@CHECKER.checks("date-time", ValueError)
def is_date(value: object) -> bool:
    return isinstance(value, str) and value.endswith("Z") and bool(datetime.fromisoformat(value))


async def fill_path(box: Box, path: str) -> str:
    """Return the path below the API with parameters that exist."""
    world = box.sandbox.world
    snapshot = list(world.snapshots.values())[-20]
    tag = world.find_tag("news")
    assert tag is not None
    values = {
        "snapshot_id": snapshot.id,
        "id": snapshot.id,
        "abid": snapshot.id,
        "archiveresult_id": world.list_results(snapshot)[0].id,
        "tag_id": tag.uuid if box.version == "0.8.5" else str(tag.id),
        "crawl_id": snapshot.crawl.id,
        "name": "wget",
        "filename": "urls.txt",
        "folder": "logs",
        "subfolder": "out",
    }
    if "machine_id" in path:
        values["machine_id"] = (await box.get("/machine/machine/current"))["id"]
    if "binary_id" in path:
        values["binary_id"] = (await box.get("/machine/binaries?limit=1"))["items"][0]["id"]
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path.removeprefix("/api/v1"))


def complaints(version: str, schema: dict[str, Any], value: Any) -> list[str]:
    """Return where an answer differs from its schema."""
    whole = {**schema, "components": DOCUMENTS[version]["components"]}
    validator = jsonschema.Draft202012Validator(whole, format_checker=CHECKER)
    return [
        f"{list(error.absolute_path)}: {error.message}"[:300]
        for error in validator.iter_errors(value)
    ]


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_sandbox_describes_itself_as_the_real_server_does(version: Version) -> None:
    answer = await Box(version, snapshots=1).send("GET", "/api/v1/openapi.json", key="")
    assert json.loads(answer.body) == DOCUMENTS[version]


@pytest.mark.parametrize(("version", "method", "path"), ENDPOINTS)
async def test_every_declared_endpoint_is_there(version: Version, method: str, path: str) -> None:
    box = Box(version, snapshots=40)
    target = f"/api/v1{await fill_path(box, path)}"
    answer = await box.send(method, target, key="")
    protected = bool(DOCUMENTS[version]["paths"][path][method.lower()].get("security"))
    wants_a_body = method == "POST" and not protected
    assert answer.status == (
        401
        if protected
        else 422
        if wants_a_body
        else 200
        if "autocomplete" in path
        else answer.status
    )
    assert answer.status in (200, 401, 404, 422)
    assert answer.headers["content-type"].startswith(
        ("application/json", "text/plain", "application/x-ndjson")
    )


@pytest.mark.parametrize(("version", "method", "path"), OTHERS)
async def test_what_a_release_lacks_is_not_there(version: Version, method: str, path: str) -> None:
    box = Box(version, snapshots=40)
    target = "/api/v1" + re.sub(r"\{\w+\}", "1", path.removeprefix("/api/v1"))
    answer = await box.send(method, target, {})
    assert answer.status in (404, 405)
    assert not answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (version, path)
        for version, method, path in ENDPOINTS
        if method == "GET" and not any(part in path for part in NOT_JSON)
    ],
)
async def test_answers_have_the_declared_shape(version: Version, path: str) -> None:
    box = Box(version, snapshots=60)
    filter_ = (
        "?with_archiveresults=true&limit=500"
        if path.endswith(("/snapshots", "/archiveresults"))
        else ""
    )
    payload = await box.get(await fill_path(box, path) + filter_)
    content = DOCUMENTS[version]["paths"][path]["get"]["responses"]["200"]["content"][
        "application/json"
    ]
    assert complaints(version, content["schema"], payload) == []
    items = payload["items"] if isinstance(payload, dict) and "items" in payload else []
    name = content["schema"].get("$ref", "").rpartition("/")[2].removeprefix("Paged")
    item = {"$ref": f"#/components/schemas/{name}"}
    assert [complaints(version, item, row) for row in items if complaints(version, item, row)] == []
    assert bool(items) == ("items" in payload)


@pytest.mark.parametrize("version", VERSIONS)
async def test_no_answer_has_a_field_that_the_release_does_not_declare(version: Version) -> None:
    box = Box(version, snapshots=60)
    schemas = DOCUMENTS[version]["components"]["schemas"]
    snapshot = (await box.get("/core/snapshots?with_archiveresults=true&limit=1&offset=20"))[
        "items"
    ][0]
    result = (await box.get("/core/archiveresults?limit=1"))["items"][0]
    tag = (await box.get("/core/tags?limit=1"))["items"][0]
    assert list(snapshot) == list(schemas["SnapshotSchema"]["properties"])
    assert set(snapshot["archiveresults"][0]) == set(
        schemas["MinimalArchiveResultSchema"]["properties"]
    )
    assert set(result) == set(schemas["ArchiveResultSchema"]["properties"])
    assert set(tag) == set(schemas["TagSchema"]["properties"])
    if version != "0.8.5":
        crawl = (await box.get("/crawls/crawls"))[0]
        assert set(crawl) == set(schemas["CrawlSchema"]["properties"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_commands_answer_in_the_declared_shape(version: Version) -> None:
    box = Box(version, snapshots=20)
    path = "/cli/list" if version == "0.8.5" else "/cli/search"
    schema = {"$ref": "#/components/schemas/CLICommandResponseSchema"}
    patterns = {"filter_patterns": ["https://no.such.example/"] if version == "0.8.5" else []}
    for name, body in ((path, patterns), ("/cli/add", {"urls": ["https://example.com/a"]})):
        payload = await box.ask("POST", name, body)
        assert complaints(version, schema, payload) == []
        assert set(payload) == set(
            DOCUMENTS[version]["components"]["schemas"]["CLICommandResponseSchema"]["properties"]
        )
