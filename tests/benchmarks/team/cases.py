"""What people call, and what each call must answer in each workspace."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.sandbox import TOKEN
from tests.support.sandboxed import PACED, SandboxProcess, clean
from tests.support.stdio import StdioServer

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A call; every answer to it holds something of its workspace."""

    tool: str
    arguments: str

    def parse(self) -> Json:
        """Return the arguments."""
        arguments: Json = json.loads(self.arguments)
        return arguments


CASES = (
    Case("archive_get_workspace", "{}"),
    *(Case("archive_search_items", json.dumps({"limit": limit})) for limit in (3, 7, 12)),
    *(Case("archive_search_creators", json.dumps({"limit": limit})) for limit in (2, 5)),
    Case("archive_get_collections", json.dumps({"limit": 5})),
)
SMALL = CASES[0]


def digest(answer: Json) -> str:
    """Return what tells two answers apart: the ids of what they hold. Links in them expire, so that
    the rest is another one each time."""
    ids = [node["id"] for node in answer.get("nodes", [answer])]
    return hashlib.sha256(json.dumps([ids, answer.get("totalCount")]).encode()).hexdigest()


async def learn_answers(
    sandbox: SandboxProcess, workspaces: tuple[str, ...], folder: Path
) -> dict[tuple[str, Case], str]:
    """Return the digest of each case's answer in each workspace, as one user's server gives it."""
    env = {
        **clean(folder),
        "ARCHIVE_API_URL": sandbox.url,
        "ARCHIVE_APP_TOKEN": TOKEN,
        "ARCHIVE_MCP_STATE_DIR": str(folder / "learning"),
    }
    answers: dict[tuple[str, Case], str] = {}
    async with StdioServer.spawn((*PACED, "--window", "1"), env=env, cwd=folder) as server:
        await server.handshake()
        for workspace in workspaces:
            for case in CASES:
                arguments = {**case.parse(), "workspace": workspace}
                result = await server.call_tool(case.tool, arguments)
                if result["isError"]:
                    raise RuntimeError(f"{case.tool}: {result['content'][0]['text'][:300]}")
                answers[workspace, case] = digest(result["structuredContent"])
    if len(set(answers.values())) != len(answers):
        raise RuntimeError("two answers are alike: a mix-up would go unseen")
    return answers
