"""The settings of a server for a team: what they say, and what keeps it from starting."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from server.settings import Secret, SettingsError
from server.team.serving.addresses import check_start, list_names
from server.team.settings import TeamSettings, load_team

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER = base64.b64encode(bytes(range(1, 33))).decode()
POLICY = Path("/etc/archive-mcp/policy.toml")
OPEN = TeamSettings(
    host="0.0.0.0",  # noqa: S104  # that is what is tested
    policy=POLICY,
    public_url="https://archive-mcp.example.com",
    certificate=Path("cert.pem"),
    certificate_key=Path("key.pem"),
)


def test_nothing_set_serves_this_computer_alone() -> None:
    settings = load_team({})

    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8765, 1)
    assert settings.resource == "http://127.0.0.1:8765/mcp"


def test_arguments_rank_above_the_environment() -> None:
    environment = {"ARCHIVE_MCP_HTTP_HOST": "10.0.0.1", "ARCHIVE_MCP_HTTP_PORT": "80"}
    settings = load_team(environment, host="127.0.0.1", port=9000)

    assert (settings.host, settings.port) == ("127.0.0.1", 9000)
    assert load_team(environment).host == "10.0.0.1"


def test_keys_are_read_in_their_order_and_from_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"{OTHER},{KEY}\n", encoding="utf-8")

    assert load_team({"ARCHIVE_MCP_STATE_KEYS": f"{KEY}, {OTHER}"}).state_keys == (
        bytes(range(32)),
        bytes(range(1, 33)),
    )
    assert load_team({"ARCHIVE_MCP_STATE_KEYS_FILE": str(file)}).state_keys[1] == bytes(range(32))


def test_the_issuer_decides_which_tokens_are_for_this_server() -> None:
    issuer = {"ARCHIVE_MCP_OIDC_ISSUER": "https://login.example.com/"}
    named = load_team({**issuer, "ARCHIVE_MCP_PUBLIC_URL": "https://a.example.com/"})

    assert named.oidc is not None
    assert named.oidc.issuer == "https://login.example.com/"
    assert named.oidc.audience == "https://a.example.com/mcp"
    with pytest.raises(SettingsError, match="ARCHIVE_MCP_OIDC_AUDIENCE"):
        load_team(issuer)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ARCHIVE_MCP_HTTP_PORT", "70000"),
        ("ARCHIVE_MCP_HTTP_PORT", "-1"),
        ("ARCHIVE_MCP_HTTP_WORKERS", "0"),
        ("ARCHIVE_MCP_MOST_BYTES", "4MB"),
        ("ARCHIVE_MCP_STATE_KEYS", "short"),
        ("ARCHIVE_MCP_STATE_KEYS", base64.b64encode(b"0" * 32).decode()),
        ("ARCHIVE_MCP_STATE_KEYS", "not base64!" * 5),
        ("ARCHIVE_MCP_TRUSTED_PROXIES", "proxy.example.com"),
        ("ARCHIVE_MCP_TRUSTED_PROXIES", "10.0.0.5/8"),
        ("ARCHIVE_MCP_PUBLIC_URL", "archive-mcp.example.com"),
        ("ARCHIVE_MCP_PUBLIC_URL", "https://a.example.com/?x=1"),
        ("ARCHIVE_MCP_OIDC_ISSUER", "http://login.example.com"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        load_team({name: value})
    if name == "ARCHIVE_MCP_STATE_KEYS":
        assert value not in str(caught.value)


def test_a_setting_stands_in_one_place(tmp_path: Path) -> None:
    environment = {"ARCHIVE_MCP_STATE_KEYS": KEY, "ARCHIVE_MCP_STATE_KEYS_FILE": str(tmp_path)}
    with pytest.raises(SettingsError, match="both set"):
        load_team(environment)
    with pytest.raises(SettingsError, match="cannot be read"):
        load_team({"ARCHIVE_MCP_DATABASE_URL_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("settings", "sandbox"),
    [
        (OPEN, False),
        (OPEN, True),
        (TeamSettings(policy=POLICY), False),
        (TeamSettings(), True),
        (replace(OPEN, host="::"), False),
    ],
)
def test_what_is_safe_may_start(settings: TeamSettings, sandbox: bool) -> None:
    check_start(settings, sandbox=sandbox)


@pytest.mark.parametrize(
    ("settings", "sandbox", "word"),
    [
        (TeamSettings(), False, "ARCHIVE_MCP_POLICY"),
        (replace(OPEN, policy=None), True, "ARCHIVE_MCP_POLICY"),
        (replace(OPEN, certificate=None, certificate_key=None), False, "TRUSTED_PROXIES"),
        (replace(OPEN, certificate=None), False, "set both"),
        (replace(OPEN, public_url=None), False, "ARCHIVE_MCP_PUBLIC_URL"),
        (replace(OPEN, public_url="http://127.0.0.1"), False, "https://"),
        (replace(OPEN, host="archive.example.com"), False, "--host"),
        (replace(OPEN, host="192.168.1.5", policy=None), True, "ARCHIVE_MCP_POLICY"),
        (replace(OPEN, workers=2), False, "ARCHIVE_MCP_DATABASE_URL"),
        (replace(OPEN, database_url=Secret("postgresql://")), False, "ARCHIVE_MCP_STATE_KEYS"),
    ],
)
def test_what_would_let_others_in_does_not_start(
    settings: TeamSettings, sandbox: bool, word: str
) -> None:
    with pytest.raises(SettingsError, match=word):
        check_start(settings, sandbox=sandbox)


def test_a_proxy_that_is_named_may_end_tls() -> None:
    proxied = load_team(
        {
            "ARCHIVE_MCP_HTTP_HOST": "10.0.0.4",
            "ARCHIVE_MCP_POLICY": str(POLICY),
            "ARCHIVE_MCP_PUBLIC_URL": "https://archive-mcp.example.com",
            "ARCHIVE_MCP_TRUSTED_PROXIES": "10.0.0.5, 10.1.0.0/16",
        }
    )
    check_start(proxied, sandbox=False)
    assert list_names(proxied) == (
        ["archive-mcp.example.com"],
        ["https://archive-mcp.example.com"],
    )


def test_names_are_checked_for_every_address() -> None:
    hosts, origins = list_names(replace(OPEN, allowed_hosts=("intern:8765",)))

    assert hosts == ["archive-mcp.example.com", "intern:8765"]
    assert origins == ["https://archive-mcp.example.com"]
    assert list_names(TeamSettings())[0] == ["127.0.0.1:8765", "[::1]:8765", "localhost:8765"]
