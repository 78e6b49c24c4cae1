"""Whole runs of setup: what is asked, shown, written, tried and undone."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.sandbox import TOKEN
from server.settings import SettingsError
from server.setup.answers import CONNECTION, parse_lines
from server.setup.machine import Machine
from server.setup.trial import Trial, try_start
from tests.server.setup.conftest import ENTRY, PROGRAM, House, Person
from tests.support.clients import library_keychain, read_json


def test_a_script_stores_writes_and_tries_and_no_client_gets_the_token(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    cursor = house.add_client(".cursor") / "mcp.json"
    gemini = house.add_client(".gemini") / "settings.json"
    gemini.write_text('{"theme": "x"}')

    assert house.run("--yes", "--workspace", "Skincare") == 0

    out = capsys.readouterr().out
    assert read_json(cursor) == {"mcpServers": {"archive": ENTRY}}
    assert read_json(gemini) == {"theme": "x", "mcpServers": {"archive": ENTRY}}
    assert f"ARCHIVE_APP_TOKEN={TOKEN}" in (house.home / ".env.shared").read_text()
    assert "The keychain of this computer is not used: RuntimeError: there is none." in out
    # Both clients start the same, which is tried once, as they do.
    assert out.count("Started as a client does: it lists") == 1
    assert "FAILED" not in out
    assert TOKEN not in out
    assert [name for name, text in house.list_files().items() if TOKEN.encode() in text] == [
        ".env.shared"
    ]


def test_a_second_run_has_nothing_to_write(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.add_client(".cursor")
    house.run("--yes")
    files = house.list_files()
    capsys.readouterr()

    assert house.run() == 0
    house.variables = {}
    assert house.run() == 0

    assert capsys.readouterr().out.count("Nothing has to be changed.") == 2
    assert house.list_files().keys() == files.keys()
    assert len(quick) == 3


def test_a_dry_run_writes_nothing_anywhere(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.add_client(".cursor")
    house.keychain = library_keychain(house.home.parent / "works")

    assert house.run("--dry-run") == 0

    out = capsys.readouterr().out
    assert '"archive": {' in out
    assert "keychain of this computer where it works, else ~/.env.shared: ARCHIVE_APP_TOKEN" in out
    assert "ARCHIVE_APP_TOKEN comes from this terminal's environment" in out
    assert [name for name in house.list_files() if "archive-mcp" not in name] == []
    assert not (house.home.parent / "works" / "items.json").exists()
    assert quick == []


def test_without_a_yes_nothing_is_written(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.add_client(".cursor")

    assert house.run() == 0

    assert "Nothing was written. Without a terminal, pass --yes" in capsys.readouterr().out
    assert not (house.home / ".env.shared").exists()


def test_a_person_is_asked_for_what_is_missing_until_it_works(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.add_client(".cursor")
    house.add_client(".gemini")
    house.variables.pop("ARCHIVE_APP_TOKEN")
    tokens = iter(["wrong-token", f' "{TOKEN}" '])
    answers = {"ArchiveBox": "", "default": "2", "which clients": "2", "Write this": "y"}

    class Forgetful(Person):
        def ask(self, question: str) -> str:
            if "Archive token" in question:
                return next(tokens)
            return super().ask(question)

        ask_secret = ask

    assert house.run(console=Forgetful(answers=answers)) == 0

    out = capsys.readouterr().out
    assert "fail: token" in out
    assert "wrong-token" not in out
    text = (house.home / ".env.shared").read_text()
    assert f"ARCHIVE_APP_TOKEN={TOKEN}" in text
    assert "ARCHIVE_WORKSPACE_ID=b25d0e94" in text
    assert not (house.home / ".cursor" / "mcp.json").exists()
    assert (house.home / ".gemini" / "settings.json").exists()


def test_a_person_without_a_token_is_offered_the_sandbox(house: House, quick: list[str]) -> None:
    house.add_client(".cursor")
    house.variables = {}
    answers = {"token": "", "ArchiveBox": "", "sandbox": "y", "which clients": "", "Write": "yes"}

    assert house.run(console=Person(answers=answers)) == 0

    entry = read_json(house.home / ".cursor" / "mcp.json")["mcpServers"]["archive"]
    assert entry["args"][-1] == "--sandbox"
    assert not (house.home / ".env.shared").exists()


@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_a_script_without_anything_is_told_what_to_give(house: House, arguments: list[str]) -> None:
    house.variables = {}

    with pytest.raises(SettingsError, match="nothing to connect to"):
        house.run(*arguments)


@pytest.mark.parametrize("skips", [True, False])
def test_a_refused_token_is_not_stored_unless_that_is_wanted(
    house: House, quick: list[str], skips: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    house.variables["ARCHIVE_APP_TOKEN"] = "wrong-token"
    arguments = ["--yes", *(["--skip-check"] if skips else [])]

    assert house.run(*arguments) == (0 if skips else 1)

    assert (house.home / ".env.shared").exists() is skips
    assert ("Nothing was changed" in capsys.readouterr().out) is not skips


def test_secrets_come_from_stdin(
    house: House, quick: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.variables.pop("ARCHIVE_APP_TOKEN")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"\n{TOKEN}\nARCHIVEBOX_USERNAME=me\n"))

    assert house.run("--stdin", "--yes") == 0

    text = (house.home / ".env.shared").read_text()
    assert f"ARCHIVE_APP_TOKEN={TOKEN}" in text
    assert "ARCHIVEBOX_USERNAME=me" in text


def test_lines_of_stdin_name_variables_or_are_the_token() -> None:
    assert parse_lines("abc=def==") == {"ARCHIVE_APP_TOKEN": "abc=def=="}
    assert parse_lines("ARCHIVE_APP_TOKEN='x'\r\nARCHIVEBOX_API_KEY = \"y\"") == {
        "ARCHIVE_APP_TOKEN": "x",
        "ARCHIVEBOX_API_KEY": "y",
    }
    assert parse_lines("ARCHIVEBOX_PASSWORD='a;") == {"ARCHIVEBOX_PASSWORD": "'a;"}
    with pytest.raises(SettingsError, match="stdin: ARCHIV_TOKEN is none of") as caught:
        parse_lines("ARCHIV_TOKEN=secret")
    assert "secret" not in str(caught.value)
    assert set(parse_lines("\n".join(f"{name}=x" for name in CONNECTION))) == set(CONNECTION)


def test_a_working_keychain_holds_the_token_and_no_file_does(
    house: House, quick: list[str]
) -> None:
    house.add_client(".cursor")
    house.keychain = library_keychain(house.home.parent / "works")

    # The trial is in the surroundings of a host, which cannot reach a stand-in of this test.
    machine_environment = Machine.small_environment
    try:
        Machine.small_environment = lambda self: {  # type: ignore[method-assign]
            **machine_environment(self),
            **house.keychain.environment,
        }
        assert house.run("--yes") == 0
    finally:
        Machine.small_environment = machine_environment  # type: ignore[method-assign]

    assert house.keychain.read("ARCHIVE_APP_TOKEN") == TOKEN
    assert [name for name, text in house.list_files().items() if TOKEN.encode() in text] == []
    assert house.run("--remove", "--forget", "--yes") == 0
    assert house.keychain.read("ARCHIVE_APP_TOKEN") is None


def test_a_token_in_a_clients_file_moves_to_where_secrets_are(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = house.add_client(".cursor") / "mcp.json"
    env = {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_WORKSPACE_ID": "${WORKSPACE}"}
    path.write_text(json.dumps({"mcpServers": {"archive": {"command": "archive-mcp", "env": env}}}))
    house.variables.pop("ARCHIVE_APP_TOKEN")

    assert house.run("--yes") == 0

    out = capsys.readouterr().out
    assert "ARCHIVE_APP_TOKEN comes from the configuration of Cursor" in out
    assert "It still holds a secret: delete it soon." in out
    assert read_json(path)["mcpServers"]["archive"]["env"] == {
        "ARCHIVE_WORKSPACE_ID": "${WORKSPACE}"
    }
    assert f"ARCHIVE_APP_TOKEN={TOKEN}" in (house.home / ".env.shared").read_text()


def test_a_client_with_another_token_of_its_own_keeps_it(house: House, quick: list[str]) -> None:
    own: dict[str, Path] = {}
    for folder, token in ((".cursor", TOKEN), (".codeium/windsurf", "another-token-0001")):
        name = "mcp.json" if folder == ".cursor" else "mcp_config.json"
        own[token] = house.add_client(folder) / name
        entry = {"command": "archive-mcp", "env": {"ARCHIVE_APP_TOKEN": token}}
        own[token].write_text(json.dumps({"mcpServers": {"archive": entry}}))
    house.variables.pop("ARCHIVE_APP_TOKEN")

    assert house.run("--yes") == 0

    envs = {token: read_json(path)["mcpServers"]["archive"]["env"] for token, path in own.items()}
    assert envs == {TOKEN: {}, "another-token-0001": {"ARCHIVE_APP_TOKEN": "another-token-0001"}}
    assert house.run("--yes") == 0
    # Whoever gives a token anew means all clients.
    house.variables["ARCHIVE_APP_TOKEN"] = TOKEN
    assert house.run("--yes") == 0
    assert "another-token" not in own["another-token-0001"].read_text()


def test_one_broken_file_does_not_keep_the_other_clients(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = house.add_client(".cursor") / "mcp.json"
    broken.write_text("{ broken")
    house.add_client(".gemini")

    assert house.run("--yes") == 1

    assert "Cursor is left out:" in capsys.readouterr().out
    assert broken.read_text() == "{ broken"
    assert (house.home / ".gemini" / "settings.json").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [(["--client", "zed"], "not on this machine: zed"), (["--remove", "--client", "zed"], "zed")],
)
def test_a_client_that_is_not_there_is_refused(
    house: House, arguments: list[str], part: str
) -> None:
    with pytest.raises(SettingsError, match=part):
        house.run("--yes", *arguments)


def test_without_a_client_the_entry_is_shown(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert house.run("--yes", "--read-only") == 0

    out = capsys.readouterr().out
    assert '"mcpServers": {' in out
    assert '"--read-only"' in out


def test_removing_leaves_other_servers_and_forgets_only_when_asked(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = house.add_client(".cursor") / "mcp.json"
    others = b'{\n  "mcpServers": {\n    "other": {"command": "x"} // mine\n  }\n}\n'
    path.write_bytes(others)
    house.run("--yes")

    assert house.run("--remove", "--dry-run") == 0
    assert path.read_bytes() != others
    assert house.run("--remove", "--yes") == 0
    assert path.read_bytes() == others
    assert (house.home / ".env.shared").exists()

    assert house.run("--remove", "--forget", "--yes") == 0
    assert not (house.home / ".env.shared").exists()
    capsys.readouterr()
    assert house.run("--remove", "--forget", "--yes") == 0
    assert "Nothing has to be changed." in capsys.readouterr().out


def test_the_sandbox_stores_nothing_of_the_terminal(house: House, quick: list[str]) -> None:
    house.add_client(".cursor")

    assert house.run("--yes", "--sandbox") == 0

    assert list(house.list_files()) == [".cursor/mcp.json"]
    assert quick == [" ".join([*PROGRAM, "--sandbox"])]


def test_what_only_the_terminal_sets_is_named_where_a_start_fails(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    house.add_client(".cursor")
    monkeypatch.setattr("server.setup.plan.try_start", lambda *_: Trial(problem="UnknownIssuer"))
    house.variables["SSL_CERT_FILE"] = "/etc/ssl/company.pem"

    assert house.run("--yes") == 1

    out = capsys.readouterr().out
    assert "FAILED: started as a client does: UnknownIssuer" in out
    assert "does not hand on what this terminal sets: SSL_CERT_FILE." in out


@pytest.mark.parametrize(
    ("write", "part"),
    [
        (lambda path: path, "cannot be started: No such file"),
        (lambda path: path.write_text("#!/bin/sh\necho oops >&2\nexit 3\n"), "oops"),
        (lambda path: path.write_text("#!/bin/sh\nexit 0\n"), "it ended without a word"),
    ],
)
def test_a_start_that_fails_is_quoted(
    house: House, write: Callable[[Path], object], part: str
) -> None:
    from server.setup.entries import Entry

    program = house.home / "server"
    write(program)
    if program.exists():
        program.chmod(0o755)

    trial = try_start(Entry(str(program)), Machine(house.home, "linux", {}))

    assert part in trial.problem
