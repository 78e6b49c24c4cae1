"""Each recipe is played with the sandbox, and the documents print what came of it.

When one of these fails, `python -m scripts.recipes` writes the page and its pictures anew.
"""

from __future__ import annotations

import io
import re

import anyio
import pytest
from PIL import Image, ImageChops, ImageStat

from scripts.recipes import PAGE, PICTURES, Played, fill_page, play, read_recipes, shrink
from tests.docs.test_pages import DOCS

TEXT = PAGE.read_text(encoding="utf-8")
# Of 255; fonts are drawn a little differently from one version of a library to the next.
_ALIKE = 4.0


@pytest.fixture(scope="module")
def played() -> Played:
    """What all recipes brought."""
    return anyio.run(play)


def test_the_page_prints_what_the_recipes_bring(played: Played) -> None:
    assert fill_page(TEXT, played) == TEXT


def test_every_recipe_of_both_audiences_is_there() -> None:
    recipes = [recipe for rows in read_recipes().values() for recipe in rows]
    assert [recipe.say for recipe in recipes if f'| "{recipe.say}" |' not in TEXT] == []
    assert len(recipes) > 20


@pytest.mark.parametrize("name", ["chart", "contact-sheet"])
def test_a_picture_shows_what_the_server_drew(played: Played, name: str) -> None:
    committed = Image.open(PICTURES / f"{name}.webp").convert("RGB")
    drawn = Image.open(io.BytesIO(shrink(played.pictures[name]))).convert("RGB")
    assert drawn.size == committed.size
    difference = ImageChops.difference(drawn, committed)
    assert max(ImageStat.Stat(difference).mean) < _ALIKE


def test_every_picture_is_small_and_said_in_words() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\((images/[^)]+\.webp)\)", TEXT)
    assert {path for _, path in pictures} == {
        path.relative_to(DOCS).as_posix() for path in PICTURES.glob("*.webp")
    }
    assert all(len(words) > 40 for words, _ in pictures)
    assert all((DOCS / path).stat().st_size < 150_000 for _, path in pictures)
