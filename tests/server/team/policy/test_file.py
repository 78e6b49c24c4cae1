"""The policy file: what it says holds, and each mistake is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.settings import SettingsError
from server.team.policy import Access, Identity, Policy, Rights, read_policy
from server.team.policy.current import CurrentPolicy

TOOLSETS = frozenset({"all", "core", "discover", "content", "collections"})
SECRETS = {"TEAM_TOKEN": "arch_live_team", "BOX_KEY": "box-key"}
WHOLE = """
[archive.team]
token = { env = "TEAM_TOKEN" }

[archivebox.office]
url = "https://box.example.com/"
key = { env = "BOX_KEY" }

[[group]]
name = "analysts"
claim = "archive-analysts"
archive = "team"
workspaces = ["Northwind Skincare"]
toolsets = ["core"]

[[person]]
id = "anna-1"
group = "analysts"
read_only = false
may_delete = true

[[person]]
email = "Ben@Example.com"
archive = "team"
archivebox = "office"
read_only = false
may_spend = true
credits_a_day = 300

[[machine]]
name = "nightly"
key_sha256 = "{digest}"
group = "analysts"

[own_tokens]
read_only = false
""".replace("{digest}", "ab" * 32)


def read(folder: Path, text: str, **environment: str) -> Policy:
    file = folder / "policy.toml"
    file.write_text(text, encoding="utf-8")
    return read_policy(file, TOOLSETS, {**SECRETS, **environment})


def complain(folder: Path, text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    return str(caught.value).replace(str(folder / "policy.toml"), "FILE")


def find(policy: Policy, method: str, subject: str, **more: object) -> Rights | None:
    return policy.find(Identity(method, subject, subject, **more))  # type: ignore[arg-type]


def test_people_have_the_rights_of_their_group_and_their_own(tmp_path: Path) -> None:
    rights = find(read(tmp_path, WHOLE), "oidc", "anna-1")

    assert rights is not None
    assert rights.archive is not None
    assert rights.archive.name == "team"
    assert rights.workspaces == ("Northwind Skincare",)
    assert rights.toolsets == ("core",)
    assert (rights.read_only, rights.may_delete, rights.may_spend) == (False, True, False)


def test_people_are_known_by_a_checked_address_whatever_its_case(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    rights = find(policy, "oidc", "x", email="bEN@example.COM")

    assert rights is not None
    assert rights.archivebox is not None
    assert rights.archivebox.url == "https://box.example.com"
    assert (rights.may_spend, rights.credits_a_day) == (True, 300)
    assert find(policy, "oidc", "x", email=None) is None
    assert find(policy, "oidc", "Ben@Example.com") is None


def test_a_group_of_the_issuer_gives_the_rights_of_a_group_here(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)
    groups = frozenset({"archive-analysts"})

    rights = find(policy, "oidc", "carl", groups=groups)
    assert rights is not None
    assert rights.read_only
    assert find(policy, "oidc", "carl", groups=frozenset({"analysts"})) is None
    # The person's own entry goes before.
    anna = find(policy, "oidc", "anna-1", groups=groups)
    assert anna is not None
    assert not anna.read_only


def test_a_name_of_one_way_of_signing_in_is_nobody_in_another(tmp_path: Path) -> None:
    policy = read(tmp_path, WHOLE)

    assert find(policy, "machine", "nightly") is not None
    assert find(policy, "machine", "anna-1") is None
    assert find(policy, "oidc", "nightly") is None
    assert find(policy, "trial", "anna-1") is None
    assert find(policy, "elsewhere", "anna-1") is None


def test_whoever_brings_a_token_works_with_that_one_alone(tmp_path: Path) -> None:
    rights = find(read(tmp_path, WHOLE), "token", "f" * 32, token=None)

    assert rights is not None
    assert rights.archive == Access("own", None)


def test_what_is_not_said_is_not_allowed(tmp_path: Path) -> None:
    rights = find(read(tmp_path, '[[person]]\nid = "x"\n'), "oidc", "x")

    assert rights == Rights()
    assert rights.archive is None
    assert rights.read_only
    assert not rights.may_spend
    assert not rights.may_delete


def test_rights_with_another_secret_are_other_rights(tmp_path: Path) -> None:
    before = find(read(tmp_path, WHOLE), "oidc", "anna-1")
    after = find(read(tmp_path, WHOLE, TEAM_TOKEN="arch_live_new"), "oidc", "anna-1")
    same = find(read(tmp_path, WHOLE), "oidc", "anna-1")

    assert before is not None
    assert after is not None
    assert same is not None
    assert before.fingerprint() == same.fingerprint() != after.fingerprint()
    assert "arch_live" not in before.fingerprint() + repr(before)


def test_secrets_may_stand_in_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("arch_live_file\n", encoding="utf-8")
    text = f"[archive.a]\ntoken = {{ file = {str(secret)!r} }}\n[[person]]\nid='x'\narchive='a'\n"
    rights = find(read(tmp_path, text), "oidc", "x")

    assert rights is not None
    assert rights.archive is not None
    assert rights.archive.secret is not None
    assert rights.archive.secret.reveal() == "arch_live_file"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[person]]\nid = \n", "FILE: Invalid value (at line 2, column 6)."),
        ("\n[[people]]\nid='x'\n", "FILE, line 2: `people` means nothing here; there are"),
        (
            "[[person]]\nid='x'\nred_only = true\n",
            "FILE, line 3: `red_only` means nothing here; did you mean `read_only`?",
        ),
        ("[[person]]\nid='x'\n\n[[person]]\nname='y'\n", "FILE, line 4: say who it is"),
        ("[[person]]\nid='x'\nemail='y'\n", "FILE, line 1: say who it is"),
        ("[[person]]\nid='x'\n[[person]]\nid='x'\n", "FILE, line 4: 'x' is there twice."),
        (
            "[[person]]\nid='x'\nread_only='no'\n",
            "FILE, line 3: `read_only` must be true or false.",
        ),
        ("[[person]]\nid='x'\nread_only=0\n", "FILE, line 3: `read_only` must be true or false."),
        (
            "[[person]]\nid='x'\ncredits_a_day=true\n",
            "FILE, line 3: `credits_a_day` must be a whole number",
        ),
        (
            "[[person]]\nid='x'\ncredits_a_day=-1\n",
            "FILE, line 3: `credits_a_day` must be a whole number",
        ),
        ("[[person]]\nid='x'\ntoolsets='core'\n", "FILE, line 3: `toolsets` must be a list"),
        ("[[person]]\nid='x'\ntoolsets=[]\n", "FILE, line 3: `toolsets` must be a list"),
        ("[[person]]\nid='x'\nworkspaces=['']\n", "FILE, line 3: `workspaces` must be a list"),
        (
            "[[person]]\nid='x'\ntoolsets=['cores']\n",
            "FILE, line 3: there is no toolset cores; there are all, collections, content",
        ),
        ("[[person]]\nid='x'\ngroup='g'\n", "FILE, line 3: there is no group 'g'; there are none."),
        (
            "[[person]]\nid='x'\narchive='a'\n",
            "FILE, line 3: there is no table [archive.a]; there are none.",
        ),
        (
            "[[group]]\nname='a'\n[[group]]\nname='a'\n",
            "FILE, line 4: there are two groups called 'a'.",
        ),
        ("[[group]]\nclaim='a'\n", "FILE, line 1: `name` is missing."),
        (
            "[[group]]\nname='a'\nclaim='c'\n[[group]]\nname='b'\nclaim='c'\n",
            "FILE, line 6: two groups have the claim 'c'.",
        ),
        (
            "[[machine]]\nname='m'\nkey_sha256='abc'\n",
            "FILE, line 3: `key_sha256` must be the SHA-256",
        ),
        ("[[machine]]\nname='m'\n", "FILE, line 1: `key_sha256` is missing."),
        ("[archive.a]\ntoken='arch_live_x'\n", "FILE, line 2: write `token = { env"),
        ("[archive.a]\n", "FILE, line 1: `token` is missing: write"),
        ("[archive.a]\ntoken={env='A', file='b'}\n", "FILE, line 2: write `token = { env"),
        (
            "[archive.a]\ntoken={env='NOT_SET'}\n",
            "FILE, line 2: `token`: the variable NOT_SET is not set.",
        ),
        (
            "[archive.a]\ntoken={file='/no/such/file'}\n",
            "FILE, line 2: `token`: the file /no/such/file cannot be read",
        ),
        ("[archivebox.b]\nurl='box.example.com'\n", "FILE, line 2: `url` must start with https://"),
        (
            "[archivebox.b]\nurl='http://box.example.com'\n",
            "FILE, line 2: `url` is plain http to another",
        ),
        ("[person]\nid='x'\n", "FILE, line 1: write [[person]] with two brackets"),
        ("[[archive]]\ntoken='x'\n", "write `archive` as tables: [archive.NAME]."),
        ("archive = 'x'\n", "FILE, line 1: write `archive` as tables"),
        ("[own_tokens]\ngroup='g'\n", "FILE, line 2: there is no group 'g'"),
        ("[[own_tokens]]\nread_only=true\n", "write `own_tokens` as a table"),
    ],
)
def test_each_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    complaint = complain(tmp_path, text)

    assert message in complaint
    assert "arch_live_x" not in complaint


def test_all_mistakes_come_at_once_in_the_files_order(tmp_path: Path) -> None:
    text = "[[person]]\nid='x'\nmay_spend=1\nmay_delete=1\n\n[[machine]]\nname='m'\n"
    lines = complain(tmp_path, text).splitlines()

    assert [line.partition(":")[0] for line in lines] == [
        "FILE, line 3",
        "FILE, line 4",
        "FILE, line 6",
    ]


def test_a_text_that_looks_like_a_table_moves_no_line(tmp_path: Path) -> None:
    text = "[[person]]\nid='x'\nname='''\n[[person]]\nid = 'y'\n'''\nmay_spend = 1\n"

    assert complain(tmp_path, text).startswith("FILE, line 7:")


def test_an_unreadable_file_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_policy(tmp_path / "none.toml", TOOLSETS, {})
    (tmp_path / "policy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="not UTF-8"):
        read_policy(tmp_path / "policy.toml", TOOLSETS, {})


def test_a_new_policy_with_a_mistake_leaves_the_old_one(tmp_path: Path) -> None:
    texts = [WHOLE, WHOLE.replace("read_only", "red_only"), '[[person]]\nid = "x"\n']
    policy = CurrentPolicy(lambda: read(tmp_path, texts.pop(0)))
    first = policy()

    assert not policy.reload()
    assert policy() is first
    assert policy.reload()
    assert find(policy(), "oidc", "anna-1") is None


def test_an_identity_survives_being_stored() -> None:
    identity = Identity("oidc", "anna", "Anna", "a@b.example", frozenset({"g"}))

    assert Identity.decode(identity.encode()) == identity
