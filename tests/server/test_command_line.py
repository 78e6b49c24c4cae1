"""The command line: what each command takes, and what `--help` says of it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from server.command_line import build_parser
from server.doctor.clients import NAMES

COMMANDS = (
    "setup",
    "sandbox",
    "doctor",
    "demo",
    "jobs",
    "audit",
    "migrate",
    "serve",
    "team",
    "worker",
)


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield the program's own parser, and that of each command."""
    parser = build_parser()
    yield "", parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.items()


def options_of(name: str) -> set[str]:
    parser = dict(parsers())[name]
    return {text for action in parser._actions for text in action.option_strings} - {"-h", "--help"}


def test_there_are_these_commands() -> None:
    assert tuple(name for name, _ in parsers() if name) == COMMANDS


def test_the_clients_that_can_be_named_are_those_that_setup_knows() -> None:
    for command in ("setup", "doctor"):
        parser = dict(parsers())[command]
        (action,) = (action for action in parser._actions if action.dest == "client")
        assert action.choices == NAMES


def test_a_command_explains_itself_and_setup_takes_no_secret() -> None:
    for name, parser in parsers():
        assert len(parser.description or "") > 100, name
    assert not {"--token", "--key", "--password"} & options_of("setup")


def test_everything_that_can_be_written_is_explained() -> None:
    silent = [
        (name, action.dest)
        for name, parser in parsers()
        for action in parser._actions
        if not action.help and action.dest != "command"
    ]
    assert silent == []


def test_help_is_printed_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("", *COMMANDS):
        with pytest.raises(SystemExit) as end:
            build_parser().parse_args([*name.split(), "--help"])
        assert end.value.code == 0
        assert "usage: archive-mcp" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("jobs", {"--env-file", "--log-level"}),
        ("demo", set()),
        (
            "sandbox",
            {
                "--archivebox",
                "--archivebox-version",
                "--log-level",
                "--port",
                "--items",
                "--plan",
                "--window",
            },
        ),
    ],
)
def test_a_command_takes_only_options_that_mean_something_to_it(
    name: str, options: set[str]
) -> None:
    assert options_of(name) == options


def test_the_doctor_takes_every_option_of_the_program() -> None:
    assert options_of("doctor") == options_of("") - {"--version"} | {
        "--client",
        "--json",
        "--live",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        ["--sandbox", "--toolsets", "core", "doctor"],
        ["doctor", "--sandbox", "--toolsets", "core"],
        ["--sandbox", "doctor", "--toolsets", "core"],
    ],
)
def test_an_option_counts_on_either_side_of_the_command(arguments: list[str]) -> None:
    options = build_parser().parse_args(arguments)
    assert (options.sandbox, options.toolsets) == (True, "core")
    assert (options.read_only, options.archivebox_version) == (False, "0.9.73")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "'70000' is not a number from 0 to 65535"),
        (["--port", "http"], "'http' is not a number from 0 to 65535"),
        (["--items", "0"], "'0' is not a number from 1 to 10000000"),
        (["--window", "nan"], "'nan' is not a number from 0.001 to 60.0"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused_with_its_bounds(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["sandbox", *arguments])
    assert message in capsys.readouterr().err
