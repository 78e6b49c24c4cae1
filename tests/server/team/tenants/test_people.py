"""People at one server: each sees and may do what the policy says, and nothing of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from server.sandbox import MAIN, OUTDOOR
from server.settings import SettingsError, load
from server.team.building import TenantBuilder
from tests.support.doubles import OpenLimiter
from tests.support.team.people import POLICY, Replica, make_team, serve


async def test_both_eras_work_without_a_session(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna = await replica.person("anna")
        for mode in ("legacy", "auto"):
            async with anna.connect(mode) as client:
                assert len((await client.list_tools()).tools) > 100
                result = await client.call_tool("archive_get_workspaces", {})
                assert len(result.structured_content["nodes"]) == 3


async def test_nobody_else_is_let_in(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        stranger = await (await replica.person("carl")).post("tools/list")
        nobody = await (await replica.bring(None)).post("tools/list")

        assert stranger.status_code == 403
        assert "policy" in stranger.json()["error"]["message"]
        assert nobody.status_code == 401
        challenge = nobody.headers["www-authenticate"]
        assert 'resource_metadata="http://127.0.0.1:8765/.well-known/oauth-protected' in challenge
        assert len(replica.front.tenants) == 0


async def test_a_narrow_person_sees_little_of_everything(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        rita, anna = await replica.person("rita"), await replica.person("anna")
        theirs, all_tools = await rita.tools(), await anna.tools()

        assert theirs < all_tools
        assert not any(name.startswith("archivebox_") for name in theirs)
        workspaces = (await rita.call("archive_get_workspaces"))["nodes"]
        assert [workspace["name"] for workspace in workspaces] == ["Northwind Skincare"]


async def test_a_choice_of_workspace_is_ones_own(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna = await replica.person("anna", can_ask=True)
        ben = await replica.person("ben", can_ask=True)
        asked = (await anna.ask("tools/call", {"name": "archive_get_workspace", "arguments": {}}))[
            "result"
        ]
        label = asked["inputRequests"]["workspace"]["params"]["requestedSchema"]["properties"]
        outdoor = next(name for name in label["workspace"]["enum"] if "Outdoor" in name)
        chosen = await anna.resume("archive_get_workspace", asked, {"workspace": outdoor})

        assert "Outdoor" in chosen["name"]
        assert "Outdoor" in (await anna.call("archive_get_workspace"))["name"]
        again = await ben.ask("tools/call", {"name": "archive_get_workspace", "arguments": {}})
        assert "inputRequests" in again["result"]


async def test_the_answer_of_one_person_is_none_of_anothers(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna = await replica.person("anna", can_ask=True)
        ben = await replica.person("ben", can_ask=True)
        asked = (await anna.ask("tools/call", {"name": "archive_get_workspace", "arguments": {}}))[
            "result"
        ]
        stolen = await ben.resume(
            "archive_get_workspace", asked, {"workspace": "Northwind Outdoor"}
        )

        assert "error" in stolen
        assert (
            "inputRequests"
            in (await ben.ask("tools/call", {"name": "archive_get_workspace", "arguments": {}}))[
                "result"
            ]
        )


async def test_a_confirmation_token_is_ones_own_and_counts_once(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna, ben = await replica.person("anna"), await replica.person("ben")
        made = await anna.call(
            "archive_create_collection", workspace=MAIN, input={"name": "To delete"}
        )
        arguments = {"workspace": MAIN, "id": made["collection"]["id"]}
        preview = await anna.call("archive_delete_collection", **arguments)
        token = preview["error"]["confirm"]

        theft = await ben.call("archive_delete_collection", **arguments, confirm=token)
        assert theft["error"]["code"] == "CONFIRMATION_REQUIRED"
        done = await anna.call("archive_delete_collection", **arguments, confirm=token)
        assert "error" not in done


async def test_headers_narrow_and_never_widen(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna, rita = await replica.person("anna"), await replica.person("rita")
        anna.headers = {"x-archive-read-only": "true"}
        narrow = await anna.tools()
        assert "archive_create_collection" not in narrow
        refusal = await anna.call("archive_create_collection", workspace=MAIN, input={"name": "x"})
        assert refusal["error"]["code"] == "READ_ONLY"

        anna.headers = {"x-archive-toolsets": "collections"}
        assert "archive_search_items" not in await anna.tools()
        search = await anna.call("archive_search_items", workspace=MAIN)
        assert search["error"]["code"] == "FORBIDDEN"

        usual = await rita.tools()
        rita.headers = {"x-archive-read-only": "false", "x-archive-toolsets": "all"}
        assert await rita.tools() == usual


@pytest.mark.parametrize(
    "headers",
    [
        {"x-archive-read-only": "perhaps"},
        {"x-archive-toolsets": "corr"},
        {"x-archive-toolsets": ","},
    ],
)
async def test_a_header_without_sense_is_refused_rather_than_ignored(
    headers: dict[str, str], tmp_path: Path
) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna = await replica.person("anna")
        response = await anna.post("tools/list", None, **headers)

        assert response.status_code == 400
        assert "X-Archive-" in response.json()["error"]["message"]


async def test_jobs_and_exports_are_ones_own(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna, ben = await replica.person("anna"), await replica.person("ben")
        job = await anna.call("archive_start_export", workspace=MAIN, name="mine")
        assert "error" not in job, job

        jobs = (await anna.call("archive_mcp_list_jobs"))["nodes"]
        assert len(jobs) == 1
        assert (await ben.call("archive_mcp_list_jobs"))["nodes"] == []
        for tool in ("archive_mcp_get_job", "archive_mcp_cancel_job"):
            assert (await ben.call(tool, id=jobs[0]["jobId"]))["error"]["code"] == "NOT_FOUND"
        assert await exports_of(anna) == ["mine.csv"]
        assert await exports_of(ben) == []
        stolen = await ben.ask("resources/read", {"uri": "archive://exports/mine.csv"})
        assert "error" in stolen


async def exports_of(person: Any) -> list[str]:
    resources = (await person.ask("resources/list"))["result"]["resources"]
    return [entry["name"] for entry in resources if entry["uri"].startswith("archive://exports/")]


async def test_who_loses_a_right_loses_it_with_the_reload(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        anna, ben = await replica.person("anna"), await replica.person("ben")
        assert "archive_delete_collection" in await anna.tools()
        await ben.tools()

        change(tmp_path, POLICY.replace("may_delete = true", "may_delete = false"), replica)
        assert "archive_delete_collection" not in await anna.tools()
        refusal = await anna.call("archive_delete_collection", workspace=MAIN, id="x")
        assert refusal["error"]["code"] == "FORBIDDEN"

        change(tmp_path, POLICY.replace('id = "anna"', 'id = "zoe"'), replica)
        assert (await anna.post("tools/list")).status_code == 403
        assert "archive_delete_collection" in await ben.tools()


async def test_a_reload_that_changes_nothing_closes_nobody(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        await (await replica.person("anna")).tools()
        await (await replica.person("rita")).tools()

        change(tmp_path, POLICY.replace('toolsets = ["core"]', 'toolsets = ["content"]'), replica)
        assert len(replica.front.tenants) == 1


async def test_the_working_folder_does_not_choose_where_tokens_go(tmp_path: Path) -> None:
    base = replace(load({}, environment={}), sources={"ARCHIVE_API_URL": "./.env"})
    with pytest.raises(SettingsError, match=r"\./\.env"):
        TenantBuilder(base, cast("Any", None), cast("Any", None), OpenLimiter(), cast("Any", None))


def change(folder: Path, policy: str, replica: Replica) -> None:
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    replica.front.reload()


async def test_another_workspace_does_not_exist_in_any_way(tmp_path: Path) -> None:
    async with serve(make_team(tmp_path), tmp_path) as replica:
        rita = await replica.person("rita")
        for workspace in (OUTDOOR, OUTDOOR.upper(), "Northwind Outdoor", "outdoor"):
            answer = await rita.call("archive_search_items", workspace=workspace)
            assert answer["error"]["code"] in ("FORBIDDEN", "NOT_FOUND"), workspace
            assert "Outdoor" not in str(answer["error"].get("choices"))
