"""What counts as saved: which outputs hold a page, and the one verdict of a page that all tools
share.

The names of the plugins of every version stand in `outputs.json`: copies of the page, texts drawn
from a copy, and media that only some pages have. Every other plugin keeps books (hashes, favicon,
headers, lists of links, search): it neither saves a page nor fails one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from server.archivebox.site_answer import SiteAnswer

Json = dict[str, Any]
Outcome = Literal["saved", "partly", "failed", "pending", "unknown"]

_MOST_REASONS = 3
_LONGEST_REASON = 300
_EXIT = re.compile(r"(?:exit(?:ed)?(?: with)?(?: status| code)?|response code)[ =:(]*(\d+)", re.I)
_WGET_EXITS = {
    "2": "wget could not read its own options",
    "3": "a file could not be written",
    "4": "the host could not be reached, or the connection broke off",
    "5": "the site's TLS certificate was not accepted",
    "6": "the site asks for a login",
    "7": "the host does not speak HTTP as expected",
    "8": "the site answered with an error",
}
"""What wget's exit codes mean, from its manual."""
_REFUSALS = ("6", "8")
# What 0.8.5 says of any failure but 403, 404 and 500: a refusal or a dead host.
_ANY_FAILURE = "got an error from the server"
_TIMEOUT = re.compile(r"timed out after [\d.]+ seconds", re.I)
_ERROR_PAGE = re.compile(r"\b(?:[45]\d\d) [A-Z][a-z]|\bERROR [45]\d\d\b")
# Files that the runner of 0.9 leaves beside an output: logs, process numbers, scripts.
_BY_PRODUCT = re.compile(
    r"(?:^|/)(?:on_[A-Z]\w*__[^/]*|stdout|stderr|process|listener|hook|cmd)\.(?:log|pid|sh)$"
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
class _Kinds:
    """The plugins that hold a page, by kind."""

    copies: frozenset[str]
    texts: frozenset[str]
    media: frozenset[str]

    @property
    def holders(self) -> frozenset[str]:
        return self.copies | self.texts | self.media


@cache
def _kinds() -> _Kinds:
    text = files(__package__).joinpath("outputs.json").read_text(encoding="utf-8")
    return _Kinds(**{kind: frozenset(names) for kind, names in json.loads(text).items()})


def copy_plugins() -> frozenset[str]:
    """Return the names of the plugins that copy a page."""
    return _kinds().copies


def plugin_of(result: Json) -> str:
    """Return the name of the plugin that made an output; 0.8.5 calls it an extractor."""
    return str(result.get("plugin") or result.get("extractor") or "")


def judge(page: Json, answer: SiteAnswer | None = None) -> Verdict:
    """Return the verdict of a page with its outputs.

    Args:
        answer: what the site answered, where it was read from the page's files.
    """
    if _is_pending(page):
        return Verdict("pending", reason=f"ArchiveBox has it as {page.get('status')}.")
    newest = _newest(page)
    failures = tuple(_failures(newest))
    held = _holders(newest)
    if not held:
        return Verdict("failed", failures, _why_failed(newest, failures, answer))
    if answer is None and _is_contradicted(newest, held):
        return Verdict("unknown", failures, "wget was refused: the copy may be an error page.")
    if answer is not None and answer.is_error:
        return Verdict("failed", failures, answer.describe())
    lost = tuple(failure for failure in failures if failure["plugin"] in copy_plugins())
    if answer is not None and answer.is_cut:
        return Verdict("partly", lost, answer.describe())
    if lost:
        return Verdict("partly", lost, lost[0]["reason"])
    return Verdict("saved", reason=_remark(newest))


def _is_pending(page: Json) -> bool:
    # 0.8.5 has no status: it archives while it is asked.
    return page.get("status") not in (None, "sealed")


def _holders(newest: dict[str, Json]) -> set[str]:
    return {name for name, result in newest.items() if _holds_page(name, result)}


def needs_answer(page: Json) -> bool:
    """Return whether only the site's own answer tells what the page's outputs are worth, or why
    there are none."""
    if _is_pending(page):
        return False
    newest = _newest(page)
    held = _holders(newest)
    if not held:
        return "wget" in newest
    return "wget" not in newest or _is_contradicted(newest, held)


def failures(page: Json) -> list[Json]:
    """Return why outputs that would hold the page failed: plugin and reason of each."""
    return _failures(_newest(page))


def explain(plugin: str, text: str) -> str:
    """Return the reason of a failure in words for people, without the server's own paths."""
    match = _EXIT.search(text)
    if plugin == "wget" and match and match[1] in _WGET_EXITS and not _ERROR_PAGE.search(text):
        return f"{_WGET_EXITS[match[1]].capitalize()} (wget {match[1]})."
    if timeout := _TIMEOUT.search(text):
        return f"{timeout[0].capitalize()}."
    if _ANY_FAILURE in text:
        return "The host could not be reached, or the site answered with an error."
    plain = _SERVER_PATH.sub("(a file of the server)", " ".join(text.split()))
    return plain[:_LONGEST_REASON] or "It gave no reason."


def _newest(page: Json) -> dict[str, Json]:
    """Return the last output of each plugin: 0.8.5 keeps several of a kind."""
    results = page.get("archiveresults") or []
    in_time = sorted(results, key=lambda result: str(result.get("start_ts") or ""))
    return {plugin_of(result): result for result in in_time}


def _failures(newest: dict[str, Json]) -> list[Json]:
    holders = _kinds().holders
    return [
        {"plugin": name, "reason": explain(name, _text_of(result))}
        for name, result in newest.items()
        if result.get("status") == "failed" and name in holders
    ]


def _text_of(result: Json) -> str:
    return str(result.get("output_str") or result.get("output") or "")


def _holds_page(name: str, result: Json) -> bool:
    if result.get("status") != "succeeded" or name not in _kinds().holders:
        return False
    # 0.9.31 takes the log of wget for what it downloaded, and calls that a success.
    return name != "wget" or not _is_by_product_alone(result)


def _is_by_product_alone(result: Json) -> bool:
    names = result.get("output_files")
    if isinstance(names, dict) and names:
        return all(_is_by_product(name) for name in names)
    return _is_by_product(_text_of(result))


def _is_by_product(name: str) -> bool:
    return name.startswith("warc/") or "/warc/" in name or bool(_BY_PRODUCT.search(name))


def _is_contradicted(newest: dict[str, Json], held: set[str]) -> bool:
    """Return whether wget was refused where a browser got something: the page, or the refusal."""
    wget = newest.get("wget")
    if wget is None or "wget" in held:
        return False
    text = _text_of(wget)
    match = _EXIT.search(text)
    if _ERROR_PAGE.search(text) or _ANY_FAILURE in text:
        return True
    return match is not None and match[1] in _REFUSALS


def _why_failed(
    newest: dict[str, Json], failures: tuple[Json, ...], answer: SiteAnswer | None
) -> str:
    if answer is not None and (answer.is_error or answer.loops):
        return answer.describe()
    if failures:
        return str(failures[0]["reason"])
    if not newest:
        return "There is no output: it was never archived."
    if answer is not None:
        return answer.describe()
    return "No output holds the page: nothing came from its address."


def _remark(newest: dict[str, Json]) -> str | None:
    names = newest.get("wget", {}).get("output_files")
    if not isinstance(names, dict):
        return None
    own = [about for name, about in names.items() if not _is_by_product(name)]
    is_empty = bool(own) and not any((about or {}).get("size", 1) for about in own)
    return "The page is empty." if is_empty else None
