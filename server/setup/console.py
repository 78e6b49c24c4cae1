"""The person at the terminal, or a script in the place of one."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from server.text import clean_sentence, write_out

# A person may correct a typo, and a program that answers must not be asked for ever.
ATTEMPTS = 3
_YES = ("y", "yes")
_NONE = "0"
_LONGEST_LINE = 4000
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Console:
    """Asks and prints.

    Args:
        interactive: somebody can answer.
        agrees: every change is wanted, without a question.
    """

    interactive: bool
    agrees: bool = False

    def say(self, text: str) -> None:
        """Print a line; names and words from elsewhere cannot break it, or move the cursor."""
        line = clean_sentence(text, most=_LONGEST_LINE)
        indent = text[: len(text) - len(text.lstrip(" "))]
        write_out(f"{indent}{line}")

    def say_all(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for line in lines:
            self.say(line)

    def ask(self, question: str) -> str:
        """Return what the person types; nothing where nobody can answer."""
        if not self.interactive:
            return ""
        sys.stdout.write(f"{question} ")
        sys.stdout.flush()
        # At the end of the input it is empty, as after Enter alone.
        return sys.stdin.readline().strip()

    def ask_secret(self, question: str) -> str:
        """Return what the person types without showing it; nothing where nobody can answer."""
        if self.interactive:
            with suppress(EOFError):
                return getpass.getpass(f"{question} ").strip()
        return ""

    def confirm(self, question: str) -> bool:
        """Return whether the person wants it."""
        return self.agrees or self.ask(f"{question} [y/N]").casefold() in _YES

    def choose(self, question: str, choices: Mapping[str, Choice]) -> list[Choice]:
        """Return what the person picks by numbers; all of them by default."""
        if not self.interactive or not choices:
            return list(choices.values())
        return self.pick(f"{question} (Enter: all; 0: none)", choices, choices.values())

    def pick(
        self, question: str, choices: Mapping[str, Choice], default: Iterable[Choice]
    ) -> list[Choice]:
        """Return what the person picks by numbers; a default after Enter, nothing after a 0."""
        numbered = {str(number): title for number, title in enumerate(choices, 1)}
        self.say_all(f"  {number}. {title}" for number, title in numbered.items())
        for _ in range(ATTEMPTS):
            words = self.ask(f"{question} Numbers:").replace(",", " ").split()
            if not words:
                return list(default)
            if set(words) <= {*numbered, _NONE}:
                return [choices[numbered[word]] for word in words if word != _NONE]
            self.say(f"  Please type numbers from 1 to {len(numbered)}, or Enter.")
        return []
