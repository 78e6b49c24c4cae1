"""Rows as Archive gives them, and how a test has them written."""

from __future__ import annotations

from typing import Any

from server.exports import (
    Export,
    ExportFolder,
    Format,
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


def exported(
    folder: ExportFolder,
    file_format: Format,
    rows: list[dict[str, Any]],
    columns: tuple[str, ...] = (),
) -> Export:
    """The rows, gathered in two pages and written to `q4`."""
    target = folder.choose_target("q4", file_format)
    with Spool.open(folder, target.name, JOB) as spool:
        spool.append(rows[:1])
        spool.append(rows[1:])
        export = publish(folder, build(folder, spool, target, columns))
        spool.remove()
    return export


def names(folder: ExportFolder) -> list[str]:
    """Everything in the folder, working files included."""
    return sorted(each.name for each in folder.path.iterdir())
