"""Texts that are cut, counted and listed."""

from __future__ import annotations

import pytest

from server.text import count_noun, join_first, truncate, truncate_line


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert truncate("x" * 10, 10) == "x" * 10


def test_a_longer_text_ends_in_dots_within_its_length() -> None:
    assert truncate("x" * 11, 10) == "x" * 7 + "..."


def test_a_line_is_cut_after_its_blanks_are_joined() -> None:
    assert truncate_line(" a\n\t b ", 3) == "a b"
    assert truncate_line("abc\n" * 3, 9) == "abc ab..."


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 items"), (1, "1 item"), (2, "2 items"), (2000, "2,000 items")]
)
def test_a_noun_follows_its_number(count: int, expected: str) -> None:
    assert count_noun(count, "item") == expected


def test_a_plural_may_be_irregular() -> None:
    assert count_noun(1, "story", "stories") == "1 story"
    assert count_noun(2, "story", "stories") == "2 stories"


def test_the_first_names_are_followed_by_the_number_of_the_rest() -> None:
    assert join_first(["a", "b", "c"], 3) == "a, b, c"
    assert join_first(["a", "b", "c"], 2) == "a, b, 1 more"
    assert join_first([], 2) == ""
