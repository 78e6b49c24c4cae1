"""Rows as Archive gives them, and how a test has them written."""

from __future__ import annotations

from typing import Any

from server.exports import (
    Export,
    ExportFolder,
    Format,
    Layout,
    Spool,
    build,
    publish,
)

JOB = "0f9c2a"

ROWS: list[dict[str, Any]] = [
    {
        "id": "item_1",
        "caption": 'Été, "quoted"\nand 😀',
        "hashtags": ["#a", "b"],
        "currentEngagement": {"likes": 12, "rate": 0.5, "emv": -5},
        "media": [{"url": "u1"}, {"url": "u2"}],
        "verified": True,
        "customAttributes": {"tier": "gold", "emails": ["a@b.c", "d@e.f"]},
    },
    {
        "id": "item_2",
        "caption": None,
        "hashtags": [],
        "currentEngagement": None,
        "media": None,
        "verified": False,
        "customAttributes": {"score": 3},
    },
]


# Text that a spreadsheet would take for a formula, and text that it would not.
RUNNING = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1-800",
    "-2+3",
    "-5",
    "@SUM(A1)",
    "\t=1",
    "\tplain",
    "\r=1",
    "\n=1",
    "  =1",
    "\u00a0=1",
    "\uff1d1+1",
    "\0=1",
]
HARMLESS = ["plain", "1+1", "a=b", "#tag", " plain", "'quoted", "", "é", "😀 =1", "5", "{=1}"]


def exported(
    folder: ExportFolder,
    file_format: Format,
    rows: list[dict[str, Any]],
    columns: tuple[str, ...] = (),
    layout: Layout | None = None,
) -> Export:
    """The rows, gathered in two pages and written to `q4`."""
    layout = layout or Layout(columns)
    target = folder.choose_target("q4", file_format)
    with Spool.open(folder, target.name, JOB) as spool:
        spool.append(rows[:1])
        spool.append(rows[1:])
        export = publish(folder, build(folder, spool, target, layout))
        spool.remove()
    return export


def names(folder: ExportFolder) -> list[str]:
    """Everything in the folder, working files included."""
    return sorted(each.name for each in folder.path.iterdir())
