"""What is written on a chart: names as plain text, figures as people say them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Literal

Form = Literal["number", "dollars"]
"""How a figure is written."""
LONGEST_NAME = 32
_MISSING = "\N{WHITE SQUARE}"
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def to_plain_text(text: str, most: int = LONGEST_NAME) -> str:
    """Return a text as the font can show it, with nothing that matplotlib would interpret.

    Args:
        most: the most characters.
    """
    from matplotlib.font_manager import findfont, get_font

    find_glyph = get_font(findfont("DejaVu Sans")).get_char_index
    letters = []
    # NFC first: a letter and its accent may be one glyph, and accents alone are dropped.
    for letter in unicodedata.normalize("NFC", text):
        if letter.isspace():
            letters.append(" ")
        elif not letter.isprintable() or unicodedata.combining(letter):
            continue
        elif find_glyph(ord(letter)):
            letters.append(letter)
        else:
            letters.append(_MISSING)
    if len(letters) > most:
        letters[most - 1 :] = "\N{HORIZONTAL ELLIPSIS}"
    # A pair of dollar signs would start a formula.
    return "".join(letters).replace("$", r"\$")


def shorten_number(value: float) -> str:
    """Return a number as people say it: 950, 12.3k, 4.1M."""
    for step, letter in _STEPS:
        # A little less, or 999,999 would be 1000k.
        if abs(value) >= 0.99995 * step:
            return f"{value / step:.1f}".removesuffix(".0") + letter
    return f"{value:.1f}".removesuffix(".0")


def shorten_dollars(value: float) -> str:
    """Return dollars as people say them: $0.50, $950, $12.3k."""
    sign, size = "-" if value < 0 else "", abs(value)
    if round(size, 2) >= 1000:
        return f"{sign}${shorten_number(size)}"
    decimals = 2 if size < 100 else 0
    return f"{sign}${size:.{decimals}f}".removesuffix(".00")


FORMS: dict[Form, Callable[[float], str]] = {"number": shorten_number, "dollars": shorten_dollars}
