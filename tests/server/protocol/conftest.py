from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from mcp.server.lowlevel import Server

import prompts
from server.dispatch import Dispatcher
from server.main import Product, load_catalog
from server.protocol.handlers import build_server
from server.protocol.listing import Listing
from server.services import Services
from server.settings import Settings, load
from server.tool.catalog import Catalog
from tests.support.clocks import fixed_archivebox, fixed_sandbox
from tests.support.doubles import OpenLimiter
from tests.support.paths import OPENING, SURFACE
from tests.support.places import NO_FILES

Build = Callable[..., Server[Any]]


@pytest.fixture(params=["legacy", "2026-07-28"])
def era(request: pytest.FixtureRequest) -> str:
    """Both protocol eras, as the SDK's client names them."""
    return str(request.param)


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Builds a server over sandboxes of its own, in which no time passes and no pace is kept."""
    opened: list[Services] = []

    def _build(backend: str = "archive", **flags: str) -> Server[Any]:
        settings = load(flags, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES)
        surface = Catalog.read(SURFACE, importlib.import_module)
        surface.offer(backends={backend}, toolsets=settings.toolsets, read_only=settings.read_only)
        return _wired(settings, surface, opened)

    yield _build
    for services in opened:
        await services.__aexit__(None, None, None)


BuildBoth = Callable[..., Server[Any]]


@pytest.fixture
async def build_both() -> AsyncIterator[BuildBoth]:
    """Builds a server over both sandboxes, which lists what the connected host can take."""
    opened: list[Services] = []

    def _build(**flags: str) -> Server[Any]:
        settings = load(flags, sandbox=True, environment={}, folder=NO_FILES, home=NO_FILES)
        product = Product(SURFACE, SURFACE, OPENING, "prompts")
        surface = load_catalog(settings, product)
        return _wired(settings, surface, opened)

    yield _build
    for services in opened:
        await services.__aexit__(None, None, None)


def _wired(settings: Settings, surface: Catalog, opened: list[Services]) -> Server[Any]:
    services = Services(
        settings,
        limiter=OpenLimiter(),
        sandbox=fixed_sandbox(items=400),
        archivebox=fixed_archivebox().handle,
    )
    opened.append(services)
    calls = Dispatcher(surface, services, settings.timezone)
    listing = Listing(
        surface,
        schema=settings.schema,
        shortens=settings.shortens_listing,
        asks_person=settings.confirm != "token",
    )
    texts = (prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
    return build_server(surface, calls, *texts, listing)
