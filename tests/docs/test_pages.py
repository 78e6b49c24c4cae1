"""Every link of the documents resolves, every page is reached, and the site builds without a
warning."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from venv import create

import pytest

from tests.support.machine.node import cache_folder
from tests.support.paths import ROOT

DOCS = ROOT / "docs"
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
FILES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MATERIAL = "mkdocs-material==9.8.2"
LINK = re.compile(r"(?<!`)!?\[[^\]\n]*\]\(([^)\s]+)\)")
_INSTALL_SECONDS = 240


def list_links(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the file and the anchor of each link to a file."""
    prose = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in LINK.findall(prose):
        if not re.match(r"[a-z]+:", target):
            name, _, anchor = target.partition("#")
            yield name, anchor


def list_anchors(path: Path) -> set[str]:
    """Return what the headings of a file are linked by."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_link_leads_to_something(path: Path) -> None:
    broken = []
    for name, anchor in list_links(path):
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in list_anchors(target)):
            broken.append(f"{name}#{anchor}")
    assert broken == []


def test_every_page_is_in_the_menu_and_reached_by_a_link() -> None:
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert set(re.findall(r": ([\w/-]+\.md)$", NAV, re.MULTILINE)) == pages
    linked = {(path.parent / name).resolve() for path in FILES for name, _ in list_links(path)}
    assert [name for name in pages if DOCS / name not in linked] == []


def test_every_picture_of_the_documents_is_small_and_asks_nobody() -> None:
    for picture in (DOCS / "images").glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert len(text) < 40_000
        assert re.findall(r"(?:href|src|url|@import)[=( ]", text) == []
        assert "<text" in text


@pytest.fixture(scope="session")
def mkdocs() -> Path:
    """The program that builds the site, installed once outside the checkout."""
    folder = cache_folder() / MATERIAL.replace("==", "-")
    program = folder / ("Scripts" if sys.platform == "win32" else "bin") / "mkdocs"
    if not program.exists():
        create(folder, with_pip=True)
        python = program.with_name("python")
        command = [str(python), "-m", "pip", "install", "-q", MATERIAL]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
        if done.returncode != 0:
            rmtree(folder)
            pytest.skip(f"{MATERIAL} could not be installed: {done.stderr[-300:]}")
    return program


def test_the_site_builds_without_a_warning(mkdocs: Path, tmp_path: Path) -> None:
    command = [str(mkdocs), "build", "--strict", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    # Whoever reads the pages is not made to ask another host for a font or a script.
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?://", page) == []
