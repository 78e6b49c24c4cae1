from __future__ import annotations

import pytest

from server.pictures.labels import shorten_dollars, shorten_number, to_plain_text


def test_a_name_is_cut_and_keeps_what_the_font_has() -> None:
    assert to_plain_text("a" * 100) == "a" * 31 + "\N{HORIZONTAL ELLIPSIS}"
    assert to_plain_text("mia 🎀") == "mia \N{WHITE SQUARE}"
    assert to_plain_text("\u202eab\x00c\nd") == "abc d"
    assert to_plain_text("$x$") == r"\$x\$"
    assert to_plain_text("Zoé") == "Zoé"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (7.5, "7.5"),
        (950, "950"),
        (999.96, "1k"),
        (12_345, "12.3k"),
        (999_999, "1M"),
        (2_000_000, "2M"),
        (-1500, "-1.5k"),
        (3.2e13, "32T"),
    ],
)
def test_numbers_are_written_as_people_say_them(number: float, text: str) -> None:
    assert shorten_number(number) == text


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (0.5, "$0.50"),
        (99.9, "$99.90"),
        (322.51, "$323"),
        (999.999, "$1k"),
        (12_345, "$12.3k"),
        (-1500, "-$1.5k"),
    ],
)
def test_dollars_are_written_as_people_say_them(dollars: float, text: str) -> None:
    assert shorten_dollars(dollars) == text
