"""Which addresses may be served, and which names requests may use for them."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Scope

from server.http.urls import is_loopback
from server.settings import SettingsError
from server.team.settings import TeamSettings, is_open

_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def check_start(settings: TeamSettings, *, sandbox: bool) -> None:
    """Refuse what would let others in, or listen in.

    Raises:
        SettingsError: says what to set.
    """
    _check_address(settings.host)
    if (settings.certificate is None) != (settings.certificate_key is None):
        raise SettingsError(
            "ARCHIVE_MCP_TLS_CERTIFICATE and ARCHIVE_MCP_TLS_KEY belong together: set both."
        )
    if settings.policy is None and (is_open(settings) or not sandbox):
        raise SettingsError(
            "Nobody can sign in: set ARCHIVE_MCP_POLICY to the file that says who may do what "
            "(docs/team.md has one to start with). To try it without one, on this computer alone: "
            "--sandbox."
        )
    if is_open(settings):
        _check_open(settings)
    _check_processes(settings)


def _check_address(host: str) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise SettingsError(
                f"--host must be an address of this computer, such as 127.0.0.1 or 0.0.0.0; got "
                f"{host!r}."
            ) from None


def _check_open(settings: TeamSettings) -> None:
    if settings.certificate is None and not settings.trusted_proxies:
        raise SettingsError(
            f"{settings.host} can be reached from other computers, and without TLS everybody on "
            "the way reads the tokens: set ARCHIVE_MCP_TLS_CERTIFICATE and ARCHIVE_MCP_TLS_KEY, or "
            "ARCHIVE_MCP_TRUSTED_PROXIES to the address of the proxy that TLS ends at."
        )
    if settings.public_url is None and not settings.allowed_hosts:
        raise SettingsError(
            "Set ARCHIVE_MCP_PUBLIC_URL to the address that people's clients use, such as "
            "https://archive-mcp.example.com: requests for other names are refused."
        )
    is_plain = settings.public_url is not None and settings.public_url.startswith("http://")
    if is_plain:
        raise SettingsError(
            "ARCHIVE_MCP_PUBLIC_URL must begin with https://: other computers use it."
        )


def _check_processes(settings: TeamSettings) -> None:
    if settings.database_url is not None and not settings.state_keys:
        raise SettingsError(
            "ARCHIVE_MCP_DATABASE_URL needs ARCHIVE_MCP_STATE_KEYS, the same on every server and "
            "worker: make one with `openssl rand -base64 32`."
        )
    if settings.workers > 1 and settings.database_url is None:
        raise SettingsError(
            "More than one worker needs ARCHIVE_MCP_DATABASE_URL: without a database what one "
            "worker remembers of a person the others do not know."
        )


def needs_proxy(settings: TeamSettings, scope: Scope) -> bool:
    """Return whether a request had to come through the proxy that TLS ends at, and did not.

    uvicorn takes the scheme from the header X-Forwarded-Proto of the trusted proxies alone.
    """
    if settings.certificate is not None or not settings.trusted_proxies:
        return False
    if scope["scheme"] == "https":
        return False
    # Whoever works on this computer needs no proxy.
    host = Headers(scope=scope).get("host", "")
    return not (is_loopback(settings.host) and host.rpartition(":")[0] in _LOOPBACK_NAMES)


def list_names(settings: TeamSettings) -> tuple[list[str], list[str]]:
    """Return the hosts and the origins that requests may carry; all others are refused."""
    hosts, origins = set(settings.allowed_hosts), set(settings.allowed_origins)
    if settings.public_url is not None:
        parts = urlsplit(settings.public_url)
        hosts.add(parts.netloc.lower())
        origins.add(f"{parts.scheme}://{parts.netloc.lower()}")
    if is_loopback(settings.host):
        names = [f"{name}:{settings.port}" for name in _LOOPBACK_NAMES]
        hosts.update(names)
        origins.update(f"{settings.scheme}://{name}" for name in names)
    return sorted(hosts), sorted(origins)
