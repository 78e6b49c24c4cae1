"""The README names what there is: toolsets, presets, resources, prompts, extras and settings."""

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

README = (ROOT / "README.md").read_text(encoding="utf-8")
PRESETS = {"all", "core", "discover"}


def section(title: str) -> str:
    return README.partition(f"### {title}\n")[2].partition("\n#")[0]


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


def test_every_optional_extra_is_named_where_it_is_installed() -> None:
    extras = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    )
    assert {
        name
        for each in re.findall(r'install "\.\[([a-z,]+)\]"', README)
        for name in each.split(",")
    } == extras


def test_every_setting_is_in_the_table() -> None:
    table = README.partition("<!-- settings -->")[2].partition("<!-- /settings -->")[0]
    assert set(VARIABLES) == set(re.findall(r"`(ARCHIVE\w+)`", table))


def test_every_code_of_a_failure_is_explained_once() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    codes = re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE)
    assert sorted(codes) == sorted(Code)
