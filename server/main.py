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
from typing import Any, TypeVar, get_args

from server import __version__
from server.settings import (
    ArchiveBoxVersion,
    Settings,
    SettingsError,
    load,
)
from server.tool.catalog import Surface

N = TypeVar("N", int, float)

_FLAGS = {"toolsets": "ARCHIVE_MCP_TOOLSETS", "log_level": "ARCHIVE_MCP_LOG_LEVEL"}


@dataclass(frozen=True)
class Product:
    """What the launcher brings: itself, the packaged list of tools, and the name of the package
    with the prompts."""

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
            case "jobs":
                return _jobs(options, settings, product)
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
    configured = {
        "archive": settings.archive_configured,
        "archivebox": settings.archivebox_configured,
    }
    backends = {name for name, there in configured.items() if there} or set(configured)
    try:
        surface.offer(backends=backends, toolsets=settings.toolsets, read_only=settings.read_only)
    except ValueError as error:
        raise SettingsError(f"ARCHIVE_MCP_TOOLSETS: {error}") from None
    return surface


def _serve(settings: Settings, product: Product) -> int:
    import anyio

    from server.dispatch import Calls
    from server.protocol.handlers import build_server
    from server.protocol.stdio import serve
    from server.recovery import Recovery
    from server.services import Services

    surface = offered_surface(settings, product)
    prompts: Any = importlib.import_module(product.prompts)

    async def session() -> None:
        async with Services(settings) as services:
            calls = Calls(surface, services, settings.timezone)
            async with anyio.create_task_group() as group:
                if not settings.sandbox:  # its jobs are nobody else's
                    group.start_soon(Recovery(surface, services).watch, settings.state_dir)
                texts = (prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
                await serve(build_server(surface, calls, *texts))
                group.cancel_scope.cancel()

    gc.freeze()  # what is imported stays: neither a collection nor the exit need walk it again
    gc.enable()
    anyio.run(session)
    return 0


def _sandbox(options: argparse.Namespace) -> int:
    from server.sandbox import Sandbox
    from server.sandbox.serve import serve

    gc.enable()
    try:
        if options.archivebox:
            from server.sandbox.archivebox import ArchiveBoxSandbox

            serve(ArchiveBoxSandbox(version=options.archivebox_version), options.port)
        else:
            serve(
                Sandbox(items=options.items, plan=options.plan, window=options.window), options.port
            )
    except OSError as error:
        raise SettingsError(
            f"--port {options.port} cannot be used: {error.strerror or error}."
        ) from None
    return 0


def _doctor(options: argparse.Namespace, settings: Settings, product: Product) -> int:
    from server.doctor import examine

    gc.enable()
    return examine(
        settings, offered_surface(settings, product), as_json=options.json, live=options.live
    )


def _demo(product: Product) -> int:
    from server.protocol.demo import play

    gc.enable()
    return play([sys.executable, str(product.launcher), "--sandbox"])


def _jobs(options: argparse.Namespace, settings: Settings, product: Product) -> int:
    from server.job_commands import command

    if options.action == "cancel" and not options.ids:
        raise SettingsError(
            "jobs cancel needs the id of a job; `archive-mcp jobs list` shows them."
        )
    gc.enable()
    return command(settings, offered_surface(settings, product), options.action, options.ids)


def _settings(options: argparse.Namespace) -> Settings:
    flags = {name: value for flag, name in _FLAGS.items() if (value := getattr(options, flag))}
    if options.read_only:
        flags["ARCHIVE_MCP_READ_ONLY"] = "on"
    return load(
        flags,
        sandbox=options.sandbox,
        archivebox_version=options.archivebox_version,
        env_file=options.env_file,
        environment=os.environ,
    )


def _configure_log(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log_level,
        format="%(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for warning in settings.warnings:
        logging.getLogger("archive_mcp").warning("%s", warning)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="archive-mcp",
        description="MCP server for Archive (archive.com) and ArchiveBox, over stdio.",
        parents=[_common(after_command=False)],
    )
    parser.add_argument("--version", action="version", version=f"archive-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command")
    common = [_common(after_command=True)]
    sandbox = commands.add_parser(
        "sandbox", help="serve a made-up archive over HTTP on loopback", parents=common
    )
    sandbox.add_argument(
        "--archivebox", action="store_true", help="an ArchiveBox instead of an Archive"
    )
    sandbox.add_argument("--port", type=_port, default=8787, help="0 picks a free one")
    sandbox.add_argument(
        "--items", type=_positive, default=4000, help="posts in the largest workspace"
    )
    sandbox.add_argument(
        "--plan", default="growth", choices=("startup", "growth", "enterprise", "boundless")
    )
    sandbox.add_argument(
        "--window", type=_seconds, default=1.0, help="seconds in which 5 requests are allowed"
    )
    doctor = commands.add_parser(
        "doctor", help="check settings, network, token and workspace", parents=common
    )
    doctor.add_argument("--json", action="store_true", help="machine-readable")
    doctor.add_argument(
        "--live", action="store_true", help="also check what is assumed of the real API, read-only"
    )
    commands.add_parser("demo", help="a short scripted session with the sandbox, over stdio")
    jobs = commands.add_parser(
        "jobs", help="list, go on with or cancel long work, without a client", parents=common
    )
    jobs.add_argument("action", nargs="?", choices=("list", "run", "cancel"), default="list")
    jobs.add_argument(
        "ids", nargs="*", metavar="id", help="jobs; `run` without any: all that change nothing"
    )
    return parser


def _common(*, after_command: bool) -> argparse.ArgumentParser:
    """Flags that stand before a command or behind it; behind it they must not undo what was said
    before."""
    off: Any = argparse.SUPPRESS if after_command else False
    unset: Any = argparse.SUPPRESS if after_command else None
    versions = get_args(ArchiveBoxVersion)
    first: Any = argparse.SUPPRESS if after_command else versions[0]
    common = argparse.ArgumentParser(add_help=False)
    flag, option = common.add_argument, common.add_argument
    flag(
        "--sandbox",
        action="store_true",
        default=off,
        help="serve made-up archives: no token, no network",
    )
    option(
        "--archivebox-version",
        choices=versions,
        default=first,
        help="which ArchiveBox the sandbox behaves as",
    )
    option(
        "--toolsets", metavar="NAMES", default=unset, help="comma list of toolsets (default: all)"
    )
    flag(
        "--read-only", action="store_true", default=off, help="offer only tools that change nothing"
    )
    option(
        "--env-file",
        type=Path,
        metavar="FILE",
        default=unset,
        help="settings file, read before ./.env",
    )
    option(
        "--log-level",
        metavar="LEVEL",
        default=unset,
        help="DEBUG, INFO, WARNING (default) or ERROR, on stderr",
    )
    return common


def _port(text: str) -> int:
    return _within(int(text), 0, 65_535)


def _positive(text: str) -> int:
    return _within(int(text), 1, 10_000_000)


def _seconds(text: str) -> float:
    return _within(float(text), 0.001, 60.0)


def _within(number: N, least: N, most: N) -> N:
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"must be between {least} and {most}")
    return number
