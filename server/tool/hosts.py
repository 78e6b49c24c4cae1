"""What is listed for whom: the one table of hosts that cannot take the whole listing as it is, and
the keys of `_meta` that hosts read.

A host is known by the name that it gives when it connects. The others, and every user who chose
toolsets or a form of schemas, get what the settings say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SchemaForm = Literal["open", "closed"]

# Keys of a tool's `_meta`, as Claude Code 2.1.332 knows them.
# Text that the host's search of tools matches beside name and description and shows to nobody; its
# first 4,096 characters count.
SEARCH_HINT = "anthropic/searchHint"
# Whether the tool is in the prompt from the start instead of being found by search.
ALWAYS_LOAD = "anthropic/alwaysLoad"
# Characters of a result that stay in the conversation; a longer one (50,000 otherwise) moves to a
# file.
MAX_RESULT_CHARACTERS = "anthropic/maxResultSizeChars"
# Whether a person has to allow each call, whatever the user allowed before.
REQUIRES_PERSON = "anthropic/requiresUserInteraction"
# A key of a question's `_meta`: title and subtitle of the host's dialog, in the handshake era.
PERMISSION_DISPLAY = "anthropic/permissionDisplay"

# The most tools that models of OpenAI take in one request (their API reference, `tools`).
MOST_TOOLS = 128
# What such a host gets where both APIs are configured: the rest is reached through tools of it.
FEW = ("core",)


@dataclass(frozen=True)
class Host:
    """A host: its name for people, a part of the name that it gives in small letters, whether it
    sends all tools to models that take at most `MOST_TOOLS`, and the form of schemas it needs."""

    title: str
    part: str
    sends_all: bool = False
    schemas: SchemaForm = "open"


# Each gave this name when it was run (`tests/clients`); that of Claude Desktop, which does not run
# everywhere, is in the logs of its users.
HOSTS = (
    Host("Cline", "cline", sends_all=True),
    Host("Gemini CLI", "gemini-cli", sends_all=True),
    Host("Copilot CLI", "copilot", sends_all=True),
    Host("Codex", "codex", sends_all=True),
    # With its own tools it sends 128: one more, of any other server, is too many.
    Host("opencode", "opencode", sends_all=True),
    # They hand schemas to their models as they are, and these then make up fewer names.
    Host("Claude Code", "claude-code", schemas="closed"),
    Host("Claude Desktop", "claude-ai", schemas="closed"),
)
_OTHER = Host("", "")


def find_host(name: str) -> Host:
    """Return the host of that name; for an unknown one the usual treatment."""
    small = name.casefold().replace(" ", "-")
    return next((host for host in HOSTS if host.part in small), _OTHER)


def hosts_with_few_tools() -> list[str]:
    """Return the names, for people, of the hosts that get a short listing."""
    return [host.title for host in HOSTS if host.sends_all]
