"""Calls of an operation by its name, with variables declared as the schema types them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from server.sandbox import MAIN
from server.sandbox.archive.engine import schema
from tests.server.sandbox.archive.conftest import Client, Json

VIEW = (
    "id name filters customAttributeConditions sort showReportingStats "
    "group { id name } createdAt updatedAt"
)
COLLECTION = "id name itemCount group { id name } createdAt updatedAt"
GROUP = (
    "id name collections { id name } contentViews { id name } creatorViews { id name } "
    "socialProfileViews { id name }"
    " createdAt updatedAt"
)


async def read(
    client: Client, operation: str, fields: str, given: Mapping[str, Any] | None = None, **how: Any
) -> Any:
    """What a query answers."""
    query_type = schema().query_type
    assert query_type
    return await _send(
        client, "query", query_type.fields[operation].args, operation, fields, given or {}, how
    )


async def change(
    client: Client, operation: str, fields: str, given: Mapping[str, Any], **how: Any
) -> Json:
    """The payload of a mutation, with the reasons why it was refused."""
    mutation_type = schema().mutation_type
    assert mutation_type
    wanted = f"{fields} userErrors {{ field message }}"
    arguments = mutation_type.fields[operation].args
    payload: Json = await _send(client, "mutation", arguments, operation, wanted, given, how)
    return payload


async def done(
    client: Client, operation: str, fields: str, given: Mapping[str, Any], **how: Any
) -> Any:
    """The one field of the payload of a mutation that must succeed."""
    payload = await change(client, operation, fields, given, **how)
    assert payload.pop("userErrors") == []
    (value,) = payload.values()
    return value


async def refusal(
    client: Client, operation: str, fields: str, given: Mapping[str, Any], **how: Any
) -> str:
    """The argument at fault of a mutation that must be refused and must leave everything saved as
    it was."""
    before = await everything(client, **how)
    payload = await change(client, operation, fields, given, **how)
    (error,) = payload.pop("userErrors")
    assert set(payload.values()) == {None}
    assert error["message"]
    assert await everything(client, **how) == before
    (field,) = error["field"]
    return str(field)


async def everything(client: Client, workspace: str = MAIN) -> Json:
    """All that is saved in a workspace."""
    views = " ".join(
        f"{name} {{ {VIEW} }}" for name in ("contentViews", "creatorViews", "socialProfileViews")
    )
    query = f"{{ collections {{ {COLLECTION} }} viewGroups {{ {GROUP} }} {views} }}"
    body = await client.body(query, workspace=workspace)
    assert "errors" not in body, body["errors"]
    found: Json = body["data"]
    return found


async def id_of(client: Client, operation: str, name: str, **how: Any) -> str:
    """The id of the record with that name in one of the lists."""
    (found,) = [
        record["id"]
        for record in await read(client, operation, "id name", **how)
        if record["name"] == name
    ]
    return str(found)


async def _send(
    client: Client,
    kind: str,
    arguments: Mapping[str, Any],
    operation: str,
    fields: str,
    given: Mapping[str, Any],
    how: Json,
) -> Any:
    declared = ", ".join(f"${name}: {arguments[name].type}" for name in given)
    passed = ", ".join(f"{name}: ${name}" for name in given)
    head, call = (f"{kind}({declared})", f"{operation}({passed})") if given else (kind, operation)
    return await client.ask(f"{head} {{ {call} {{ {fields} }} }}", given, **how)
