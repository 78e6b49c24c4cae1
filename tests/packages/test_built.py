"""What goes into dist/: the bundle's contents, and configurations that carry no secret."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.package import bundle, clients, icon
from scripts.package.__main__ import main
from scripts.package.check.documents import read_command
from scripts.package.check.result import Result, render_table
from scripts.package.product import Product
from tests.support.paths import ROOT

SOURCE = "git+https://git.example/somebody/archive-mcp"
COMMAND = ["uvx", "--from", SOURCE, "archive-mcp-server"]
PRODUCT = Product()
SNIPPETS = clients.render_snippets(PRODUCT, SOURCE)
LINKS = clients.render_links(PRODUCT, SOURCE)


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the bundle holds."""
    folder = tmp_path_factory.mktemp("bundle") / "staged"
    bundle.stage_bundle(PRODUCT, folder)
    return folder


@pytest.mark.parametrize("name", SNIPPETS)
def test_a_snippet_starts_the_server_from_an_address(name: str) -> None:
    assert read_command(name, SNIPPETS[name]) == COMMAND


def test_no_snippet_gives_a_secret_a_value() -> None:
    secrets = [setting.name for setting in PRODUCT.settings if setting.is_secret]
    for name, text in SNIPPETS.items():
        for secret in secrets:
            values = re.findall(rf'{secret}"?\s*[:=]\s*"([^"]*)"', text)
            assert all(value.startswith("${input:") for value in values), name


def test_codex_hands_on_every_variable_by_name() -> None:
    server = tomllib.loads(SNIPPETS["codex.toml"])["mcp_servers"]["archive"]
    assert server["env_vars"] == [setting.name for setting in PRODUCT.settings]


def test_links_hold_the_command_and_no_secret() -> None:
    decoded = {name: unquote(link) + "".join(decode_config(link)) for name, link in LINKS.items()}
    for name, text in decoded.items():
        assert all(part in text for part in COMMAND), name
        # VS Code's is the name of a question, Goose's the label of one.
        assert re.findall(r"ARCHIVE_APP_TOKEN\W+([^\"&]*)", text) in (
            [],
            ["input:archive_app_token}"],
            ["Archive token"],
        )


def decode_config(link: str) -> list[str]:
    """Return the configurations that a link carries in base64."""
    configs = parse_qs(urlsplit(link).query).get("config", [])
    return [base64.b64decode(config).decode() for config in configs]


def test_links_with_a_configuration_decode_to_what_the_client_writes() -> None:
    (config,) = decode_config(LINKS["Cursor"])
    parsed = json.loads(config)
    assert [parsed["command"], *parsed["args"]] == COMMAND
    written = json.loads(unquote(LINKS["VS Code"].partition("?")[2]))
    assert [written["command"], *written["args"]] == COMMAND


def test_the_bundle_holds_what_runs_and_nothing_else(staged: Path) -> None:
    names = {path.relative_to(staged).parts[0] for path in staged.rglob("*")}
    assert names == {
        "archive_mcp.py",
        "server",
        "tools",
        "prompts",
        "manifest.json",
        "pyproject.toml",
        "icon.png",
        "README.md",
        "LICENSE",
        "PRIVACY.md",
    }
    assert not [path for path in staged.rglob("*") if path.name.endswith((".pyc", ".env", ".lock"))]


def test_the_bundle_has_every_file_of_the_sources(staged: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "server", "tools", "prompts"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert [name for name in listed if not (staged / name).is_file()] == []


def test_the_bundle_pins_what_it_needs_and_names_no_index(staged: Path) -> None:
    text = (staged / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)
    pinned = {
        canonicalize_name(Requirement(line).name)
        for line in project["tool"]["uv"]["constraint-dependencies"]
    }
    requirements = [Requirement(line) for line in project["project"]["dependencies"]]
    needed = {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if not requirement.marker
    }
    assert needed <= pinned
    assert {"matplotlib", "pillow", "mcp"} <= needed
    assert project["tool"]["uv"]["package"] is False
    assert re.findall(r"https?:|index|find-links", text) == []


def test_equal_contents_make_equal_bundles(staged: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mcpb", tmp_path / "second.mcpb"
    bundle.zip_bundle(staged, first)
    bundle.zip_bundle(staged, second)
    assert first.read_bytes() == second.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert archive.testzip() is None
        assert json.loads(archive.read("manifest.json"))["version"] == PRODUCT.version
    assert first.stat().st_size < 2_000_000


@pytest.mark.skipif(not PRODUCT.identity.placeholders(), reason="somebody publishes it")
def test_a_release_is_refused_while_nobody_publishes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["release"]) == 1
    assert "identity.toml has placeholders" in capsys.readouterr().err


def test_a_package_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "floppy"]) == 1
    assert "no such package: floppy; there are wheel, sdist" in capsys.readouterr().err


def test_the_icon_is_what_is_drawn() -> None:
    drawn = icon.draw_icon()
    rows = icon.read_pixels(drawn)
    assert len(rows) == icon.SIZE * (1 + 4 * icon.SIZE)
    assert icon.read_pixels((ROOT / "icon.png").read_bytes()) == rows


def test_the_image_is_built_from_what_is_needed_alone() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in lines if line.startswith("!")}
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        word
        for line in dockerfile.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    assert copied == let_in
    assert "*" in lines
    assert "**/.env" in lines


def test_the_image_runs_without_root_and_keeps_its_data_in_a_volume() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert "\nUSER 10001:0\n" in dockerfile
    assert "\nVOLUME /data\n" in dockerfile
    assert "ARG BASE=" in dockerfile
    assert "ARCHIVE_MCP_STATE_DIR=/data/" in dockerfile
    assert "ARCHIVE_MCP_EXPORT_DIR=/data/" in dockerfile


def test_the_table_says_why_something_is_missing() -> None:
    passed = Result("wheel", validator="two\nlines", cold=1.25, warm=0.5, size=845_059, tools=66)
    missing = Result("docker", skipped="buildah is not installed")
    wrong = Result("mcpb", failure="it does not start", notes=["by uv 0.9.7"])
    table = render_table([passed, missing, wrong])
    assert "| wheel | ok | two lines | 1.2 s | 0.5 s | 0.8 MB | 66 |" in table
    assert "docker, not started: buildah is not installed" in table
    assert "mcpb, FAILED: it does not start" in table
    assert "mcpb: by uv 0.9.7" in table
