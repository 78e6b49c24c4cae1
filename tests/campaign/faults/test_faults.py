"""Faulty answers, connections and intermediaries never end in a crash, a hang, a lost or doubled
write, or an untrue word about one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.faults.figures import Figures
from tests.campaign.faults.hunt import Hunter
from tests.campaign.faults.server import Loop
from tests.campaign.faults.station import impatience
from tests.campaign.faults.watch import watching

SEED = 11


async def hunted(folder: Path, archive: int, archivebox: int, work: int) -> Figures:
    """The figures of so many faults in calls of each API, and in jobs of both."""
    with Loop() as loop, watching() as watch:
        async with impatience():
            hunter = Hunter(loop, folder, watch, SEED)
            await hunter.hunt_archive(archive)
            await hunter.hunt_archivebox(archivebox)
            await hunter.hunt_work(work)
            return hunter.figures


async def test_some_faults_do_no_harm(tmp_path: Path) -> None:
    figures = await hunted(tmp_path, 50, 40, 10)

    assert not figures.wrong, "\n".join(figures.cases)


@pytest.mark.campaign
@pytest.mark.timeout(3000)
async def test_no_fault_does_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = await hunted(tmp_path, 1_800, 1_400, 500)

    with capsys.disabled():
        print(f"\n{figures}")
    assert not figures.wrong, "\n".join(figures.cases)
