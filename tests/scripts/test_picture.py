"""The picture of a conversation: what is answered is drawn as text and nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

import anyio

from scripts.picture import FILE, draw, play

SVG = "{http://www.w3.org/2000/svg}"


def test_every_line_is_drawn_as_text() -> None:
    picture = draw([("Which <posts>?", "a_tool", ["1. <script>alert(1)</script> & more", "2."])])
    root = ElementTree.fromstring(picture)  # noqa: S314  # written here
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert texts == ["Which <posts>?", "a_tool", "1. <script>alert(1)</script> & more", "2."]
    assert root.find(f".//{SVG}script") is None


def test_everything_lies_within_the_picture() -> None:
    root = ElementTree.fromstring(draw([("Ask", "a_tool", ["x"] * 9)] * 3))  # noqa: S314
    height = float(root.attrib["height"])
    bottoms = [
        float(element.get("y", "0")) + float(element.attrib["height"])
        for element in root.iter(f"{SVG}rect")
    ]
    assert max(bottoms) <= height


def test_the_picture_shows_what_the_server_answers() -> None:
    assert draw(anyio.run(play)) == FILE.read_text(encoding="utf-8")
