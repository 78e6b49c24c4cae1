"""Looks at what a chart is made of, before it becomes a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from server.pictures import charts
from server.pictures.drawings import Drawing


@contextmanager
def watch_figures(figures: list[Any]) -> Iterator[None]:
    """Collect every figure that is drawn."""
    encode = charts._encode_png

    def keep(figure: Any) -> bytes:
        figures.append(figure)
        return encode(figure)

    charts._encode_png = keep
    try:
        yield
    finally:
        charts._encode_png = encode


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
