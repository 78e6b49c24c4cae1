"""Settings files and values as they are found in the wild: none keeps the server from starting."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest

from server.settings import SettingsError, load
from server.settings.env_files import EnvFileError, read_env_file
from tests.support.paths import ROOT
from tests.support.settings import Places

EXAMPLE = ROOT / "claude_desktop_config.example.json"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_an_open_folder_whose_file_is_not_text_only_brings_a_warning(places: Places) -> None:
    (places.folder / ".env").write_bytes(b"A=1\nARCHIVE_APP_TOKEN=\xff\xfe\xff")

    settings = places.load()

    assert settings.token is None
    (warning,) = settings.warnings
    assert warning.startswith("./.env is ignored: ")
    assert warning.endswith(".env, line 2: it is not UTF-8 text. Save the file as UTF-8.")


@pytest.mark.parametrize("place", ["~/.env.shared", "--env-file"])
def test_a_file_of_the_users_own_that_is_not_text_is_named_with_its_line(
    places: Places, place: str
) -> None:
    path = places.env_file if place == "--env-file" else places.home / ".env.shared"
    path.write_bytes(b"ARCHIVE_APP_TOKEN=abc\r\nARCHIVEBOX_PASSWORD=m\xfcll\r\n")

    with pytest.raises(SettingsError, match=r"line 2: it is not UTF-8 text"):
        places.load()


def test_a_folder_in_the_place_of_a_file_does_not_keep_the_server_from_starting(
    places: Places,
) -> None:
    (places.folder / ".env").mkdir()
    (places.home / ".env.shared").mkdir()

    assert [warning.split(": ")[0] for warning in places.load().warnings] == [
        "./.env is ignored",
        "~/.env.shared is ignored",
    ]


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(places: Places) -> None:
    os.mkfifo(places.folder / ".env")

    (warning,) = places.load().warnings

    assert warning.endswith(".env is not a file.")


def test_an_endless_file_is_not_read_to_its_end(places: Places) -> None:
    with (places.folder / ".env").open("wb") as file:
        file.truncate(8 * 1024**3)

    (warning,) = places.load().warnings

    assert warning.endswith(".env is larger than 1 MB.")


def test_a_working_folder_that_was_deleted_has_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "cwd", fail)

    assert load({}, environment={}, home=tmp_path).warnings == ()


def test_a_user_without_a_home_gets_folders_among_the_temporary_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))

    settings = load({}, environment={}, folder=tmp_path)

    assert settings.state_dir.parent == tmp_path
    assert settings.export_dir.is_relative_to(tmp_path)
    (warning,) = settings.warnings
    assert warning.startswith("This user has no home folder")


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        (r'ARCHIVE_MCP_EXPORT_DIR="C:\new\Users"', r"C:\new\Users"),
        (r"ARCHIVE_MCP_EXPORT_DIR='C:\new\Users'", r"C:\new\Users"),
        (r"ARCHIVE_MCP_EXPORT_DIR=C:\new\Users", r"C:\new\Users"),
        (r'ARCHIVE_MCP_EXPORT_DIR="C:\\new\\Users"', r"C:\new\Users"),
        (r'ARCHIVE_MCP_EXPORT_DIR="\\server\new"', r"\\server\new"),
        (r'  export ARCHIVE_MCP_EXPORT_DIR = "D:\a b" # mine', r"D:\a b"),
    ],
)
def test_a_windows_path_keeps_its_folders_in_quotes_too(
    places: Places, text: str, folder: str
) -> None:
    (places.home / ".env.shared").write_text(f"{text}\nARCHIVE_APP_TOKEN=abc\n")

    settings = places.load()

    assert settings.export_dir.name == folder
    assert settings.token is not None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_from_notepad_is_understood(places: Places, encoding: str) -> None:
    (places.home / ".env.shared").write_text(
        "ARCHIVE_APP_TOKEN=abc\r\nARCHIVE_WORKSPACE_ID=W\u00e4\r\n", encoding=encoding
    )

    settings = places.load()

    assert settings.token is not None
    assert settings.workspace == "W\u00e4"


@pytest.mark.parametrize(
    ("line", "value", "is_doubtful"),
    [
        ("ARCHIVEBOX_PASSWORD=abc #def", "abc", True),
        ("ARCHIVEBOX_PASSWORD=abc#def", "abc#def", False),
        ("ARCHIVEBOX_PASSWORD='abc #def'", "abc #def", False),
        ("ARCHIVEBOX_PASSWORD=abc # of the box", "abc", False),
    ],
)
def test_a_comment_that_may_be_a_part_of_the_value_is_reported(
    places: Places, line: str, value: str, is_doubtful: bool
) -> None:
    (places.home / ".env.shared").write_text(f"\n{line}\n")

    settings = places.load()

    assert settings.archivebox_password is not None
    assert settings.archivebox_password.reveal() == value
    assert [("line 2" in warning) for warning in settings.warnings] == [True] * is_doubtful
    assert "def" not in " ".join(settings.warnings)


def test_a_name_without_a_value_sets_nothing_and_what_follows_is_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nARCHIVE_WORKSPACE_ID\nARCHIVE_APP_TOKEN=abc\n")

    file = read_env_file(path, ["ARCHIVE_WORKSPACE_ID", "ARCHIVE_APP_TOKEN"])

    assert file.values == {"ARCHIVE_APP_TOKEN": "abc"}
    assert file.warnings == ()


def test_why_a_file_cannot_be_read_is_said_in_the_systems_words(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 300)

    with pytest.raises(EnvFileError) as caught:
        read_env_file(path, ["ARCHIVE_APP_TOKEN"])

    assert str(caught.value) == f"{path} cannot be read: {os.strerror(errno.ENAMETOOLONG)}."


def test_a_quote_that_is_left_open_is_reported_with_its_line(places: Places) -> None:
    (places.home / ".env.shared").write_text(
        'ARCHIVE_WORKSPACE_ID=w\nNAME="open\nARCHIVE_APP_TOKEN=secret-of-mine\nX="y"\n'
    )

    settings = places.load()

    assert settings.token is None
    (warning,) = settings.warnings
    assert "line 2" in warning
    assert "ARCHIVE_APP_TOKEN is not read" in warning
    assert "secret-of-mine" not in warning


COPIED = (
    "abc;", "abc,", '"abc"', "'abc'", '"abc";', "`abc`", "\u201cabc\u201d", "\u200babc\ufeff",
    "Bearer abc", "Authorization: Bearer abc", "ARCHIVE_APP_TOKEN=abc",
    'export ARCHIVE_APP_TOKEN="abc"',
)  # fmt: skip


@pytest.mark.parametrize("copied", COPIED)
def test_a_key_is_used_without_what_was_copied_with_it(places: Places, copied: str) -> None:
    places.environment["ARCHIVE_APP_TOKEN"] = copied

    token = places.load().token

    assert token is not None
    assert token.reveal() == "abc"


@pytest.mark.parametrize("name", ["$env:ARCHIVE_APP_TOKEN", "archive_app_token"])
def test_a_name_as_another_shell_has_it_is_reported(places: Places, name: str) -> None:
    (places.home / ".env.shared").write_text(f"MY_TOKEN=x\n{name}=secret-of-mine\n")

    settings = places.load()

    assert settings.token is None
    (warning,) = settings.warnings
    assert "line 2" in warning
    assert "Write ARCHIVE_APP_TOKEN=value" in warning
    assert "secret-of-mine" not in warning


@pytest.mark.parametrize(
    "value",
    ["${ARCHIVE_APP_TOKEN}", "${user_config.token}", "$ARCHIVE_APP_TOKEN", "%ARCHIVE_APP_TOKEN%"],
)
def test_a_variable_that_the_client_did_not_replace_is_unset(places: Places, value: str) -> None:
    places.environment["ARCHIVE_APP_TOKEN"] = value
    places.put("~/.env.shared", ARCHIVE_APP_TOKEN="abc")

    settings = places.load()

    assert settings.token is not None
    assert settings.token.reveal() == "abc"
    (warning,) = settings.warnings
    assert warning.startswith("ARCHIVE_APP_TOKEN (environment) is ignored: ")


def test_the_example_configuration_holds_nothing_that_would_count(places: Places) -> None:
    example = json.loads(EXAMPLE.read_text())["mcpServers"]["archive"]["env"]
    places.environment |= example

    settings = places.load()

    assert not settings.archive_configured
    assert not settings.archivebox_configured
    assert settings.warnings == ()


@pytest.mark.parametrize(
    "value",
    ["<your token>", "paste-your-archive-token-here", "xxxxxxxx", "...", "CHANGEME", "null"],
)
def test_the_placeholder_of_a_manual_is_no_key(places: Places, value: str) -> None:
    places.environment["ARCHIVE_APP_TOKEN"] = value

    assert places.load().token is None
