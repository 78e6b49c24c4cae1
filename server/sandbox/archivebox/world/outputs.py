"""What each plugin makes of a page, by the page's fate: status, words and files."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.sandbox.archivebox.world.pages import Page
from server.sandbox.archivebox.world.pages_sites import Fate


@dataclass(frozen=True)
class Plugin:
    """A plugin of ArchiveBox: `legacy` is where its output lay before 0.9 (None: it did not
    exist)."""

    name: str
    hook: str
    binary: str
    seconds: float
    legacy: str | None


@dataclass(frozen=True)
class Outcome:
    """What a plugin reports at its end."""

    status: str
    output: str
    files: tuple[str, ...] = ()


PLUGINS = (
    Plugin("headers", "on_Snapshot__27_headers.daemon.bg.js", "node", 0.2, "headers.json"),
    Plugin("wget", "on_Snapshot__35_wget.finite.bg.py", "wget", 0.6, ""),
    Plugin("favicon", "on_Snapshot__37_favicon.finite.bg.py", "python", 0.3, "favicon.ico"),
    Plugin("singlefile", "on_Snapshot__50_singlefile.py", "single-file", 1.1, "singlefile.html"),
    Plugin("screenshot", "on_Snapshot__51_screenshot.js", "node", 0.5, "screenshot.png"),
    Plugin("pdf", "on_Snapshot__52_pdf.js", "node", 0.5, "output.pdf"),
    Plugin("dom", "on_Snapshot__53_dom.js", "node", 0.3, "output.html"),
    Plugin("title", "on_Snapshot__54_title.js", "node", 0.1, ""),
    Plugin(
        "readability", "on_Snapshot__66_readability.py", "readability-extractor", 0.4, "readability"
    ),
    Plugin("htmltotext", "on_Snapshot__66_htmltotext.py", "python", 0.2, "htmltotext.txt"),
    Plugin("parse_html_urls", "on_Snapshot__70_parse_html_urls.py", "python", 0.1, None),
    Plugin("hashes", "on_Snapshot__93_hashes.py", "python", 0.1, None),
)
NAMES = tuple(plugin.name for plugin in PLUGINS)
READABLE = ("readability", "htmltotext", "singlefile", "dom", "wget")
"""The plugins whose output holds the page's text."""

_FILES = {
    "headers": ("headers.json",),
    "favicon": ("favicon.ico",),
    "singlefile": ("singlefile.html",),
    "screenshot": ("screenshot.png",),
    "pdf": ("output.pdf",),
    "dom": ("output.html",),
    "title": ("title.txt",),
    "readability": ("content.html", "content.txt", "article.json"),
    "htmltotext": ("htmltotext.txt",),
    "parse_html_urls": ("urls.jsonl",),
    "hashes": ("hashes.json",),
}
_TIMEOUT = "TimeoutError: Navigation timeout of 60000 ms exceeded"
_CHALLENGE = "HTTP 403: the site answered with a browser challenge instead of the page"
# Which plugins fail on a page that is archived only in part, by variant.
_PARTIAL: tuple[dict[str, str], ...] = (
    {"screenshot": _TIMEOUT, "pdf": _TIMEOUT},
    {"singlefile": "single-file exited with status 1: Error: net::ERR_CONNECTION_RESET"},
    {"readability": "readability-extractor exited with status 1: no article found in the document"},
    {
        "wget": "wget exited with status 4: Network failure: Read error (Connection timed out) in headers."
    },
)
_NO_HTML = "No HTML source found"
_BROWSER = ("singlefile", "screenshot", "pdf", "dom")
_FETCH = {"blocked": "ERROR 403: Forbidden.", "missing": "ERROR 404: Not Found."}


def outcome(page: Page, plugin: str) -> Outcome:
    """How the plugin fares on the page."""
    if plugin == "pdf" and page.bits >> 33 & 3 == 0:
        return Outcome("skipped", "PDF_ENABLED=False")
    match page.fate:
        case "partial":
            reason = _PARTIAL[(page.bits >> 30) % len(_PARTIAL)].get(plugin)
            return Outcome("failed", reason) if reason else _succeeded(page, plugin)
        case "good":
            return _succeeded(page, plugin)
    return _refused(page, plugin, page.fate)


def found_title(page: Page) -> str | None:
    """The title that archiving the page finds out."""
    if page.fate == "missing":
        return "Page not found"
    return page.title if page.fate in ("good", "partial") else None


def text_is_kept(page: Page) -> bool:
    """Whether any plugin keeps the page's own text."""
    return page.fate in ("good", "partial")


def wget_file(page: Page) -> str:
    """Where wget puts the page, below its folder."""
    path = urlsplit(page.url).path
    if path.endswith("/") or not path:
        return f"{page.host}{path or '/'}index.html"
    return f"{page.host}{path}" if path.endswith((".html", ".htm")) else f"{page.host}{path}.html"


def _refused(page: Page, plugin: str, fate: Fate) -> Outcome:
    if plugin in ("readability", "htmltotext", "parse_html_urls"):
        return Outcome("noresults", _NO_HTML)
    if plugin == "hashes":
        return Outcome("skipped", "Nothing to hash")
    if fate == "unreachable":
        return Outcome("failed", f"net::ERR_NAME_NOT_RESOLVED at {page.url}")
    if plugin == "wget":
        return Outcome("failed", f"wget exited with status 8: {page.url}: {_FETCH[fate]}")
    if plugin in _BROWSER and fate == "blocked":
        return Outcome("failed", _CHALLENGE)
    if plugin == "title" and fate == "blocked":
        return Outcome("noresults", "")
    return _succeeded(page, plugin)


def _succeeded(page: Page, plugin: str) -> Outcome:
    files = (wget_file(page),) if plugin == "wget" else _FILES[plugin]
    output = found_title(page) or "" if plugin == "title" else f"{plugin}/{files[0]}"
    return Outcome("succeeded", output, files)
