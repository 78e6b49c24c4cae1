"""Hatchling's hook: it makes the description of the wheel and the sdist out of the README."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class DescriptionHook(MetadataHookInterface):
    """Point the README's links into the repository, for whoever reads it on a package index."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the field `readme` of the project's metadata."""
        root = Path(self.root)
        # By its path: a builder's environment has no `scripts`, or somebody else's.
        names = runpy.run_path(str(root / "scripts" / "package" / "identity.py"))
        text = (root / "README.md").read_text(encoding="utf-8")
        described = names["Identity"].load().describe(text)
        metadata["readme"] = {"content-type": "text/markdown", "text": described}
