"""The clients that are led over the server: what they are called, where they come from, and what
each of them lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.clients.hosts.hosts import HOSTS
from tests.support.machine.clients import CLIENTS as CONVERTERS
from tests.support.machine.clients import LARGE_CLIENTS, Client

YES = {
    "initialize": "yes",
    "read": "yes",
    "error": "yes",
    "write, unicode": "yes",
    "picture": "yes",
    "large result": "yes",
}
"""What every client sees, but for its own `differs`."""
_BY_NAME = {client.name: client for client in (*CONVERTERS, *LARGE_CLIENTS)}


@dataclass(frozen=True)
class PythonClient:
    """A client from PyPI: the module that drives it, and its packages; `is_quick` where it is
    installed within a minute and runs with every change."""

    title: str
    driver: str
    client: Client
    confirmation: str = "token"
    progress: str = "-"
    differs: Mapping[str, str] = field(default_factory=dict)
    is_quick: bool = False


@dataclass(frozen=True)
class NodeClient:
    """A client from npm: its script in `node/`, and its packages."""

    title: str
    script: str
    packages: tuple[str, ...]
    confirmation: str = "token"
    progress: str = "-"
    differs: Mapping[str, str] = field(default_factory=dict)
    is_quick: bool = False


def _install(name: str, *packages: str) -> Client:
    return Client(name, packages)


PYTHON = (
    PythonClient(
        "Python SDK, first release",
        "sdks.mcp_1",
        _install("mcp-1.0", "mcp==1.0.0"),
        is_quick=True,
    ),
    PythonClient(
        "Python SDK 1.x", "sdks.mcp_1", _install("mcp-1", "mcp==1.*"), "asked", "yes", is_quick=True
    ),
    PythonClient("Python SDK 2.x", "sdks.mcp_2", _install("mcp-2", "mcp==2.*"), "asked", "yes"),
    PythonClient("FastMCP", "sdks.fastmcp", _install("fastmcp", "fastmcp>=4,<5"), "asked", "yes"),
    PythonClient("chuk-mcp", "sdks.chuk_mcp", _install("chuk-mcp", "chuk-mcp>=0.9")),
    PythonClient(
        "google-genai", "frameworks.google_genai", _BY_NAME["google-genai"], "asked", "yes"
    ),
    PythonClient(
        "Google ADK", "frameworks.google_adk", _install("google-adk", "google-adk>=2.13", "mcp<2")
    ),
    PythonClient("openai-agents", "frameworks.openai_agents", _BY_NAME["openai-agents"]),
    PythonClient("AutoGen", "frameworks.autogen", _BY_NAME["autogen"]),
    PythonClient("LangChain", "frameworks.langchain", _BY_NAME["langchain"], "asked", "yes"),
    PythonClient("pydantic-ai", "frameworks.pydantic_ai", _BY_NAME["pydantic-ai"]),
    PythonClient(
        "LlamaIndex",
        "frameworks.llama_index",
        _install("llama-index", "llama-index-tools-mcp>=0.6"),
        # It starts a server for each call, and a token counts for the one that gave it.
        differs={"confirmation": "no"},
    ),
    PythonClient("mcp-use", "frameworks.mcp_use", _install("mcp-use", "mcp-use>=1.7,<2"), "asked"),
    PythonClient(
        "Strands Agents",
        "frameworks.strands",
        _install("strands", "strands-agents>=1.62"),
        "asked",
        "yes",
    ),
    PythonClient("Haystack", "frameworks.haystack", _install("haystack", "mcp-haystack>=2.1")),
    PythonClient("Agno", "frameworks.agno", _install("agno", "agno>=3", "fastmcp>=4,<5")),
    PythonClient(
        "Semantic Kernel",
        "frameworks.semantic_kernel",
        _install("semantic-kernel", "semantic-kernel[mcp]>=1.45"),
    ),
    PythonClient(
        "smolagents",
        "frameworks.smolagents",
        _install("smolagents", "smolagents[mcp]>=1.26", "mcp<2"),
        # Of a result it hands on the first block.
        differs={"picture": "no"},
    ),
    PythonClient(
        "CrewAI",
        "frameworks.crewai",
        _BY_NAME["crewai"],
        # It writes the picture into the text.
        differs={"picture": "no"},
    ),
)
NODE = (
    NodeClient(
        "TypeScript SDK, 2024",
        "sdk_1.mjs",
        ("@modelcontextprotocol/sdk@1.0.4",),
        progress="yes",
    ),
    NodeClient(
        "TypeScript SDK 1.x",
        "sdk_1.mjs",
        ("@modelcontextprotocol/sdk@1.32.2",),
        "asked",
        "yes",
        is_quick=True,
    ),
    NodeClient(
        "TypeScript SDK 2.x",
        "client_2.mjs",
        ("@modelcontextprotocol/client@2.4.0",),
        "asked",
        "yes",
    ),
    NodeClient("AI SDK", "ai_sdk.mjs", ("@ai-sdk/mcp@2.0.99", "ai"), "asked"),
    NodeClient("Mastra", "mastra.mjs", ("@mastra/mcp@2.0.0",), "asked"),
    NodeClient(
        "LangChain.js",
        "langchain.mjs",
        ("@langchain/mcp-adapters@1.1.4", "@langchain/core"),
        progress="yes",
    ),
    NodeClient("OpenAI Agents (TS)", "openai_agents.mjs", ("@openai/agents@0.20.0",)),
    NodeClient("mcporter", "mcporter.mjs", ("mcporter@0.12.3",)),
)
HOST_DIFFERS: dict[str, Mapping[str, str]] = {
    # They say that a person can be asked, and answer by themselves: nobody said yes.
    "Codex": {"second call": "previewed"},
    "Gemini CLI": {"second call": "previewed"},
    # Without a person it refuses what a person has to allow each time.
    "Claude Code": {"confirmation": "host asks", "second call": "host asks"},
    # Models of one's own get no pictures, or a picture as text, and long results are cut or move
    # to a file.
    "Cline": {"picture": "no"},
    "Copilot CLI": {"second call": "previewed", "picture": "no"},
}
"""What hosts without a person at them do otherwise than to preview first, and to take the token
then."""
TITLES = [*(row.title for row in (*PYTHON, *NODE)), *(host.name for host in HOSTS)]
