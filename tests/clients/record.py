"""What the clients saw: kept in `seen.json`, and shown as a table in README.md beside it.

`python -m tests.clients.record` writes both, from the last run of
`pytest -m campaign tests/clients`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.clients.table import TITLES
from tests.support.machine.node import cache_folder

HERE = Path(__file__).parent
SEEN = HERE / "seen.json"
COLUMNS = (
    "version",
    "client name",
    "initialize",
    "list",
    "read",
    "error",
    "write, unicode",
    "confirmation",
    "second call",
    "picture",
    "large result",
    "progress",
    "cancel",
)
_INTRODUCTION = """# What real clients see of this server

Each client is led over a running server against sandboxes of both APIs: it lists the tools as it \
converts them for its models, reads, is shown an error, writes a name that is not ASCII, deletes \
something that has to be confirmed, gets a picture, a result of nearly 40,000 characters and the \
progress of a long call, and gives a call up. The last rows are programs with a scripted model in \
the place of theirs, without a person: what they hand on to the model is what counts.

`.venv/bin/python -m pytest -m campaign tests/clients` leads all of them (it installs them first, \
about 3 GB, outside the checkout); `python -m tests.clients.record` writes this file.

- `list`: how many tools reach the model. Codex, Gemini CLI, Copilot CLI, Cline and opencode get \
the short listing, Claude Code finds the others by search.
- `confirmation`: `asked` = the client put the question to its user, `token` = the preview, then \
the call with the token; `previewed` = nobody could be asked, `host asks` = it asks by itself; \
`no` = LlamaIndex starts a server for each call, and a token counts for the process that gave it.
- `second call`: the same deletion with the token, where there was one.
- `-`: the client has no such thing.

"""


def remember(title: str, row: Mapping[str, str]) -> None:
    """Keep what a client saw, for the table."""
    folder = cache_folder() / "clients-seen"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{_name(title)}.json").write_text(json.dumps(row), encoding="utf-8")


def render(seen: Mapping[str, Mapping[str, str]]) -> str:
    """Return the table for readers."""
    head = ["client", *COLUMNS]
    lines = [head, ["---"] * len(head)]
    for title in TITLES:
        row = seen[title]
        lines.append([title, *(_shorten(row.get(column, "-")) for column in COLUMNS)])
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"{_INTRODUCTION}{table}\n"


def _shorten(word: str) -> str:
    return "no" if word.startswith("no:") else word


def _name(title: str) -> str:
    return re.sub(r"\W+", "-", title).lower()


def main() -> None:
    """Write both files."""
    folder = cache_folder() / "clients-seen"
    seen = {}
    for title in TITLES:
        row = json.loads((folder / f"{_name(title)}.json").read_text(encoding="utf-8"))
        # Reasons hold ids and times of one run.
        seen[title] = {name: _shorten(word) for name, word in row.items()}
    text = json.dumps(seen, indent=1, ensure_ascii=False)
    SEEN.write_text(f"{text}\n", encoding="utf-8")
    SEEN.with_name("README.md").write_text(render(seen), encoding="utf-8")


if __name__ == "__main__":
    main()
