"""The settings of a team's exports."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.redaction import redact
from server.settings import SettingsError
from server.team.files.settings import FileSettings, load_files
from server.team.files.store import open_store
from server.team.settings import load_team

SECRET = "made-up-secret-key-1234567890"


def test_without_any_there_is_a_folder_and_thirty_days(tmp_path: Path) -> None:
    settings = load_files({})

    assert (settings.place, settings.days) == (None, 30)
    open_store(settings, tmp_path / "finished")
    assert (tmp_path / "finished").stat().st_mode & 0o777 == 0o700


def test_a_bucket_is_opened_with_the_usual_variables() -> None:
    settings = load_files(
        {
            "ARCHIVE_MCP_EXPORT_STORE": "s3://bucket/prefix",
            "AWS_ENDPOINT_URL": "https://minio.example.com/",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "key-id",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
    )

    assert settings.is_bucket
    assert settings.endpoint == "https://minio.example.com"
    assert (settings.region, settings.key_id) == ("eu-central-1", "key-id")
    assert SECRET not in repr(settings)
    assert SECRET not in redact(f"the store said: {SECRET}")
    assert open_store(settings, Path("unused")).place == "s3://bucket/prefix"


def test_the_program_s_own_variables_go_before_the_usual_ones() -> None:
    settings = load_files(
        {
            "ARCHIVE_MCP_EXPORT_REGION": "one",
            "AWS_REGION": "two",
            "ARCHIVE_MCP_EXPORT_KEY_ID": "mine",
            "AWS_ACCESS_KEY_ID": "another",
            "ARCHIVE_MCP_EXPORT_SECRET_KEY": SECRET,
            "AWS_SECRET_ACCESS_KEY": "another-secret-12345",
        }
    )

    assert (settings.region, settings.key_id) == ("one", "mine")
    assert settings.secret is not None
    assert settings.secret.reveal() == SECRET


def test_the_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    team = load_team(
        {
            "ARCHIVE_MCP_EXPORT_KEY_ID": "key-id",
            "ARCHIVE_MCP_EXPORT_SECRET_KEY_FILE": str(file),
        }
    )

    assert team.files.secret is not None
    assert team.files.secret.reveal() == SECRET


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"ARCHIVE_MCP_EXPORT_STORE": "gs://bucket"}, "s3://bucket/prefix"),
        ({"ARCHIVE_MCP_EXPORT_STORE": "s3:///prefix"}, "s3://bucket/prefix"),
        ({"ARCHIVE_MCP_EXPORT_DAYS": "0"}, "from 1 to"),
        ({"ARCHIVE_MCP_EXPORT_DAYS": "soon"}, "from 1 to"),
        ({"ARCHIVE_MCP_EXPORT_KEY_ID": "key-id"}, "belong together"),
        ({"ARCHIVE_MCP_EXPORT_ENDPOINT": "http://minio.example.com"}, "https"),
    ],
)
def test_what_cannot_be_is_refused(values: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        load_files(values)


def test_an_insecure_store_is_a_decision_of_the_administrator() -> None:
    values = {"ARCHIVE_MCP_EXPORT_ENDPOINT": "http://minio:9000", "ARCHIVE_MCP_ALLOW_INSECURE": "1"}
    assert load_files(values).endpoint == "http://minio:9000"


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="ARCHIVE_MCP_EXPORT_STORE"):
        open_store(FileSettings(place=str(tmp_path / "file")), tmp_path)
