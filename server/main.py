"""The command line: serve over stdio, or one of the commands beside it."""

from __future__ import annotations

import argparse
import gc
import importlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import __version__
from .settings import Settings, SettingsError, load
from .surface import Surface

_FLAGS = {"toolsets": "ARCHIVE_MCP_TOOLSETS", "log_level": "ARCHIVE_MCP_LOG_LEVEL"}


@dataclass(frozen=True)
class Product:
    """What the launcher brings: itself, the packaged list of tools, and the name of the package with the prompts."""

    launcher: Path
    surface: Path
    prompts: str


def run(product: Product, arguments: list[str] | None = None) -> int:
    """Run the command that the arguments name; the result is the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = _settings(options)
        _configure_log(settings)
        match options.command:
            case "sandbox":
                return _sandbox(options)
            case "doctor":
                return _doctor(options, settings, product)
            case "demo":
                return _demo(product)
        return _serve(settings, product)
    except SettingsError as error:
        print(f"archive-mcp: {error}", file=sys.stderr)
        return 2


def offered_surface(settings: Settings, product: Product) -> Surface:
    """The surface restricted to what the settings allow.

    Raises:
        SettingsError: an unknown toolset.
    """
    surface = Surface.read(product.surface, importlib.import_module)
    configured = {"archive": settings.archive_configured, "archivebox": settings.archivebox_configured}
    backends = {name for name, there in configured.items() if there} or set(configured)
    try:
        surface.offer(backends=backends, toolsets=settings.toolsets, read_only=settings.read_only)
    except ValueError as error:
        raise SettingsError(f"ARCHIVE_MCP_TOOLSETS: {error}") from None
    return surface


def _serve(settings: Settings, product: Product) -> int:
    import anyio

    from .calls import Calls
    from .protocol.handlers import build_server
    from .protocol.stdio import serve
    from .services import Services

    surface = offered_surface(settings, product)
    prompts: Any = importlib.import_module(product.prompts)

    async def session() -> None:
        async with Services(settings) as services:
            calls = Calls(surface, services, settings.timezone)
            await serve(build_server(surface, calls, prompts.DOCUMENTS, prompts.instructions()))

    gc.freeze()  # what is imported stays: neither a collection nor the exit need walk it again
    gc.enable()
    anyio.run(session)
    return 0


def _sandbox(options: argparse.Namespace) -> int:
    from .sandbox import Sandbox
    from .sandbox.serve import serve

    gc.enable()
    sandbox = Sandbox(items=options.items, plan=options.plan, window=options.window)
    serve(sandbox, options.port)
    return 0


def _doctor(options: argparse.Namespace, settings: Settings, product: Product) -> int:
    from .doctor import examine

    gc.enable()
    return examine(settings, offered_surface(settings, product), as_json=options.json, live=options.live)


def _demo(product: Product) -> int:
    from .protocol.demo import play

    gc.enable()
    return play([sys.executable, str(product.launcher), "--sandbox"])


def _settings(options: argparse.Namespace) -> Settings:
    flags = {name: value for flag, name in _FLAGS.items() if (value := getattr(options, flag))}
    if options.read_only:
        flags["ARCHIVE_MCP_READ_ONLY"] = "on"
    return load(flags, sandbox=options.sandbox, env_file=options.env_file, environment=os.environ)


def _configure_log(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr, level=settings.log_level, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    for warning in settings.warnings:
        logging.getLogger("archive_mcp").warning("%s", warning)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="archive-mcp", description="MCP server for Archive (archive.com) and ArchiveBox, over stdio."
    )
    parser.add_argument("--version", action="version", version=f"archive-mcp {__version__}")
    parser.add_argument("--sandbox", action="store_true", help="serve a made-up Archive: no token, no network")
    parser.add_argument("--toolsets", metavar="NAMES", help="comma list of toolsets (default: all)")
    parser.add_argument("--read-only", action="store_true", help="offer only tools that change nothing")
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="settings file, read before ./.env")
    parser.add_argument("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING (default) or ERROR, on stderr")
    commands = parser.add_subparsers(dest="command", metavar="command")
    sandbox = commands.add_parser("sandbox", help="serve the made-up Archive over HTTP on loopback")
    sandbox.add_argument("--port", type=int, default=8787, help="0 picks a free one")
    sandbox.add_argument("--items", type=int, default=4000, help="posts in the largest workspace")
    sandbox.add_argument("--plan", default="growth", choices=("startup", "growth", "enterprise"))
    sandbox.add_argument("--window", type=float, default=1.0, help="seconds in which 5 requests are allowed")
    doctor = commands.add_parser("doctor", help="check settings, network, token and workspace")
    doctor.add_argument("--json", action="store_true", help="machine-readable")
    doctor.add_argument("--live", action="store_true", help="also check what is assumed of the real API, read-only")
    commands.add_parser("demo", help="a short scripted session with the sandbox, over stdio")
    return parser
