"""Looks at what a chart is made of, before it becomes a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from server.pictures import charts, painting
from server.pictures.drawings import Drawing


@contextmanager
def watch_figures(figures: list[Any]) -> Iterator[None]:
    """Collect every figure that is drawn."""
    encode = painting._encode_png

    def collect(figure: Any) -> bytes:
        figures.append(figure)
        return encode(figure)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(painting, "_encode_png", collect)
        patched.setattr(charts.drawer, "ask", _paint_here)
        yield


def _paint_here(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """Draw in this process what would be sent to the other, as it would be sent."""
    return {}, painting.paint(json.loads(json.dumps(header)))


def read_texts(drawing: Drawing) -> list[str]:
    """Return everything that is written on a chart."""
    figures: list[Any] = []
    with watch_figures(figures):
        drawing.draw()
    texts = [
        artist.get_text()
        for artist in figures[0].findobj(lambda artist: hasattr(artist, "get_text"))
        if artist.get_visible()
    ]
    return [text for text in texts if text]
