from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from server.tool.catalog import Catalog
from tools.surface import (
    FILE,
)


def tokens(**offered: Any) -> float:
    """What a model sees of the tools that are listed with these settings: a token is about four
    bytes. What `_meta` says is for hosts alone."""
    surface = Catalog.read(FILE, importlib.import_module)
    surface.offer(**{"backends": {"archive"}, "toolsets": ["all"], "read_only": False, **offered})
    seen = ("name", "description", "inputSchema")
    views = [{key: tool[key] for key in seen} for tool in surface.list_tools()]
    return (
        sum(
            len(json.dumps(each, separators=(",", ":"), ensure_ascii=False).encode())
            for each in views
        )
        / 4
    )


def test_what_a_model_reads_of_all_tools_stays_small() -> None:
    everything = tokens(backends={"archive", "archivebox"})
    assert everything <= 23_000, "all descriptions together: shorten some, or raise it on purpose"


def test_the_presets_are_much_smaller() -> None:
    assert tokens(toolsets=["core"], backends={"archive", "archivebox"}) <= 3_800
    assert tokens(toolsets=["discover"], backends={"archive", "archivebox"}) <= 900


@pytest.mark.parametrize("backends", [{"archive"}, {"archivebox"}, {"archive", "archivebox"}])
def test_the_core_is_a_few_tools_that_reach_all_others(backends: set[str]) -> None:
    surface = Catalog.read(FILE, importlib.import_module)
    surface.offer(backends=backends, toolsets=["core"], read_only=False)

    assert len(surface.list_tools()) <= 12
    assert surface.switched_off == 0
