"""Change the code in small ways and look whether the tests notice.

    python -m scripts.mutants                        every module of scripts/mutants/modules.toml
    python -m scripts.mutants limiter retry          modules whose path contains one of the words
    python -m scripts.mutants --sample 60 jobs       60 mutants of each module
    python -m scripts.mutants --again jobs           only those that stayed unnoticed last time

Cosmic Ray makes the mutants; this package chooses which of them count, runs the tests of their
module and reports. It needs the dependency group `mutants` and a system that can fork. The checkout
is never changed: mutants live in a copy.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import WorkResult

from scripts.mutants import sql
from scripts.mutants.configuration import (
    ROOT,
    SESSIONS,
    Configuration,
    Module,
    load_configuration,
    load_reasons,
)
from scripts.mutants.report import Figures, report_all, report_module
from scripts.mutants.selection import list_mutants
from scripts.mutants.trial import Worker, start_workers


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the mutants of the chosen modules.

    Returns:
        0 if enough were noticed: of all of them together, and of each module but for the accepted.
    """
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("words", nargs="*", metavar="MODULE", help="part of a module's path")
    parser.add_argument("--sample", type=int, help="mutants of each module; all by default")
    parser.add_argument("--workers", type=int, default=1, help="mutants at a time (default 1)")
    parser.add_argument("--again", action="store_true", help="only those unnoticed last time")
    parser.add_argument("--report", action="store_true", help="only print the last results")
    options = parser.parse_args(arguments)

    sql.register()
    configuration, reasons = load_configuration(), load_reasons()
    modules = [
        module
        for module in configuration.modules
        if not options.words or any(word in module.path for word in options.words)
    ]
    figures: dict[str, Figures] = {}
    with start_workers(options.workers, configuration) as pool:
        for module in modules:
            if not options.report:
                run_module(module, configuration, pool, sample=options.sample, again=options.again)
            figures[module.path] = report_module(module, reasons)
    return report_all(figures, configuration.threshold, reasons)


def run_module(
    module: Module,
    configuration: Configuration,
    pool: ProcessPoolExecutor,
    *,
    sample: int | None,
    again: bool,
) -> None:
    """Run the mutants of a module and keep their results in its session.

    Args:
        sample: how many mutants, chosen at random but always the same; None for all.
        again: only those of the last run that no test noticed.
    """
    SESSIONS.mkdir(exist_ok=True)
    # Results of other code are of no use: its mutants are not those of today.
    again = again and _is_current(module)
    seconds = pool.submit(Worker.measure, module).result()
    with use_db(str(module.session), WorkDB.Mode.create) as database:
        if not again:
            items = list_mutants(module, configuration)
            if sample is not None and sample < len(items):
                items = random.Random(1).sample(items, sample)  # noqa: S311  # not a secret
            database.clear()
            database.add_work_items(items)
        survived = {job for job, result in database.results if not result.is_killed}
        pending: dict[Future[WorkResult], str] = {
            pool.submit(Worker.try_out, item, module, configuration.slack, seconds): item.job_id
            for item in database.work_items
            if not again or item.job_id in survived
        }
        for future in as_completed(pending):
            database.set_result(pending[future], future.result())


def _is_current(module: Module) -> bool:
    source = (ROOT / module.path).stat().st_mtime
    return module.session.exists() and module.session.stat().st_mtime > source


if __name__ == "__main__":
    sys.exit(main())
