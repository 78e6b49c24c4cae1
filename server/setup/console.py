"""The person at the terminal, or a script in the place of one."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from server.text import clean_sentence, write_out

_YES = ("y", "yes")
_LONGEST_LINE = 4000


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

    def choose(self, question: str, choices: Sequence[str]) -> list[int]:
        """Return the places of what the person picks; all of them by default."""
        every = list(range(len(choices)))
        if not self.interactive:
            return every
        return self.pick(f"{question} (Enter: all; 0: none)", choices, every)

    def pick(self, question: str, choices: Sequence[str], default: Sequence[int] = ()) -> list[int]:
        """Return the places of what the person picks by numbers; others are passed over."""
        self.say_all(f"  {number}. {choice}" for number, choice in enumerate(choices, 1))
        words = self.ask(f"{question} Numbers:").replace(",", " ").split()
        if not words:
            return list(default)
        numbers = {str(number): number - 1 for number in range(1, len(choices) + 1)}
        return [numbers[word] for word in words if word in numbers]
