"""The README names what there is: toolsets, presets and resources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.surface import Surface
from tools.archive.templates import TEMPLATES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PRESETS = {"all", "core", "discover"}


def section(title: str) -> str:
    return README.partition(f"### {title}\n")[2].partition("\n#")[0]


def known_toolsets() -> set[str]:
    surface = Surface.read(ROOT / "tools" / "surface.json", load=__import__)
    with pytest.raises(ValueError, match="unknown toolset") as refused:
        surface.offer(backends=set(), toolsets=["no such toolset"], read_only=False)
    return set(str(refused.value).partition("known: ")[2].rstrip(".").split(", "))


def test_every_toolset_and_preset_is_named_and_no_other() -> None:
    text = section("Fewer tools")
    domains = re.findall(r"`([a-z]+)`", text.partition("A toolset is a domain")[2].partition("A name that")[0])
    presets = set(re.findall(r"^\| `([a-z]+)`", text, re.MULTILINE))
    assert set(domains) | presets == known_toolsets()
    assert presets == PRESETS
    assert len(domains) == len(set(domains))


def test_every_resource_template_is_named() -> None:
    text = section("What you can attach")
    ways = [{uri, uri.replace("archive://workspace/{workspace}", "...")} for uri in (each.uri for each in TEMPLATES)]
    assert [uris for uris in ways if not any(f"`{uri}`" in text for uri in uris)] == []
