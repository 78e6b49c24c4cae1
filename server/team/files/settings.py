"""Where a team's exports are, and for how long, from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from server.http.urls import find_url_problem
from server.redaction import learn
from server.settings import Secret, SettingsError
from server.settings.values import YES

DEFAULT_DAYS = 30
_MOST_DAYS = 3650
_PLACE = "ARCHIVE_MCP_EXPORT_STORE"
_DAYS = "ARCHIVE_MCP_EXPORT_DAYS"
# The program's own variable goes before the usual ones of AWS.
_ENDPOINTS = ("ARCHIVE_MCP_EXPORT_ENDPOINT", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_REGIONS = ("ARCHIVE_MCP_EXPORT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
_KEY_IDS = ("ARCHIVE_MCP_EXPORT_KEY_ID", "AWS_ACCESS_KEY_ID")
SECRET = "ARCHIVE_MCP_EXPORT_SECRET_KEY"  # noqa: S105  # the name of a variable
_SECRETS = (SECRET, "AWS_SECRET_ACCESS_KEY")
_TOKEN = "AWS_SESSION_TOKEN"  # noqa: S105  # the name of a variable


@dataclass(frozen=True)
class FileSettings:
    """Where finished exports go.

    Args:
        place: a folder that all servers and workers see, or `s3://bucket/prefix`; None for a folder
            on this machine.
        days: how long an export stays.
        endpoint: the address of the store, where it is not that of AWS.
        key_id: the public half of the store's key; None where the machine itself is let in.
        token: goes with keys that are given for a short time.
    """

    place: str | None = None
    days: int = DEFAULT_DAYS
    endpoint: str | None = None
    region: str | None = None
    key_id: str | None = None
    secret: Secret | None = None
    token: Secret | None = None

    @property
    def is_bucket(self) -> bool:
        """Return whether exports go to a store that speaks S3."""
        return self.place is not None and self.place.startswith("s3://")


def load_files(values: Mapping[str, str]) -> FileSettings:
    """Return the settings that result from variables; the secrets among them are left out of all
    that is written from now on.

    Raises:
        SettingsError: A value cannot be used.
    """
    secret, token = _find(values, _SECRETS), values.get(_TOKEN)
    key_id = _find(values, _KEY_IDS)
    if (key_id is None) != (secret is None):
        raise SettingsError(f"{_KEY_IDS[0]} and {SECRET} belong together: set both.")
    learn(*filter(None, (secret, token)))
    place = values.get(_PLACE)
    if place is not None:
        _check_place(place)
    return FileSettings(
        place,
        _read_days(values),
        _find_endpoint(values),
        _find(values, _REGIONS),
        key_id,
        Secret(secret) if secret else None,
        Secret(token) if token else None,
    )


def _check_place(place: str) -> None:
    scheme, separator, _ = place.partition("://")
    if separator and (scheme != "s3" or not urlsplit(place).netloc):
        raise SettingsError(
            f"{_PLACE} must be a folder, or s3://bucket/prefix for a store that speaks S3; got "
            f"{place!r}."
        )


def _read_days(values: Mapping[str, str]) -> int:
    text = values.get(_DAYS)
    if text is None:
        return DEFAULT_DAYS
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_DAYS:
        raise SettingsError(f"{_DAYS} must be a number from 1 to {_MOST_DAYS}; got {text!r}.")
    return int(text)


def _find_endpoint(values: Mapping[str, str]) -> str | None:
    for name in _ENDPOINTS:
        url = values.get(name)
        if url is None:
            continue
        insecure = values.get("ARCHIVE_MCP_ALLOW_INSECURE", "").lower() in YES
        if problem := find_url_problem(name, url, allow_insecure=insecure):
            raise SettingsError(problem)
        return url.rstrip("/")
    return None


def _find(values: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((values[name] for name in names if name in values), None)
