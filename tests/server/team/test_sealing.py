"""Sealed texts open only where they belong, and survive a change of keys."""

from __future__ import annotations

import pytest

from server.team.sealing import Seal

NEW, OLD = bytes(range(32)), bytes(range(100, 132))


def test_a_sealed_text_opens_again_and_does_not_show_itself() -> None:
    seal = Seal([NEW], "jobs")
    sealed = seal.close("arch_live_token", "anna")

    assert seal.open(sealed, "anna") == "arch_live_token"
    assert "arch" not in sealed
    assert sealed != seal.close("arch_live_token", "anna")
    assert not set(sealed) & set("/+=&?#")


def test_a_text_opens_only_for_its_purpose_its_owner_and_its_key() -> None:
    sealed = Seal([NEW], "jobs").close("text", "anna")

    assert Seal([NEW], "links").open(sealed, "anna") is None
    assert Seal([NEW], "jobs").open(sealed, "ben") is None
    assert Seal([OLD], "jobs").open(sealed, "anna") is None


def test_keys_can_be_changed_without_a_pause() -> None:
    before, after = Seal([OLD], "jobs"), Seal([NEW, OLD], "jobs")

    assert after.open(before.close("text")) == "text"
    assert before.open(after.close("text")) is None
    assert Seal([OLD, NEW], "jobs").open(after.close("text")) == "text"


@pytest.mark.parametrize("text", ["", "a", "é", "a" * 16, "a" * 100, "-_-_", " "])
def test_what_nobody_sealed_does_not_open(text: str) -> None:
    assert Seal([NEW], "jobs").open(text) is None


def test_a_changed_text_does_not_open() -> None:
    seal = Seal([NEW], "jobs")
    sealed = seal.close("text")
    for place in range(len(sealed)):
        other = "A" if sealed[place] != "A" else "B"
        changed = sealed[:place] + other + sealed[place + 1 :]
        # The last character has bits that mean nothing.
        if place < len(sealed) - 1:
            assert seal.open(changed) is None


def test_a_seal_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key"):
        Seal([], "jobs")
