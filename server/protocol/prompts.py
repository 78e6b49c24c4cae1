"""Prompts as MCP has them: whole texts, and texts with arguments that are filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import mcp_types as types
from mcp.shared.exceptions import MCPError


class Argument(Protocol):
    """What a prompt asks for."""

    @property
    def name(self) -> str:
        """Name of the argument."""

    @property
    def description(self) -> str:
        """What it is."""

    @property
    def required(self) -> bool:
        """Whether the prompt makes no sense without it."""

    @property
    def values(self) -> tuple[str, ...]:
        """What is proposed for it."""

    @property
    def variable(self) -> str:
        """Where there are no values: the name of the packaged variable that completes it, or
        nothing."""


class Described(Protocol):
    """What is listed for people to choose from."""

    @property
    def name(self) -> str:
        """Name of the prompt."""

    @property
    def title(self) -> str:
        """Title for people."""

    @property
    def description(self) -> str:
        """What it is for."""


class Document(Described, Protocol):
    """A text that is served as a prompt and as a resource."""

    @property
    def uri(self) -> str:
        """URI of the resource."""

    @property
    def mime_type(self) -> str:
        """Type of the text."""

    def text(self) -> str:
        """The text itself."""


class Workflow(Described, Protocol):
    """A prompt with arguments."""

    @property
    def arguments(self) -> Sequence[Argument]:
        """What it asks for, in the order in which people are asked."""

    def text(self, given: Mapping[str, str]) -> str:
        """The filled text; raises ValueError for arguments that do not fit, with a message for
        people."""


class Prompts:
    """All prompts of a server; those with arguments are looked for with the first use, not at
    start."""

    def __init__(
        self, documents: Sequence[Document], workflows: Callable[[], Sequence[Workflow]]
    ) -> None:
        self._documents = {each.name: each for each in documents}
        self._load = workflows

    def listing(self) -> list[dict[str, Any]]:
        """The prompts as `prompts/list` serves them: always the same, in the same order."""
        documents = [described(each) for each in self._documents.values()]
        return [
            *documents,
            *({**described(each), "arguments": _asked(each)} for each in self._workflows.values()),
        ]

    def filled(self, name: str, given: Mapping[str, str]) -> dict[str, Any]:
        """A prompt's description and its one message, as `prompts/get` serves them.

        Raises: MCPError: -32602 for an unknown prompt, and for an argument that is missing, unknown
            or not possible.
        """
        prompt = self._found(name)
        try:
            text = prompt.text(given) if name in self._workflows else self._document(name, given)
        except ValueError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from None
        content = {"type": "text", "text": text}
        return {
            "description": prompt.description,
            "messages": [{"role": "user", "content": content}],
        }

    def argument(self, prompt: str, name: str) -> Argument | None:
        """An argument of a prompt; None where the prompt takes none at all.

        Raises:
            MCPError: -32602 for an unknown prompt or argument.
        """
        self._found(prompt)
        if prompt in self._documents:
            return None
        found = next(
            (each for each in self._workflows[prompt].arguments if each.name == name), None
        )
        if found is None:
            raise MCPError(types.INVALID_PARAMS, f"{prompt} has no argument {name!r}.")
        return found

    @cached_property
    def _workflows(self) -> dict[str, Workflow]:
        return {each.name: each for each in self._load()}

    def _found(self, name: str) -> Any:
        found = self._documents.get(name) or self._workflows.get(name)
        if found is None:
            raise MCPError(types.INVALID_PARAMS, f"There is no prompt {name!r}.")
        return found

    def _document(self, name: str, given: Mapping[str, str]) -> str:
        if given:
            raise ValueError(f"{name} takes no arguments; got {', '.join(given)}.")
        return self._documents[name].text()


def described(prompt: Described) -> dict[str, Any]:
    """As MCP lists it."""
    return {"name": prompt.name, "title": prompt.title, "description": prompt.description}


def _asked(prompt: Workflow) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "description": each.description, "required": each.required}
        for each in prompt.arguments
    ]
