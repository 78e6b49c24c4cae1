"""What counts as saved: which outputs hold a page, and the one verdict of a page that all tools
share.

The names of the plugins of every version stand in `verdict.json`: copies of the page, texts drawn
from a copy, and media that only some pages have. Every other plugin keeps books (hashes, favicon,
headers, lists of links, search): it neither saves a page nor fails one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain
from operator import attrgetter, methodcaller
from typing import Any, Literal

from server.archivebox.api import ArchiveBoxApi
from server.archivebox.site_answer import UNKNOWN, SiteAnswer, is_page, read_site_answer

Json = dict[str, Any]
Outcome = Literal["saved", "partly", "failed", "pending", "unknown"]

_LONGEST_REASON = 300
_WGET_EXIT = re.compile(r"(?:exit=|status |code: ?)([2-8])\b")
_WGET_EXITS = {
    "2": "Wget could not read its own options",
    "3": "A file could not be written",
    "4": "The host could not be reached, or the connection broke off",
    "5": "The site's TLS certificate was not accepted",
    "6": "The site asks for a login",
    "7": "The host does not speak HTTP as expected",
    "8": "The site answered with an error",
}
"""What wget's exit codes mean, from its manual."""
_TIMEOUT = re.compile(r"timed out after [\d.]+ seconds", re.I)
# What 0.8.5 says of any failure but 403, 404 and 500.
_ANY_FAILURE = re.compile(r"got an error from the server")
# What htmltotext of 0.8.5 says of a copy without a byte.
_NO_HTML = re.compile(r"could not find HTML to parse")
# Exit codes 6 and 8, a status line, or what may be one.
_REFUSED = re.compile(
    r"(?:exit=|status |code: ?)[68]\b|\b[45]\d\d [A-Z][a-z]|\bERROR [45]\d\d\b"
    rf"|{_ANY_FAILURE.pattern}"
)
_SERVER_PATH = re.compile(r"(?<![\w:/.])/(?:[\w.+@-]+/)+[\w.+@-]*")


@dataclass(frozen=True)
class Verdict:
    """Whether a page is saved.

    saved: a copy of it is there. partly: one is there, and another failed. failed: ArchiveBox is
    done and nothing holds the page. pending: ArchiveBox works on it. unknown: what is there may be
    an error page. `failures` are plugin and reason of each copy that failed.
    """

    outcome: Outcome
    failures: tuple[Json, ...] = ()
    reason: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the page can be read."""
        return self.outcome in ("saved", "partly")


@dataclass(frozen=True)
class _Output:
    """The last output of one plugin."""

    plugin: str
    status: str
    text: str
    files: Json

    @property
    def holds_page(self) -> bool:
        """Whether the page can be read from it."""
        if self.status != "succeeded":
            return False
        # 0.9.31 takes the log of wget for what it downloaded, and calls that a success.
        if self.plugin == "wget":
            return any(map(is_page, self.files or [self.text]))
        return self.plugin in _list_plugins(*_KINDS)

    @property
    def has_warc(self) -> bool:
        """Whether what the site answered was stored with it."""
        return any(map(methodcaller("startswith", "warc/"), self.files))

    def describe_failure(self) -> Json:
        """Return plugin and reason."""
        return {"plugin": self.plugin, "reason": explain(self.plugin, self.text)}

    @property
    def is_empty(self) -> bool:
        """Whether all that was stored of the page has no bytes."""
        own = map(self.files.__getitem__, filter(is_page, self.files))
        return set(map(methodcaller("get", "size"), own)) == {0}


@dataclass(frozen=True)
class _Outputs:
    """What there is of a page, by plugin."""

    newest: dict[str, _Output]

    @classmethod
    def read(cls, page: Json) -> _Outputs:
        """Return the last output of each plugin: 0.8.5 keeps several of a kind."""
        results = page.get("archiveresults") or []
        in_time = sorted(results, key=lambda result: str(result.get("start_ts")))
        return cls({plugin_of(result): _read_output(result) for result in in_time})

    @property
    def wget(self) -> _Output:
        """What wget left."""
        return self.newest.get("wget", _NO_OUTPUT)

    @property
    def held(self) -> bool:
        """Whether any output holds the page."""
        holders = set(map(attrgetter("plugin"), filter(_HOLDS_PAGE, self.newest.values())))
        return bool(holders - ({"dom"} if self._has_empty_dom else set()))

    @property
    def _has_empty_dom(self) -> bool:
        """Whether the DOM that 0.8.5 calls a success is a file without a byte: its browser writes
        one for an address where it got no page.

        Its htmltotext says so: it reads the first copy there is, and this one comes last.
        """
        text = self.newest.get("htmltotext", _NO_OUTPUT)
        before = map(self.newest.get, ("singlefile", "wget"))
        has_other = any(map(_HOLDS_PAGE, filter(None, before)))
        return not has_other and text.status == "failed" and bool(_NO_HTML.search(text.text))

    @property
    def is_contradicted(self) -> bool:
        """Whether wget was refused where a browser got something: the page, or the refusal."""
        return not self.wget.holds_page and bool(_REFUSED.search(self.wget.text))

    @property
    def is_empty(self) -> bool:
        """Whether wget stored a page without a byte."""
        return self.wget.is_empty

    def list_failures(self, *kinds: str) -> tuple[Json, ...]:
        """Return plugin and reason of each failed output of these kinds."""
        plugins = _list_plugins(*kinds)
        failed = filter(lambda output: output.status == "failed", self.newest.values())
        holders = filter(lambda output: output.plugin in plugins, failed)
        return tuple(map(_Output.describe_failure, holders))


_HOLDS_PAGE = attrgetter("holds_page")
_KINDS = ("copies", "texts", "media")
_NO_OUTPUT = _Output("", "", "", {})


@cache
def _list_plugins(*kinds: str) -> frozenset[str]:
    text = files(__package__).joinpath("verdict.json").read_text(encoding="utf-8")
    plugins = json.loads(text)
    return frozenset(chain.from_iterable(map(plugins.get, kinds)))


def copy_plugins() -> frozenset[str]:
    """Return the names of the plugins that copy a page."""
    return _list_plugins("copies")


def plugin_of(result: Json) -> str:
    """Return the name of the plugin that made an output; 0.8.5 calls it an extractor."""
    return str(result.get("plugin", result.get("extractor")))


def judge(page: Json, answer: SiteAnswer = UNKNOWN) -> Verdict:
    """Return the verdict of a page with its outputs.

    Args:
        answer: what the site answered, where it was read from the page's files.
    """
    if _is_pending(page):
        return Verdict("pending", reason=f"ArchiveBox has it as {page.get('status')}.")
    outputs = _Outputs.read(page)
    failures = outputs.list_failures(*_KINDS)
    if not outputs.held:
        return Verdict("failed", failures, _why_failed(outputs, failures, answer))
    # Some sites answer to a question for the headers alone with an error.
    if answer.is_error and not outputs.wget.holds_page:
        return Verdict("failed", failures, answer.describe())
    if outputs.is_contradicted and not answer.is_known:
        return Verdict("unknown", failures, "wget was refused: the copy may be an error page.")
    lost = outputs.list_failures("copies")
    if answer.is_cut:
        return Verdict("partly", lost, answer.describe())
    if lost:
        return Verdict("partly", lost, lost[0]["reason"])
    return Verdict("saved", reason="The page is empty." if outputs.is_empty else None)


def needs_answer(page: Json) -> bool:
    """Return whether the site's own answer tells more: whether it is an error page, broke off, or
    why there is nothing."""
    if _is_pending(page):
        return False
    outputs = _Outputs.read(page)
    # Wget keeps no error page, and keeps what breaks off on its way.
    if outputs.wget.holds_page:
        return outputs.wget.has_warc
    # A browser archives an error page like any other.
    return outputs.held or "wget" in outputs.newest


async def read_verdict(api: ArchiveBoxApi, page: Json) -> Verdict:
    """Return the verdict of a page, with what the site answered where only that tells."""
    if not needs_answer(page):
        return judge(page)
    return judge(page, await read_site_answer(api, page))


def explain(plugin: str, text: str) -> str:
    """Return the reason of a failure in words for people, without the server's own paths."""
    match = _WGET_EXIT.search(text)
    if plugin == "wget" and match:
        return f"{_WGET_EXITS[match[1]]} (wget {match[1]})."
    if timeout := _TIMEOUT.search(text):
        return f"{timeout[0].capitalize()}."
    if _ANY_FAILURE.search(text):
        return "The host could not be reached, or the site answered with an error."
    plain = _SERVER_PATH.sub("(a file of the server)", " ".join(text.split()))
    return plain[:_LONGEST_REASON] or "It gave no reason."


def _is_pending(page: Json) -> bool:
    # 0.8.5 has no status: it archives while it is asked.
    return page.get("status") not in (None, "sealed")


def _read_output(result: Json) -> _Output:
    names = result.get("output_files")
    return _Output(
        plugin_of(result),
        str(result.get("status")),
        str(result.get("output_str", result.get("output"))),
        names if isinstance(names, dict) else {},
    )


def _why_failed(outputs: _Outputs, failures: tuple[Json, ...], answer: SiteAnswer) -> str:
    if answer.is_error:
        return answer.describe()
    if failures:
        # Wget says why it got nothing, a browser of 0.8.5 only that its file is not there.
        first = min(failures, key=lambda failure: failure["plugin"] != "wget")
        return str(first["reason"])
    if not outputs.newest:
        return "There is no output: it was never archived."
    return answer.describe()
