"""The command line: serve over stdio, or one of the commands beside it."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.command_line import build_parser
from server.protocol.first_answers import FirstAnswers, read_recorded
from server.protocol.listing import Listing
from server.protocol.opening import open_connection
from server.redaction import guard_streams, learn
from server.settings import Settings, SettingsError, load
from server.text import clean_sentence, indent_lines
from server.tool.catalog import Catalog

_VARIABLES = {"toolsets": "ARCHIVE_MCP_TOOLSETS", "log_level": "ARCHIVE_MCP_LOG_LEVEL"}


@dataclass(frozen=True)
class Product:
    """What the launcher brings: itself, the packaged list of tools, the recorded answers and the
    package with the prompts."""

    launcher: Path
    surface: Path
    opening: Path
    prompts: str


class LineFormatter(logging.Formatter):
    """Formats a record so that nothing in it looks like another record, or moves a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        """Return the line of a record."""
        record.message = clean_sentence(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802  # logging's name
        """Return the traceback of a record, indented."""
        return indent_lines(super().formatException(ei))


def run(product: Product, arguments: list[str] | None = None) -> int:
    """Run the command that the arguments name and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        settings = _load_settings(options)
        learn(*settings.list_secrets())
        guard_streams()
        _configure_log(settings)
        match options.command:
            case "sandbox":
                return _run_sandbox(options)
            case "doctor":
                return _run_doctor(options, settings, product)
            case "setup":
                return _run_setup(options, settings, product)
            case "demo":
                return _run_demo(product)
            case "jobs":
                return _run_jobs(options, settings, product)
            case "audit":
                return _run_audit(options, settings)
            case "team":
                return _run_team(options, product)
            case "migrate":
                return _run_migrate()
            case "serve":
                return _serve_team(options, settings, product)
            case "worker":
                return _run_worker(options, settings, product)
        return _serve(settings, product)
    except SettingsError as error:
        # A setting may come from a file that a stranger left in the working folder.
        print(f"archive-mcp: {clean_sentence(str(error))}", file=sys.stderr)
        # The status that argparse gives a bad argument: to a shell a bad setting is the same.
        return 2


def load_catalog(settings: Settings, product: Product) -> Catalog:
    """Return the packaged tools, restricted to what the settings allow.

    Raises:
        SettingsError: A toolset is unknown.
    """
    catalog = Catalog.read(product.surface, importlib.import_module)
    configured = {
        "archive": settings.archive_configured,
        "archivebox": settings.archivebox_configured,
    }
    # With nothing configured all are listed, so that a call can say what to set and where.
    backends = {name for name, is_set in configured.items() if is_set} or set(configured)
    try:
        catalog.offer(backends=backends, toolsets=settings.toolsets, read_only=settings.read_only)
    except ValueError as error:
        raise SettingsError(f"ARCHIVE_MCP_TOOLSETS: {error}") from None
    return catalog


def _serve(settings: Settings, product: Product) -> int:
    _greet_person()
    catalog = load_catalog(settings, product)
    listing = Listing(
        catalog,
        schema=settings.schema,
        shortens=settings.shortens_listing,
        asks_person=settings.confirm != "token",
    )
    # By name, because `server` imports nothing from the packages that build on it.
    prompts: Any = importlib.import_module(product.prompts)
    opening = None
    if settings.quick_start:
        answers = FirstAnswers(
            read_recorded(product.opening), catalog, listing, prompts.instructions()
        )
        opening = open_connection(answers, _import_server)
    # Imported here, as by every command: none should pay for the modules of another.
    from server.protocol.serving import serve_client

    serve_client(settings, catalog, listing, prompts, opening)
    return 0


def _import_server() -> None:
    importlib.import_module("server.protocol.serving")


def _greet_person() -> None:
    """Say to somebody who started this by hand in a terminal what it waits for."""
    if sys.stdin is None or not sys.stdin.isatty():
        return
    program = _name_program()
    print(
        "archive-mcp waits here for an MCP client: it is a server that assistants start, and what "
        f"you type means nothing to it. Try `{program} demo` to see it work, `{program} setup` to "
        f"connect your assistant, or `{program} doctor` to check. Ctrl+C ends it.",
        file=sys.stderr,
    )


def _name_program() -> str:
    """Return what the user types to run this program."""
    # Not at the top: a start by an assistant needs none of it.
    from shutil import which

    path = Path(sys.argv[0])
    # Installed into an environment, it is on nobody's path.
    return path.name if which(path.name) else str(path)


def _run_sandbox(options: Namespace) -> int:
    from server.sandbox import Sandbox
    from server.sandbox.serve import HttpSandbox, serve

    # The launcher switched collections off for the start; a server that stays needs them.
    gc.enable()
    sandbox: HttpSandbox
    if options.archivebox:
        from server.sandbox.archivebox import ArchiveBoxSandbox

        sandbox = ArchiveBoxSandbox(version=options.archivebox_version)
    else:
        sandbox = Sandbox(items=options.items, plan=options.plan, window=options.window)
    try:
        serve(sandbox, options.port)
    except OSError as error:
        reason = error.strerror or error
        raise SettingsError(f"--port {options.port} cannot be used: {reason}.") from None
    return 0


def _run_doctor(options: Namespace, settings: Settings, product: Product) -> int:
    from server.doctor import examine, load_as_client
    from server.setup.machine import Machine

    gc.enable()
    if options.client:
        settings = load_as_client(Machine.here(), options.client)
    catalog = load_catalog(settings, product)
    return examine(settings, catalog, as_json=options.json, live=options.live)


def _run_setup(options: Namespace, settings: Settings, product: Product) -> int:
    from server.setup.run import run_setup

    gc.enable()
    return run_setup(options, load_catalog(settings, product), product.launcher)


def _run_demo(product: Product) -> int:
    from server.protocol.demo import play

    gc.enable()
    # The launcher rather than `archive-mcp`, which need not be on the PATH.
    return play([sys.executable, str(product.launcher), "--sandbox"], _name_program())


def _run_jobs(options: Namespace, settings: Settings, product: Product) -> int:
    from server.job_commands import run_command

    # `run` without an id resumes only what reads; `cancel` without one would end everything.
    if options.action == "cancel" and not options.ids:
        raise SettingsError(
            "jobs cancel needs the id of a job; `archive-mcp jobs list` shows the ids."
        )
    gc.enable()
    return run_command(settings, load_catalog(settings, product), options.action, options.ids)


@contextmanager
def _team_libraries() -> Iterator[None]:
    """Say what to install where a library of the extra `team` is missing."""
    from server.settings.extras import describe_missing_team

    try:
        yield
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise SettingsError(describe_missing_team(missing)) from None


def _run_team(options: Namespace, product: Product) -> int:
    if options.action == "key":
        from server.team.identity.machine_keys import describe_new_key

        print(describe_new_key())
        return 0
    with _team_libraries():
        from server.team.demo.play import play, read_database_url

    gc.enable()
    return play(product.launcher, read_database_url())


def _run_migrate() -> int:
    with _team_libraries():
        from server.team.commands import run_migrate
    from server.team.settings import load_team

    gc.enable()
    return run_migrate(load_team(os.environ))


def _run_audit(options: Namespace, settings: Settings) -> int:
    from server.team.settings import load_team

    team = load_team(os.environ)
    if team.database_url is None:
        from server.audit.command import run_audit

        return run_audit(settings, options)
    with _team_libraries():
        from server.team.commands import run_team_audit
    return run_team_audit(team, options)


def _serve_team(options: Namespace, settings: Settings, product: Product) -> int:
    with _team_libraries():
        from server.team.serving.run import serve_http
    from server.team.settings import load_team

    team = load_team(os.environ, host=options.host, port=options.port, workers=options.workers)
    catalog = Catalog.read(product.surface, importlib.import_module)
    prompts: Any = importlib.import_module(product.prompts)
    return serve_http(settings, team, catalog, prompts, product.launcher)


def _run_worker(options: Namespace, settings: Settings, product: Product) -> int:
    from server.settings.extras import describe_missing_team

    try:
        from server.team.jobs.worker import run_worker
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise SettingsError(describe_missing_team(missing)) from None
    from server.team.settings import load_team

    gc.enable()
    catalog = Catalog.read(product.surface, importlib.import_module)
    prompts = importlib.import_module(product.prompts)
    team = load_team(os.environ)
    return run_worker(settings, team, catalog, prompts, concurrency=options.concurrency)


def _load_settings(options: Namespace) -> Settings:
    flags = {
        variable: value
        for option, variable in _VARIABLES.items()
        if (value := getattr(options, option))
    }
    # Never "off": leaving the flag out must not overrule the variable.
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
    # To stderr, because stdout is the wire. By force, because an import may have set up logging.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    # Only now: the settings say from which level on a warning is shown.
    for warning in settings.warnings:
        logging.getLogger("archive_mcp").warning("%s", warning)
