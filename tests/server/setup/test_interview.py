"""A person at the terminal mistypes: what is wrong is asked for again, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.sandbox import TOKEN
from server.settings import SettingsError
from server.setup.run import Setup, run_setup
from tests.server.setup.conftest import House, Person
from tests.support.clients import options_for
from tests.support.doctored import tools


def test_a_person_who_mistypes_an_address_is_asked_again(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.variables = {}
    # One that is none, one far away that would send keys in clear, and then none at all.
    urls = iter(["my box", "http://far.example", ""])

    class Corrects(Person):
        def ask(self, question: str) -> str:
            return next(urls) if "Address" in question else super().ask(question)

    answers = {"Archive token": "", "API key": "x", "sandbox": "n"}
    with pytest.raises(SettingsError, match="nothing was changed"):
        house.run(console=Corrects(answers=answers))

    out = capsys.readouterr().out
    assert out.count("An address is like http://127.0.0.1:8000") == 2


def test_what_was_accepted_is_not_asked_for_again(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    house.variables.pop("ARCHIVE_APP_TOKEN")
    # Nobody answers at the first address.
    urls = iter(["http://127.0.0.1:9", ""])

    class Corrects(Person):
        def ask(self, question: str) -> str:
            return next(urls) if "Address" in question else super().ask(question)

    answers = {"Archive token": TOKEN, "API key": "", "Which workspace": "", "Write": "n"}
    person = Corrects(answers=answers)
    house.run(console=person)

    assert sum("Archive token" in question for question in person.asked) == 1
    assert "fail: archivebox" in capsys.readouterr().out


def test_a_number_that_is_none_is_asked_for_again(
    house: House, quick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = iter(["n", "7", "2"])

    class Hesitates(Person):
        def ask(self, question: str) -> str:
            return next(numbers) if "Which workspace" in question else super().ask(question)

    answers = {"Address": "", "Write": "y"}
    assert house.run(console=Hesitates(answers=answers)) == 0

    assert capsys.readouterr().out.count("Please type numbers from 1 to 3") == 2
    assert "ARCHIVE_WORKSPACE_ID=" in (house.home / ".env.shared").read_text()


def test_ctrl_c_ends_it_without_a_traceback(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(Setup, "add", interrupt)

    assert run_setup(options_for(), tools(), Path("archive_mcp.py")) == 130
    assert "Stopped." in capsys.readouterr().err
