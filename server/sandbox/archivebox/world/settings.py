"""The configuration that ArchiveBox 0.9.73 freezes into every crawl: 195 keys, about 10 kB, secrets
among them."""

from __future__ import annotations

from typing import Any

MASK = "********"
SECRET_KEYS = ("TWOCAPTCHA_API_KEY", "S3_SECRET_ACCESS_KEY")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
_PLUGINS = (
    "ACCESSIBILITY", "ARCHIVEDOTORG", "CHROME", "CONSOLELOG", "DEFUDDLE", "DNS", "DOM", "FAVICON", "FORUMDL",
    "GALLERYDL", "GIT", "HASHES", "HEADERS", "HTMLTOTEXT", "INFINISCROLL", "MEDIA", "MERCURY", "MODALCLOSER",
    "PAPERSDL", "PARSE_HTML_URLS", "PDF", "READABILITY", "REDIRECTS", "RESPONSES", "SCREENSHOT", "SEO", "SINGLEFILE",
    "SSL", "STATICFILE", "TITLE", "TRAFILATURA", "WGET", "YTDLP",
)  # fmt: skip
_GENERAL: dict[str, Any] = {
    "ADMIN_BASE_URL": "", "ALLOWED_HOSTS": "*", "BASE_URL": "http://archivebox.localhost:5797",
    "CHECK_SSL_VALIDITY": True, "COOKIES_FILE": "", "CRAWL_MAX_CONCURRENT_SNAPSHOTS": 4, "CRAWL_MAX_SIZE": 0,
    "CRAWL_MAX_URLS": 0, "CRAWL_TIMEOUT": 0,
    "CSRF_TRUSTED_ORIGINS": "", "DELETE_AFTER": "", "FOOTER_INFO": "Content is hosted for personal archiving only.",
    "INDEX_ONLY": False, "LDAP_ENABLED": False, "MAX_URL_ATTEMPTS": 50, "ONLY_NEW": True, "OUTPUT_PERMISSIONS": "644",
    "PARSER": "auto", "PERMISSIONS": "public", "PLUGINS": "", "PUBLIC_ADD_VIEW": False, "PUBLIC_INDEX": True,
    "RESOLUTION": "1440,2000", "S3_SECRET_ACCESS_KEY": "", "SEARCH_BACKEND_ENGINE": "sqlite", "SHOW_PROGRESS": False,
    "TIMEOUT": 60, "TWOCAPTCHA_API_KEY": "sandbox-captcha-secret", "USER_AGENT": _AGENT, "USE_COLOR": False,
}  # fmt: skip


def frozen(overrides: dict[str, Any]) -> dict[str, Any]:
    """The whole configuration of a crawl, with what was overridden for it."""
    found: dict[str, Any] = dict(_GENERAL)
    for name in _PLUGINS:
        command = {"WGET": "wget", "GIT": "git", "YTDLP": "yt-dlp"}.get(name, "node")
        found[f"{name}_ENABLED"] = name not in ("ARCHIVEDOTORG", "GALLERYDL", "PAPERSDL")
        found[f"{name}_TIMEOUT"] = 60
        found[f"{name}_BINARY"] = f"/opt/archivebox/lib/bin/{command}"
        found[f"{name}_ARGS"] = [
            "--no-progress",
            f"--user-agent={_AGENT[:24]}",
            "--timeout=60",
            "--retries=2",
        ]
        found[f"{name}_MAX_SIZE"] = "750m"
    return {**found, **overrides}


def masked(config: dict[str, Any]) -> dict[str, Any]:
    """The configuration without its secrets; an empty secret stays visibly empty."""
    return {key: MASK if _is_secret(key) and value else value for key, value in config.items()}


def _is_secret(key: str) -> bool:
    return key in SECRET_KEYS or key.endswith(("_TOKEN", "_PASSWORD", "_SECRET", "_API_KEY"))
