"""What this product takes for granted of the real API, because no call to it was possible while it
was built.

The statements come from Archive's documentation pages; where two of them disagree, the newer one
counts and both readings are handled. The README's list is generated from here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Assumption:
    """One behaviour: what is assumed, and how it is checked (`live`) or why it cannot be."""

    id: str
    statement: str
    check: str
    live: bool = True


def _unchecked(id: str, statement: str, why: str) -> Assumption:
    return Assumption(id, statement, why, live=False)


_SPENDS = "would change data or spend credits"
_EXCEEDS = "would have to exceed the limit"

ASSUMPTIONS: tuple[Assumption, ...] = (
    _unchecked(
        "rate-limit",
        "A workspace takes 5 requests per second, whoever sends them and with whatever token.",
        _EXCEEDS,
    ),
    _unchecked(
        "rate-window",
        "The shape of that second is unknown (fixed, sliding, bucket); requests are spaced so that any admits them.",
        _EXCEEDS,
    ),
    _unchecked(
        "rate-refusal",
        "Too many requests get HTTP 429, code RATE_LIMIT_EXCEEDED, Retry-After, and the seconds in the message; "
        "a refused request had no effect.",
        _EXCEEDS,
    ),
    _unchecked(
        "rate-of-workspaces",
        "`workspaces` without WORKSPACE-ID is counted apart from every workspace.",
        _EXCEEDS,
    ),
    Assumption(
        "credit-headers",
        'Every answer carries `ratelimit-policy: "plan";q=credits;w=seconds` and `ratelimit: "plan";r=left;t=time`; '
        "the bucket holds q credits and fills up in w seconds.",
        "reads both headers of a page of items",
    ),
    Assumption(
        "credit-reset",
        "`t` is the absolute unix time at which the bucket is full again.",
        "compares it with this machine's clock and the refill",
    ),
    Assumption(
        "page-cost",
        "A page of 100 items takes between 60 credits (lean) and 183 (with every relation).",
        "credits before and after one page, give or take a half",
    ),
    Assumption(
        "alias-cost",
        "Fields under aliases in one request take the credits of each, and count as one request of the five.",
        "credits of `filterPresets` once and five times in a request; not the second half",
    ),
    Assumption(
        "without-workspace",
        "`workspaces` is answered without WORKSPACE-ID.",
        "asks for it without that header",
    ),
    Assumption(
        "bad-token",
        'An invalid token gets HTTP 401 and `{"errors": "<text>"}` (older docs: 200).',
        "sends a made-up token, never the real one altered",
    ),
    Assumption(
        "bad-workspace",
        'An unknown WORKSPACE-ID gets HTTP 404 and `{"errors": "<text>"}` (older docs: 200).',
        "sends a made-up UUID",
    ),
    Assumption("page-size", "`first` above 100 is refused.", "asks for 101 items"),
    Assumption("depth", "A query deeper than 10 levels is refused.", "asks for 11 levels"),
    Assumption("introspection", "`__schema` is refused, with a valid token too.", "asks for it"),
    Assumption(
        "not-viral",
        "`viralityScore: [NOT_VIRAL]` is refused as a filter although the schema lists it.",
        "filters by it",
    ),
    Assumption(
        "utc-dates", "A time with an offset other than zero is refused.", "filters by one at +02:00"
    ),
    Assumption(
        "emv-cents",
        "`earnedMediaValue` of items and their history is in cents (one public integration reads it as dollars).",
        "weighs the posts of highest value against their views or likes; this hints at the unit and proves nothing",
    ),
    Assumption(
        "big-numbers",
        "Metrics arrive as text (BigInt), not as JSON numbers.",
        "looks at the metrics of a page of items",
    ),
    Assumption(
        "sorting",
        "`items` come in the order that `sorting` asks for.",
        "looks at a page sorted by earned media value",
    ),
    Assumption(
        "preset-order",
        "With `presetId`, `items` ignores `sorting` (older docs: applies it); records are sorted here either way.",
        "reads up to three presets in both orders",
    ),
    Assumption(
        "preset-filter",
        "With `presetId`, `items` ignores `filter` and `customAttributeConditions`.",
        "filters the same presets to posts before 1990; not the conditions",
    ),
    Assumption(
        "saved-lists",
        "Collections, the three kinds of views, view groups, campaigns and social profiles have the names that the "
        "published schema gives them.",
        "asks for one list of each",
    ),
    Assumption(
        "presets-listed",
        "`filterPresets` has every content view and collection, and no creator or social profile view.",
        "compares it with the list of each kind",
    ),
    Assumption(
        "group-members",
        "A group and what is in it name each other.",
        "compares the lists of both",
    ),
    Assumption(
        "view-filters",
        "A content view keeps `filters` and `sort` in the shape that `items` takes (undocumented).",
        "looks at the keys in the views there are",
    ),
    Assumption(
        "stored-filters",
        "`filters` kept with a creator or social profile view are never applied: without conditions all are in it.",
        "counts who is in such a view, and everybody",
    ),
    Assumption(
        "own-brand",
        "The first page of `competitorBrands` has the own brand in addition, and `totalCount` leaves it out.",
        "asks for one brand; needs a plan with Competitor Insights",
    ),
    Assumption(
        "brand-window",
        "`competitorBrandItems` needs both ends of `takenAt`, though the schema marks each as optional.",
        "leaves one out; needs that plan and a competitor",
    ),
    Assumption(
        "brand-months",
        "A competitor's posts of a month appear on day 9 of the next (elsewhere the docs say that no new ones come).",
        "counts those of this month and of the half-year before; needs the same",
    ),
    _unchecked(
        "brand-partial",
        "Competitor metrics may come beside an error SERVICE_UNAVAILABLE: what came is right, what is null is missing.",
        "comes and goes",
    ),
    _unchecked(
        "brand-emv-dollars",
        "`earnedMediaValue` of a competitor brand is in dollars, with a fraction.",
        "nothing to compare it with",
    ),
    _unchecked(
        "null-metrics",
        "A null metric is one that the platform does not give, not 0.",
        "no second source",
    ),
    _unchecked(
        "row-cap",
        "Lists without pages end after 1,000 rows without saying so.",
        "needs a workspace with that many",
    ),
    _unchecked(
        "refetch-price",
        "Refreshing engagement takes 3 billing credits per accepted item, at most once a day (older docs: 1).",
        _SPENDS,
    ),
    _unchecked(
        "refusals-of-writes", "A write that answers with `userErrors` changed nothing.", _SPENDS
    ),
    _unchecked(
        "collections-repeat",
        "Adding an item to a collection, or removing it, twice is the same as once; removing never deletes the item.",
        _SPENDS,
    ),
    _unchecked(
        "auto-create",
        "An unknown collection name is refused without `autoCreate`; with it, a name given twice makes one collection.",
        _SPENDS,
    ),
    _unchecked(
        "collection-names", "No two collections of a workspace have the same name.", _SPENDS
    ),
    _unchecked(
        "older-storage",
        "Where a workspace keeps collections in the older storage, creating, renaming, deleting and grouping them is "
        "refused through `userErrors`, and their `group` is null; items can still be put in and taken out.",
        _SPENDS,
    ),
    _unchecked(
        "view-updates",
        "Updating a view leaves what is omitted as it was, and replaces a given list or object whole.",
        _SPENDS,
    ),
    _unchecked(
        "deletes",
        "Deleting a collection, view or group touches no content; where it is gone already, a null id comes back.",
        _SPENDS,
    ),
    _unchecked(
        "group-deletes",
        "Deleting a group leaves its members, in no group, and names them in `movedViewIds`.",
        _SPENDS,
    ),
    _unchecked(
        "group-order",
        "`reorderViewsInGroup` takes members only; those that it does not name follow in their old order.",
        _SPENDS,
    ),
    _unchecked(
        "upload",
        "`uploadItemFromUrl` gives no id; `itemIdsByUrl` finds the item some minutes later.",
        _SPENDS,
    ),
)


def assumptions_markdown() -> str:
    """The list as the README shows it: a table, without a line break at its end."""
    checked = sum(each.live for each in ASSUMPTIONS)
    rows = [
        f"{len(ASSUMPTIONS)} behaviours, {checked} of them checked by `archive-mcp doctor --live`:",
        "",
        "| id | assumed | checked by `--live` |",
        "|---|---|---|",
        *(f"| `{each.id}` | {each.statement} | {_how(each)} |" for each in ASSUMPTIONS),
    ]
    return "\n".join(rows)


def _how(each: Assumption) -> str:
    return each.check if each.live else f"no: {each.check}"
