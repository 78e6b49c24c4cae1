"""The page for administrators tells the truth: its policy can be used, and no variable is
missing."""

from __future__ import annotations

import re
from pathlib import Path

from server.team.policy import Identity, read_policy
from server.tool.catalog import Catalog
from tests.support.paths import ROOT, SURFACE

PAGE = (ROOT / "docs" / "team.md").read_text(encoding="utf-8")
CODE = "\n".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "server" / "team").rglob("*.py")
)


def test_the_policy_of_the_page_can_be_used(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("arch_live_example", encoding="utf-8")
    text = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0]
    file = tmp_path / "policy.toml"
    file.write_text(text.replace("/run/secrets/marketing_token", str(secret)), encoding="utf-8")
    toolsets = frozenset(Catalog.read(SURFACE, lambda name: None).list_toolsets())
    policy = read_policy(file, toolsets, {"OFFICE_BOX_KEY": "box-key"})

    editor = policy.find(Identity("oidc", "auth0|5f7c8ec7c33c6c004bbafe82", "Anna"))
    assert editor is not None
    assert (editor.may_spend, editor.may_delete, editor.credits_a_day) == (True, False, 300)
    assert policy.own_tokens is not None


def test_every_variable_of_the_code_is_on_the_page() -> None:
    own = {"ARCHIVE_MCP_ALLOW_INSECURE", "ARCHIVE_MCP_HTTP_LISTENER"}
    variables = set(re.findall(r"ARCHIVE_MCP_[A-Z_]+[A-Z]", CODE)) - own

    assert variables
    assert {name for name in variables if name not in PAGE} == set()
