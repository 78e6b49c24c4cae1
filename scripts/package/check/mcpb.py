"""The bundle: validated, unpacked and resolved by its own tool, started by Claude Desktop's uv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, find_token, install_uv
from scripts.package.check.result import CheckError, Result, measure_size

# What Claude Desktop does with a manifest, by the same library.
_RESOLVE = """
import { getMcpConfigForManifest } from "@anthropic-ai/mcpb/node";
const [manifest, folder, entries] = process.argv.slice(-3);
const { readFileSync } = await import("node:fs");
console.log(JSON.stringify(await getMcpConfigForManifest({
  manifest: JSON.parse(readFileSync(manifest, "utf-8")),
  extensionPath: folder,
  systemDirs: {},
  userConfig: JSON.parse(entries),
  pathSeparator: "/",
})));
"""


def check_bundle(bench: Bench, result: Result) -> None:
    """Validate the bundle, unpack it, fill in the form as a user would, and start it."""
    home = bench.make_home(result.package)
    node = programs.install_node()
    tool = programs.install_from_npm(programs.MCPB, "mcpb")
    environment = bench.environment(home, node, install_uv(programs.DESKTOP_UV))
    folder = home / "extension"
    bench.run([tool, "unpack", bench.built.bundle, folder], environment, home)
    printed = bench.run([tool, "validate", folder / "manifest.json"], environment, home)
    result.validator = f"mcpb: {printed.strip().splitlines()[0]}"
    result.size = measure_size(bench.built.bundle)
    library = programs.install_from_npm(programs.MCPB, "mcpb").parents[2]
    config = _resolve(bench, library, folder, environment)
    command = [config["command"], *config["args"]]
    bench.start_twice(result, command, environment | config["env"], home)
    _check_lock(folder)
    result.credentials = f"host's keychain, since the field is marked sensitive; {find_token(home)}"
    result.notes.append(
        "started from the resolved manifest by uv 0.9.7; Claude Desktop itself needs a window"
    )


def _resolve(
    bench: Bench, library: Path, folder: Path, environment: dict[str, str]
) -> dict[str, Any]:
    script = library / "resolve.mjs"
    script.write_text(_RESOLVE, encoding="utf-8")
    entries = json.dumps({"archive_app_token": TOKEN})
    arguments: list[str | Path] = ["node", script, folder / "manifest.json", folder, entries]
    config: dict[str, Any] = json.loads(bench.run(arguments, environment, library))
    rest = [value for value in (*config["args"], *config["env"].values()) if "${" in value]
    if rest:
        raise CheckError(f"the host leaves these as they stand: {rest}")
    return config


def _check_lock(folder: Path) -> None:
    """Check that nothing in the bundle names an index: the lock file appeared when it started."""
    for name in ("pyproject.toml", "manifest.json"):
        if "/simple" in (folder / name).read_text(encoding="utf-8"):
            raise CheckError(f"{name} names an index")
