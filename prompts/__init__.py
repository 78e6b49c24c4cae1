"""The texts that tell an assistant how to use this server: Markdown files beside this module.

`DOCUMENTS` are served as prompts and as resources; `workflow_prompts()` are prompts with arguments
for whole tasks; `instructions()` is the short form sent when a client connects. A file is read when
its text is needed, so importing this package costs next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompts.workflows import Workflow

__all__ = ["DOCUMENTS", "Document", "instructions", "workflow_prompts"]


@dataclass(frozen=True)
class Document:
    """Describe a Markdown text that is served as a prompt and as a resource.

    `name` is the prompt's name, `uri` the resource's address, `file` a file in this package.
    """

    name: str
    title: str
    description: str
    uri: str
    file: str
    mime_type: str = "text/markdown"

    def text(self) -> str:
        """Return the whole text.

        Raises:
            FileNotFoundError: The package was built without its Markdown files.
        """
        return _read(self.file)


# In the order of their listing. Name and address are a contract: clients store both.
DOCUMENTS: tuple[Document, ...] = (
    Document(
        name="archive_system_prompt",
        title="Working with Archive (archive.com)",
        description=(
            "How to use the archive_ tools: workspaces, ids, every query and mutation, the rules "
            "and data traps of the Archive API, and recipes for common tasks."
        ),
        uri="archive://system-prompt",
        file="archive_system_prompt.md",
    ),
    Document(
        name="archivebox_system_prompt",
        title="Working with ArchiveBox (self-hosted)",
        description=(
            "How to use the archivebox_ tools: versions, lists and dates, what statuses really "
            "mean, finding, reading, saving and deleting pages, tags, and recipes for common tasks."
        ),
        uri="archivebox://system-prompt",
        file="archivebox_system_prompt.md",
    ),
)


def instructions() -> str:
    """Return the server's `instructions`: under 2,000 bytes, as hosts cut them at 2,048 characters.

    Raises:
        FileNotFoundError: The package was built without its Markdown files.
    """
    return _read("instructions.md")


def workflow_prompts() -> tuple[Workflow, ...]:
    """Return the prompts with arguments in the order of their listing.

    Their texts are read when they are filled in.
    """
    # Imported when a client first asks for the prompts, not at start.
    from prompts.workflows import WORKFLOWS

    return WORKFLOWS


def _read(file: str) -> str:
    # Imported late: it pulls in tempfile and pathlib, which a start of the server does not need.
    from importlib.resources import files

    return files(__name__).joinpath(file).read_text(encoding="utf-8")
