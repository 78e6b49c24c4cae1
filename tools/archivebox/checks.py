"""What is checked here because servers take it silently: not every version refuses an address that
is none."""

from __future__ import annotations

from urllib.parse import urlsplit

from server.errors import Code, Failure


def http_url(url: str) -> None:
    """Refuse whatever is not an http(s) URL with a host: some versions would archive
    `file:///etc/passwd`.

    Raises:
        Failure: `INVALID_ARGUMENT`.
    """
    try:
        parts = urlsplit(url.strip())
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid or any(each.isspace() for each in url.strip()):
        raise Failure(
            Code.INVALID_ARGUMENT,
            f"{url!r} is not a web address.",
            "Write it in full, with http:// or https://.",
        )
