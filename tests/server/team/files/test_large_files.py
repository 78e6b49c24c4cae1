"""Large exports: neither storing nor loading one holds it in memory."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from server.team.files.settings import FileSettings
from tests.support.paths import ROOT

MEGABYTES = 100
MOST_MEGABYTES = 60
"""Parts of 8 MB, two at once, with what the libraries copy; a piece of 1 MB to whoever loads."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory from Linux's /proc")
def test_a_hundred_megabytes_are_never_in_memory_at_once(file_settings: FileSettings) -> None:
    arguments = [file_settings.place or "", file_settings.endpoint or "", str(MEGABYTES)]
    output = subprocess.run(
        [sys.executable, "-m", "tests.support.team.large_file", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    ).stdout
    figures = json.loads(output)
    print(figures)

    assert figures["bytes"] == MEGABYTES * 2**20
    assert figures["publish"] < MOST_MEGABYTES, figures
    assert figures["load"] < MOST_MEGABYTES, figures
