"""Secrets in the keychain where it works, else in a file that the user alone can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.settings import load
from server.settings.keychain import Keychain, KeychainError
from server.setup.files import FileError
from server.setup.vault import Vault, find_trouble
from tests.support.clients import library_keychain, mac_keychain, make_machine

TOKEN = "arch_live_unmistakable_9f3a77"
VALUES = {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_WORKSPACE_ID": "Skincare & Co"}


@pytest.fixture(params=["darwin", "linux"])
def keychain(request: pytest.FixtureRequest, tmp_path: Path) -> Keychain:
    """A keychain of each kind."""
    make = mac_keychain if request.param == "darwin" else library_keychain
    return make(tmp_path / "keychain")


def test_a_secret_goes_to_the_keychain_and_the_file_names_it(
    tmp_path: Path, keychain: Keychain
) -> None:
    vault = Vault(make_machine(tmp_path / "home"), keychain)
    vault.store(VALUES)

    text = vault.file.read_text()
    assert text == (
        "ARCHIVE_APP_TOKEN=keychain:archive-mcp\nARCHIVE_WORKSPACE_ID='Skincare & Co'\n"
    )
    assert keychain.read("ARCHIVE_APP_TOKEN") == TOKEN
    assert TOKEN not in "".join(vault.describe(VALUES))

    vault.forget(VALUES)
    assert keychain.read("ARCHIVE_APP_TOKEN") is None
    assert not vault.file.exists()


def test_without_a_keychain_the_file_holds_it_for_the_user_alone(tmp_path: Path) -> None:
    vault = Vault(make_machine(tmp_path), None)
    vault.file.write_text(
        "# mine\r\nexport OTHER='x y'\r\n\r\nARCHIVE_APP_TOKEN=old # a\r\nLAST=1",
        newline="",
    )
    vault.file.chmod(0o644)

    vault.store(VALUES)

    assert vault.file.read_bytes().decode() == (
        f"# mine\r\nexport OTHER='x y'\r\n\r\nARCHIVE_APP_TOKEN={TOKEN}\r\nLAST=1\r\n"
        "ARCHIVE_WORKSPACE_ID='Skincare & Co'\r\n"
    )
    assert vault.file.stat().st_mode & 0o777 == 0o600
    # A copy of a secret is one more place to forget.
    assert [path.name for path in tmp_path.iterdir()] == [".env.shared"]

    vault.forget(VALUES)
    assert vault.file.read_bytes() == b"# mine\r\nexport OTHER='x y'\r\n\r\nLAST=1\r\n"


@pytest.mark.parametrize(
    "value", ["plain", "a#b", "it's", "back\\slash", 'dou"ble', "a$HOME", "x" * 4000, "=="]
)
def test_whatever_is_stored_is_read_as_it_was(tmp_path: Path, value: str) -> None:
    Vault(make_machine(tmp_path), None).store({"ARCHIVEBOX_PASSWORD": value})

    settings = load({}, environment={}, folder=tmp_path / "x", home=tmp_path)

    assert settings.archivebox_password
    assert settings.archivebox_password.reveal() == value


def test_a_file_that_is_no_utf8_is_refused_untouched(tmp_path: Path) -> None:
    vault = Vault(make_machine(tmp_path), None)
    vault.file.write_bytes("ARCHIVE_APP_TOKEN=x".encode("utf-16"))

    with pytest.raises(FileError, match="not UTF-8"):
        vault.store(VALUES)

    assert vault.file.read_bytes() == "ARCHIVE_APP_TOKEN=x".encode("utf-16")


def test_a_round_trip_decides_whether_a_keychain_is_used(
    tmp_path: Path, keychain: Keychain
) -> None:
    assert find_trouble(keychain, keychain.environment) is None
    assert keychain.read("PROBE") is None

    broken = library_keychain(tmp_path / "broken", KEYRING_TROUBLE="locked")
    assert find_trouble(broken, broken.environment) == "RuntimeError: locked"
    # What a host leaves out may be what the keychain needs.
    other = {**broken.environment, "KEYRING_TROUBLE": ""}
    terminal = Keychain("linux", other)
    assert find_trouble(terminal, broken.environment) == "RuntimeError: locked"
    assert terminal.read("PROBE") is None
    lost = {**other, "KEYRING_FILE": str(tmp_path / "elsewhere.json")}
    assert find_trouble(terminal, lost) == "it does not give back what was stored"


def test_a_keychain_that_changes_what_it_is_given_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keychain, "read", lambda *_: "something else")
    vault = Vault(make_machine(tmp_path / "home"), library_keychain(tmp_path))

    with pytest.raises(KeychainError, match="something else"):
        vault.store(VALUES)

    assert not vault.file.exists()
