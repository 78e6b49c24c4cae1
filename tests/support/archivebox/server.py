"""Real ArchiveBox servers on free loopback ports, each with an archive of its own that lives as
long as the server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from tests.support.archivebox.install import Installed, Version
from tests.support.machine.ports import reserved_port
from tests.support.suite.locking import locked

USERNAME = "admin"
PASSWORD = "a password of the tests"

_READY_SECONDS = 90.0
_POLL_SECONDS = 0.1
_LEAVE_SECONDS = 2.0
_COMMAND_SECONDS = 900
_REQUEST_SECONDS = 60

_COMMON = {
    "LANG": "C.UTF-8",
    "ADMIN_USERNAME": USERNAME,
    "ADMIN_PASSWORD": PASSWORD,
    "USE_COLOR": "False",
    "SHOW_PROGRESS": "False",
    "CHECK_SSL_VALIDITY": "False",
    "TIMEOUT": "30",
}
# What ArchiveBox switches on by itself and works without a browser, without downloading a program
# and without any host but loopback. Bookkeeping such as `hashes` belongs to it: it succeeds for
# pages that could not be fetched.
_PLUGINS = (
    "wget",
    "htmltotext",
    "favicon",
    "hashes",
    "parse_html_urls",
    "parse_txt_urls",
    "parse_netscape_urls",
    "parse_jsonl_urls",
    "search_backend_sqlite",
)
_SINCE_0_9 = {
    "SEARCH_BACKEND_ENGINE": "sqlite",
    "SEARCH_BACKEND_SONIC_ENABLED": "False",
    "PLUGINS": ",".join(_PLUGINS),
    "SERVER_SECURITY_MODE": "safe-onedomain-nojsreplay",
}
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_SETTINGS: Mapping[Version, Mapping[str, str]] = {
    "0.9.73": _SINCE_0_9,
    # Its hooks do not start without a file of certificates.
    "0.9.31": {**_SINCE_0_9, "SSL_CERT_FILE": str(_CERTIFICATES)},
    # Several methods of 0.8.5 are switched only by the older name of their setting, others only by
    # the newer one.
    "0.8.5": {
        "USE_INDEXING_BACKEND": "False",
        "USE_SEARCHING_BACKEND": "False",
        **{f"SAVE_{each}": "False" for each in ("ARCHIVE_DOT_ORG", "SINGLEFILE", "GIT", "MEDIA")},
        **{f"FETCH_{each}": "False" for each in ("PDF", "SCREENSHOT", "DOM")},
        **{f"USE_{each}": "False" for each in ("READABILITY", "MERCURY")},
    },
}


@dataclass(frozen=True)
class RealArchiveBox:
    """A running ArchiveBox and the pages it can archive."""

    version: Version
    url: str
    """Where the server is, without a path."""
    key: str
    """The administrator's API key."""
    username: str
    password: str
    pages: Mapping[str, str]
    """Name of a page (`tests.support.archivebox.pages`) -> its URL."""
    folder: Path
    """Its data folder `data`, its home, and what the server wrote to its console, `server.log`."""
    installed: Installed

    def client(self) -> httpx.Client:
        """An HTTP client of the server's API, with the key; to be closed by the caller."""
        headers = {"X-ArchiveBox-API-Key": self.key}
        base = f"{self.url}/api/v1"
        return httpx.Client(
            base_url=base, headers=headers, trust_env=False, timeout=_REQUEST_SECONDS
        )

    def archive_now(self, crawl_id: str) -> None:
        """Archive the pages of a crawl; 0.8.5 knows no crawls, and has archived a page when it
        answers `cli/add`."""
        if self.version == "0.8.5":
            return
        self._command("archivebox", "run", f"--crawl-id={crawl_id}")

    def work_off(self) -> None:
        """Do all queued work, deletions included; 0.8.5 leaves nothing for later."""
        if self.version == "0.8.5":
            return
        import pty

        ours, theirs = (
            pty.openpty()
        )  # without a terminal the command would wait for records on stdin
        try:
            self._command("archivebox", "run", stdin=theirs)
        finally:
            os.close(ours)
            os.close(theirs)

    def save(self, *urls: str, tag: str = "") -> dict[str, dict[str, Any]]:
        """Add URLs that are not in the archive yet, and archive them; URL -> its snapshot with its
        archive results."""
        with self.client() as client:
            added = (
                client.post("/cli/add", json={"urls": list(urls), "tag": tag})
                .raise_for_status()
                .json()
            )
            if self.version != "0.8.5":
                self.archive_now(added["result"]["crawl_id"])
            return {url: self._snapshot(client, url) for url in urls}

    def address(self, snapshot: Mapping[str, Any], plugin: str, file: str) -> str:
        """Where a file that a plugin made is read; 0.8.5 keeps the files of all of them in one
        folder."""
        if self.version == "0.8.5":
            return f"{self.url}/{snapshot['archive_path']}/{file}"
        return f"{self.url}/snapshot/{snapshot['id']}/{plugin}/{file}"

    def _snapshot(self, client: httpx.Client, url: str) -> dict[str, Any]:
        query = {"url": url, "with_archiveresults": "true"}
        found = client.get("/core/snapshots", params=query).raise_for_status().json()["items"]
        if not found:
            raise RuntimeError(
                f"ArchiveBox {self.version} made no snapshot of {url}: {_tail(self.folder)}"
            )
        snapshot: dict[str, Any] = found[-1]
        return snapshot

    def _command(self, *command: str, stdin: int = subprocess.DEVNULL) -> None:
        _run(self.installed, self.folder, self.url, command, stdin)


RealServer = Callable[[Version], RealArchiveBox]
OwnServer = Callable[[Version], AbstractContextManager[RealArchiveBox]]


@contextmanager
def real_archivebox(installed: Installed, pages: Mapping[str, str]) -> Iterator[RealArchiveBox]:
    """A server with an empty archive and one administrator, ended with the context, its archive
    deleted."""
    with TemporaryDirectory(prefix="archivebox-") as name, reserved_port() as port:
        folder = Path(name)
        shutil.copytree(_template(installed), folder / "data", symlinks=True)
        (folder / "home").mkdir()
        installed.account.own(folder)
        url = f"http://127.0.0.1:{port}"
        with (folder / "server.log").open("wb") as log:
            process = _started(installed, folder, url, log.fileno())
            try:
                _wait_until_ready(process, url, folder)
                key = _key(url)
                yield RealArchiveBox(
                    installed.version, url, key, USERNAME, PASSWORD, pages, folder, installed
                )
            finally:
                _end(process)


def _started(installed: Installed, folder: Path, url: str, log: int) -> subprocess.Popen[bytes]:
    """The web server alone: nothing is archived behind a test's back."""
    account = installed.account
    return subprocess.Popen(
        (
            str(installed.programs / "archivebox"),
            "manage",
            "runserver",
            "--noreload",
            url.removeprefix("http://"),
        ),
        cwd=folder / "data",
        env=_environment(installed, folder, url),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        umask=0o022,
        start_new_session=True,
    )


def _run(
    installed: Installed,
    folder: Path,
    url: str,
    command: tuple[str, ...],
    stdin: int = subprocess.DEVNULL,
) -> None:
    account = installed.account
    done = subprocess.run(
        (str(installed.programs / command[0]), *command[1:]),
        cwd=folder / "data",
        env=_environment(installed, folder, url),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        user=account.user,
        group=account.group,
        extra_groups=account.extra_groups,
        umask=0o022,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(command)} of ArchiveBox {installed.version} failed: {done.stdout[-2000:]}"
        )


def _environment(installed: Installed, folder: Path, url: str) -> dict[str, str]:
    """Nothing of this process's but its PATH, and that only if the same user runs the server."""
    path = (
        os.environ.get("PATH", os.defpath)
        if installed.account.user is None
        else f"/usr/local/bin:{os.defpath}"
    )
    places = {"PATH": f"{installed.programs}:{path}", "HOME": str(folder / "home"), "BASE_URL": url}
    return {**_COMMON, **_SETTINGS[installed.version], **places, **installed.settings}


def _template(installed: Installed) -> Path:
    """An initialized data folder to copy: ArchiveBox needs 4 to 30 seconds to make one."""
    template = installed.folder / "template"
    with locked(template):
        if template.is_dir():
            return template
        with TemporaryDirectory(prefix="archivebox-") as name:
            folder = Path(name)
            (folder / "data").mkdir()
            (folder / "home").mkdir()
            installed.account.own(folder)
            _run(installed, folder, "http://127.0.0.1:8000", ("archivebox", "init"))
            unfinished = installed.folder / "template.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(folder / "data", unfinished, symlinks=True)
            unfinished.rename(template)
    return template


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, folder: Path) -> None:
    with httpx.Client(trust_env=False, timeout=_REQUEST_SECONDS) as client:
        for _ in range(int(_READY_SECONDS / _POLL_SECONDS)):
            try:
                process.wait(_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if _healthy(client, url):
                    return
                continue
            raise RuntimeError(
                f"ArchiveBox ended with status {process.returncode} while starting: {_tail(folder)}"
            )
    raise RuntimeError(f"ArchiveBox was not ready after {_READY_SECONDS:.0f} s: {_tail(folder)}")


def _healthy(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/health/").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def _key(url: str) -> str:
    who = {"username": USERNAME, "password": PASSWORD}
    address = f"{url}/api/v1/auth/get_api_token"
    answer = (
        httpx.post(address, json=who, trust_env=False, timeout=_REQUEST_SECONDS)
        .raise_for_status()
        .json()
    )
    key: str = answer["token"]
    return key


def _tail(folder: Path) -> str:
    return (folder / "server.log").read_text(errors="replace")[-2000:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the server and what it started, its own process group; 0.8.5 would take up to a minute to
    leave by itself."""
    for means in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, means)
        try:
            process.wait(_LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        return
