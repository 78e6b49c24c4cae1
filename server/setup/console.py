"""The person at the terminal, or a script in the place of one."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from server.text import clean_sentence

_YES = ("y", "yes")


@dataclass(frozen=True)
class Console:
    """Asks and tells.

    Args:
        interactive: somebody can answer.
        agrees: every change is wanted, without a question.
    """

    interactive: bool
    agrees: bool = False

    def say(self, text: str = "") -> None:
        """Print a line."""
        line = clean_sentence(text, most=4000) if text.strip() else ""
        indent = text[: len(text) - len(text.lstrip(" "))]
        encoding = sys.stdout.encoding or "utf-8"
        shown = f"{indent}{line}".encode(encoding, "backslashreplace").decode(encoding)
        sys.stdout.write(f"{shown}\n")
        sys.stdout.flush()

    def ask(self, question: str) -> str:
        """Return what the person types; nothing where nobody can answer."""
        if not self.interactive:
            return ""
        sys.stdout.write(f"{question} ")
        sys.stdout.flush()
        # At the end of the input nobody answers any more.
        return sys.stdin.readline().strip()

    def ask_secret(self, question: str) -> str:
        """Return what the person types without showing it; nothing where nobody can answer."""
        if not self.interactive:
            return ""
        try:
            return getpass.getpass(f"{question} ").strip()
        except EOFError:
            return ""

    def confirm(self, question: str) -> bool:
        """Return whether the person wants it."""
        if self.agrees:
            return True
        return self.ask(f"{question} [y/N]").casefold() in _YES

    def choose(self, question: str, choices: Sequence[str]) -> list[int]:
        """Return the places of what the person picks by numbers; all of them by default."""
        every = list(range(len(choices)))
        if not self.interactive:
            return every
        for number, choice in enumerate(choices, 1):
            self.say(f"  {number}. {choice}")
        words = self.ask(f"{question} (numbers, Enter for all, 0 for none)")
        if not words:
            return every
        numbers = [int(word) for word in words.replace(",", " ").split() if word.isdigit()]
        return [number - 1 for number in numbers if 1 <= number <= len(choices)]
