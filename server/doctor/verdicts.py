"""From what the API answered to what that says about an assumption.

No requests are made here, and no verdict goes beyond the evidence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from server.archive.failures import decode
from server.doctor.judging import (
    Record,
    Verdict,
    judges,
    leave_open,
    list_records,
    read_error,
    read_total,
    require,
)
from server.doctor.probe import read_bucket, read_field
from server.doctor.report import Finding, shorten
from server.errors import Failure
from server.http.transport import Reply

COMPARE_IT = (
    "Open that post in Archive and compare the value shown there; then set ARCHIVE_MCP_EMV_UNIT to "
    "dollars or cents."
)

_VALUE = "earnedMediaValue"
_RESET = re.compile(r";\s*t=\"?(\d+(?:\.\d+)?)")
# Smaller numbers are seconds from now: as a unix time they would be before September 2001.
_EPOCH = 1e9
# Seconds. Computers without a time service may be off by a minute or two.
_CLOCKS_APART = 120.0
# Half of the documented 60, and half as much again as the documented 183.
_PAGE_CREDITS = (30.0, 275.0)
# What a view or a like is worth at all, in dollars: from less than a cheap advertisement to more
# than an expensive one.
_DOLLARS_PER_UNIT = {"views": (0.001, 0.3), "likes": (0.02, 5.0)}

# The least and the most credits that a request took; None where Archive does not say.
Price = tuple[float, float] | None
# The connections of one preset: by rising likes, by falling likes, and filtered.
Trial = tuple[Any, Any, Any]


@judges("credit-headers")
def judge_credit_headers(headers: Mapping[str, str]) -> Verdict:
    """Judge whether both headers are there and make sense together."""
    values = {name: headers.get(name) or "missing" for name in ("ratelimit-policy", "ratelimit")}
    evidence = ", ".join(f"{name}: {shorten(value)}" for name, value in values.items())
    bucket = read_bucket(headers)
    if bucket is None:
        return False, evidence
    policy, left = bucket
    return left <= policy.burst, evidence


@judges("credit-reset")
def judge_credit_reset(headers: Mapping[str, str], now: float) -> Verdict:
    """Judge whether `t` is the time at which the bucket is full; `now` is unix time in seconds."""
    reset = require(_RESET.search(headers.get("ratelimit", "")), "the headers name no time")
    policy, left = require(read_bucket(headers), "the headers name no time")
    stated = float(reset[1])
    full = now + (policy.burst - left) / policy.refill
    if stated < _EPOCH:
        return False, f"t={reset[1]} is no unix time; perhaps seconds from now"
    # Either clock may be wrong, and only one of them is Archive's.
    offset = f"{stated - full:+.0f} s off by this computer's clock"
    require(abs(stated - full) <= _CLOCKS_APART, f"t is a unix time, {offset}")
    return True, f"t={reset[1]}; by this computer's clock the bucket is full at {full:.0f}"


@judges("page-cost")
def judge_page_cost(price: Price, records: int) -> Verdict:
    """Judge whether a page of 100 items took about as many credits as the docs say."""
    least, most = require(price, "the answers name no credits")
    evidence = (
        f"{_render(least, most)} credits for {records} items; others may have been spending too"
    )
    # The documented price is that of a hundred.
    require(records >= 100, f"no full page: {evidence}")
    low, high = _PAGE_CREDITS
    fits = low <= least and most <= high
    # Partly inside, partly outside: that decides nothing.
    require(fits or most < low or least > high, f"too coarse to tell: {evidence}")
    return fits, evidence


@judges("alias-cost")
def judge_alias_cost(once: Price, five_times: Price) -> Verdict:
    """Judge whether five fields took about five times the credits of one."""
    least, most = require(once, "the answers name no credits")
    least_of_five, most_of_five = require(five_times, "the answers name no credits")
    evidence = (
        f"once {_render(least, most)} credits, five times {_render(least_of_five, most_of_five)}; "
        "others may have been spending too"
    )
    # Not five: both prices are ranges, and the truth may be at either end of each.
    is_multiple = least_of_five >= 3 * most
    require(is_multiple or most_of_five < 2 * least, f"too coarse to tell: {evidence}")
    return is_multiple, evidence


@judges("big-numbers")
def judge_big_numbers(records: Sequence[Record]) -> Verdict:
    """Judge whether metrics come as text."""
    values = [value for record in records for _, value in _list_metrics(record)]
    require(values, "no metric on the page")
    are_texts = [isinstance(value, str) for value in values]
    return all(are_texts), f"{sum(are_texts)} of {len(values)} metrics came as text"


@judges("sorting")
def judge_sorting(records: Sequence[Record]) -> Verdict:
    """Judge whether a page requested by falling earned media value falls."""
    values = [value for value in _list_numbers(records, _VALUE) if value is not None]
    require(len(values) > 1, "fewer than two posts with a value")
    falls = all(before >= after for before, after in pairwise(values))
    return falls, f"{len(values)} values from {values[0]:,} to {values[-1]:,}"


def guess_emv_unit(records: Sequence[Record]) -> Finding:
    """Say which unit the values look like.

    Never more than a hint: only a look at the same post in Archive can tell.
    """
    for metric in _DOLLARS_PER_UNIT:
        pairs = zip(_list_numbers(records, _VALUE), _list_numbers(records, metric), strict=True)
        complete = [(value, count) for value, count in pairs if value and count]
        if complete:
            return _compare_value(records, metric, complete)
    reason = "cannot tell: no post on the page has both a value and views or likes"
    return leave_open("emv-cents", reason)


def _compare_value(
    records: Sequence[Record], metric: str, pairs: Sequence[tuple[int, int]]
) -> Finding:
    low, high = _DOLLARS_PER_UNIT[metric]
    # Of the sums, so that a few odd posts do not decide.
    values, counts = zip(*pairs, strict=True)
    ratio = sum(values) / sum(counts)
    units = {"cents": ratio / 100, "dollars": ratio}
    fitting = [unit for unit, dollars in units.items() if low <= dollars <= high]
    look = f"looks like {fitting[0]}" if len(fitting) == 1 else "cannot tell"
    evidence = (
        f"{look}: {_describe_best(records)}; over {len(pairs)} posts the value is {ratio:.4g} per "
        f"{metric.removesuffix('s')}, which is ${ratio / 100:.4g} if in cents and ${ratio:.4g} if "
        f"in dollars, and ${low:g} to ${high:g} is believable. A hint, not a proof"
    )
    advice = COMPARE_IT if fitting == ["dollars"] else ""
    return Finding("emv-cents", "unknown", evidence, advice)


def _describe_best(records: Sequence[Record]) -> str:
    best = max(records, key=lambda record: _number_of(record, _VALUE) or 0)
    metrics = ", ".join(f"{name} {value}" for name, value in _list_metrics(best))
    return f"the top post has {metrics} ({best.get('archivePublicUrl') or best.get('id')})"


def judge_refusal(id: str, payload: Mapping[str, Any], words: Sequence[str]) -> Finding:
    """Judge whether a query was refused for the expected reason.

    Args:
        words: the message must hold one of them, in small letters.
    """
    return judges(id)(_judge_refusal)(payload, words)


def _judge_refusal(payload: Mapping[str, Any], words: Sequence[str]) -> Verdict:
    if payload.get("data") and read_error(payload) is None:
        return False, "it was answered"
    message = require(read_error(payload), "neither data nor an error came")
    is_expected = any(word in message.lower() for word in words)
    require(is_expected, f"refused, but perhaps for another reason: {shorten(message)}")
    return True, f"refused: {shorten(message)}"


def judge_status(id: str, reply: Reply, payload: Mapping[str, Any], status: int) -> Finding:
    """Judge whether a request came back with that HTTP status and its errors as one text."""
    is_text = isinstance(payload.get("errors"), str)
    shape = "a text" if is_text else "no text"
    quotation = shorten(read_error(payload) or "no error at all")
    evidence = (
        f"HTTP {reply.status}, `errors` is {shape}: {quotation}; "
        f"archive-mcp reads it as {_decode_code(reply)}"
    )
    return judges(id)(lambda: (reply.status == status and is_text, evidence))()


@judges("preset-order")
def judge_preset_order(trials: Sequence[Trial]) -> Verdict:
    """Judge whether presets came in the same order both ways."""
    same: list[bool] = []
    for rising, falling, _ in trials:
        up, down = _list_ids(rising), _list_ids(falling)
        # A single item is in order either way.
        if min(len(up), len(down)) > 1:
            same.append(up == down)
    require(same, "no view or collection with two items or more among the first three")
    evidence = f"{sum(same)} of {len(same)} came in the same order by rising and by falling likes"
    return all(same), evidence


@judges("preset-filter")
def judge_preset_filter(trials: Sequence[Trial]) -> Verdict:
    """Judge whether presets kept their items under a filter that nothing can pass."""
    same: list[bool] = []
    for rising, _, old in trials:
        full, rest = read_total(rising), read_total(old)
        if full and rest is not None:
            same.append(full == rest)
    require(same, "no view or collection with items among the first three")
    evidence = f"{sum(same)} of {len(same)} kept all their items under a filter that none passes"
    return all(same), evidence


def _decode_code(reply: Reply) -> str:
    """Return what the tools make of an answer."""
    try:
        decode(reply, "workspaces")
    except Failure as failure:
        return str(failure.code)
    return "an answer"


def _list_metrics(record: Record) -> list[tuple[str, Any]]:
    """Return the names and values of a post's metrics; null ones are left out."""
    engagement = record.get("currentEngagement")
    metrics = engagement.items() if isinstance(engagement, dict) else ()
    return [(name, value) for name, value in metrics if value is not None]


def _list_numbers(records: Sequence[Record], metric: str) -> list[int | None]:
    return [_number_of(record, metric) for record in records]


def _number_of(record: Record, metric: str) -> int | None:
    try:
        return int(read_field(record.get("currentEngagement"), metric))
    except (TypeError, ValueError):
        return None


def _list_ids(connection: Any) -> list[Any]:
    return [record.get("id") for record in list_records(connection)]


def _render(least: float, most: float) -> str:
    return f"{least:.0f} to {most:.0f}"
