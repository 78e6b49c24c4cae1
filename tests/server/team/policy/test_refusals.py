"""What the policy refuses is in the audit log, whichever way it was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.sandbox import MAIN, OUTDOOR
from tests.support.team.people import POLICY, Person, make_team, serve

# Rita reads one workspace with the tools of `core`, Lena with all of them; Otto has no Archive.
MORE = """
[[person]]
id = "lena"
archive = "team"
workspaces = ["Northwind Skincare"]

[[person]]
id = "otto"
archivebox = "office"
"""
COMPLETION = "completion/complete"
Params = dict[str, Any]


def read_refusals(folder: Path) -> list[tuple[str, str, str, list[str]]]:
    """Who was refused what: the tool or method, the code, and what it was about."""
    file = folder / "audit.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return [
        (event["principal"], event["tool"], event["code"], event.get("ids", []))
        for event in events
        if event["kind"] == "refused"
    ]


def complete(uri: str, name: str) -> Params:
    """What completes a variable of a template."""
    reference = {"type": "ref/resource", "uri": uri}
    return {"ref": reference, "argument": {"name": name, "value": ""}}


def complete_prompt(prompt: str, name: str) -> Params:
    """What completes an argument of a prompt."""
    return {
        "ref": {"type": "ref/prompt", "name": prompt},
        "argument": {"name": name, "value": ""},
    }


COLLECTIONS = f"archive://workspace/{MAIN}/collections"
CASES: list[tuple[str, str, Params, str]] = [
    # An operation whose tool is of another toolset, or changes something.
    ("rita", "resources/read", {"uri": "archive://operation/deleteCollection"}, "READ_ONLY"),
    ("rita", "resources/read", {"uri": COLLECTIONS}, "FORBIDDEN"),
    ("lena", "resources/read", {"uri": f"archive://workspace/{OUTDOOR}/collections"}, "FORBIDDEN"),
    # Templates of an account that somebody does not have.
    ("otto", "resources/read", {"uri": COLLECTIONS}, "FORBIDDEN"),
    ("otto", COMPLETION, complete("archive://operation/{name}", "name"), "FORBIDDEN"),
    # A prompt that leads to tools which somebody may not use.
    ("otto", "prompts/get", {"name": "performance_report"}, "FORBIDDEN"),
    ("otto", COMPLETION, complete_prompt("performance_report", "workspace"), "FORBIDDEN"),
]


@pytest.mark.parametrize(("name", "method", "params", "code"), CASES)
async def test_a_refusal_outside_of_calls_is_recorded(
    name: str, method: str, params: Params, code: str, tmp_path: Path
) -> None:
    options = {"ARCHIVE_MCP_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
    async with serve(make_team(tmp_path, POLICY + MORE), tmp_path, **options) as replica:
        answer = await (await replica.person(name)).ask(method, params)
        assert answer["error"]["data"]["archive-mcp/error"]["code"] == code, answer
        about = params.get("uri") or params.get("name") or next(iter(params["ref"].values()))
        (refusal,) = read_refusals(tmp_path)
        assert refusal[:3] == (f"oidc:{name}", method, code)
        assert refusal[3] == [about] or method == COMPLETION


async def test_a_completion_that_completes_nothing_for_want_of_a_right_is_recorded(
    tmp_path: Path,
) -> None:
    options = {"ARCHIVE_MCP_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
    async with serve(make_team(tmp_path, POLICY + MORE), tmp_path, **options) as replica:
        params = complete("archive://workspace/{workspace}/collections/{collection}", "collection")
        params["context"] = {"arguments": {"workspace": OUTDOOR}}
        answer = await (await replica.person("lena")).ask(COMPLETION, params)
        assert answer["result"]["completion"]["values"] == [], answer
    assert [refusal[:3] for refusal in read_refusals(tmp_path)] == [
        ("oidc:lena", COMPLETION, "FORBIDDEN")
    ]


async def test_a_refused_call_of_another_tool_says_which(tmp_path: Path) -> None:
    options = {"ARCHIVE_MCP_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
    policy = POLICY + '\n[[person]]\nid = "dora"\narchive = "team"\ntoolsets = ["discover"]\n'
    async with serve(make_team(tmp_path, policy), tmp_path, **options) as replica:
        dora = await replica.person("dora")
        inner = {"workspace": MAIN, "id": "collection-1"}
        tool = "archive_delete_collection"
        for outer in ("archive_mcp_call_read_tool", "archive_mcp_call_write_tool"):
            await dora.call(outer, name=tool, arguments=inner)
    for refusal in read_refusals(tmp_path):
        assert refusal[3] == [tool, "collection-1"], refusal
    text = (tmp_path / "audit.jsonl").read_text()
    assert MAIN in text


async def test_what_works_and_what_is_no_refusal_leaves_no_record(tmp_path: Path) -> None:
    options = {"ARCHIVE_MCP_AUDIT_LOG": str(tmp_path / "audit.jsonl")}
    async with serve(make_team(tmp_path, POLICY + MORE), tmp_path, **options) as replica:
        lena: Person = await replica.person("lena")
        await lena.ask("resources/read", {"uri": COLLECTIONS})
        await lena.ask("resources/read", {"uri": "archive://nothing/at/all"})
        await lena.ask("prompts/get", {"name": "no_such_prompt"})
        await lena.ask(COMPLETION, complete("archive://operation/{name}", "name"))
        await lena.call("archive_get_workspaces")
    assert read_refusals(tmp_path) == []
