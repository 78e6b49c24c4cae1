"""Calls of tools that answer with pictures, against the sandbox in this process and without its
pace."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from server.errors import Code, Failure
from server.sandbox import MAIN, Sandbox
from server.services import Services
from server.settings import load
from server.tool.arguments import parse
from server.tool.context import Caller
from server.tool.elicitation import Nobody
from server.tool.request import Request
from server.tool.result import Image as Picture
from server.tool.result import Result
from tests.support.clocks import fixed_sandbox
from tests.support.doubles import OpenLimiter


@dataclass
class Viewer:
    """Somebody who calls tools by their classes and looks at what comes back."""

    services: Services
    sandbox: Sandbox
    folder: Path

    async def look(
        self, request: type[Request[Any, Any]], workspace: str = MAIN, **raw: Any
    ) -> Result:
        """The whole result of a call."""
        backend = await self.services.archive()
        arguments: Any = _parsed(request, workspace=workspace, **raw)
        return await backend.run(arguments, Caller(Nobody(), backend.archive.now() + 45))

    async def refused(self, request: type[Request[Any, Any]], **raw: Any) -> Failure:
        """The failure that a call meets."""
        with pytest.raises(Failure) as caught:
            await self.look(request, **raw)
        return caught.value

    @property
    def home(self) -> Any:
        """The records of the main workspace, as the sandbox makes them."""
        return self.sandbox.world.workspaces[0]


@asynccontextmanager
async def viewer(folder: Path, items: int = 400) -> AsyncIterator[Viewer]:
    """A viewer at a fresh sandbox; files go into `folder`."""
    sandbox = fixed_sandbox(items=items)
    settings = load(
        {},
        sandbox=True,
        environment={
            "ARCHIVE_MCP_EXPORT_DIR": str(folder / "exports"),
            "ARCHIVE_MCP_STATE_DIR": str(folder),
        },
        folder=folder,
        home=folder,
    )
    async with Services(replace(settings), limiter=OpenLimiter(), sandbox=sandbox) as services:
        yield Viewer(services, sandbox, folder)


def refused(request: type[Request[Any, Any]], **raw: Any) -> Failure:
    """The refusal that the arguments meet before anything is sent."""
    with pytest.raises(Failure) as caught:
        _parsed(request, **raw)
    assert caught.value.code is Code.INVALID_ARGUMENT
    return caught.value


def _parsed(request: type[Request[Any, Any]], **raw: Any) -> Request[Any, Any]:
    return parse(request, raw, {"timezone": UTC, "instants": []})


def opened(picture: Picture) -> Image.Image:
    """The picture, decoded; its declared type must be its own."""
    image = Image.open(BytesIO(picture.content))
    image.load()
    assert Image.MIME[image.format or ""] == picture.mime_type
    return image


def without(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    """Let importing these fail as where they are not installed."""
    found = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name.split(".")[0] in libraries else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)
