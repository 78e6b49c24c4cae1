"""The settings of a server for a team, from the environment."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from server.http.urls import find_url_problem, is_loopback
from server.settings import Secret, SettingsError
from server.settings.values import Reader
from server.team.files.settings import SECRET, FileSettings, load_files

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_PORT = 8765
PATH = "/mcp"
"""Where clients send their messages."""
_KEY_BYTES = 32
# Variables whose value may stand in a file instead, as containers hand secrets over.
_IN_FILES = (
    "ARCHIVE_MCP_STATE_KEYS",
    "ARCHIVE_MCP_DATABASE_URL",
    "ARCHIVE_MCP_REDIS_URL",
    SECRET,
)


@dataclass(frozen=True)
class Limits:
    """What one process takes on at once.

    Args:
        body: bytes of a request.
        requests: requests under way in the process.
        requests_each: requests under way of one person.
        people: people whose connections are kept open.
        idle_seconds: how long a person's connections are kept after their last call.
        body_seconds: how long a client may take to send a request.
        stop_seconds: how long calls under way may take when the server stops.
    """

    body: int = 4 * 2**20
    requests: int = 400
    requests_each: int = 32
    people: int = 500
    idle_seconds: int = 900
    body_seconds: int = 15
    stop_seconds: int = 50


@dataclass(frozen=True)
class OidcSettings:
    """The issuer of the tokens that people sign in with.

    Args:
        audience: what a token has to be made for.
        scopes: what a token has to allow.
        keys_url: where the issuer's keys are; by default its own metadata says so.
        groups_claim: the claim that names the groups of a person.
    """

    issuer: str
    audience: str
    scopes: tuple[str, ...] = ()
    keys_url: str | None = None
    groups_claim: str = "groups"


@dataclass(frozen=True)
class TeamSettings:
    """What a server for a team runs with.

    Args:
        public_url: the address that people's clients use, without the path.
        state_keys: seal what travels through clients and what is stored; the first one seals.
        metrics: where Prometheus reads the figures: host and port.
        logs_json: whether each log line is a JSON object.
        trusted_proxies: the proxies that TLS ends at, and whose word on addresses counts.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    workers: int = 1
    public_url: str | None = None
    policy: Path | None = None
    state_keys: tuple[bytes, ...] = ()
    database_url: Secret | None = None
    redis_url: Secret | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    trusted_proxies: tuple[Network, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    oidc: OidcSettings | None = None
    files: FileSettings = field(default_factory=FileSettings)
    metrics: tuple[str, int] | None = None
    logs_json: bool = False
    limits: Limits = Limits()

    @property
    def scheme(self) -> str:
        """Return the scheme of the address that this process itself serves."""
        return "https" if self.certificate else "http"

    @property
    def address(self) -> str:
        """Return the address that people's clients use, without the path."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"{self.scheme}://{host}:{self.port}"

    @property
    def resource(self) -> str:
        """Return the address that tokens are made for and that clients connect to."""
        return f"{self.address}{PATH}"


def load_team(
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    port: int | None = None,
    workers: int | None = None,
) -> TeamSettings:
    """Return the settings that result from the environment; arguments rank above it.

    Raises:
        SettingsError: A value cannot be used.
    """
    values = {name: text.strip() for name, text in environment.items() if text.strip()}
    for name in _IN_FILES:
        _read_file(values, name)
    read = Reader(values, dict.fromkeys(values, "environment"))
    public_url = _read_url(values, "ARCHIVE_MCP_PUBLIC_URL")
    settings = TeamSettings(
        host=host or values.get("ARCHIVE_MCP_HTTP_HOST", "127.0.0.1"),
        port=_choose(port, values, "ARCHIVE_MCP_HTTP_PORT", DEFAULT_PORT, 65_535),
        workers=_choose(workers, values, "ARCHIVE_MCP_HTTP_WORKERS", 1, 64),
        public_url=public_url,
        policy=read.path("ARCHIVE_MCP_POLICY"),
        state_keys=_read_keys(values),
        database_url=read.password("ARCHIVE_MCP_DATABASE_URL"),
        redis_url=read.password("ARCHIVE_MCP_REDIS_URL"),
        certificate=read.path("ARCHIVE_MCP_TLS_CERTIFICATE"),
        certificate_key=read.path("ARCHIVE_MCP_TLS_KEY"),
        trusted_proxies=_read_networks(read.names("ARCHIVE_MCP_TRUSTED_PROXIES")),
        allowed_hosts=read.names("ARCHIVE_MCP_ALLOWED_HOSTS"),
        allowed_origins=read.names("ARCHIVE_MCP_ALLOWED_ORIGINS"),
        files=load_files(values),
        metrics=_read_address(values, "ARCHIVE_MCP_METRICS"),
        logs_json=read.choice("ARCHIVE_MCP_LOG_FORMAT", ("text", "json"), "text") == "json",
        limits=_read_limits(values),
    )
    return _with_oidc(settings, values, read)


def _with_oidc(settings: TeamSettings, values: Mapping[str, str], read: Reader) -> TeamSettings:
    from dataclasses import replace

    issuer = _read_url(values, "ARCHIVE_MCP_OIDC_ISSUER")
    if issuer is None:
        return settings
    # Without a fixed address tokens made for anybody's server of that name would do.
    audience = values.get("ARCHIVE_MCP_OIDC_AUDIENCE") or (
        settings.resource if settings.public_url else None
    )
    if audience is None:
        raise SettingsError(
            "ARCHIVE_MCP_OIDC_ISSUER needs ARCHIVE_MCP_PUBLIC_URL (the address that clients use) "
            "or ARCHIVE_MCP_OIDC_AUDIENCE: it decides which tokens are made for this server."
        )
    oidc = OidcSettings(
        # As the issuer writes it: tokens are compared letter by letter.
        values["ARCHIVE_MCP_OIDC_ISSUER"],
        audience,
        read.names("ARCHIVE_MCP_OIDC_SCOPES"),
        _read_url(values, "ARCHIVE_MCP_OIDC_KEYS_URL"),
        values.get("ARCHIVE_MCP_OIDC_GROUPS_CLAIM", "groups"),
    )
    return replace(settings, oidc=oidc)


def _read_file(values: dict[str, str], name: str) -> None:
    """Put the content of the file that `NAME_FILE` names in the place of the variable."""
    path = values.get(f"{name}_FILE")
    if path is None:
        return
    if name in values:
        raise SettingsError(f"{name} and {name}_FILE are both set: set one of them.")
    try:
        values[name] = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise SettingsError(f"{name}_FILE: {path} cannot be read: {reason}.") from None


def _read_url(values: Mapping[str, str], name: str) -> str | None:
    """Return an address without a slash at its end.

    Raises:
        SettingsError: It is no https address; http is for this computer alone.
    """
    url = values.get(name)
    if url is None:
        return None
    if problem := find_url_problem(name, url, allow_insecure=False):
        raise SettingsError(problem.replace(" or set ARCHIVE_MCP_ALLOW_INSECURE=1 if", " since"))
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise SettingsError(f"{name} must be an address without ? and #.")
    return url.rstrip("/")


def _choose(
    option: int | None, values: Mapping[str, str], name: str, default: int, most: int
) -> int:
    return option if option is not None else _read_number(values, name, default, most)


def _read_number(values: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = values.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a number from 1 to {most}; got {text!r}.")
    return int(text)


def _read_address(values: Mapping[str, str], name: str) -> tuple[str, int] | None:
    """Return the host and the port of an address such as `127.0.0.1:9465`; a port alone is that of
    this computer."""
    text = values.get(name)
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise SettingsError(f"{name} must be a host and a port, such as 127.0.0.1:9465.")
    return host.strip("[]") or "127.0.0.1", int(port)


def _read_limits(values: Mapping[str, str]) -> Limits:
    usual = Limits()
    return Limits(
        body=_read_number(values, "ARCHIVE_MCP_MOST_BYTES", usual.body, 64 * 2**20),
        requests=_read_number(values, "ARCHIVE_MCP_MOST_REQUESTS", usual.requests, 100_000),
        requests_each=_read_number(
            values, "ARCHIVE_MCP_MOST_REQUESTS_EACH", usual.requests_each, 10_000
        ),
        people=_read_number(values, "ARCHIVE_MCP_MOST_PEOPLE", usual.people, 100_000),
        idle_seconds=_read_number(values, "ARCHIVE_MCP_IDLE_SECONDS", usual.idle_seconds, 86_400),
        body_seconds=_read_number(values, "ARCHIVE_MCP_BODY_SECONDS", usual.body_seconds, 600),
        stop_seconds=_read_number(values, "ARCHIVE_MCP_STOP_SECONDS", usual.stop_seconds, 3600),
    )


def _read_keys(values: Mapping[str, str]) -> tuple[bytes, ...]:
    parts = filter(None, map(str.strip, values.get("ARCHIVE_MCP_STATE_KEYS", "").split(",")))
    return tuple(map(_read_key, parts))


def _read_key(text: str) -> bytes:
    # The message does not quote it: a key is a secret.
    error = SettingsError(
        f"ARCHIVE_MCP_STATE_KEYS: each key must be {_KEY_BYTES} random bytes in base64, such as "
        "`openssl rand -base64 32` prints. The first one seals; older ones after it, separated by "
        "commas, still open."
    )
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise error from None
    if len(key) < _KEY_BYTES or len(set(key)) < _KEY_BYTES // 4:
        raise error
    return key


def _read_networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(name) for name in names)
    except ValueError:
        raise SettingsError(
            "ARCHIVE_MCP_TRUSTED_PROXIES must be addresses or networks of your proxies, such as "
            f"10.0.0.5 or 10.0.0.0/24; got {', '.join(names)}."
        ) from None


def is_open(settings: TeamSettings) -> bool:
    """Return whether other computers can reach the address that is served."""
    return not is_loopback(settings.host)
