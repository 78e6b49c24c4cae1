"""What the doctor finds out about an ArchiveBox, by asking it as the tools do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from server.doctor.report import Report
from server.http import retry
from server.sandbox.archivebox import (
    KEY,
    KEY_EXPIRED,
    PASSWORD,
    USERNAME,
    Version,
)
from server.sandbox.serve import open_server
from tests.support.clocks import fixed_archivebox
from tests.support.doctored import answering, check, examined, given, http

NOWHERE = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent again is sent again at once."""
    monkeypatch.setattr(retry, "FIRST_PAUSE", 0.0)


async def examine_server(
    folder: Path, credentials: Mapping[str, str], version: Version = "0.9.73"
) -> Report:
    """The report about an ArchiveBox of that version."""
    async with open_server(fixed_archivebox(version=version, snapshots=20)) as url:
        return await examined(given(folder, sandbox=False, ARCHIVEBOX_URL=url, **credentials))


@pytest.mark.parametrize("version", ["0.9.73", "0.9.31", "0.8.5"])
async def test_a_working_archivebox_and_key_need_no_archive_token(
    tmp_path: Path, version: Version
) -> None:
    report = await examine_server(tmp_path, {"ARCHIVEBOX_API_KEY": KEY}, version)
    assert report.ok
    assert "endpoints" in check(report, "archivebox").detail
    assert f"version {version}" in check(report, "archivebox").detail
    assert check(report, "archivebox key").detail.startswith("accepted")
    assert check(report, "token").status == "note"
    assert "not offered" in check(report, "token").detail


async def test_a_username_and_password_do_as_well_as_a_key(tmp_path: Path) -> None:
    report = await examine_server(
        tmp_path, {"ARCHIVEBOX_USERNAME": USERNAME, "ARCHIVEBOX_PASSWORD": PASSWORD}
    )
    assert report.ok
    assert check(report, "archivebox key").status == "ok"


@pytest.mark.parametrize(
    "wrong",
    [
        {"ARCHIVEBOX_API_KEY": "no-such-key-unmistakable"},
        {"ARCHIVEBOX_API_KEY": KEY_EXPIRED},
        {"ARCHIVEBOX_USERNAME": USERNAME, "ARCHIVEBOX_PASSWORD": "unmistakable"},
        {},
    ],
)
async def test_credentials_that_are_refused_fail_and_say_what_to_set(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    report = await examine_server(tmp_path, wrong)
    assert check(report, "archivebox").status == "ok"
    assert check(report, "archivebox key").status == "fail"
    assert "ARCHIVEBOX_" in check(report, "archivebox key").hint
    assert "unmistak" not in report.render() + report.to_json()
    assert not report.ok


async def test_an_archivebox_that_is_down_fails_and_the_key_stays_unjudged(tmp_path: Path) -> None:
    report = await examined(given(tmp_path, ARCHIVEBOX_URL=NOWHERE, ARCHIVEBOX_API_KEY=KEY))
    assert check(report, "archivebox").status == "fail"
    assert "ARCHIVEBOX_URL" in check(report, "archivebox").hint
    assert check(report, "archivebox key").status == "skip"


async def test_what_answers_and_is_no_archivebox_fails(tmp_path: Path) -> None:
    async with answering(lambda _: http("<html>Welcome to nginx</html>")) as url:
        report = await examined(given(tmp_path, ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=KEY))
    assert check(report, "archivebox").status == "fail"
    assert check(report, "archivebox").hint
    assert not report.ok


async def test_a_key_that_the_server_quotes_is_never_told(tmp_path: Path) -> None:
    key = "box_key_unmistakable_9f3a77"
    async with answering(
        lambda _: http({"message": f"No: {key}", "detail": key}, f"500 {key}")
    ) as url:
        report = await examined(given(tmp_path, ARCHIVEBOX_URL=url, ARCHIVEBOX_API_KEY=key))
    assert "unmistak" not in report.render() + report.to_json()


async def test_in_the_sandbox_the_configured_archivebox_is_not_asked(tmp_path: Path) -> None:
    requests: list[bytes] = []

    def respond(request: bytes) -> bytes:
        requests.append(request)
        return http({})

    async with answering(respond) as url:
        report = await examined(given(tmp_path, sandbox=True, ARCHIVEBOX_URL=url))
    assert report.ok
    assert "sandbox in this process" in check(report, "archivebox").detail
    assert requests == []
