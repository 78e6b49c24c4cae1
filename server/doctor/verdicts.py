"""From what the API answered to what that says about an assumption: no requests, and nothing beyond
the evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from server.archive.failures import decode
from server.doctor.report import Finding, Outcome, excerpt
from server.errors import Failure
from server.http.transport import Reply
from server.limiter.budget import read_budget

REPORT_IT = "The API behaves differently than assumed: please report this line to the makers of archive-mcp."
COMPARE_IT = "Open that post in Archive and compare the value shown there, before you add up any."

_RESET = re.compile(r";\s*t=\"?(\d+(?:\.\d+)?)")
_EPOCH = 1e9
_CLOCKS_APART = 120.0
_PAGE_CREDITS = (
    30.0,
    275.0,
)  # half of the documented 60, and half as much again as the documented 183

Unit = Literal["cents", "dollars"]
_DOLLARS_EACH = {"views": (0.001, 0.3), "likes": (0.02, 5.0)}
"""What a view or a like is worth at all, in dollars: from a cheap advertisement to an expensive
one, and beyond."""

Record = Mapping[str, Any]
Spent = tuple[float, float] | None


def records_of(connection: Any) -> list[Record]:
    """The records of a connection; none where there is no connection."""
    nodes = connection.get("nodes") if isinstance(connection, dict) else None
    return [each for each in nodes if isinstance(each, dict)] if isinstance(nodes, list) else []


def credit_headers(headers: Mapping[str, str]) -> Finding:
    """Whether both headers are there and make sense together."""
    raw = {name: headers.get(name) for name in ("ratelimit-policy", "ratelimit")}
    evidence = ", ".join(
        f"{name}: {excerpt(value) if value else 'missing'}" for name, value in raw.items()
    )
    reading = read_budget(headers)
    sound = (
        reading.policy is not None
        and reading.left is not None
        and reading.left <= reading.policy.burst
    )
    return judged("credit-headers", sound, evidence)


def credit_reset(headers: Mapping[str, str], now: float) -> Finding:
    """Whether `t` is the time at which the bucket is full; `now` is unix time in seconds."""
    found = _RESET.search(headers.get("ratelimit", ""))
    reading = read_budget(headers)
    if found is None or reading.policy is None or reading.left is None:
        return Finding("credit-reset", "unknown", "the headers name no time")
    stated, full = (
        float(found[1]),
        now + (reading.policy.burst - reading.left) / reading.policy.refill,
    )
    if stated < _EPOCH:
        return judged(
            "credit-reset", False, f"t={found[1]} is no unix time; perhaps seconds from now"
        )
    if abs(stated - full) > _CLOCKS_APART:
        return Finding(
            "credit-reset",
            "unknown",
            f"t is a unix time, {stated - full:+.0f} s off by the clock of this machine",
        )
    return judged(
        "credit-reset", True, f"t={found[1]}; by this machine's clock it is full at {full:.0f}"
    )


def page_cost(spent: Spent, records: int) -> Finding:
    """Whether a page of 100 items took about what the docs say."""
    if spent is None:
        return Finding("page-cost", "unknown", "the answers name no credits")
    least, most = spent
    evidence = f"{_range(spent)} credits for {records} items; others may have been spending too"
    if records < 100:
        return Finding("page-cost", "unknown", f"no full page: {evidence}")
    low, high = _PAGE_CREDITS
    if low <= least and most <= high:
        return judged("page-cost", True, evidence)
    if most < low or least > high:
        return judged("page-cost", False, evidence)
    return Finding("page-cost", "unknown", f"too coarse to tell: {evidence}")


def alias_cost(once: Spent, five_times: Spent) -> Finding:
    """Whether five fields took about five times the credits of one."""
    if once is None or five_times is None:
        return Finding("alias-cost", "unknown", "the answers name no credits")
    evidence = f"once {_range(once)} credits, five times {_range(five_times)}; others may have been spending too"
    if five_times[0] >= 3 * once[1]:
        return judged("alias-cost", True, evidence)
    if five_times[1] < 2 * once[0]:
        return judged("alias-cost", False, evidence)
    return Finding("alias-cost", "unknown", f"too coarse to tell: {evidence}")


def big_numbers(records: Sequence[Record]) -> Finding:
    """Whether metrics come as text."""
    values = [
        value for each in records for value in _engagement(each).values() if value is not None
    ]
    if not values:
        return Finding("big-numbers", "unknown", "no metric on the page")
    texts = sum(isinstance(value, str) for value in values)
    return judged(
        "big-numbers", texts == len(values), f"{texts} of {len(values)} metrics came as text"
    )


def sorting(records: Sequence[Record]) -> Finding:
    """Whether a page asked for by falling earned media value falls."""
    values = [value for each in records if (value := _number(each, "earnedMediaValue")) is not None]
    if len(values) < 2:
        return Finding("sorting", "unknown", "fewer than two posts with a value")
    falls = all(before >= after for before, after in pairwise(values))
    return judged("sorting", falls, f"{len(values)} values from {values[0]:,} to {values[-1]:,}")


def emv_unit(records: Sequence[Record]) -> Finding:
    """Which unit the values look like. Never more than a hint: only a look at the same post in
    Archive can tell."""
    for metric, limits in _DOLLARS_EACH.items():
        counted = [
            (value, count)
            for each in records
            if (value := _number(each, "earnedMediaValue")) and (count := _number(each, metric))
        ]
        if counted:
            ratio = sum(value for value, _ in counted) / sum(count for _, count in counted)
            return _looks_like(records, metric, limits, ratio, len(counted))
    return Finding(
        "emv-cents",
        "unknown",
        "cannot tell: no post on the page has both a value and views or likes",
    )


def refusal(id: str, payload: Mapping[str, Any], words: Sequence[str]) -> Finding:
    """Whether a query was refused, and for the reason that was expected: `words` has one that the
    message must hold."""
    message = complaint(payload)
    if message is None:
        if payload.get("data"):
            return judged(id, False, "it was answered")
        return Finding(id, "unknown", "neither data nor an error came")
    if any(word in message.lower() for word in words):
        return judged(id, True, f"refused: {excerpt(message)}")
    return Finding(id, "unknown", f"refused, but perhaps for another reason: {excerpt(message)}")


def plain_refusal(id: str, reply: Reply, payload: Mapping[str, Any], status: int) -> Finding:
    """Whether a request came back with that HTTP status and its errors as one text."""
    message = complaint(payload)
    shape = "a text" if isinstance(payload.get("errors"), str) else "no text"
    told = excerpt(message) if message is not None else "no error at all"
    evidence = f"HTTP {reply.status}, `errors` is {shape}: {told}; archive-mcp reads it as {_read_as(reply)}"
    return judged(id, reply.status == status and shape == "a text", evidence)


def preset_order(tried: Sequence[tuple[Any, Any, Any]]) -> Finding:
    """Whether presets came in the same order both ways: (rising, falling, filtered) each."""
    pairs = [(_ids(up), _ids(down)) for up, down, _ in tried]
    comparable = [(up, down) for up, down in pairs if len(up) > 1 and len(down) > 1]
    if not comparable:
        return Finding(
            "preset-order",
            "unknown",
            "no view or collection with two items or more among the first three",
        )
    same = sum(up == down for up, down in comparable)
    evidence = f"{same} of {len(comparable)} came in the same order by rising and by falling likes"
    return judged("preset-order", same == len(comparable), evidence)


def preset_filter(tried: Sequence[tuple[Any, Any, Any]]) -> Finding:
    """Whether presets kept their items under a filter that nothing can pass."""
    counts = [(total_of(up), total_of(old)) for up, _, old in tried]
    known = [(full, filtered) for full, filtered in counts if full and filtered is not None]
    if not known:
        return Finding(
            "preset-filter", "unknown", "no view or collection with items among the first three"
        )
    kept = sum(full == filtered for full, filtered in known)
    evidence = f"{kept} of {len(known)} kept all their items under a filter that none passes"
    return judged("preset-filter", kept == len(known), evidence)


def complaint(payload: Mapping[str, Any]) -> str | None:
    """The first error's message, with its code; None where nothing is complained about."""
    errors = payload.get("errors")
    if isinstance(errors, list) and errors:
        errors = errors[0]
    if isinstance(errors, dict):
        extensions = errors.get("extensions")
        code = extensions.get("code") if isinstance(extensions, dict) else None
        return f"{errors.get('message', '')}{f' ({code})' if code else ''}"
    return errors if isinstance(errors, str) else None


def _looks_like(
    records: Sequence[Record], metric: str, limits: tuple[float, float], ratio: float, count: int
) -> Finding:
    low, high = limits
    fits: dict[Unit, bool] = {"cents": low <= ratio / 100 <= high, "dollars": low <= ratio <= high}
    units = [unit for unit, fit in fits.items() if fit]
    look = f"looks like {units[0]}" if len(units) == 1 else "cannot tell"
    evidence = (
        f"{look}: {_top(records)}; over {count} posts {ratio:.4g} for each of the {metric}, which is "
        f"${ratio / 100:.4g} if in cents and ${ratio:.4g} if in dollars, and ${low:g} to ${high:g} is believable. "
        "A hint, not a proof"
    )
    return Finding("emv-cents", "unknown", evidence, COMPARE_IT if units == ["dollars"] else "")


def _top(records: Sequence[Record]) -> str:
    best = max(records, key=lambda each: _number(each, "earnedMediaValue") or 0)
    metrics = ", ".join(
        f"{name} {value}" for name, value in _engagement(best).items() if value is not None
    )
    return f"the highest is {metrics} ({best.get('archivePublicUrl') or best.get('id')})"


def judged(id: str, holds: bool, evidence: str) -> Finding:
    """A finding that asks for a report where the assumption does not hold."""
    outcome: Outcome = "confirmed" if holds else "contradicted"
    return Finding(id, outcome, evidence, "" if holds else REPORT_IT)


def _read_as(reply: Reply) -> str:
    try:
        decode(reply, "workspaces")
    except Failure as failure:
        return str(failure.code)
    return "an answer"


def _engagement(record: Record) -> Record:
    found = record.get("currentEngagement")
    return found if isinstance(found, dict) else {}


def _number(record: Record, metric: str) -> int | None:
    try:
        return int(_engagement(record)[metric])
    except (KeyError, TypeError, ValueError):
        return None


def _ids(connection: Any) -> list[Any]:
    return [each.get("id") for each in records_of(connection)]


def total_of(connection: Any) -> int | None:
    """The `totalCount` of a connection; None where it has none."""
    total = connection.get("totalCount") if isinstance(connection, dict) else None
    return total if isinstance(total, int) else None


def _range(spent: tuple[float, float]) -> str:
    return f"{spent[0]:.0f} to {spent[1]:.0f}"
