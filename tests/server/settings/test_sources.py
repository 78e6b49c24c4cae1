from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.settings import (
    Settings,
    SettingsError,
    Source,
    load,
)
from tests.support.settings import SOURCES, Places

Load = Callable[..., Settings]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.mark.parametrize("number", range(len(SOURCES)))
def test_the_highest_source_that_says_something_wins(places: Places, number: int) -> None:
    for source in SOURCES[number:]:
        places.put(source, ARCHIVE_WORKSPACE_ID=f"from {source}")

    settings = places.load()

    assert settings.workspace == f"from {SOURCES[number]}"
    assert settings.sources == {"ARCHIVE_WORKSPACE_ID": SOURCES[number]}


@pytest.mark.parametrize("source", SOURCES[:-1])
@pytest.mark.parametrize("empty", ["", "  ", '""'])
def test_an_empty_value_counts_as_unset(places: Places, source: Source, empty: str) -> None:
    if source in ("command line", "environment") and empty == '""':
        empty = "\t"  # quotes are taken off in files only
    places.put(source, ARCHIVE_WORKSPACE_ID=empty)
    places.put("~/.env.shared", ARCHIVE_WORKSPACE_ID="shared")

    assert places.load().workspace == "shared"


def test_nothing_configured_is_not_an_error(places: Places) -> None:
    settings = places.load()

    assert not settings.archive_configured
    assert not settings.archivebox_configured
    assert settings.api_url == "https://app.archive.com/api/v2"
    assert settings.export_dir == places.home / "archive-mcp-exports"
    assert (settings.toolsets, settings.confirm, settings.log_level) == (("all",), "ask", "WARNING")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"\xef\xbb\xbfARCHIVE_APP_TOKEN=abc", "abc"),
        (b"ARCHIVE_WORKSPACE_ID=w\r\nARCHIVE_APP_TOKEN=abc\r\n", "abc"),
        (b"ARCHIVE_APP_TOKEN=a$HOME${PATH}", "a$HOME${PATH}"),
        (b"export ARCHIVE_APP_TOKEN=abc", "abc"),
        (b'ARCHIVE_APP_TOKEN="abc"', "abc"),
        (b"ARCHIVE_APP_TOKEN='a$bc'", "a$bc"),
        (b"ARCHIVE_APP_TOKEN=abc # the key", "abc"),
        (b"# ARCHIVE_APP_TOKEN=old\n\nARCHIVE_APP_TOKEN = abc", "abc"),
    ],
    ids=[
        "byte order mark",
        "CRLF",
        "dollars",
        "export",
        "double quotes",
        "single quotes",
        "remark",
        "blanks",
    ],
)
@pytest.mark.parametrize("place", ["./.env", "~/.env.shared", "--env-file"])
def test_a_settings_file_is_read_as_people_write_it(
    places: Places, place: str, text: bytes, value: str
) -> None:
    files = {
        "./.env": places.folder / ".env",
        "~/.env.shared": places.home / ".env.shared",
        "--env-file": places.env_file,
    }
    files[place].write_bytes(text)

    token = places.load().token

    assert token is not None
    assert token.reveal() == value


def test_other_keys_and_unreadable_lines_of_a_file_do_no_harm(places: Places) -> None:
    (places.folder / ".env").write_text(
        "DATABASE_URL=postgres://x\nOPENAI_API_KEY=sk\nnot a line\nARCHIVE_APP_TOKEN=t"
    )

    settings = places.load()

    assert set(settings.sources) == {"ARCHIVE_APP_TOKEN"}


def test_an_env_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--env-file: there is no file .*missing"):
        load({}, env_file=tmp_path / "missing", environment={}, folder=tmp_path, home=tmp_path)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("ARCHIVE_API_URL", "ARCHIVE_APP_TOKEN"),
        ("ARCHIVEBOX_URL", "ARCHIVEBOX_API_KEY"),
        ("ARCHIVEBOX_URL", "ARCHIVEBOX_PASSWORD"),
    ],
)
@pytest.mark.parametrize("of_secret", SOURCES)
@pytest.mark.parametrize("of_url", SOURCES)
def test_a_secret_only_goes_to_a_url_from_its_own_or_a_more_trusted_source(
    places: Places, url: str, secret: str, of_url: Source, of_secret: Source
) -> None:
    places.put(of_url, **{url: "https://elsewhere.example"})
    places.put(of_secret, **{secret: "hunter2hunter2hunter2"})
    # The folder that happens to be open is trusted least, wherever it stands in the order.
    trust = ["command line", "environment", "--env-file", "~/.env.shared", "./.env"]

    if of_url == of_secret or (
        of_url != "./.env" and SOURCES.index(of_url) < SOURCES.index(of_secret)
    ):
        assert places.load().sources[url] == of_url
        assert trust.index(of_url) <= trust.index(of_secret) or of_secret == "./.env"
        return
    with pytest.raises(SettingsError, match=f"{url} comes from .* but {secret} from") as refused:
        places.load()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("of_secret", ["environment", "~/.env.shared"])
def test_a_strangers_dotenv_cannot_redirect_the_token(places: Places, of_secret: Source) -> None:
    places.put("./.env", ARCHIVE_API_URL="https://thief.example/api")
    places.put(of_secret, ARCHIVE_APP_TOKEN="arch_live_1234567890")

    with pytest.raises(
        SettingsError,
        match=r"a secret is only sent to a URL .* remove ARCHIVE_API_URL from \./\.env",
    ):
        places.load()


def test_a_strangers_dotenv_gets_no_password_by_bringing_its_own_key(places: Places) -> None:
    places.put("./.env", ARCHIVEBOX_URL="https://thief.example", ARCHIVEBOX_API_KEY="its-own")
    places.put("environment", ARCHIVEBOX_PASSWORD="hunter2hunter2hunter2")

    with pytest.raises(SettingsError, match="but ARCHIVEBOX_PASSWORD from environment"):
        places.load()


def test_a_dotenv_may_bring_its_own_url_with_its_own_token(places: Places) -> None:
    places.put("./.env", ARCHIVE_API_URL="https://staging.example/api", ARCHIVE_APP_TOKEN="its-own")

    assert places.load().api_url == "https://staging.example/api"


def test_a_dotenv_may_bring_its_own_token_for_the_usual_url(places: Places) -> None:
    places.put("./.env", ARCHIVE_APP_TOKEN="its-own")

    assert places.load().archive_configured


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHIVE_MCP_STATE_DIR", "/tmp/x"),  # noqa: S108  # never written to
        ("ARCHIVE_MCP_EXPORT_DIR", "/etc"),
        ("ARCHIVE_MCP_ALLOW_INSECURE", "1"),
        ("ARCHIVE_MCP_CONFIRM", "token"),
        ("ARCHIVE_MCP_EMV_UNIT", "dollars"),
        ("ARCHIVEBOX_CA_BUNDLE", "/tmp/ca.pem"),  # noqa: S108
    ],
)
def test_a_dotenv_cannot_loosen_what_protects_the_user(
    places: Places, name: str, value: str
) -> None:
    places.put("./.env", **{name: value})

    settings = places.load()

    assert name not in settings.sources
    assert settings.warnings == (
        f"{name} (./.env, line 1) is ignored: set it in the environment or in ~/.env.shared.",
    )
    assert settings == Settings(
        state_dir=settings.state_dir,
        export_dir=places.home / "archive-mcp-exports",
        warnings=settings.warnings,
    )


def test_what_the_dotenv_may_not_say_is_still_read_from_the_shared_file(places: Places) -> None:
    places.put("./.env", ARCHIVE_MCP_CONFIRM="token")
    places.put("~/.env.shared", ARCHIVE_MCP_CONFIRM="never")

    assert places.load().confirm == "never"


@pytest.mark.parametrize(
    ("here", "shared", "read_only"), [("off", "on", True), ("on", "off", True), ("off", "", False)]
)
def test_the_dotenv_may_turn_read_only_on_but_not_off(
    places: Places, here: str, shared: str, read_only: bool
) -> None:
    places.put("./.env", ARCHIVE_MCP_READ_ONLY=here)
    places.put("~/.env.shared", ARCHIVE_MCP_READ_ONLY=shared)

    assert places.load().read_only is read_only


def test_a_dotenv_that_allows_insecure_does_not_open_its_own_plain_url(places: Places) -> None:
    places.put("./.env", ARCHIVE_API_URL="http://far.example", ARCHIVE_MCP_ALLOW_INSECURE="1")

    with pytest.raises(SettingsError, match="plain http"):
        places.load()


def test_the_sandbox_does_not_care_about_urls(places: Places) -> None:
    places.put("./.env", ARCHIVE_API_URL="http://far.example")

    settings = places.load(sandbox=True)

    assert settings.archive_configured


def test_the_working_folder_may_make_the_server_read_only_but_not_undo_it(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.put("~/.env.shared", ARCHIVE_MCP_READ_ONLY="on")
    places.put("./.env", ARCHIVE_MCP_READ_ONLY="off")
    assert places.load().read_only

    (tmp_path / "other").mkdir()
    other = Places(tmp_path / "other")
    other.put("./.env", ARCHIVE_MCP_READ_ONLY="on")
    assert other.load().read_only


@pytest.mark.parametrize("ignored", ["ARCHIVE_MCP_CONFIRM=never", "ARCHIVE_MCP_READ_ONLY=off"])
def test_one_variable_that_is_ignored_leaves_the_next_as_it_is(
    places: Places, ignored: str
) -> None:
    name, _, value = ignored.partition("=")
    places.put("./.env", **{name: value, "ARCHIVE_MCP_LOG_LEVEL": "debug"})

    assert places.load().log_level == "DEBUG"


def test_the_state_folder_is_the_one_that_was_set_or_the_platforms(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    places.put("environment", XDG_STATE_HOME="/state")
    assert places.load().state_dir == Path("/state/archive-mcp")

    places.put("environment", ARCHIVE_MCP_STATE_DIR=str(tmp_path / "mine"))
    assert places.load().state_dir == tmp_path / "mine"
