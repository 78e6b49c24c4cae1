"""Draws the conversation in the documents: `python -m scripts.picture`.

It plays a session with the sandbox and draws what the server answered; the questions are the only
words written here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Any

import anyio

from scripts.sandboxed import MOMENT, ROOT, Session, open_sandbox

FILE = ROOT / "docs" / "images" / "conversation.svg"
WORKSPACE = "Northwind Skincare"
COLLECTION = "Inspiration"
PLATFORMS = {"TIKTOK": "TikTok", "YOUTUBE": "YouTube", "INSTAGRAM": "Instagram"}

_WIDTH, _MARGIN, _LINE = 860, 28, 22
_FONT = "-apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', Helvetica, Arial, sans-serif"
_TOOL_FONT = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

Turn = tuple[str, str, list[str]]
"""What the user says, the tool that is called, and the lines of the answer."""


def draw(turns: list[Turn]) -> str:
    """Return the picture of a conversation, as SVG without anything from elsewhere."""
    parts: list[str] = []
    top = _MARGIN
    for question, tool, lines in turns:
        parts += _draw_question(question, top)
        top += 60
        parts += _draw_answer(tool, lines, top)
        top += 66 + _LINE * len(lines)
    height = top - 4
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="{_FONT}" font-size="15">'
    )
    title = "<title>A conversation with the made-up archive of the sandbox</title>"
    back = f'<rect width="{_WIDTH}" height="{height}" rx="14" fill="#f6f5f1"/>'
    return "\n".join([head, title, back, *parts, "</svg>"]) + "\n"


def _draw_question(text: str, top: int) -> Iterator[str]:
    # No fonts are measured here: in the widest of them a letter takes 8.2 units.
    width = round(len(text) * 8.2) + 36
    left = _WIDTH - _MARGIN - width
    yield f'<rect x="{left}" y="{top}" width="{width}" height="42" rx="16" fill="#274b6d"/>'
    place = f'x="{left + width // 2}" y="{top + 27}" text-anchor="middle"'
    yield f'<text {place} fill="#fff">{escape(text)}</text>'


def _draw_answer(tool: str, lines: list[str], top: int) -> Iterator[str]:
    height = 44 + _LINE * len(lines)
    yield (
        f'<rect x="{_MARGIN}" y="{top}" width="{_WIDTH - 2 * _MARGIN}" height="{height}" rx="16" '
        'fill="#ffffff" stroke="#dcd8cc"/>'
    )
    yield _write(tool, _MARGIN + 18, top + 24, fill="#8a6d2f", font=_TOOL_FONT, size=12)
    for place, line in enumerate(lines):
        yield _write(line, _MARGIN + 18, top + 50 + place * _LINE, fill="#22262b")


def _write(text: str, x: int, y: int, *, fill: str, font: str = "", size: int = 0) -> str:
    style = f' font-family="{font}"' if font else ""
    style += f' font-size="{size}"' if size else ""
    return f'<text x="{x}" y="{y}" fill="{fill}"{style}>{escape(text)}</text>'


async def play() -> list[Turn]:
    """Return a session with the sandbox.

    Raises:
        RuntimeError: A tool refused its call.
    """
    with tempfile.TemporaryDirectory() as name:
        async with open_sandbox(Path(name)) as session:
            return await _converse(session)


async def _converse(session: Session) -> list[Turn]:
    start = (MOMENT - timedelta(days=30)).strftime("%Y-%m-%d")
    search = {"filter": {"takenAt": {"from": start}}}
    top = {"search": search, "metric": "earnedMediaValue", "limit": 3}
    best = await _call(session, "archive_get_top_content", top)
    summary = await _call(session, "archive_summarize_performance", {"search": search})
    items = [post["id"] for post in best["nodes"]]
    names = {"collectionNames": [COLLECTION], "autoCreate": True}
    for item in items:
        collected = {"itemId": item, **names}
        await _call(session, "archive_add_item_to_collections", collected)
    content = await _call(session, "archive_search_items", {"presetId": COLLECTION})
    return [
        (
            "Which posts earned most in the last 30 days?",
            "archive_get_top_content",
            [*map(_describe_post, best["nodes"]), f"(of {best['items']:,} posts)"],
        ),
        (
            "And all of them together?",
            "archive_summarize_performance",
            list(_describe_summary(summary)),
        ),
        (
            f"Put these three into the collection {COLLECTION}.",
            "archive_add_item_to_collections",
            [f"{COLLECTION} is new, and holds {content['totalCount']} posts now."],
        ),
    ]


def _describe_post(post: dict[str, Any]) -> str:
    views = post["views"]
    seen = "views not published" if views is None else f"{views:,} views"
    money = f"${post['earnedMediaValueUsd']:,.0f}"
    platform = PLATFORMS.get(post["provider"], post["provider"])
    return f"{post['rank']}.  {money} - @{post['accountName']}, {platform}, {seen}"


def _describe_summary(summary: dict[str, Any]) -> Iterator[str]:
    metrics = summary["metrics"]
    value, views = metrics["earnedMediaValueUsd"], metrics["views"]
    middle = f"the one in the middle ${value['median']:,.0f}"
    money = f"${value['total']:,.0f} (dollars are assumed)"
    yield f"{summary['items']:,} posts earned {money}, {middle}."
    yield f"They have {views['total']:,} views; for {views['unknown']:,} none are published."


async def _call(session: Session, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await session.call(tool, {"workspace": WORKSPACE, **arguments})
    answer: dict[str, Any] = result.structured_content
    return answer


def main() -> None:
    """Draw the picture and write it."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(draw(anyio.run(play)), encoding="utf-8", newline="\n")
    sys.stdout.write(f"{FILE.relative_to(ROOT)} is written\n")


if __name__ == "__main__":
    main()
