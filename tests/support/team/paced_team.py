"""A server or a worker of a team with another window of its pacer and another lease of its jobs.

    paced_team.py serve --port PORT --window SECONDS
    paced_team.py worker --window SECONDS --lease SECONDS [--concurrency COUNT]

Everything else is as the launcher wires it, from the environment.
"""

from __future__ import annotations

import argparse
import importlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from server.limiter import Pacer
from server.settings import load
from server.team.jobs import worker
from server.team.serving.run import serve_http
from server.team.settings import load_team
from server.team.store import opening
from server.team.store.postgres_pace import PostgresPace
from server.team.tenant import Shared, Texts
from server.tool.catalog import Catalog
from tests.support.paths import SURFACE
from tests.support.sandboxed import LAUNCHER


def main() -> None:
    """Run until a signal ends it."""
    options = _options()
    # The only two places that know how fast Archive may be asked.
    vars(opening)["PostgresPace"] = partial(PostgresPace, window=options.window)
    vars(opening)["Pacer"] = partial(Pacer, window=options.window)
    settings = load({}, environment=os.environ)
    catalog = Catalog.read(SURFACE, importlib.import_module)
    prompts: Any = importlib.import_module("prompts")
    team = load_team(os.environ, port=options.port)
    if options.role == "serve":
        serve_http(settings, team, catalog, prompts, Path(LAUNCHER[1]))
        return
    texts = Texts(prompts.DOCUMENTS, prompts.instructions(), prompts.workflow_prompts)
    made = worker.Worker(
        settings,
        team,
        Shared(catalog, texts, team.limits.body),
        concurrency=options.concurrency,
        lease_seconds=options.lease,
    )
    anyio.run(worker.run_until_signal, made)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=["serve", "worker"])
    parser.add_argument("--port", type=int)
    parser.add_argument("--window", type=float, default=1.0)
    parser.add_argument("--lease", type=float, default=15.0)
    parser.add_argument("--concurrency", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
