from __future__ import annotations

import sys
from datetime import UTC
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.settings import (
    Secret,
    Settings,
    SettingsError,
    default_state_dir,
    load,
)
from server.settings.values import clean_key

TOKEN = "arch_live_0123456789abcdef"


def read(folder: Path, **environment: str) -> Settings:
    return load({}, environment=environment, folder=folder, home=folder)


def test_secrets_show_in_no_repr_and_no_text(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        ARCHIVE_APP_TOKEN=TOKEN,
        ARCHIVEBOX_URL="https://box.example",
        ARCHIVEBOX_API_KEY="key-of-the-box-0123",
        ARCHIVEBOX_PASSWORD="password-of-the-box",
    )

    for text in (
        repr(settings),
        str(settings),
        f"{settings.token}",
        repr([settings.archivebox_key]),
    ):
        assert TOKEN not in text
        assert "of-the-box" not in text


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60))
def test_a_masked_secret_gives_away_at_most_four_characters_of_a_long_one(value: str) -> None:
    masked = Secret(value).mask()

    assert masked == (f"...{value[-4:]}" if len(value) >= 16 else "...")


@pytest.mark.parametrize(
    ("value", "masked"), [("x" * 12 + "tail", "...tail"), ("x" * 11 + "tail", "...")]
)
def test_sixteen_characters_are_a_long_secret(value: str, masked: str) -> None:
    assert Secret(value).mask() == masked


@pytest.mark.parametrize("bad", ["abc def1234", "töken123456", "tok\x07en12345", "tok\nen12345"])
def test_a_mangled_secret_is_refused_without_being_shown(tmp_path: Path, bad: str) -> None:
    with pytest.raises(
        SettingsError,
        match=r"ARCHIVE_APP_TOKEN \(environment\) contains a space or a character",
    ) as refused:
        read(tmp_path, ARCHIVE_APP_TOKEN=bad)

    assert bad not in str(refused.value)
    assert "123" not in str(refused.value)


@pytest.mark.parametrize("value", ["1", "true", "YES", "On"])
def test_a_flag_is_switched_on_in_words_people_use(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, ARCHIVE_MCP_READ_ONLY=value).read_only is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF", ""])
def test_a_flag_is_switched_off_in_words_people_use(tmp_path: Path, value: str) -> None:
    assert read(tmp_path, ARCHIVE_MCP_READ_ONLY=value).read_only is False


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("ARCHIVE_MCP_READ_ONLY", "maybe", "ARCHIVE_MCP_READ_ONLY must be on or off; got 'maybe'"),
        (
            "ARCHIVE_MCP_ALLOW_INSECURE",
            "2",
            "ARCHIVE_MCP_ALLOW_INSECURE must be on or off; got '2'",
        ),
        (
            "ARCHIVE_MCP_CONFIRM",
            "always",
            "ARCHIVE_MCP_CONFIRM must be one of ask, token, never; got 'always'",
        ),
        (
            "ARCHIVE_MCP_LOG_LEVEL",
            "loud",
            "ARCHIVE_MCP_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR",
        ),
        (
            "ARCHIVE_MCP_TIMEZONE",
            "Mars/Olympus",
            "ARCHIVE_MCP_TIMEZONE: unknown time zone 'Mars/Olympus'",
        ),
        (
            "ARCHIVE_MCP_EMV_UNIT",
            "euros",
            "ARCHIVE_MCP_EMV_UNIT must be one of cents, dollars; got 'euros'",
        ),
        ("ARCHIVE_MCP_TIMEZONE", "../../etc/passwd", "ARCHIVE_MCP_TIMEZONE: unknown time zone"),
        ("ARCHIVE_API_URL", "app.archive.com", "ARCHIVE_API_URL must start with https://"),
    ],
)
def test_an_impossible_value_is_refused_by_its_name(
    tmp_path: Path, name: str, value: str, complaint: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, **{name: value})

    assert complaint in str(refused.value)


@pytest.mark.parametrize("mode", ["ask", "token", "never", "NEVER"])
def test_every_confirm_mode_is_understood(tmp_path: Path, mode: str) -> None:
    assert read(tmp_path, ARCHIVE_MCP_CONFIRM=mode).confirm == mode.lower()


def test_the_unit_of_earned_media_value_is_unknown_until_it_is_set(tmp_path: Path) -> None:
    assert read(tmp_path).emv_unit is None
    assert read(tmp_path, ARCHIVE_MCP_EMV_UNIT="Dollars").emv_unit == "dollars"


def test_the_log_level_may_be_written_small(tmp_path: Path) -> None:
    assert read(tmp_path, ARCHIVE_MCP_LOG_LEVEL="debug").log_level == "DEBUG"


def test_toolsets_are_a_comma_list(tmp_path: Path) -> None:
    assert read(tmp_path, ARCHIVE_MCP_TOOLSETS=" content, creators ,,").toolsets == (
        "content",
        "creators",
    )


def test_a_list_of_nothing_but_commas_means_all_toolsets(tmp_path: Path) -> None:
    assert read(tmp_path, ARCHIVE_MCP_TOOLSETS=" , ").toolsets == ("all",)


def test_a_zone_is_found_by_its_name(tmp_path: Path) -> None:
    assert read(tmp_path, ARCHIVE_MCP_TIMEZONE="Europe/Berlin").timezone == ZoneInfo(
        "Europe/Berlin"
    )


@pytest.mark.parametrize("name", ["UTC", "utc", "Z"])
def test_utc_needs_no_zone_database(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, ARCHIVE_MCP_TIMEZONE=name).timezone is UTC


def test_a_folder_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert read(tmp_path, ARCHIVE_MCP_EXPORT_DIR="~/out").export_dir == tmp_path / "out"


@pytest.mark.parametrize("name", ["ARCHIVE_API_URL", "ARCHIVEBOX_URL"])
def test_a_plain_url_to_another_machine_is_refused_with_the_way_out(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(SettingsError, match=f"{name} is plain http .*ARCHIVE_MCP_ALLOW_INSECURE=1"):
        read(tmp_path, **{name: "http://10.0.0.5:8000"})


def test_a_plain_url_is_used_where_the_user_accepts_it(tmp_path: Path) -> None:
    settings = read(
        tmp_path, ARCHIVEBOX_URL="http://10.0.0.5:8000", ARCHIVE_MCP_ALLOW_INSECURE="on"
    )

    assert settings.archivebox_url == "http://10.0.0.5:8000"
    assert settings.archivebox_configured


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "http://localhost:8000", "http://box.localhost", "http://[::1]"],
)
def test_a_plain_url_to_this_machine_is_fine(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, ARCHIVEBOX_URL=url).archivebox_url == url


def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must not contain a user name or password") as refused:
        read(tmp_path, ARCHIVEBOX_URL="https://admin:hunter2@box.example")

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_STATE_HOME": "/state"}, "/state/archive-mcp"),
        ("linux", {}, "{home}/.local/state/archive-mcp"),
        ("linux", {"XDG_STATE_HOME": ""}, "{home}/.local/state/archive-mcp"),
        ("darwin", {"XDG_STATE_HOME": "/state"}, "{home}/Library/Application Support/archive-mcp"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/archive-mcp"),
        ("win32", {}, "{home}/AppData/Local/archive-mcp"),
    ],
)
def test_state_is_kept_where_the_platform_wants_it(
    monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], expected: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert default_state_dir(environment) == Path(PurePath(expected.format(home=Path.home())))


def test_settings_made_without_reading_anything_are_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    monkeypatch.setattr(sys, "platform", "linux")

    settings = Settings()

    assert settings.state_dir == Path("/state/archive-mcp")
    assert settings.export_dir == Path.home() / "archive-mcp-exports"
    assert not settings.archive_configured
    assert Settings(sandbox=True).archive_configured
    assert Settings(token=Secret("t")).archive_configured
    assert Settings(archivebox_url="https://box").archivebox_configured


BOX = {"ARCHIVEBOX_URL": "https://box.example"}


@pytest.mark.parametrize(
    ("environment", "shortens"),
    [
        ({"ARCHIVE_APP_TOKEN": TOKEN, **BOX}, True),
        ({"ARCHIVE_APP_TOKEN": TOKEN}, False),
        (BOX, False),
        # What the user chose is listed as it was chosen, also where that is everything.
        ({"ARCHIVE_APP_TOKEN": TOKEN, **BOX, "ARCHIVE_MCP_TOOLSETS": "all"}, False),
        ({"ARCHIVE_APP_TOKEN": TOKEN, **BOX, "ARCHIVE_MCP_TOOLSETS": "core"}, False),
    ],
)
def test_the_tools_of_both_together_are_shortened_unless_the_user_chose(
    tmp_path: Path, environment: dict[str, str], shortens: bool
) -> None:
    assert read(tmp_path, **environment).shortens_listing is shortens


def test_toolsets_that_a_program_chose_are_not_shortened() -> None:
    assert Settings(sandbox=True).shortens_listing
    assert not Settings(sandbox=True, toolsets=("core",)).shortens_listing


@pytest.mark.parametrize(
    ("environment", "secrets"),
    [
        ({"ARCHIVEBOX_USERNAME": "anna", "ARCHIVEBOX_PASSWORD": "word"}, ["word", "anna:word"]),
        ({"ARCHIVEBOX_USERNAME": "anna", "ARCHIVEBOX_API_KEY": "of-the-box"}, ["of-the-box"]),
    ],
)
def test_a_name_with_its_password_is_a_secret_too(
    tmp_path: Path, environment: dict[str, str], secrets: list[str]
) -> None:
    assert read(tmp_path, **BOX, **environment).list_secrets() == secrets


@pytest.mark.parametrize(("name", "password"), [(None, "word"), ("anna", "")])
def test_half_of_a_name_and_password_is_no_more_than_itself(
    name: str | None, password: str
) -> None:
    settings = Settings(archivebox_username=name, archivebox_password=Secret(password))
    assert settings.list_secrets() == [password] * bool(password)


@pytest.mark.parametrize(
    ("text", "key"),
    [("'abc'", "abc"), ('"abc",', "abc"), ("``", ""), ("'", "'"), ("'abc\"", "'abc\""), ("", "")],
)
def test_a_key_loses_the_quotes_that_were_copied_with_it(text: str, key: str) -> None:
    assert clean_key(text) == key
