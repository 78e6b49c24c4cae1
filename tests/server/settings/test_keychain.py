"""Secrets that the keychain has: read with their first use, and only where the user said so."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from server.errors import Code, Failure
from server.redaction import redact
from server.services import Services
from server.settings import SettingsError, StoredSecret, keychain
from server.settings.keychain import Keychain, KeychainError
from server.settings.values import KEYCHAIN
from tests.support.clients import library_keychain, mac_keychain
from tests.support.paths import ROOT
from tests.support.settings import Places

TOKEN = "arch_live_unmistakable_9f3a77"
VALUES = [TOKEN, "a b'c\"d\\e$f#g", "ümläut €", "x" * 2000]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("make", [mac_keychain, library_keychain])
def test_a_value_comes_back_as_it_was(make: Any, value: str, tmp_path: Path) -> None:
    own = make(tmp_path)
    assert own.read("ARCHIVE_APP_TOKEN") is None

    own.write("ARCHIVE_APP_TOKEN", "older")
    own.write("ARCHIVE_APP_TOKEN", value)
    assert own.read("ARCHIVE_APP_TOKEN") == value

    own.delete("ARCHIVE_APP_TOKEN")
    own.delete("ARCHIVE_APP_TOKEN")
    assert own.read("ARCHIVE_APP_TOKEN") is None


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        (Keychain("darwin", {}, security="/nowhere/security"), "/nowhere/security: No such file"),
        (Keychain("linux", {}, python="/nowhere/python"), "/nowhere/python: No such file"),
    ],
)
def test_a_keychain_that_is_not_there_is_a_sentence(broken: Keychain, part: str) -> None:
    with pytest.raises(KeychainError, match=part):
        broken.read("A")
    with pytest.raises(KeychainError, match=part):
        broken.write("A", "b")


def test_the_library_that_is_missing_is_named_with_its_command(tmp_path: Path) -> None:
    folder = tmp_path / "library" / "keyring"
    own = library_keychain(tmp_path)
    (folder / "__main__.py").write_text(
        "import sys\nsys.exit(f'{sys.executable}: No module named keyring')"
    )

    with pytest.raises(KeychainError, match=f"{sys.executable} -m pip install keyring"):
        own.read("ARCHIVE_APP_TOKEN")


def test_a_program_in_the_working_folder_is_not_taken_for_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("print('stolen')")
    monkeypatch.chdir(tmp_path)

    with suppress(KeychainError):
        assert Keychain("linux", {}).read("ARCHIVE_APP_TOKEN") != "stolen"


def test_a_keychain_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = library_keychain(tmp_path)
    (tmp_path / "library" / "keyring" / "__main__.py").write_text("import time\ntime.sleep(60)")
    monkeypatch.setattr(keychain, "_SECONDS", 0.2)

    with pytest.raises(KeychainError, match="did not answer within"):
        own.read("ARCHIVE_APP_TOKEN")


def test_the_secret_is_read_with_its_first_use_and_then_left_out_of_what_is_printed(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []

    def read(_: Keychain, name: str) -> str:
        reads.append(name)
        return TOKEN

    monkeypatch.setattr(Keychain, "read", read)
    places.put("~/.env.shared", ARCHIVE_APP_TOKEN=KEYCHAIN)
    settings = places.load()

    assert settings.archive_configured
    assert isinstance(settings.token, StoredSecret)
    assert settings.list_secrets() == []
    assert (settings.token.mask(), settings.token.peek(), reads) == ("...", "", [])
    assert settings.describe_source("ARCHIVE_APP_TOKEN") == (
        "from the keychain, which ~/.env.shared names"
    )

    assert settings.token.reveal() == settings.token.reveal() == TOKEN
    assert reads == ["ARCHIVE_APP_TOKEN"]
    assert redact(f"Bearer {TOKEN}") == "Bearer [secret]"
    assert settings.list_secrets() == [TOKEN]


def test_another_source_makes_the_keychain_superfluous(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Keychain, "read", lambda *_: pytest.fail("was read"))
    places.put("~/.env.shared", ARCHIVE_APP_TOKEN=KEYCHAIN)
    places.put("environment", ARCHIVE_APP_TOKEN=TOKEN)

    token = places.load().token

    assert token
    assert token.reveal() == TOKEN


@pytest.mark.parametrize("source", ["command line", "environment", "--env-file", "./.env"])
def test_only_the_users_own_file_opens_the_keychain(places: Places, source: Any) -> None:
    places.put(source, ARCHIVE_APP_TOKEN=KEYCHAIN, ARCHIVE_API_URL="https://thief.example")

    settings = places.load()

    assert settings.token is None
    assert "the keychain is read only where ~/.env.shared says so" in settings.warnings[0]


def test_a_strangers_folder_cannot_have_the_keychains_token_sent_elsewhere(
    places: Places,
) -> None:
    places.put("~/.env.shared", ARCHIVE_APP_TOKEN=KEYCHAIN)
    places.put("./.env", ARCHIVE_API_URL="https://thief.example")

    with pytest.raises(SettingsError, match="a secret is only sent"):
        places.load()


@pytest.mark.parametrize("trouble", [None, KeychainError("it is locked")])
async def test_a_call_says_what_is_wrong_with_the_keychain(
    trouble: KeychainError | None, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        if trouble:
            raise trouble

    monkeypatch.setattr(Keychain, "read", read)
    places.put(
        "~/.env.shared",
        ARCHIVE_APP_TOKEN=KEYCHAIN,
        ARCHIVEBOX_URL="https://box.example",
        ARCHIVEBOX_API_KEY=KEYCHAIN,
    )
    async with Services(places.load()) as services:
        for backend in ("archive", "archivebox"):
            with pytest.raises(Failure) as caught:
                await services.backend(backend)
            assert caught.value.code is Code.NOT_CONFIGURED
            assert ("locked" if trouble else "is not there") in caught.value.message
            assert "archive-mcp setup" in caught.value.message


def test_a_start_imports_nothing_for_the_keychain() -> None:
    code = (
        "import sys; from server.settings import load; load({}, environment={}); "
        "print('server.settings.keychain' in sys.modules, 'server.setup' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.split() == ["False", "False"]
