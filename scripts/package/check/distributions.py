"""The wheel, the sdist and the git address, started by uvx as the documents say."""

from __future__ import annotations

from scripts.package import clients
from scripts.package.build import BuildError, run_checked
from scripts.package.check import programs
from scripts.package.check.bench import TOKEN, Bench, install_uv
from scripts.package.check.result import CheckError, Result, measure_size
from scripts.package.hosts import UV_ENVIRONMENT


def check_wheel(bench: Bench, result: Result) -> None:
    """Validate the wheel and start it."""
    result.validator = _validate(str(bench.built.wheel))
    result.size = measure_size(bench.built.wheel)
    _start(bench, result, str(bench.built.wheel))


def check_sdist(bench: Bench, result: Result) -> None:
    """Validate the sdist and start it: uvx builds the wheel itself."""
    result.validator = _validate(str(bench.built.sdist))
    result.size = measure_size(bench.built.sdist)
    _start(bench, result, str(bench.built.sdist))


def check_git(bench: Bench, result: Result) -> None:
    """Start the server from a git address."""
    _start(bench, result, f"git+{bench.repository}")


def _validate(path: str) -> str:
    twine = programs.install_from_pypi(programs.TWINE, "twine")
    try:
        printed = run_checked([str(twine), "--no-color", "check", "--strict", path])
    except BuildError as error:
        raise CheckError(str(error)) from None
    return f"twine: {printed.strip().rpartition(': ')[2]}"


def _start(bench: Bench, result: Result, source: str) -> None:
    home = bench.make_home(result.package)
    environment = bench.environment(home, install_uv()) | UV_ENVIRONMENT
    # In a host without a package of its own the token comes from the shared file.
    shared = home / ".env.shared"
    shared.touch(mode=0o600)
    shared.write_text(f"ARCHIVE_APP_TOKEN={TOKEN}\n", encoding="utf-8")
    bench.start_twice(result, clients.build_command(bench.product, source), environment, home)
    result.credentials = "~/.env.shared (600), read by the server itself"
