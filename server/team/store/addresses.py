"""The addresses of the team's servers, which hold their passwords."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from server.redaction import learn
from server.settings import Secret, SettingsError

_EXAMPLES = {
    "ARCHIVE_MCP_DATABASE_URL": "postgresql://user:password@host:5432/archive_mcp",
    "ARCHIVE_MCP_REDIS_URL": "redis://:password@host:6379/0",
}
_SCHEMES = {
    "ARCHIVE_MCP_DATABASE_URL": ("postgresql", "postgres"),
    "ARCHIVE_MCP_REDIS_URL": ("redis", "rediss"),
}


def reveal_address(variable: str, secret: Secret | None) -> str:
    """Return the address that a setting holds, and have its password left out of all that is
    written.

    Raises:
        SettingsError: It is missing, or of no such server.
    """
    example = _EXAMPLES[variable]
    if secret is None:
        raise SettingsError(f"{variable} is not set. It looks like {example}")
    url = secret.reveal()
    # The value itself holds a password, so no message repeats it.
    error = SettingsError(f"{variable} is not an address like {example}")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise error from None
    needs_name = variable == "ARCHIVE_MCP_DATABASE_URL" and len(parts.path) < 2
    if parts.scheme not in _SCHEMES[variable] or not parts.hostname or needs_name:
        raise error
    learn(url, unquote(parts.password or ""))
    return url
