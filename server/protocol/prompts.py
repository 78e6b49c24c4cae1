"""Prompts as MCP serves them: whole texts, and texts with arguments to fill in.

The protocols below say what this module needs of a prompt: `prompts` is no package of `server`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import mcp_types as types
from mcp.shared.exceptions import MCPError

from server.errors import Code, Failure


class Argument(Protocol):
    """A value that a prompt asks for."""

    @property
    def name(self) -> str:
        """The argument's name."""

    @property
    def description(self) -> str:
        """What people read beside the field."""

    @property
    def values(self) -> tuple[str, ...]:
        """The values to propose."""

    @property
    def variable(self) -> str:
        """The packaged variable that completes it where there are no values, or nothing."""


class Listed(Protocol):
    """A prompt as people choose it from a list."""

    @property
    def name(self) -> str:
        """The prompt's name."""

    @property
    def title(self) -> str:
        """The title for people."""

    @property
    def description(self) -> str:
        """The purpose of the prompt."""


class Document(Listed, Protocol):
    """A text that is served as a prompt and as a resource."""

    @property
    def uri(self) -> str:
        """The URI of the resource."""

    @property
    def mime_type(self) -> str:
        """The MIME type of the text."""

    def text(self) -> str:
        """Return the text itself."""


class Workflow(Listed, Protocol):
    """A prompt with arguments."""

    @property
    def arguments(self) -> Sequence[Argument]:
        """The arguments, in the order in which people are asked for them."""

    def text(self, entries: Mapping[str, str]) -> str:
        """Return the text with these values.

        Raises:
            ValueError: Arguments do not fit; the message is meant for people.
        """


class Prompts:
    """Serves all prompts; those with arguments are loaded on first use, not at start.

    Args:
        withheld: returns the names of those that whoever calls may not use.
    """

    def __init__(
        self,
        documents: Sequence[Document],
        workflows: Callable[[], Sequence[Workflow]],
        withheld: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._documents = {document.name: document for document in documents}
        self._load = workflows
        self._withheld = withheld

    def listing(self) -> list[dict[str, Any]]:
        """Return the prompts as `prompts/list` serves them: always the same, in the same order."""
        documents = [to_listing(document) for document in self._documents.values()]
        workflows = [
            {**to_listing(workflow), "arguments": _list_arguments(workflow)}
            for workflow in self._workflows.values()
        ]
        return documents + workflows

    def fill(self, name: str, entries: Mapping[str, str]) -> dict[str, Any]:
        """Return a prompt's description and its one message, as `prompts/get` serves them.

        Raises:
            MCPError: -32602, the prompt is unknown, or an argument unknown or impossible.
            Failure: `FORBIDDEN`: the prompt is withheld.
        """
        prompt = self._find(name)
        try:
            text = self._render(name, entries)
        except ValueError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from None
        message = {"role": "user", "content": {"type": "text", "text": text}}
        return {"description": prompt.description, "messages": [message]}

    def find_argument(self, prompt: str, name: str) -> Argument | None:
        """Return an argument of a prompt; None where the prompt takes none at all.

        Raises:
            MCPError: -32602, the prompt or the argument is unknown.
            Failure: `FORBIDDEN`: the prompt is withheld.
        """
        self._find(prompt)
        if prompt in self._documents:
            return None
        for argument in self._workflows[prompt].arguments:
            if argument.name == name:
                return argument
        raise MCPError(types.INVALID_PARAMS, f"{prompt} has no argument {name!r}.")

    @cached_property
    def _workflows(self) -> dict[str, Workflow]:
        return {workflow.name: workflow for workflow in self._load()}

    def _find(self, name: str) -> Listed:
        # Documents first: for one of them the workflows need not be loaded.
        prompt = self._documents.get(name) or self._workflows.get(name)
        if prompt is None and name in self._withheld():
            raise Failure(
                Code.FORBIDDEN,
                f"The prompt {name!r} leads to tools that this user may not use.",
                "Tell the user; the administrators of this server decide.",
            )
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no prompt {name!r}.")
        return prompt

    def _render(self, name: str, entries: Mapping[str, str]) -> str:
        document = self._documents.get(name)
        if document is None:
            return self._workflows[name].text(entries)
        # Refused rather than ignored: whoever sends a value expects it to count.
        if entries:
            raise ValueError(f"{name} takes no arguments; got {', '.join(entries)}.")
        return document.text()


def to_listing(prompt: Listed) -> dict[str, Any]:
    """Return a prompt as MCP lists it, without its arguments."""
    return {"name": prompt.name, "title": prompt.title, "description": prompt.description}


def _list_arguments(prompt: Workflow) -> list[dict[str, Any]]:
    return [
        {
            "name": argument.name,
            "description": argument.description,
            # Some hosts ask for no argument and fail without it: the prompt itself asks.
            "required": False,
        }
        for argument in prompt.arguments
    ]
