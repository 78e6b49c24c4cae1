"""Run benchmarks and print one table: `python -m tests.benchmarks [names...] [--quick] [--json]`.

Figures are ratios to a baseline that was measured in the same run, taking turns with it, because
machines and their load differ. Nothing here fails: the exit status is 0 whether goals are met or
not.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable

from tests.benchmarks import (
    archivebox_scale,
    calling,
    exporting,
    insights,
    pacing,
    paging,
    start,
    surface,
    tagging,
    timelines,
)
from tests.benchmarks.figures import Figure, table
from tests.benchmarks.team import load, overhead

Benchmark = Callable[[bool], Awaitable[list[Figure]]]

BENCHMARKS: dict[str, Benchmark] = {
    "start": start.measure,
    "call": calling.measure,
    "surface": surface.measure,
    "paging": paging.measure,
    "export": exporting.measure,
    "insights": insights.measure,
    "tagging": tagging.at_the_real_rate,
    "tagging14000": tagging.killed_twenty_times,
    "interactive": tagging.interactive,
    "timelines": timelines.measure,
    "limiter": pacing.at_full_rate,
    "crash": pacing.with_a_killed_and_a_suspended_process,
    "archivebox_scale": archivebox_scale.measure,
    "limiter10": pacing.at_ten_times_the_rate,
    "team": load.measure_load,
    "team_redis": load.measure_load_with_redis,
    "team_overhead": overhead.measure_overhead,
}


def main() -> int:
    """Run what the command line names; all of it if nothing is named."""
    options = _options()
    busy = os.getloadavg()[0]
    found = asyncio.run(_measure(options.names or list(BENCHMARKS), options.quick))
    loads = [round(busy, 2), round(os.getloadavg()[0], 2)]
    if options.json:
        figures = {name: [figure.as_json() for figure in each] for name, each in found.items()}
        print(json.dumps({"load_before_after": loads, "figures": figures}, indent=1))
        return 0
    print(table(found))
    print(
        "\nMedians; `best` compares the least of the runs. Machine load before and after: "
        f"{loads[0]}, {loads[1]}."
    )
    return 0


async def _measure(names: list[str], quick: bool) -> dict[str, list[Figure]]:
    found: dict[str, list[Figure]] = {}
    for name in names:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found[name] = await BENCHMARKS[name](quick)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; default: all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer runs and less load: for a first look"
    )
    parser.add_argument("--json", action="store_true", help="machine-readable")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(BENCHMARKS)):
        parser.error(
            f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}"
        )
    return options


if __name__ == "__main__":
    sys.exit(main())
