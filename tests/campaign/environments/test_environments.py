"""Nothing about a machine or its network keeps the doctor from answering, and nothing is called a
fault in this server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.sandboxed import LAUNCHER, clean

NOBODY = "http://127.0.0.1:9"
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "a SOCKS proxy": {"ALL_PROXY": "socks5://127.0.0.1:9"},
    "a proxy of an unknown kind": {"HTTPS_PROXY": "gopher://127.0.0.1:9"},
    "a proxy that is no URL": {"HTTPS_PROXY": "http://[::1"},
    "a proxy with a bad port": {"HTTPS_PROXY": "http://proxy.example:99999"},
    "a proxy that is not there": {"HTTPS_PROXY": NOBODY},
    "no proxy for brackets": {"NO_PROXY": "[::1]", "HTTPS_PROXY": NOBODY},
    "no proxy for a network": {"NO_PROXY": "10.0.0.0/33,::/129,*", "HTTPS_PROXY": NOBODY},
    "a missing certificate file": {"SSL_CERT_FILE": "/nowhere/ca.pem"},
    "a certificate folder that is a file": {"SSL_CERT_FILE": str(ROOT / "pyproject.toml")},
    "a missing certificate folder": {"SSL_CERT_DIR": "/nowhere"},
    "keys logged into a folder": {"SSLKEYLOGFILE": "/"},
    "a CA bundle that is no certificate": {"ARCHIVE_MCP_CA_BUNDLE": str(ROOT / "README.md")},
    "an IDN host": {"ARCHIVE_API_URL": "https://bücher.invalid/api"},
    "a host of bad letters": {"ARCHIVE_API_URL": "https://xn--a.invalid/api"},
    "an address without a host": {"ARCHIVE_API_URL": "https:///api"},
    "a token with line ends": {"ARCHIVE_APP_TOKEN": "abc\n"},
    "a token that is a placeholder": {"ARCHIVE_APP_TOKEN": "<your token>"},
    "a state folder that is a file": {"ARCHIVE_MCP_STATE_DIR": str(ROOT / "README.md")},
    "an export folder that is a file": {"ARCHIVE_MCP_EXPORT_DIR": str(ROOT / "README.md")},
    "another language": {"LANG": "tr_TR.UTF-8", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    "a home that is not there": {"HOME": "/nowhere", "USERPROFILE": "/nowhere"},
    "an odd time zone": {"ARCHIVE_MCP_TIMEZONE": "Mars/Olympus"},
}


@pytest.mark.campaign
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_doctor_always_answers(name: str, tmp_path: Path) -> None:
    given = {
        "ARCHIVE_API_URL": "https://archive.invalid/api",
        "ARCHIVE_APP_TOKEN": "unmistakable-token-4711",
        "ARCHIVE_MCP_STATE_DIR": str(tmp_path / "state"),
    }
    done = subprocess.run(
        [*LAUNCHER, "doctor", "--json"],
        cwd=tmp_path,
        env={**clean(tmp_path), **given, **ENVIRONMENTS[name]},
        timeout=120,
        check=False,
        capture_output=True,
    )
    text = done.stdout.decode() + done.stderr.decode()

    assert "Traceback" not in text, text[-2_000:]
    assert "fault in this server" not in text
    assert "unmistakable-token" not in text
    if done.stdout.strip():
        assert json.loads(done.stdout)
    else:
        # A setting that cannot be used is told before anything is looked at.
        assert done.returncode != 0
        assert done.stderr.strip(), sys.executable
