"""Plays the recipes of the documents with the sandbox: `python -m scripts.recipes`.

It writes docs/recipes.md and its pictures; the questions are in recipes.toml, the results are what
the server answered.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
import tomllib
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio

from scripts.sandboxed import MOMENT, ROOT, Session, open_sandbox

PAGE = ROOT / "docs" / "recipes.md"
PICTURES = ROOT / "docs" / "images"
WORKSPACE = "Northwind Skincare"
_AUDIENCES = ("marketer", "archivist")
_HEAD = "| you say | what happens | with the sandbox it is | tool |\n|---|---|---|---|\n"
_DAY = "%Y-%m-%d"
# Wide enough to read the figures on a sheet, small enough for a page.
_PICTURE_WIDTH, _QUALITY = 900, 72


@dataclass
class Played:
    """What was played: the table of each audience, and pictures in PNG or JPEG by their names."""

    tables: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Recipe:
    """One question: what happens, the calls, and the words for the last one's answer."""

    say: str
    happens: str
    result: str
    calls: list[dict[str, Any]]
    picture: str = ""
    paced: bool = False

    @property
    def tools(self) -> str:
        """The tools of its calls, as the table names them."""
        return ", ".join(f"`{call['tool']}`" for call in self.calls)


def read_recipes() -> dict[str, list[Recipe]]:
    """Return the recipes of each audience."""
    text = Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)
    return {audience: [Recipe(**row) for row in rows[audience]] for audience in _AUDIENCES}


async def play() -> Played:
    """Play all recipes, in their order.

    Raises:
        RuntimeError: A tool refused its call.
    """
    played = Played()
    with tempfile.TemporaryDirectory() as name:
        async with open_sandbox(Path(name, "usual")) as usual:
            player = _Player(usual, played)
            for audience, recipes in read_recipes().items():
                rows = [await player.play(recipe, Path(name)) for recipe in recipes]
                played.tables[audience] = _HEAD + "".join(rows)
    return played


class _Player:
    """Play recipes, and remember what later ones refer to."""

    def __init__(self, session: Session, played: Played) -> None:
        self._session = session
        self._played = played
        days = {"week": MOMENT - timedelta(days=7), "month": MOMENT - timedelta(days=30)}
        self._values = {name: day.strftime(_DAY) for name, day in days.items()}

    async def play(self, recipe: Recipe, folder: Path) -> str:
        """Return the row of a recipe."""
        if recipe.paced:
            async with open_sandbox(folder / "paced", is_paced=True) as session:
                answer = await self._call_all(session, recipe)
        else:
            answer = await self._call_all(self._session, recipe)
        result = " ".join(recipe.result.format_map(answer).split()).replace("|", "\\|")
        return f'| "{recipe.say}" | {recipe.happens} | {result} | {recipe.tools} |\n'

    async def _call_all(self, session: Session, recipe: Recipe) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        for call in recipe.calls:
            arguments = self._fill({key: call[key] for key in call if key != "tool"})
            if not call["tool"].startswith("archivebox_"):
                arguments["workspace"] = WORKSPACE
            result = await session.call(call["tool"], arguments)
            answer = dict(result.structured_content or {})
            self._remember(answer)
            for content in result.content:
                if content.type == "image":
                    self._played.pictures[recipe.picture] = base64.b64decode(content.data)
            answer["text"] = _read_text(result)
        return answer

    def _remember(self, answer: dict[str, Any]) -> None:
        if nodes := answer.get("nodes"):
            self._values["first"] = nodes[0].get("id") or nodes[0].get("itemId", "")
        if "jobId" in answer:
            self._values["job"] = answer["jobId"]

    def _fill(self, value: Any) -> Any:
        if isinstance(value, str):
            return value.format_map(self._values)
        if isinstance(value, list):
            return [self._fill(part) for part in value]
        if isinstance(value, dict):
            return {name: self._fill(part) for name, part in value.items()}
        return value


def _read_text(result: Any) -> str:
    """Return the last text of a result: before a page's own words stands what page it is."""
    texts = [content.text for content in result.content if content.type == "text"]
    return texts[-1] if texts else ""


def shrink(picture: bytes) -> bytes:
    """Return a picture as a small WebP."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.thumbnail((_PICTURE_WIDTH, _PICTURE_WIDTH))
    target = io.BytesIO()
    image.save(target, "WEBP", quality=_QUALITY, method=6)
    return target.getvalue()


def fill_page(text: str, played: Played) -> str:
    """Return the page with its tables put in between their marks."""
    for audience, table in played.tables.items():
        begin, end = f"<!-- {audience} -->\n", f"<!-- /{audience} -->"
        before, _, rest = text.partition(begin)
        text = before + begin + table + end + rest.partition(end)[2]
    return text


def main() -> None:
    """Play the recipes and write the page and its pictures."""
    played = anyio.run(play)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(fill_page(text, played), encoding="utf-8", newline="\n")
    for name, picture in played.pictures.items():
        (PICTURES / f"{name}.webp").write_bytes(shrink(picture))
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} and {len(played.pictures)} pictures are written\n")


if __name__ == "__main__":
    main()
