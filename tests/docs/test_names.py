"""The documents name what there is and nothing else: toolsets, presets, resources, prompts,
extras, settings, tools and codes."""

from __future__ import annotations

import re
import tomllib

import pytest

from prompts.workflows import WORKFLOWS
from server.errors import Code
from server.settings import VARIABLES
from server.tool.catalog import Catalog
from tests.support.paths import ROOT, SURFACE
from tools.archive.templates import TEMPLATES
from tools.surface import PAGE, page, rows

PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")}
README = (ROOT / "README.md").read_text(encoding="utf-8")
TOOLS = PAGES["tools"]
EVERYWHERE = "\n".join([README, *PAGES.values()])
PRESETS = {"all", "core", "discover"}


def section(title: str) -> str:
    return TOOLS.partition(f"\n## {title}\n")[2].partition("\n#")[0]


def team_variables() -> set[str]:
    """The variables that a server for a team reads; any of its secrets may stand in a file."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "server/team").rglob("*.py")]
    names = set(re.findall(r'"(ARCHIVE_MCP_[A-Z_]+)"', "\n".join(sources)))
    # Set by the program itself, for the processes that share an address.
    return names - set(VARIABLES) - {"ARCHIVE_MCP_HTTP_LISTENER"}


def known_toolsets() -> set[str]:
    surface = Catalog.read(SURFACE, load=__import__)
    with pytest.raises(ValueError, match="unknown toolset") as refused:
        surface.offer(backends=set(), toolsets=["no such toolset"], read_only=False)
    return set(str(refused.value).partition("known: ")[2].rstrip(".").split(", "))


def test_every_toolset_and_preset_is_named_and_no_other() -> None:
    text = section("Fewer tools")
    domains = re.findall(
        r"`([a-z]+)`", text.partition("A toolset is a domain")[2].partition("A name that")[0]
    )
    presets = set(re.findall(r"^\| `([a-z]+)`", text, re.MULTILINE))
    assert set(domains) | presets == known_toolsets()
    assert presets == PRESETS
    assert len(domains) == len(set(domains))


def test_every_resource_template_is_named() -> None:
    text = section("What you can attach")
    ways = [
        {uri, uri.replace("archive://workspace/{workspace}", "...")}
        for uri in (each.uri for each in TEMPLATES)
    ]
    assert [uris for uris in ways if not any(f"`{uri}`" in text for uri in uris)] == []


def test_every_prompt_with_arguments_is_named_and_no_other() -> None:
    assert re.findall(r"^\| `(\w+)`", section("Ready-made tasks"), re.MULTILINE) == [
        each.name for each in WORKFLOWS
    ]


def test_every_optional_extra_is_named_and_no_other() -> None:
    extras = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
    text = PAGES["files-and-privacy"].partition("## Pictures and charts")[2].partition("\n## ")[0]
    lists = re.findall(r'install "\.\[([a-z,]+)\]"', EVERYWHERE)
    installed = {name for names in lists for name in names.split(",")}
    assert installed <= extras
    assert {name for name in extras if f"`{name}`" not in text} == set()


def test_every_setting_is_in_the_table_and_no_other_is_named() -> None:
    table = PAGES["settings"].partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]
    assert set(VARIABLES) == set(re.findall(r"`(ARCHIVE\w+)`", table))
    named = re.findall(r"\b(ARCHIVE(?:BOX|_MCP|_APP|_WORKSPACE|_API)_[A-Z_]+)\b", EVERYWHERE)
    assert {name.removesuffix("_FILE") for name in named} <= {*VARIABLES, *team_variables()}


def test_every_setting_of_a_team_is_on_its_page() -> None:
    assert {name for name in team_variables() if f"`{name}`" not in PAGES["team"]} == set()


def test_every_tool_that_is_named_exists() -> None:
    names = {row["tool"]["name"] for row in rows()}
    prompts = {"archive_system_prompt", "archivebox_system_prompt", "archive_mcp", "archive_"}
    named = set(re.findall(r"\barchive(?:box|_mcp)?_[a-z_]*\b", EVERYWHERE))
    assert named - names - prompts - {"archivebox_", "archive_mcp_"} == set()
    assert {name for name in names if f"| `{name}` |" not in TOOLS} == set()


def test_the_table_of_tools_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_code_of_a_failure_is_explained_once() -> None:
    codes = re.findall(r"^\| `([A-Z_]+)` \|", PAGES["troubleshooting"], re.MULTILINE)
    assert sorted(codes) == sorted(Code)


def test_the_readme_is_read_in_a_few_minutes() -> None:
    assert len(README.split()) <= 950
