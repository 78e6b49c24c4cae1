"""Live questions about competitors: at most three requests, all of them reading.

A plan without Competitor Insights leaves them open.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from server import wall_clock
from server.doctor import verdicts, verdicts_saved
from server.doctor.judging import conclude, leave_open, list_records
from server.doctor.probe import Probe
from server.doctor.report import Finding

ABOUT_BRANDS = ("own-brand", "brand-window", "brand-months")

_BRANDS = "query Brands { competitorBrands(first: 1) { totalCount nodes { id name isOwnBrand } } }"
_HALF_OPEN = (
    "query HalfOpen($brand: ID!) { competitorBrandItems(brandId: $brand, first: 1, "
    'filter: {takenAt: {from: "2026-01-01T00:00:00Z"}}) { nodes { id } } }'
)
_MONTHS = (
    "query Months($brand: ID!, $start: DateTime!, $month: DateTime!, $now: DateTime!) { "
    "now: competitorBrandItems(brandId: $brand, first: 1, "
    "filter: {takenAt: {from: $month, to: $now}}) { totalCount } "
    "before: competitorBrandItems(brandId: $brand, first: 1, "
    "filter: {takenAt: {from: $start, to: $month}}) { totalCount } }"
)
# Long enough that a brand that posts at all has posts in it.
_HALF_YEAR = timedelta(days=180)


async def ask_about_brands(probe: Probe) -> list[Finding]:
    """Return what the first page of brands shows, and then the posts of its competitor."""
    result = await probe.ask(_BRANDS)
    page = result.data("competitorBrands")
    if not isinstance(page, dict):
        reason = verdicts_saved.explain_no_brands(result.payload)
        return [leave_open(id, reason) for id in ABOUT_BRANDS]
    own = verdicts_saved.judge_own_brand(page)
    # The own brand's posts are not collected as those of competitors are.
    competitors = [brand for brand in list_records(page) if not brand.get("isOwnBrand")]
    if not competitors:
        reason = "no competitor is tracked"
        return [own, *(leave_open(id, reason) for id in ABOUT_BRANDS[1:])]
    brand = str(competitors[0].get("id"))
    return [
        own,
        await conclude("brand-window", _check_window(probe, brand)),
        await conclude("brand-months", _check_months(probe, brand)),
    ]


async def _check_window(probe: Probe, brand: str) -> Finding:
    result = await probe.ask(_HALF_OPEN, {"brand": brand})
    return verdicts.judge_refusal("brand-window", result.payload, ("takenat", "both", "required"))


async def _check_months(probe: Probe, brand: str) -> Finding:
    now = wall_clock.utc_now()
    month = datetime(now.year, now.month, 1, tzinfo=UTC)
    ends = {"start": month - _HALF_YEAR, "month": month, "now": now}
    variables = {name: wall_clock.utc_stamp(instant) for name, instant in ends.items()}
    result = await probe.ask(_MONTHS, {"brand": brand, **variables})
    return verdicts_saved.judge_brand_months(result.data("now"), result.data("before"))
