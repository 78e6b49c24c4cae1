"""The command line: its commands, their options and what `--help` says of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

from server import __version__
from server.settings import ArchiveBoxVersion

Number = TypeVar("Number", int, float)

# Spelled out, because their module is loaded only when it is needed; a test compares them.
_CLIENTS = (
    "claude-code",
    "claude-desktop",
    "codex",
    "cursor",
    "vscode",
    "windsurf",
    "gemini",
    "lmstudio",
    "zed",
)
_VERSIONS = get_args(ArchiveBoxVersion)
# Options of the whole program. Those that mean something to a command stand behind it as well,
# because that is where people write them.
_OPTIONS: dict[str, dict[str, Any]] = {
    "--sandbox": {
        "action": "store_true",
        "help": "use made-up data instead of your archives: no token and no network needed",
    },
    "--archivebox-version": {
        # Without it the usage line would spell out all versions.
        "metavar": "VERSION",
        "choices": _VERSIONS,
        "default": _VERSIONS[0],
        "help": (
            "version that the ArchiveBox sandbox behaves like: "
            f"{', '.join(_VERSIONS)} (default: {_VERSIONS[0]})"
        ),
    },
    "--toolsets": {
        "metavar": "NAMES",
        "help": "toolsets to offer, separated by commas (default: all)",
    },
    "--read-only": {"action": "store_true", "help": "offer only tools that change nothing"},
    "--env-file": {
        "metavar": "FILE",
        "type": Path,
        "help": "read settings from FILE too; it ranks above ./.env and ~/.env.shared",
    },
    "--log-level": {
        "metavar": "LEVEL",
        "help": "write log lines from this level on to stderr: "
        "DEBUG, INFO, WARNING or ERROR (default: WARNING)",
    },
}


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; without a command `command` is None."""
    parser = argparse.ArgumentParser(
        prog="archive-mcp",
        # Spelled out, because argparse shows a command that may be left out as required.
        usage="archive-mcp [OPTION ...] [COMMAND ...]",
        description="MCP server for Archive (archive.com) and ArchiveBox. Without a command it "
        "serves an MCP client over stdin and stdout: that is how assistants start it. Begin with "
        "`archive-mcp demo`, then `archive-mcp setup`.",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"archive-mcp {__version__}",
        help="show the version and exit",
    )
    for name, details in _OPTIONS.items():
        parser.add_argument(name, **details)
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", prog="archive-mcp"
    )
    _add_setup(commands)
    _add_sandbox(commands)
    _add_doctor(commands)
    commands.add_parser(
        "demo",
        help="run a short scripted session against the sandbox",
        description="Run a short scripted session against the sandbox, as an assistant would "
        "have it: the five best posts, a collection of them, and a mistake that is refused. It "
        "needs no token and no network, and changes nothing.",
    )
    _add_jobs(commands)
    _add_audit(commands)
    migrate = commands.add_parser(
        "migrate",
        help="bring the database of a team's server to this version",
        description="Bring the PostgreSQL database of a team's server, named by "
        "ARCHIVE_MCP_DATABASE_URL, to the schema of this version. Run it once after each update, "
        "before the servers and workers start; it may be run again at any time.",
    )
    _repeat(migrate, "--log-level")
    _add_serve(commands)
    _add_team(commands)
    _add_worker(commands)
    return parser


def _add_setup(commands: Any) -> None:
    setup = commands.add_parser(
        "setup",
        help="store your token and add this server to the assistants on this computer",
        description="Store your token, add this server to the assistants on this computer, and "
        "start it as they do. It asks for what is missing, checks it, shows what it would write, "
        "and writes once you agree. A secret is read when asked for, from stdin or from the "
        "environment, never from an argument; it goes into the keychain of this computer, or "
        "into ~/.env.shared, never into the file of an assistant.",
        epilog='Without a terminal: printf %s "$TOKEN" | archive-mcp setup --stdin --yes',
    )
    _repeat(setup, "--sandbox", "--read-only", "--env-file", "--log-level")
    setup.add_argument(
        "--client",
        action="append",
        choices=_CLIENTS,
        metavar="NAME",
        help=f"change this assistant alone; may be repeated: {', '.join(_CLIENTS)}",
    )
    setup.add_argument(
        "--name", default="archive", help="what the assistants call this server (default: archive)"
    )
    setup.add_argument("--workspace", metavar="NAME", help="workspace to use by default")
    setup.add_argument("--archivebox-url", metavar="URL", help="address of your own ArchiveBox")
    setup.add_argument(
        "--stdin",
        action="store_true",
        help="read secrets from stdin: lines like ARCHIVEBOX_API_KEY=..., or the Archive token",
    )
    setup.add_argument("--yes", action="store_true", help="write without a question")
    setup.add_argument(
        "--dry-run", action="store_true", help="show what would be written, and write nothing"
    )
    setup.add_argument(
        "--no-keychain", action="store_true", help="store secrets in ~/.env.shared in any case"
    )
    setup.add_argument(
        "--skip-check", action="store_true", help="store values that cannot be checked from here"
    )
    setup.add_argument(
        "--remove", action="store_true", help="take this server out of the assistants again"
    )
    setup.add_argument(
        "--forget",
        action="store_true",
        help="with --remove: forget the stored secrets and addresses too",
    )
    # Taken, so that argparse does not print a token back.
    setup.add_argument("words", nargs="*", type=_refuse_word, help=argparse.SUPPRESS)


def _add_sandbox(commands: Any) -> None:
    sandbox = commands.add_parser(
        "sandbox",
        help="serve made-up data over HTTP, reachable from this computer only",
        description="Serve made-up data over HTTP, reachable from this computer only, for programs "
        "that call an API themselves. It prints the address and the key, and what to do with "
        "them, and runs until Ctrl+C. An assistant needs none of this: give it --sandbox.",
    )
    sandbox.add_argument(
        "--archivebox", action="store_true", help="serve an ArchiveBox instead of an Archive"
    )
    _repeat(sandbox, "--archivebox-version", "--log-level")
    sandbox.add_argument(
        "--port",
        type=_number_parser(int, 0, 65_535),
        default=8787,
        help="port to listen on; 0 picks a free one (default: %(default)s)",
    )
    sandbox.add_argument(
        "--items",
        metavar="COUNT",
        type=_number_parser(int, 1, 10_000_000),
        default=4000,
        help="posts in the largest workspace of the Archive (default: %(default)s)",
    )
    plans = ("startup", "growth", "enterprise", "boundless")
    sandbox.add_argument(
        "--plan",
        choices=plans,
        default="growth",
        metavar="PLAN",
        help="plan of the Archive, which sets its rate credits: "
        f"{', '.join(plans)} (default: %(default)s)",
    )
    sandbox.add_argument(
        "--window",
        metavar="SECONDS",
        # Tests and trials need not wait for the real second.
        type=_number_parser(float, 0.001, 60.0),
        default=1.0,
        help="length of the period in which the Archive admits 5 requests (default: %(default)s)",
    )


def _add_doctor(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="check settings, network, token and workspace",
        description="Check settings, network, token and workspace, and what the assistants on this "
        "computer would start. It changes nothing, and exits with 0 if all is well. Without a "
        "token: archive-mcp doctor --sandbox.",
    )
    _repeat(doctor, *_OPTIONS)
    doctor.add_argument(
        "--client",
        choices=_CLIENTS,
        metavar="NAME",
        help="check with the settings that this assistant starts the server with: "
        f"{', '.join(_CLIENTS)}",
    )
    doctor.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    doctor.add_argument(
        "--live",
        action="store_true",
        help="also check whether the real API behaves as this program assumes, by reading only",
    )


def _add_jobs(commands: Any) -> None:
    jobs = commands.add_parser(
        "jobs",
        help="list, resume or cancel long-running jobs",
        description="List, resume or cancel long-running jobs without an MCP client. A job pauses "
        "when the client that started it is closed; `jobs run` finishes it from here.",
    )
    _repeat(jobs, "--env-file", "--log-level")
    jobs.add_argument(
        "action",
        nargs="?",
        choices=("list", "run", "cancel"),
        default="list",
        metavar="ACTION",
        help="list (default) shows all jobs; run resumes paused jobs and waits for their end; "
        "cancel ends jobs for good",
    )
    jobs.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="jobs to run or cancel; without any, run resumes all paused jobs that change nothing",
    )


def _add_audit(commands: Any) -> None:
    audit = commands.add_parser(
        "audit",
        help="show who changed what",
        description="Show the audit log that ARCHIVE_MCP_AUDIT_LOG names, or that of a team's "
        "database (ARCHIVE_MCP_DATABASE_URL): each change and export, "
        "who asked for it, how it was confirmed and what became of it, oldest first.",
    )
    _repeat(audit, "--env-file", "--log-level")
    audit.add_argument(
        "--since", metavar="DAY", help="only from that day or instant on, in UTC: 2026-01-31"
    )
    audit.add_argument("--person", metavar="TEXT", help="only of people whose name or id has this")
    audit.add_argument("--tool", metavar="TEXT", help="only of tools whose name has this")
    audit.add_argument(
        "--limit",
        metavar="COUNT",
        type=_number_parser(int, 1, 1_000_000),
        default=100,
        help="at most so many, the newest ones (default: %(default)s)",
    )
    audit.add_argument("--json", action="store_true", help="print each as a line of JSON")


def _add_serve(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve a team over HTTP: sign-in, a policy of who may do what",
        description="Serve a team over HTTP. Who may do what is in the file that "
        "ARCHIVE_MCP_POLICY names; docs/team.md describes it and all other settings. It runs "
        "until Ctrl+C or SIGTERM, and reads the policy again on SIGHUP.",
        epilog="To try it on this computer: archive-mcp serve --http --sandbox",
    )
    serve.add_argument(
        "--http", action="store_true", required=True, help="serve Streamable HTTP at /mcp"
    )
    _repeat(serve, "--sandbox", "--archivebox-version", "--log-level")
    serve.add_argument(
        "--host", metavar="ADDRESS", help="address to listen on (default: 127.0.0.1)"
    )
    serve.add_argument(
        "--port",
        type=_number_parser(int, 1, 65_535),
        help="port to listen on (default: 8765)",
    )
    serve.add_argument(
        "--workers",
        metavar="COUNT",
        type=_number_parser(int, 1, 64),
        help="processes to serve with; more than one needs a database (default: 1)",
    )


def _add_team(commands: Any) -> None:
    team = commands.add_parser(
        "team",
        help="see a team's server at work, or make a key for a machine",
        description="See a whole team's server at work on this computer, over made-up data, or "
        "make a key for a machine that calls a team's server.",
    )
    _repeat(team, "--log-level")
    team.add_argument(
        "action",
        choices=("demo", "key"),
        metavar="ACTION",
        help="demo starts PostgreSQL, two servers and two workers, lets two people work and kills "
        "one of each; key prints a new key and the line for the policy",
    )


def _add_worker(commands: Any) -> None:
    worker = commands.add_parser(
        "worker",
        help="work on the long jobs of a team",
        description="Work on the jobs that people start on the servers of a team, with the same "
        "settings as those (docs/team.md). Start as many as you like, on any machine: what one "
        "leaves, others go on with. It runs until Ctrl+C or SIGTERM, and reads the policy again "
        "on SIGHUP.",
    )
    _repeat(worker, "--sandbox", "--archivebox-version", "--log-level")
    worker.add_argument(
        "--concurrency",
        metavar="COUNT",
        type=_number_parser(int, 1, 64),
        default=4,
        help="jobs under way at once (default: %(default)s)",
    )


def _refuse_word(_: str) -> str:
    raise argparse.ArgumentTypeError(
        "setup takes no token or other word: it asks, or reads with --stdin. A token typed here is "
        "in your shell's history: make a new one."
    )


def _repeat(command: argparse.ArgumentParser, *names: str) -> None:
    """Accept options of the program behind a command too."""
    for name in names:
        # Without a default: it would undo what stood before the command.
        command.add_argument(name, **{**_OPTIONS[name], "default": argparse.SUPPRESS})


def _number_parser(
    kind: Callable[[str], Number], least: Number, most: Number
) -> Callable[[str], Number]:
    """Return a parser of numbers from `least` to `most`, both included."""

    def parse(text: str) -> Number:
        # argparse would name this function to the user in the place of the reason.
        error = argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        try:
            number = kind(text)
        except ValueError:
            raise error from None
        if not least <= number <= most:
            raise error
        return number

    return parse
