"""The sandbox of the Archive with five workspaces, as a process:
`python -m tests.benchmarks.team.wide_sandbox --port 0 --window 1.0`.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from server.sandbox.archive import app
from server.sandbox.archive.data import workspace
from server.sandbox.archive.data.brands import COFFEE, MAIN, OUTDOOR, Brand, load_brands
from server.sandbox.serve import serve
from tests.support.sandboxed import SandboxProcess, serve_sandbox

MORE = ("3f6d1c80-7a2b-4e95-8c41-d09b5e7a6f12", "a81e4d37-50c9-4b6f-92e3-6f1c7d8b2a54")
WORKSPACES = (MAIN, OUTDOOR, COFFEE, *MORE)


def make_brands() -> tuple[Brand, ...]:
    """The sandbox's brands and two more like them, with ids, names and handles of their own."""
    brands = load_brands()
    copies = [
        replace(brand, id=id, name=f"{brand.name} Abroad", handle=f"{brand.handle}.abroad")
        for id, brand in zip(MORE, brands, strict=False)
    ]
    return (*brands, *copies)


@contextmanager
def wide_sandbox(window: float = 1.0) -> Iterator[SandboxProcess]:
    """A sandbox with five workspaces that lives as long as the context."""
    options = ("--window", str(window))
    with serve_sandbox("-m", "tests.benchmarks.team.wide_sandbox", *options) as url:
        yield SandboxProcess(url)


def main() -> None:
    """Serve until a signal ends it."""
    from server.sandbox import Sandbox

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--window", type=float, default=1.0)
    options = parser.parse_args()
    vars(workspace)["load_brands"] = make_brands
    vars(app)["_VISIBLE"] = {app.TOKEN: frozenset(WORKSPACES)}
    gc.enable()
    serve(Sandbox(items=500, plan="enterprise", window=options.window), options.port)


if __name__ == "__main__":
    main()
