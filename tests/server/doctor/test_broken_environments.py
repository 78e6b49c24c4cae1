"""The doctor on machines where something is broken: a sentence that names it, never a trace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from server.limiter.store import FILE
from tests.support.sandboxed import LAUNCHER, clean

TOKEN = "arch_live_unmistakable_9f3a77"
NOWHERE = "http://127.0.0.1:9"
SHARED = "home/.env.shared"
_SECONDS = 60


def write(path: str, content: bytes | str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def make_folder(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).mkdir(parents=True)


def make_loop(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).symlink_to(folder / path)


def make_pipe(path: str) -> Callable[[Path], None]:
    return lambda folder: os.mkfifo(folder / path)


@dataclass(frozen=True)
class Broken:
    """What is broken, and what the doctor has to say; `{folder}` is the folder of the test.

    Args:
        part: a regular expression for what stands in its output.
        code: its exit status: 0 where it works all the same, 2 where a setting cannot be used.
    """

    part: str
    code: int = 1
    variables: dict[str, str] = field(default_factory=dict)
    make: Callable[[Path], None] = lambda folder: None
    arguments: tuple[str, ...] = ()


TOKEN_HERE = {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_API_URL": f"{NOWHERE}/api/v2"}
HTTPS = {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_API_URL": "https://127.0.0.1:9/api/v2"}
# A proxy is not asked for what is on this machine.
FAR = {"ARCHIVE_APP_TOKEN": TOKEN, "ARCHIVE_API_URL": "https://archive.invalid/api/v2"}
BOX = {"ARCHIVEBOX_URL": "https://127.0.0.1:9"}
GARBAGE = b"\x00\xffno certificate"

CASES: dict[str, Broken] = {
    "a terminal of ASCII": Broken(
        r"Za\\xeb", 1, {"ARCHIVE_WORKSPACE_ID": "Zaë", "PYTHONIOENCODING": "ascii"}
    ),
    "a locale that is not installed": Broken("No Archive token", 1, {"LC_ALL": "xx_YY.UTF-8"}),
    "a variable of broken bytes": Broken(
        "No Archive token", 1, {"ARCHIVE_WORKSPACE_ID": "\udcff\udcfe"}
    ),
    "UTF-16 settings": Broken(
        r"\.\.\.3a77 \(from ~/\.env\.shared\)",
        1,
        make=write(
            SHARED, f"ARCHIVE_APP_TOKEN={TOKEN}\nARCHIVE_API_URL={NOWHERE}".encode("utf-16")
        ),
    ),
    "Latin-1 settings": Broken(
        "line 1: it is not UTF-8 text. Save the file", 2, make=write(SHARED, b"A=\xe4")
    ),
    "settings with zeros": Broken("is not UTF-8 text", 2, make=write(SHARED, b"A=\0\0")),
    "settings that are a folder": Broken("is not a file", make=make_folder(SHARED)),
    "settings that are a pipe": Broken("is not a file", make=make_pipe(SHARED)),
    "settings that link to themselves": Broken(
        r"\.env\.shared is ignored: .*Too many levels", make=make_loop(SHARED)
    ),
    "settings of two megabytes": Broken("larger than 1 MB", make=write(SHARED, "#" * 2_000_000)),
    "settings with an open quote": Broken(
        "is a quote left open", make=write(SHARED, "ARCHIVE_APP_TOKEN='x")
    ),
    "a stranger's settings in Latin-1": Broken(
        r"\./\.env is ignored: .*not UTF-8", make=write("work/.env", b"A=\xe4")
    ),
    "a stranger's settings that are a folder": Broken(
        r"\./\.env is ignored: .*is not a file", make=make_folder("work/.env")
    ),
    "a settings file that is not there": Broken(
        "--env-file: there is no file", 2, arguments=("--env-file", "{folder}/none")
    ),
    "a home that is not there": Broken(
        "not writable", 1, {"HOME": "/proc/nobody", "ARCHIVE_MCP_STATE_DIR": ""}
    ),
    "a home that is a file": Broken(
        "not writable",
        1,
        {"HOME": "{folder}/file", "ARCHIVE_MCP_STATE_DIR": ""},
        write("file", "x"),
    ),
    "no place for temporary files": Broken("No Archive token", 1, {"TMPDIR": "/nowhere"}),
    "a proxy that is no URL": Broken("HTTPS_PROXY", 1, {**FAR, "HTTPS_PROXY": "http://["}),
    "a proxy of an unknown kind": Broken(
        "a proxy of an unknown kind", 1, {**FAR, "HTTPS_PROXY": "ftp://127.0.0.1:9"}
    ),
    "a proxy that is not there": Broken(
        r"FAIL\s+api", 1, {**FAR, "HTTPS_PROXY": "http://127.0.0.1:9"}
    ),
    "an API that is not there": Broken("no connection could be made", 1, TOKEN_HERE),
    "a file of certificates that is not there": Broken(
        "SSL_CERT_FILE names /nowhere", 1, {**HTTPS, "SSL_CERT_FILE": "/nowhere"}
    ),
    "a file of certificates that holds none": Broken(
        "SSL_CERT_FILE", 1, {**HTTPS, "SSL_CERT_FILE": "{folder}/ca"}, write("ca", GARBAGE)
    ),
    "a CA file that is not there": Broken(
        "CA_BUNDLE", 1, {**HTTPS, "ARCHIVE_MCP_CA_BUNDLE": "/nowhere"}
    ),
    "a CA file that is a folder": Broken(
        "CA_BUNDLE", 1, {**HTTPS, "ARCHIVE_MCP_CA_BUNDLE": "{folder}"}
    ),
    "a CA file of ArchiveBox that holds none": Broken(
        "CA_BUNDLE", 1, {**BOX, "ARCHIVEBOX_CA_BUNDLE": "{folder}/ca"}, write("ca", GARBAGE)
    ),
    "a state folder that is a file": Broken(
        "ARCHIVE_MCP_STATE_DIR", 1, {"ARCHIVE_MCP_STATE_DIR": "{folder}/file"}, write("file", "x")
    ),
    "a state folder that cannot be made": Broken(
        "ARCHIVE_MCP_STATE_DIR", 1, {"ARCHIVE_MCP_STATE_DIR": "/proc/state"}
    ),
    "an export folder that is a file": Broken(
        "ARCHIVE_MCP_EXPORT_DIR", 1, {"ARCHIVE_MCP_EXPORT_DIR": "{folder}/file"}, write("file", "x")
    ),
    "a zone that does not exist": Broken(
        "unknown time zone 'Mars/Base'", 2, {"ARCHIVE_MCP_TIMEZONE": "Mars/Base"}
    ),
    "a choice that does not exist": Broken(
        "must be one of ask, token, never", 2, {"ARCHIVE_MCP_CONFIRM": "maybe"}
    ),
    "a toolset that does not exist": Broken("everythin", 2, {"ARCHIVE_MCP_TOOLSETS": "everythin"}),
    "a variable that the client left": Broken(
        "the name of a variable that the client left", 1, {"ARCHIVE_APP_TOKEN": "${TOKEN}"}
    ),
    "the placeholder of the manual": Broken(
        "the placeholder of an example", 1, {"ARCHIVE_APP_TOKEN": "paste-your-archive-token-here"}
    ),
    "a token with a blank": Broken("copy it again", 2, {"ARCHIVE_APP_TOKEN": f"{TOKEN} x"}),
    "an address in the open": Broken(
        "plain http", 2, {**TOKEN_HERE, "ARCHIVE_API_URL": "http://far.example"}
    ),
    "an address that is none": Broken(
        "ARCHIVE_API_URL", 2, {**TOKEN_HERE, "ARCHIVE_API_URL": "archive"}
    ),
    "a keychain without the token": Broken(
        r"FAIL\s+keychain\s+ARCHIVE_APP_TOKEN .*`archive-mcp setup` stores it anew",
        make=write(SHARED, "ARCHIVE_APP_TOKEN=keychain:archive-mcp"),
    ),
    "a client's file that is broken": Broken(
        r"warn\s+clients\s+Cursor: .*is broken", make=write("home/.cursor/mcp.json", "{ broken")
    ),
    "a client's file that is binary": Broken(
        r"warn\s+clients\s+Cursor: .*not UTF-8", make=write("home/.cursor/mcp.json", GARBAGE)
    ),
    "a damaged clock of requests": Broken(
        "state file is damaged", make=write(f"state/{FILE}", b"this is no database" * 100)
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return tmp_path


def run_doctor(
    folder: Path, variables: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    environment = {
        **clean(folder / "home"),
        "ARCHIVE_MCP_STATE_DIR": str(folder / "state"),
        **{name: text.replace("{folder}", str(folder)) for name, text in variables.items()},
    }
    options = [argument.replace("{folder}", str(folder)) for argument in arguments]
    return subprocess.run(
        [*LAUNCHER, "doctor", *options],
        cwd=folder / "work",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=_SECONDS,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither pipes nor such links")
@pytest.mark.parametrize("name", CASES)
def test_what_is_broken_is_named_in_a_sentence(name: str, folder: Path) -> None:
    case = CASES[name]
    case.make(folder)

    result = run_doctor(folder, case.variables, *case.arguments)

    text = result.stdout + result.stderr
    assert re.search(case.part, text), text
    assert result.returncode == case.code, text
    assert "Traceback" not in text
    assert TOKEN not in text
    # Each failure says what to do next, or says it itself.
    for line in re.findall(r"^FAIL .*", result.stdout, re.MULTILINE):
        assert len(line.split()) > 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that is in use")
def test_a_working_folder_that_is_gone_does_no_harm(folder: Path) -> None:
    shell = f'cd "{folder}/gone" && rmdir "{folder}/gone" && exec "$@"'
    (folder / "gone").mkdir()

    result = subprocess.run(
        ["sh", "-c", shell, "sh", *LAUNCHER, "doctor", "--sandbox"],
        env=clean(folder / "home"),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(not shutil.which("sh"), reason="there is no shell to close an output with")
@pytest.mark.parametrize("shell", ['exec "$@" >&-', '"$@" | true'])
@pytest.mark.parametrize("command", [("doctor", "--sandbox"), ("setup", "--sandbox", "--yes")])
def test_an_output_that_is_closed_is_no_trace(
    folder: Path, shell: str, command: tuple[str, ...]
) -> None:
    result = subprocess.run(
        ["sh", "-c", shell, "sh", *LAUNCHER, *command],
        env=clean(folder / "home"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )

    assert "Traceback" not in result.stderr, result.stderr


def test_a_user_without_a_home_is_said_to_have_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from server.main import Product, run
    from tests.support.paths import OPENING, ROOT, SURFACE

    def fail(*_: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", fail)
    monkeypatch.setenv("ARCHIVE_MCP_STATE_DIR", str(folder / "state"))
    monkeypatch.setenv("ARCHIVE_MCP_EXPORT_DIR", str(folder))
    monkeypatch.chdir(folder)
    product = Product(ROOT / "archive_mcp.py", SURFACE, OPENING, "prompts")

    assert run(product, ["doctor", "--sandbox"]) == 0
    assert "This user has no home folder" in capsys.readouterr().out
    # There is nothing that setup could write to.
    assert run(product, ["setup", "--sandbox", "--yes"]) == 2
    assert "this user has no home folder" in capsys.readouterr().err
