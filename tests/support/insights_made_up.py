"""Made-up rows for the calculations."""

from __future__ import annotations

from hypothesis import strategies as st

from server.insights.rows import METRICS, Row

values = st.one_of(st.none(), st.integers(0, 10**6), st.integers(2**53 - 2, 2**70))
moments = st.datetimes().map(lambda each: each.replace(microsecond=0).isoformat() + "Z")
rows = st.builds(
    Row,
    id=st.uuids().map(str),
    platform=st.sampled_from(["INSTAGRAM", "TIKTOK", "YOUTUBE"]),
    kind=st.sampled_from(["POST", "REEL", "STORY", "SHORT"]),
    taken_at=moments,
    values=st.tuples(*[values] * len(METRICS)),
    virality=st.sampled_from([None, "HIGH", "MEDIUM", "LOW", "NOT_VIRAL"]),
    link=st.none(),
    creator=st.sampled_from([None, "a", "b", "c", "d"]),
    account=st.sampled_from([None, "one", "two"]),
    followers=st.one_of(st.none(), st.integers(0, 10**7)),
    original_link=st.sampled_from([None, "https://www.instagram.com/p/a/"]),
)
many_rows = st.lists(rows, max_size=30)
