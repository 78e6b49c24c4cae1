"""Pictures of posts as tests make them and look at them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image

from server.http.transport import Reply
from tests.support.tools.looking import (
    Viewer,
)

Json = dict[str, Any]


def encoded(
    size: tuple[int, int] = (300, 200), kind: str = "JPEG", mode: str = "RGB", **more: Any
) -> bytes:
    file = BytesIO()
    Image.new(mode, size, 120 if mode in ("L", "I;16") else None).save(file, kind, **more)
    return file.getvalue()


def image(body: bytes, kind: str = "image/jpeg", status: int = 200) -> Reply:
    return Reply(status, {"content-type": kind}, body)


def usable(v: Viewer, count: int) -> list[Any]:
    """Items whose first frame is there, newest first."""
    found = [
        item for number in range(200) if not (item := v.home.item(number)).media_contents[0].deleted
    ]
    return found[:count]


def shown(result: Any) -> list[Json]:
    """What there is a picture of, or a reason for having none."""
    return [*result.structured["pictures"], *result.structured.get("skipped", [])]
