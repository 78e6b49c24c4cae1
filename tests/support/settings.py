"""The five places that settings come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from server.settings import Settings, Source, load

SOURCES: tuple[Source, ...] = get_args(Source)


class Places:
    """The five places settings come from, all of them empty folders and mappings to begin with."""

    def __init__(self, root: Path) -> None:
        self.folder, self.home = root / "project", root / "home"
        self.env_file = root / "given.env"
        for folder in (self.folder, self.home):
            folder.mkdir()
        self.flags: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def put(self, source: Source, **values: str) -> None:
        match source:
            case "command line":
                self.flags |= values
            case "environment":
                self.environment |= values
            case "--env-file":
                self._append(self.env_file, values)
            case "./.env":
                self._append(self.folder / ".env", values)
            case "~/.env.shared":
                self._append(self.home / ".env.shared", values)

    def load(self, *, sandbox: bool = False) -> Settings:
        return load(
            self.flags,
            sandbox=sandbox,
            env_file=self.env_file if self.env_file.exists() else None,
            environment=self.environment,
            folder=self.folder,
            home=self.home,
        )

    @staticmethod
    def _append(path: Path, values: Mapping[str, str]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{name}={value}\n" for name, value in values.items())
