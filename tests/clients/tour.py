"""The way that each client is led over a server: what it sees of every kind of answer.

A step's word is `yes`, `-` where the client has no such thing, or `no` with the reason.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from tests.clients.driving import Driver, Seen

WORKSPACE = "Northwind Skincare"
NAME = "Ünïcode 猫 🐈"
LARGE = 30_000
_LONGEST_REASON = 160
_TOKEN = re.compile(r'"confirm": ?"([^"]+)"')
_CALL_SECONDS = 60.0
_SOON = 20.0

Step = Callable[[Driver], Awaitable[str]]
Row = dict[str, str]


async def tour(driver: Driver) -> Row:
    """Return the word of each step."""
    row = {"version": driver.version, "protocol": driver.protocol, "initialize": "yes"}
    for name, step in STEPS.items():
        row[name] = await _try_step(step, driver)
    return row


async def _try_step(step: Step, driver: Driver) -> str:
    try:
        return await asyncio.wait_for(step(driver), _CALL_SECONDS)
    # Whatever a client raises is what the table is about.
    except Exception as error:  # noqa: BLE001
        return f"no: {type(error).__name__} {error}".replace("\n", " ")[:_LONGEST_REASON]


async def list_tools(driver: Driver) -> str:
    """How many tools the client offers to its models."""
    return str(len(await driver.list_tools()))


async def read(driver: Driver) -> str:
    """A call that only reads."""
    seen = await driver.call("archive_get_workspaces", {})
    return _judge(not seen.is_error and WORKSPACE in seen.text, seen)


async def show_error(driver: Driver) -> str:
    """An error, with the hint that helps."""
    seen = await _call(driver, "archive_get_collection", id="nope")
    hint = "archive_get_collections lists"
    return _judge("NOT_FOUND" in seen.text and hint in seen.text, seen)


async def write(driver: Driver) -> str:
    """A write whose name is not ASCII, and comes back as it was."""
    seen = await _call(driver, "archive_create_view_group", input={"name": NAME})
    return _judge(_find(seen, "name") == NAME, seen)


async def confirm(driver: Driver) -> str:
    """A write that asks first: `asked` by a question, `token` by a preview and a second call."""
    made = await _call(driver, "archive_create_view_group", input={"name": "for the question"})
    arguments = {"id": _find(made, "id")}
    seen = await _call(driver, "archive_delete_view_group", **arguments)
    if driver.questions:
        return "asked" if "movedViewIds" in seen.text else _judge(False, seen)
    # By its form: some hand on an error as text of Python.
    match = _TOKEN.search(seen.text)
    token = match[1] if match else ""
    seen = await _call(driver, "archive_delete_view_group", **arguments, confirm=token)
    return "token" if "movedViewIds" in seen.text else _judge(False, seen)


async def see_picture(driver: Driver) -> str:
    """A picture that reaches the client as one."""
    seen = await _call(driver, "archive_view_media")
    return _judge(seen.images > 0, seen)


async def take_large(driver: Driver) -> str:
    """A result of nearly 40,000 characters, whole."""
    seen = await _call(driver, "archive_search_items", limit=1000)
    return _judge(len(seen.text) > LARGE and bool(_parse(seen.text)), seen)


async def show_progress(driver: Driver) -> str:
    """What a long call reports before its end."""
    if not driver.can_show_progress:
        return "-"
    seen = await _call(driver, "archive_summarize_performance")
    return _judge(len(driver.steps) > 1, seen)


async def cancel(driver: Driver) -> str:
    """A call that the client gives up, and the next one that is answered soon."""
    try:
        await asyncio.wait_for(_call(driver, "archive_summarize_performance"), 1.5)
    except (TimeoutError, asyncio.CancelledError):
        return await asyncio.wait_for(read(driver), _SOON)
    return "-"


STEPS: dict[str, Step] = {
    "list": list_tools,
    "read": read,
    "error": show_error,
    "write, unicode": write,
    "confirmation": confirm,
    "picture": see_picture,
    "large result": take_large,
    "progress": show_progress,
    "cancel": cancel,
}


async def _call(driver: Driver, tool: str, **arguments: Any) -> Seen:
    return await driver.call(tool, {"workspace": WORKSPACE, **arguments})


def _judge(good: bool, seen: Seen) -> str:
    if good:
        return "yes"
    return f"no: {seen.text[:_LONGEST_REASON]} ({seen.images} pictures)"


def _parse(text: str) -> Any:
    """Return the first JSON object of a text: some clients write something around it."""
    for match in re.finditer(r'\{"', text):
        with suppress(ValueError):
            return json.JSONDecoder().raw_decode(text[match.start() :])[0]
    raise ValueError(f"no JSON: {text[:_LONGEST_REASON]}")


def _find(seen: Seen, name: str) -> Any:
    """Return the first field of that name, at whatever depth."""
    return next(_walk(_parse(seen.text), name), None)


def _walk(value: Any, name: str) -> Any:
    if not isinstance(value, dict):
        return
    if name in value:
        yield value[name]
    for inner in value.values():
        yield from _walk(inner, name)
