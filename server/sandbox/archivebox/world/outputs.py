"""What each plugin makes of a page, by the page's fate: status, output and files."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from server.sandbox.archivebox.world.pages import Page


@dataclass(frozen=True)
class Plugin:
    """A plugin of ArchiveBox.

    seconds: how long it takes. legacy: where its output lay before 0.9; None where the plugin did
    not exist.
    """

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


# In the order in which ArchiveBox runs them, which is the number in the name of the hook.
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
PLUGINS_BY_NAME = {plugin.name: plugin for plugin in PLUGINS}

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
    {"wget": "4"},
)
# Plugins that read what others stored: without it they have nothing to do, which is no failure.
_WITHOUT_HTML = {
    "readability": Outcome("noresults", "No HTML source found"),
    "htmltotext": Outcome("noresults", "No HTML source found"),
    "parse_html_urls": Outcome("noresults", "No HTML source found"),
}
# Plugins that need a browser with the page in it.
_BLOCKED = {
    "singlefile": Outcome("failed", _CHALLENGE),
    "screenshot": Outcome("failed", _CHALLENGE),
    "pdf": Outcome("failed", _CHALLENGE),
    "dom": Outcome("failed", _CHALLENGE),
    "title": Outcome("noresults", ""),
}
# How wget ends, by the page's fate: its exit code, and what 0.8.5 makes of it.
_WGET_ENDS = {
    "blocked": ("8", "403 Forbidden (try changing WGET_USER_AGENT)"),
    "missing": ("8", "404 Not Found"),
    "unreachable": ("4", "Wget failed or got an error from the server"),
}
# What comes of a site without an icon; 0.8.5 asks a service for one.
_WITHOUT_FAVICON = {
    "0.9.73": Outcome("noresults", "No favicon found"),
    "0.9.74": Outcome("noresults", "No favicon found"),
    "0.9.31": Outcome("failed", "No favicon found"),
    "0.8.5": Outcome("succeeded", "favicon/favicon.ico", _FILES["favicon"]),
}
_WGET_LOG = "on_Snapshot__06_wget.finite.bg.01a224bf5961-c952f4c0bc374cc98810.stderr.log"


def run_on(page: Page, plugin: str, version: str) -> Outcome:
    """Return how the plugin of a release fares on the page."""
    if (outcome := _run_bookkeeping(page, plugin, version)) is not None:
        return outcome
    if page.fate == "good":
        return _succeed(page, plugin)
    if page.fate != "partial":
        return _fail(page, plugin, version)
    reasons = _PARTIAL[(page.bits >> 30) % len(_PARTIAL)]
    if plugin not in reasons:
        return _succeed(page, plugin)
    if plugin == "wget":
        return _fail_wget(page, reasons[plugin], _WGET_ENDS["unreachable"][1], version)
    return Outcome("failed", reasons[plugin])


def _run_bookkeeping(page: Page, plugin: str, version: str) -> Outcome | None:
    """Return how a plugin fares that does not depend on the page's fate; None for others."""
    # A quarter of the pages has a skipped result, which is neither a success nor a failure.
    if plugin == "pdf" and page.bits >> 33 & 3 == 0:
        return Outcome("skipped", "PDF_ENABLED=False")
    # Of the default plugins this one succeeds for every page, a dead host's too.
    if plugin == "hashes":
        return Outcome("succeeded", f"0.0MB {page.bits & 0xFFFFFFFFFFFF:012x}", _FILES[plugin])
    if plugin == "favicon" and not has_favicon(page):
        return _WITHOUT_FAVICON[version]
    return None


def has_favicon(page: Page) -> bool:
    """Return whether the page's site has an icon, as two of three have."""
    return keeps_text(page) and page.bits >> 48 & 3 != 0


def extract_title(page: Page) -> str | None:
    """Return the title that archiving the page finds out; None if the page was not reached."""
    if page.fate == "missing":
        return "Page not found"
    return page.title if keeps_text(page) else None


def keeps_text(page: Page) -> bool:
    """Return whether any plugin keeps the page's own text."""
    return page.fate in ("good", "partial")


def locate_wget_file(page: Page) -> str:
    """Return where wget puts the page, below its folder: it adds what the URL lacks."""
    path = urlsplit(page.url).path or "/"
    if path.endswith("/"):
        return f"{page.host}{path}index.html"
    extension = "" if path.endswith((".html", ".htm")) else ".html"
    return f"{page.host}{path}{extension}"


def locate_warc(page: Page) -> str:
    """Return where wget writes down what it was answered, below its folder."""
    return f"warc/{1_700_000_000 + page.bits % 90_000_000}.warc.gz"


def _fail(page: Page, plugin: str, version: str) -> Outcome:
    if plugin in _WITHOUT_HTML:
        return _WITHOUT_HTML[plugin]
    if plugin == "wget":
        return _fail_wget(page, *_WGET_ENDS[page.fate], version)
    if page.fate == "unreachable":
        return Outcome("failed", f"net::ERR_NAME_NOT_RESOLVED at {page.url}")
    # A page that is missing is one for a browser, too: it archives the error page.
    if page.fate == "blocked" and plugin in _BLOCKED:
        return _BLOCKED[plugin]
    return _succeed(page, plugin)


def _fail_wget(page: Page, code: str, old_text: str, version: str) -> Outcome:
    if version == "0.8.5":
        return Outcome("failed", old_text)
    # 0.9.31 takes the log of wget for what it downloaded.
    if version == "0.9.31":
        return Outcome("succeeded", f"wget/{_WGET_LOG}", (_WGET_LOG, locate_warc(page)))
    return Outcome("failed", f"wget failed (exit={code})", (locate_warc(page),))


def _succeed(page: Page, plugin: str) -> Outcome:
    files = _FILES.get(plugin) or (locate_wget_file(page), locate_warc(page))
    # The title is the one output that is not a file for whoever reads the result.
    if plugin == "title":
        return Outcome("succeeded", extract_title(page) or "", files)
    return Outcome("succeeded", f"{plugin}/{files[0]}", files)
