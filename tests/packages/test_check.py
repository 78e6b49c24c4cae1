"""Every package is valid for its own tool and starts as its host would start it.

It installs those hosts from npm and PyPI, outside the checkout, so it runs only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.package.build import build_all
from scripts.package.check import CHECKS, check_one, open_bench
from scripts.package.check.bench import Bench
from scripts.package.product import Product

pytestmark = pytest.mark.campaign


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Yield what the checks need, with every package built."""
    product = Product()
    folder: Path = tmp_path_factory.mktemp("built")
    with open_bench(product, build_all(product, folder / "dist")) as prepared:
        yield prepared


@pytest.mark.parametrize("name", CHECKS)
def test_a_package_is_valid_and_starts(bench: Bench, name: str) -> None:
    result = check_one(bench, name)
    assert result.failure == ""
    if result.skipped:
        pytest.skip(result.skipped)
    assert result.tools
    assert result.call.endswith("3 workspaces")
