"""Files in a folder or in a store that speaks S3, by one interface.

What is put under a key is there whole or not at all, and nothing is put in the place of another
file: `claim` gives a key to one owner. All of it blocks on the disk or the network; async callers
run it in a worker thread, except `stream`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import LocalStore, S3Store

from server.errors import Code, Failure
from server.private_folder import make_private
from server.settings import SettingsError
from server.team.files.settings import FileSettings
from server.text import clean_sentence

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, S3Config

log = logging.getLogger("archive_mcp.team")

# Parts of a file under way to the store at once: each is in memory.
_PARTS_AT_ONCE = 2
_PART_BYTES = 8 * 2**20
# S3 takes at most 10,000 parts of a file.
_MOST_PARTS = 9_000
_STREAM_BYTES = 2**20
_RETRIES = 4
_PATIENCE = timedelta(seconds=30)
_STAGED = re.compile(r"#\d+\Z")


@dataclass(frozen=True)
class StoredFile:
    """A file in the store: its key, size in bytes and when it was put there."""

    key: str
    bytes: int
    modified: datetime
    tag: str

    @property
    def name(self) -> str:
        """The last part of its key."""
        return self.key.rpartition("/")[2]


class FileStore:
    """The files of all people.

    Args:
        place: what people read in messages.
        folder: where it is on this machine, if it is there.
    """

    def __init__(self, store: ObjectStore, place: str, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder
        self.place = place

    def claim(self, key: str, owner: str) -> bool:
        """Write who owns a key, unless somebody else does, and return whether it is `owner`.

        Raises:
            Failure: `UNAVAILABLE` or `FORBIDDEN` where the store fails, as all methods.
        """
        with self._translate():
            try:
                obstore.put(self._store, key, owner.encode(), mode="create")
            except AlreadyExistsError:
                return self.read_owner(key) == owner
        return True

    def read_owner(self, key: str) -> str | None:
        """Return who claimed a key; None where nobody did."""
        with self._translate():
            try:
                return bytes(obstore.get(self._store, key).bytes()).decode("utf-8", "replace")
            except FileNotFoundError:
                return None

    def put(self, key: str, file: BinaryIO, size: int) -> None:
        """Store a file of so many bytes, which is there once this returns, and not before."""
        part = max(_PART_BYTES, -(-size // _MOST_PARTS))
        with self._translate():
            obstore.put(self._store, key, file, chunk_size=part, max_concurrency=_PARTS_AT_ONCE)

    def find(self, key: str) -> StoredFile | None:
        """Return the file with a key; None where there is none."""
        with self._translate():
            try:
                return _make_stored(obstore.head(self._store, key))
            except FileNotFoundError:
                return None

    def read(self, key: str, offset: int, length: int) -> bytes:
        """Return so many bytes of a file.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._translate():
            return bytes(obstore.get_range(self._store, key, start=offset, length=length))

    def list_files(self, folder: str) -> list[StoredFile]:
        """Return the files in a folder, in no order."""
        with self._translate():
            result = obstore.list_with_delimiter(self._store, folder)
            return [_make_stored(entry) for entry in result["objects"]]

    def list_folders(self, folder: str) -> list[str]:
        """Return the names of the folders in a folder."""
        with self._translate():
            prefixes = obstore.list_with_delimiter(self._store, folder)["common_prefixes"]
        return [prefix.rstrip("/").rpartition("/")[2] for prefix in prefixes]

    def remove(self, key: str) -> None:
        """Remove a file if there is one."""
        with self._translate():
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return

    def remove_unfinished(self, folder: str, until: datetime) -> None:
        """Remove what a killed process had begun to store before `until`; a bucket does that by
        itself."""
        if self._folder is None:
            return
        with self._translate():
            # The library writes beside the file, and gives it its name at the end.
            for path in (self._folder / folder).glob("*/*/*#*"):
                is_old = path.stat().st_mtime < until.timestamp()
                if is_old and _STAGED.search(path.name):
                    path.unlink(missing_ok=True)

    async def stream(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Yield the bytes of a file from `start` to before `end`.

        Raises:
            FileNotFoundError: there is none.
        """
        # Piece by piece, each asked for when the one before has left: a slow reader holds no
        # connection to the store, and no more than a piece in memory.
        while start < end:
            length = min(_STREAM_BYTES, end - start)
            with self._translate():
                piece = await obstore.get_range_async(self._store, key, start=start, length=length)
            start += length
            yield bytes(piece)

    @contextmanager
    def _translate(self) -> Iterator[None]:
        """Turn trouble with the store into a Failure in the user's words."""
        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError, ValueError) as error:
            # The library adds how it got there, line by line, which is for the log.
            log.warning("the store of exports: %s", clean_sentence(str(error).partition("\n")[0]))
            raise self._make_failure(error) from None

    def _make_failure(self, error: Exception) -> Failure:
        if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
            return Failure(
                Code.FORBIDDEN,
                f"The place where exports are kept, {self.place}, does not let this server in.",
                "Tell the user: the administrators of this server check its keys and rights there.",
            )
        return Failure(
            Code.UNAVAILABLE,
            f"The place where exports are kept, {self.place}, failed or cannot be reached; nothing "
            "half-written is there.",
            "Try again later; the administrators of this server find the reason in its log.",
            retryable=True,
        )


def open_store(settings: FileSettings, default: Path, ca_bundle: Path | None = None) -> FileStore:
    """Return the store of the settings.

    Args:
        default: the folder, where the settings name no place.
        ca_bundle: certificates to trust besides the usual ones.

    Raises:
        SettingsError: it cannot be opened so.
    """
    if settings.is_bucket:
        return FileStore(_open_bucket(settings, ca_bundle), settings.place or "")
    folder = Path(settings.place).expanduser() if settings.place else default
    try:
        make_private(folder.absolute())
        return FileStore(LocalStore(folder.resolve()), str(folder), folder.resolve())
    except (OSError, BaseError) as error:
        reason = getattr(error, "strerror", None) or clean_sentence(str(error))
        raise SettingsError(
            f"ARCHIVE_MCP_EXPORT_STORE: {folder} cannot be used: {reason}."
        ) from None


def _open_bucket(settings: FileSettings, ca_bundle: Path | None) -> S3Store:
    parts = urlsplit(settings.place or "")
    client: ClientConfig = {"connect_timeout": "5s", "timeout": "60s"}
    config: S3Config = {}
    if settings.endpoint:
        config["endpoint"] = settings.endpoint
        client["allow_http"] = settings.endpoint.startswith("http://")
    if settings.region:
        config["region"] = settings.region
    if settings.key_id and settings.secret:
        config["access_key_id"] = settings.key_id
        config["secret_access_key"] = settings.secret.reveal()
    if settings.token:
        config["session_token"] = settings.token.reveal()
    try:
        if ca_bundle is not None:
            client["root_certificate"] = ca_bundle.read_bytes()
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config=config,
            client_options=client,
            retry_config={"max_retries": _RETRIES, "retry_timeout": _PATIENCE},
        )
    except (OSError, BaseError, ValueError) as error:
        reason = clean_sentence(str(error).partition("\n")[0])
        raise SettingsError(f"ARCHIVE_MCP_EXPORT_STORE: {settings.place}: {reason}") from None


def _make_stored(entry: obstore.ObjectMeta) -> StoredFile:
    return StoredFile(
        entry["path"], entry["size"], entry["last_modified"], (entry["e_tag"] or "").strip('"')
    )
