"""Live questions about competitors: at most three requests, all reading. A plan without them leaves
them open."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server import wall_clock
from server.doctor import verdicts, verdicts_saved
from server.doctor.look import Look
from server.doctor.report import Finding
from server.errors import Failure

OF_BRANDS = ("own-brand", "brand-window", "brand-months")

_BRANDS = "query Brands { competitorBrands(first: 1) { totalCount nodes { id name isOwnBrand } } }"
_HALF_OPEN = (
    "query HalfOpen($brand: ID!) { competitorBrandItems(brandId: $brand, first: 1, "
    'filter: {takenAt: {from: "2026-01-01T00:00:00Z"}}) { nodes { id } } }'
)
_MONTHS = (
    "query Months($brand: ID!, $start: DateTime!, $month: DateTime!, $now: DateTime!) { "
    "now: competitorBrandItems(brandId: $brand, first: 1, filter: {takenAt: {from: $month, to: $now}}) { totalCount } "
    "before: competitorBrandItems(brandId: $brand, first: 1, filter: {takenAt: {from: $start, to: $month}}) "
    "{ totalCount } }"
)
_BEFORE = timedelta(days=180)


async def brands(look: Look) -> list[Finding]:
    """The first page of brands, then what the posts of its competitor tell."""
    heard = await look.ask(_BRANDS)
    page = heard.data("competitorBrands")
    if not isinstance(page, dict):
        reason = verdicts_saved.why_no_brands(heard.payload)
        return [Finding(each, "unknown", reason) for each in OF_BRANDS]
    own = verdicts_saved.own_brand(page)
    competitors = [each for each in verdicts.records_of(page) if not each.get("isOwnBrand")]
    if not competitors:
        return [
            own,
            *(Finding(each, "unknown", "no competitor is tracked") for each in OF_BRANDS[1:]),
        ]
    brand = str(competitors[0].get("id"))
    return [own, await _window(look, brand), await _months(look, brand)]


async def _window(look: Look, brand: str) -> Finding:
    try:
        heard = await look.ask(_HALF_OPEN, {"brand": brand})
    except Failure as failure:
        return Finding("brand-window", "unknown", failure.message)
    return verdicts.refusal("brand-window", heard.payload, ("takenat", "both", "required"))


async def _months(look: Look, brand: str) -> Finding:
    now = wall_clock.utc_now()
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    ends = {"start": _text(month - _BEFORE), "month": _text(month), "now": _text(now)}
    try:
        heard = await look.ask(_MONTHS, {"brand": brand, **ends})
    except Failure as failure:
        return Finding("brand-months", "unknown", failure.message)
    return verdicts_saved.brand_months(heard.data("now"), heard.data("before"))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
