"""The files of clients as they are found in the wild: one entry is added, and nothing is lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from server.setup.changes import SetupError, plan_addition, plan_removals
from server.setup.clients import Installed
from server.setup.entries import Request
from server.setup.jsonc import JsonText
from server.setup.machine import Machine
from tests.support.clients import installed, make_machine

REQUEST = Request(("/opt/archive/bin/archive-mcp",))
ENTRY = {"command": "/opt/archive/bin/archive-mcp", "args": []}
OTHERS = '{\n  "mcpServers": {\n    "other": {"command": "x", "args": ["ä€😀"]}\n  }\n}\n'
BIG = json.dumps(
    {
        "history": [{"display": "x" * 100, "é": number} for number in range(70_000)],
        "mcpServers": {"other": {"command": "x"}},
    },
    ensure_ascii=False,
    indent=1,
)
WRITTEN: dict[str, bytes] = {
    "empty": b"",
    "blanks": b"\n  \n",
    "an empty object": b"{}",
    "other keys": b'{"theme": "dark", "n": 1.50, "big": 12345678901234567890}',
    "other servers": OTHERS.encode(),
    "byte order mark": b"\xef\xbb\xbf" + OTHERS.encode(),
    "CRLF": OTHERS.replace("\n", "\r\n").encode(),
    "tabs": OTHERS.replace("  ", "\t").encode(),
    "one line": b'{"mcpServers":{"other":{"command":"x"}},"z":null}',
    "comments": b'// mine\n{\n  /* all\n of them */ "mcpServers": { // here\n    "a": {"b": "c"}'
    b" // last\n    // nothing follows\n  }\n} // end\n",
    "trailing commas": b'{\n  "mcpServers": {\n    "a": {"command": "b",},\n  },\n}\n',
    "a comment alone": b"// put your servers here\n",
    "an empty section": b'{\n    "mcpServers": {}\n}',
    "an empty section with a comment": b'{\n  "mcpServers": {\n    // none yet\n  }\n}',
    "what looks like comments in texts": b'{"a": "http://x/*", "b": "*/ // \\" ,}"}',
    "the section twice": b'{"mcpServers": {"lost": {}}, "mcpServers": {"other": {"a": 1}}}',
    "no line break at the end": b'{\n  "mcpServers": {\n    "a": {"command": "b"}}}',
    "ten megabytes": BIG.encode(),
}
# There is no object in them that could be left.
BARE = ("empty", "blanks", "a comment alone")
REFUSED: dict[str, tuple[bytes, str]] = {
    "broken": (b'{"mcpServers": {"a": {}', "line 1"),
    "an open comment": (b'{"mcpServers": {} /* ', "broken"),
    "a list": (b"[]", "something else than one object"),
    "null": (b"null", "something else than one object"),
    "a section that is a list": (b'{"mcpServers": []}', "is no object"),
    "a section that is a text": (b'{"mcpServers": "x"}', "is no object"),
    "UTF-16": (OTHERS.encode("utf-16"), "not UTF-8"),
    "Latin-1": (b'{"mcpServers": {"\xe4": {}}}', "line 1: it is not UTF-8"),
    "deep": (b'{"a":' * 100_000, "broken"),
    "another server of that name": (
        b'{"mcpServers": {"archive": {"command": "zip"}}}',
        "choose a name by --name",
    ),
    "a remote server of that name": (
        b'{"mcpServers": {"archive": {"url": "https://x.example"}}}',
        "choose a name by --name",
    ),
}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A computer whose user's home has a name that is not ASCII."""
    return make_machine(tmp_path / "Zoë Łukasz")


@pytest.fixture
def cursor(machine: Machine) -> Installed:
    client = installed(machine, "cursor")
    client.file.parent.mkdir(parents=True)
    return client


def put(client: Installed, machine: Machine) -> None:
    plan_addition(client, "archive", REQUEST).apply(machine)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def comments_of(text: str) -> list[str]:
    pattern = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\r\n]*|/\*.*?\*/', re.DOTALL)
    return [match[0] for match in pattern.finditer(text) if not match[0].startswith('"')]


@pytest.mark.parametrize("name", WRITTEN)
def test_an_entry_is_added_and_everything_else_stays(
    name: str, cursor: Installed, machine: Machine
) -> None:
    cursor.file.write_bytes(WRITTEN[name])
    mark = b"\xef\xbb\xbf" if WRITTEN[name].startswith(b"\xef\xbb\xbf") else b""
    before = JsonText(WRITTEN[name].decode("utf-8-sig"))

    put(cursor, machine)

    content = cursor.file.read_bytes()
    after = JsonText(content.decode("utf-8-sig"))
    servers = {**before.content.get("mcpServers", {}), "archive": ENTRY}
    assert after.content == {**before.content, "mcpServers": servers}
    assert content.startswith(mark)
    assert comments_of(after.text) == comments_of(before.text)
    assert (b"\r\n" in content) is (b"\r\n" in WRITTEN[name])
    assert b"\r\n" not in content or content.count(b"\n") == content.count(b"\r\n")
    # Nothing but whole pieces was put in: what is left without them is the file of before.
    pieces = iter(after.text)
    assert all(character in pieces for character in before.text.strip())


@pytest.mark.parametrize("name", [name for name in WRITTEN if name not in BARE])
def test_what_is_removed_again_leaves_the_file_as_it_was(
    name: str, cursor: Installed, machine: Machine
) -> None:
    cursor.file.write_bytes(WRITTEN[name])
    put(cursor, machine)

    (removal,) = plan_removals(cursor)
    removal.apply(machine)

    before = JsonText(WRITTEN[name].decode("utf-8-sig"))
    after = JsonText(cursor.file.read_bytes().decode("utf-8-sig"))
    assert after.content == {"mcpServers": {}, **before.content}
    # The brace behind the last entry gets a line of its own, and keeps it.
    if before.content.get("mcpServers") and name != "no line break at the end":
        assert cursor.file.read_bytes() == WRITTEN[name]


@pytest.mark.parametrize("name", WRITTEN)
def test_a_second_run_changes_nothing(name: str, cursor: Installed, machine: Machine) -> None:
    cursor.file.write_bytes(WRITTEN[name])
    put(cursor, machine)

    assert not plan_addition(cursor, "archive", REQUEST).is_needed


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_understood_is_refused_and_not_touched(
    name: str, cursor: Installed, machine: Machine
) -> None:
    content, part = REFUSED[name]
    cursor.file.write_bytes(content)

    with pytest.raises(SetupError, match=re.escape(part)):
        put(cursor, machine)

    assert files_of(cursor.file.parent) == {"mcp.json": content}


def test_a_file_that_does_not_exist_is_made_for_the_user_alone(
    cursor: Installed, machine: Machine
) -> None:
    put(cursor, machine)

    assert json.loads(cursor.file.read_text()) == {"mcpServers": {"archive": ENTRY}}
    assert list(files_of(cursor.file.parent)) == ["mcp.json"]
    assert cursor.file.stat().st_mode & 0o777 == 0o600


def test_every_earlier_state_stays_in_a_backup_of_its_own(
    cursor: Installed, machine: Machine
) -> None:
    states = [OTHERS.encode(), OTHERS.replace("other", "second").encode()]
    for state in states:
        cursor.file.write_bytes(state)
        cursor.file.chmod(0o640)
        put(cursor, machine)

    files = files_of(cursor.file.parent)
    assert files["mcp.json.before-archive-mcp"] == states[0]
    assert files["mcp.json.before-archive-mcp-2"] == states[1]
    assert len(files) == 3
    assert {path.stat().st_mode & 0o777 for path in cursor.file.parent.iterdir()} == {0o640}


def test_a_link_stays_a_link_and_the_file_behind_it_is_changed(
    cursor: Installed, machine: Machine, tmp_path: Path
) -> None:
    target = tmp_path / "dotfiles" / "cursor.json"
    target.parent.mkdir()
    target.write_text(OTHERS, encoding="utf-8")
    cursor.file.symlink_to(target)

    put(cursor, machine)

    assert cursor.file.is_symlink()
    assert "archive" in json.loads(target.read_text(encoding="utf-8"))["mcpServers"]
    assert list(files_of(cursor.file.parent)) == ["mcp.json"]


def test_a_link_to_nothing_makes_the_file_that_it_names(
    cursor: Installed, machine: Machine, tmp_path: Path
) -> None:
    cursor.file.symlink_to(tmp_path / "dotfiles" / "cursor.json")

    put(cursor, machine)

    assert json.loads((tmp_path / "dotfiles" / "cursor.json").read_text()) == {
        "mcpServers": {"archive": ENTRY}
    }


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _read_only(path: Path) -> None:
    path.write_text(OTHERS, encoding="utf-8")
    path.chmod(0o444)


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (_loop, "cannot be"),
        (_folder, "is no file"),
        (_pipe, "is no file"),
        (_read_only, "is read-only"),
    ],
)
def test_what_is_no_file_or_not_to_be_written_is_refused(
    make: Callable[[Path], None], part: str, cursor: Installed, machine: Machine
) -> None:
    make(cursor.file)

    with pytest.raises(SetupError, match=part):
        put(cursor, machine)

    assert [path.name for path in cursor.file.parent.iterdir()] == ["mcp.json"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has no such owners")
def test_a_file_of_another_user_is_refused(
    cursor: Installed, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor.file.write_text(OTHERS, encoding="utf-8")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    with pytest.raises(SetupError, match="belongs to another user"):
        put(cursor, machine)


def test_a_full_disk_leaves_everything_as_it_was(
    cursor: Installed, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor.file.write_text(OTHERS, encoding="utf-8")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SetupError, match="No space left"):
        put(cursor, machine)

    assert files_of(cursor.file.parent) == {"mcp.json": OTHERS.encode()}


def test_what_the_client_wrote_meanwhile_is_not_lost(
    cursor: Installed, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor.file.write_text(OTHERS, encoding="utf-8")
    sync = os.fsync

    def interfere(number: int) -> None:
        sync(number)
        cursor.file.write_text("{}")

    monkeypatch.setattr(os, "fsync", interfere)
    with pytest.raises(SetupError, match="changed meanwhile"):
        put(cursor, machine)

    assert files_of(cursor.file.parent) == {"mcp.json": b"{}"}


def test_a_file_with_an_old_entry_of_ours_keeps_what_the_user_added(
    cursor: Installed, machine: Machine
) -> None:
    entry = {
        "command": "/old/venv/bin/archive-mcp",
        "args": ["--toolsets", "core", "--sandbox"],
        "env": {"ARCHIVE_APP_TOKEN": "arch_live_1", "ARCHIVE_MCP_TIMEZONE": "Europe/Berlin"},
        "disabled": False,
    }
    cursor.file.write_text(json.dumps({"mcpServers": {"mine": entry}}))
    request = replace(REQUEST, read_only=True, replaced=frozenset({"ARCHIVE_APP_TOKEN"}))

    change = plan_addition(cursor, "archive", request)
    change.apply(machine)

    assert change.drops_secrets
    shown = "\n".join(change.describe(machine))
    assert "Berlin" not in shown
    assert "(its own ARCHIVE_APP_TOKEN leaves the file)" in shown
    assert json.loads(cursor.file.read_text()) == {
        "mcpServers": {
            "mine": {
                "command": "/opt/archive/bin/archive-mcp",
                "args": ["--toolsets", "core", "--read-only"],
                "env": {"ARCHIVE_MCP_TIMEZONE": "Europe/Berlin"},
                "disabled": False,
            }
        }
    }
