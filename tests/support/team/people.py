"""A server for a team within the test, and people who work with it over HTTP."""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

import prompts
from server.sandbox import Sandbox
from server.settings import load
from server.team.building import MakeParts, Surroundings
from server.team.serving.front import Front
from server.team.settings import OidcSettings, TeamSettings
from server.team.tenant import Shared, Texts
from server.tool.catalog import Catalog
from tests.support.clocks import fixed_archivebox, fixed_sandbox
from tests.support.doubles import OpenLimiter
from tests.support.paths import SURFACE
from tests.support.places import NO_FILES
from tests.support.team import issuer

Json = dict[str, Any]

URL = "http://127.0.0.1:8765"
KEYS = (bytes(range(32)),)
_META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
SECRETS = {"TEAM_TOKEN": "arch_live_team_token_1234", "OTHER_TOKEN": "arch_live_other_token_123"}

# Two people with all rights and the same token, and one who may nearly nothing.
POLICY = """
[archive.team]
token = { env = "TEAM_TOKEN" }

[archivebox.office]
url = "https://box.example.com"

[[group]]
name = "everything"
archive = "team"
archivebox = "office"
read_only = false
may_spend = true
may_delete = true

[[person]]
id = "anna"
group = "everything"

[[person]]
id = "ben"
group = "everything"

[[person]]
id = "rita"
archive = "team"
workspaces = ["Northwind Skincare"]
toolsets = ["core"]
"""


@dataclass
class Replica:
    """One process that serves; `front` is what it holds."""

    front: Front
    stack: AsyncExitStack

    async def person(self, name: str, **options: Any) -> Person:
        """Somebody who is signed in by the issuer's token."""
        return await self.bring(issuer.token(sub=name, exp=4e9, name=None), **options)

    async def bring(self, token: str | None, **options: Any) -> Person:
        """Somebody with this token."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(self.front.app, raise_app_exceptions=True)
        client = httpx2.AsyncClient(
            transport=transport, base_url=URL, headers=headers, timeout=60.0, trust_env=False
        )
        return Person(await self.stack.enter_async_context(client), **options)


@dataclass
class Person:
    """Somebody at a replica; the raw wire of the modern era.

    `can_ask` says that their client puts questions to them.
    """

    client: httpx2.AsyncClient
    can_ask: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)

    async def post(
        self, method: str, params: Json | None = None, **headers: str
    ) -> httpx2.Response:
        """The HTTP answer to one message."""
        capabilities: Json = {"elicitation": {"form": {}}} if self.can_ask else {}
        meta = {
            f"{_META}protocolVersion": MODERN,
            f"{_META}clientInfo": {"name": "test", "version": "1"},
            f"{_META}clientCapabilities": capabilities,
        }
        message = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": method,
            "params": {**(params or {}), "_meta": meta},
        }
        name = (params or {}).get("name") or (params or {}).get("uri")
        routing = {"mcp-method": method, **({"mcp-name": name} if name else {})}
        return await self.client.post(
            "/mcp",
            json=message,
            headers={
                "accept": "application/json, text/event-stream",
                "mcp-protocol-version": MODERN,
                **routing,
                **self.headers,
                **headers,
            },
        )

    async def ask(self, method: str, params: Json | None = None) -> Json:
        """The message that answers one message."""
        response = await self.post(method, params)
        assert response.status_code in (200, 400, 404), (response.status_code, response.text)
        return read_message(response)

    async def call(self, tool: str, **arguments: Any) -> Json:
        """The result of a tool: what it returned, or its error."""
        answer = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        return read_result(answer)

    async def resume(self, tool: str, asked: Json, content: Json, **arguments: Any) -> Json:
        """The result of a call that is repeated with the answers to its questions."""
        replies = {key: {"action": "accept", "content": content} for key in asked["inputRequests"]}
        params = {
            "name": tool,
            "arguments": arguments,
            "inputResponses": replies,
            "requestState": asked["requestState"],
        }
        return read_result(await self.ask("tools/call", params))

    async def tools(self) -> set[str]:
        """The names of the tools that are listed."""
        return {tool["name"] for tool in (await self.ask("tools/list"))["result"]["tools"]}

    @asynccontextmanager
    async def connect(self, mode: str) -> AsyncIterator[Client]:
        """The SDK's client, of either era."""
        wire = streamable_http_client(f"{URL}/mcp", http_client=self.client)
        async with Client(wire, mode=mode) as client:
            yield client


def read_message(response: httpx2.Response) -> Json:
    """The message of an answer; the last one of a stream, after what it reported meanwhile."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        answer: Json = response.json()
        return answer
    lines = [line for line in response.text.splitlines() if line.startswith("data:")]
    last: Json = json.loads(lines[-1].removeprefix("data:"))
    return last


def read_result(answer: Json) -> Json:
    """What a tool returned; its error under `error`."""
    if "error" in answer:
        return {"error": {"code": "PROTOCOL", **answer["error"]}}
    result: Json = answer["result"]
    if result.get("isError"):
        return {"error": result["_meta"]["archive-mcp/error"]}
    content: Json = result.get("structuredContent", result)
    return content


def make_team(folder: Path, policy: str | None = POLICY, **changes: Any) -> TeamSettings:
    """The settings of a server for a team; None as policy makes it a trial."""
    file = folder / "policy.toml"
    if policy is not None:
        file.write_text(policy, encoding="utf-8")
    settings = TeamSettings(
        policy=None if policy is None else file,
        state_keys=KEYS,
        oidc=OidcSettings(issuer.ISSUER, issuer.AUDIENCE),
    )
    return replace(settings, **changes)


def make_front(
    team: TeamSettings,
    folder: Path,
    *,
    sandbox: Sandbox | None = None,
    make_parts: MakeParts | None = None,
    web: issuer.Web | None = None,
    **flags: str,
) -> Front:
    """What a replica holds, over sandboxes in which no time passes; two may share one."""
    flags = {"ARCHIVE_MCP_EXPORT_DIR": str(folder / "exports"), **flags}
    base = load(flags, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES)
    base = replace(base, state_dir=folder / "state")
    texts = Texts(prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
    catalog = Catalog.read(SURFACE, importlib.import_module)
    return Front(
        base,
        team,
        Shared(catalog, texts, team.limits.body),
        make_parts=make_parts,
        limiter=OpenLimiter(),
        surroundings=Surroundings(sandbox or fixed_sandbox(items=400), fixed_archivebox().handle),
        web=web or issuer.Web(),
    )


@asynccontextmanager
async def serve(team: TeamSettings, folder: Path, **options: Any) -> AsyncIterator[Replica]:
    """A replica within the test; the options are those of `make_front`."""
    front = make_front(team, folder, **options)
    async with AsyncExitStack() as stack, front.open():
        yield Replica(front, stack)
