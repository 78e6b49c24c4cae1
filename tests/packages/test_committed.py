"""What hosts read from the repository is what the script makes of tools, settings and prompts.

When one of these fails, `python -m scripts.package generate` writes the files anew.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile, copytree
from typing import Any

import pytest
from jsonschema import Draft7Validator

from prompts import DOCUMENTS
from prompts.workflows import WORKFLOWS
from scripts.package import bundle, host_pages, hosts, skills
from scripts.package.committed import find_stale, generate_texts, render_settings
from scripts.package.identity import Identity, PlaceholderError
from scripts.package.product import Product, render_json
from server import __version__
from server.settings import VARIABLES
from server.settings.table import SETTINGS
from tests.support.paths import ROOT

DATA = ROOT / "tests" / "data" / "packages"
REAL = Identity(
    owner="somebody",
    git="https://github.com/somebody/archive-mcp",
    image="ghcr.example/somebody/archive-mcp",
    namespace="io.github.somebody",
)
PLUGIN = json.loads((ROOT / ".claude-plugin" / "plugin.json").read_text(encoding="utf-8"))
SKILLS = dict(skills.list_skills())


@pytest.fixture
def product() -> Product:
    """Return what is packed, published by somebody."""
    return Product(REAL)


def schema_problems(schema: str, document: Any) -> list[str]:
    """Return what a schema of the test data objects to."""
    rules = json.loads((DATA / schema).read_text(encoding="utf-8"))
    return [error.message for error in Draft7Validator(rules).iter_errors(document)]


def test_what_is_committed_is_what_would_be_generated() -> None:
    assert find_stale(Product()) == []


def test_the_table_of_settings_has_every_variable() -> None:
    assert [setting.name for setting in SETTINGS if setting.name not in VARIABLES] == []
    assert sorted(setting.name for setting in SETTINGS) == sorted(VARIABLES)
    rows = render_settings(SETTINGS).splitlines()
    assert len(rows) == len(SETTINGS) + 2


def test_secrets_are_marked_and_nothing_else_is() -> None:
    assert {setting.name for setting in SETTINGS if setting.is_secret} == {
        "ARCHIVE_APP_TOKEN",
        "ARCHIVEBOX_API_KEY",
        "ARCHIVEBOX_PASSWORD",
    }


def test_installers_ask_for_what_most_people_need() -> None:
    assert [setting.name for setting in SETTINGS if setting.asked] == [
        "ARCHIVE_APP_TOKEN",
        "ARCHIVE_WORKSPACE_ID",
        "ARCHIVEBOX_URL",
        "ARCHIVEBOX_API_KEY",
        "ARCHIVE_MCP_READ_ONLY",
        "ARCHIVE_MCP_EXPORT_DIR",
    ]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_forms_get_sentences_without_markup(setting: Any) -> None:
    assert re.fullmatch(r"[A-Z0-9][^`]*\.", setting.prompt)
    assert 0 < len(setting.title) <= 30


def test_each_optional_field_has_an_empty_default(product: Product) -> None:
    # A host would leave `${user_config.x}` in its place.
    for name, field in hosts.describe_forms(product).items():
        assert field["default"] in ("", False), name
        assert field["required"] is False, name


def test_every_field_of_a_form_reaches_the_server_and_no_other(product: Product) -> None:
    fields = set(hosts.describe_forms(product))
    environment = hosts.form_environment(product)
    used = {
        name
        for value in environment.values()
        for name in re.findall(r"\$\{user_config\.(\w+)\}", value)
    }
    assert used == fields
    assert {name for name in environment if name.startswith("ARCHIVE")} == {
        setting.name for setting in product.asked_settings
    }


def test_the_plugin_and_the_marketplace_name_each_other(product: Product) -> None:
    market = hosts.describe_marketplace(product)
    assert [plugin["name"] for plugin in market["plugins"]] == [PLUGIN["name"]]
    assert PLUGIN["version"] == __version__
    assert PLUGIN["network"] == {"hosts": ["app.archive.com"]}


def test_there_is_a_skill_for_every_prompt() -> None:
    names = {path.split("/")[1] for path in SKILLS}
    assert names == {
        *(workflow.name.replace("_", "-") for workflow in WORKFLOWS),
        *(document.name.replace("_system_prompt", "-guide") for document in DOCUMENTS),
    }


@pytest.mark.parametrize("path", SKILLS)
def test_a_skill_says_what_it_is_and_leaves_no_place_open(path: str) -> None:
    front, _, body = SKILLS[path].removeprefix("---\n").partition("---\n")
    fields = dict(line.split(": ", 1) for line in front.splitlines())
    assert fields["name"] == path.split("/")[1]
    assert 20 < len(json.loads(fields["description"])) < 1024
    # Braces of a prompt's own examples stay; those of its arguments are filled.
    arguments = {argument.name for workflow in WORKFLOWS for argument in workflow.arguments}
    assert not arguments & set(re.findall(r"\{(\w+)\}", body))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_a_skill_has_the_text_of_its_prompt(workflow: Any) -> None:
    text = SKILLS[f"skills/{workflow.name.replace('_', '-')}/SKILL.md"]
    entries = {
        argument.name: (*argument.values, "x")[0]
        for argument in workflow.arguments
        if argument.name not in workflow.one_of[1:]
    }
    filled = workflow.text(entries)
    # Lines without a value are the same in both forms.
    plain = [line for line in filled.splitlines() if line and "`" not in line]
    assert [line for line in plain if line not in text] == []
    for argument in workflow.arguments:
        assert f"`<{argument.name}>`: {argument.description}" in text


def test_the_registry_entry_fits_the_published_schema(product: Product) -> None:
    entry = hosts.describe_registry_entry(product)
    entry["packages"].append(hosts.describe_bundle_package(product, "0" * 64))
    assert schema_problems("server.schema.json", entry) == []
    assert entry["repository"]["source"] == "github"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "archive-mcp"},
        {"description": "x" * 101},
        {"version": None},
        {"packages": [{"registryType": "pypi", "identifier": "x"}]},
        {"packages": [{"registryType": "x", "identifier": "x", "transport": {"type": "pipe"}}]},
    ],
)
def test_the_schema_notices_a_wrong_registry_entry(
    product: Product, change: dict[str, Any]
) -> None:
    assert schema_problems("server.schema.json", hosts.describe_registry_entry(product) | change)


def test_the_registry_finds_its_proofs_of_who_publishes() -> None:
    name = f"mcp-name: {Product().identity.server_name}"
    assert name in (ROOT / "README.md").read_text(encoding="utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert 'LABEL io.modelcontextprotocol.server.name="${SERVER_NAME}"' in dockerfile


def test_the_bundle_fits_its_schema_and_lists_every_tool(product: Product) -> None:
    manifest = bundle.describe_bundle(product)
    assert schema_problems("mcpb-manifest.schema.json", manifest) == []
    surface = json.loads((ROOT / "tools" / "surface.json").read_text(encoding="utf-8"))
    assert [tool["name"] for tool in manifest["tools"]] == [
        row["tool"]["name"] for row in surface["tools"]
    ]


def test_the_extension_declares_what_may_reach_the_server(product: Product) -> None:
    declared = {entry["envVar"]: entry for entry in hosts.describe_extension(product)["settings"]}
    assert set(declared) == {setting.name for setting in product.asked_settings}
    assert declared["ARCHIVE_APP_TOKEN"]["sensitive"] is True


def test_placeholders_make_a_release_refuse() -> None:
    with pytest.raises(PlaceholderError, match="owner, git, image, namespace"):
        Identity("OWNER", "https://git.invalid/OWNER/x", "x.invalid/x", "io.OWNER").require_real()
    REAL.require_real()


def test_owner_and_address_stand_in_one_place(product: Product) -> None:
    texts = generate_texts(product)
    generated = json.dumps([texts[name] for name in texts if not name.endswith(".md")])
    generated += render_json(bundle.describe_bundle(product))
    assert "OWNER" not in generated
    assert ".invalid" not in generated


def test_on_a_package_index_the_readme_points_into_the_repository() -> None:
    text = "![A chart](docs/a.svg) [x](docs/x.md#y) [z](https://z.example/) [here](#here)"
    assert REAL.describe(text) == (
        "![A chart](https://github.com/somebody/archive-mcp/raw/main/docs/a.svg) "
        "[x](https://github.com/somebody/archive-mcp/blob/main/docs/x.md#y) "
        "[z](https://z.example/) [here](#here)"
    )


def test_nothing_points_to_a_placeholder() -> None:
    unknown = Identity("OWNER", "https://git.invalid/OWNER/x", "image", "io.github.OWNER")
    assert unknown.describe("[x](docs/x.md)") == "[x](docs/x.md)"


def test_the_wheel_describes_itself_by_links_that_resolve(tmp_path: Path) -> None:
    needed = ("pyproject.toml", "README.md", "LICENSE", "archive_mcp.py", "server/__init__.py")
    for name in needed:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copyfile(ROOT / name, tmp_path / name)
    copytree(ROOT / "scripts" / "package", tmp_path / "scripts" / "package")
    lines = [f'{name} = "{value}"\n' for name, value in vars(REAL).items()]
    identity = tmp_path / "scripts" / "package" / "identity.toml"
    identity.write_text("".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "hatchling", "metadata", "readme"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    targets = re.findall(r"\]\(([^)\s]+)\)", done.stdout)
    assert [target for target in targets if not re.match(r"https://|#", target)] == []
    inside = [target for target in targets if target.startswith(f"{REAL.git}/")]
    paths = [re.sub(r".*/(?:blob|raw)/main/([^#]*).*", r"\1", target) for target in inside]
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_once_it_is_published_the_pages_of_assistants_have_install_links(product: Product) -> None:
    pages = dict(host_pages.list_host_pages(product))
    assert "[Add it to Cursor](cursor://" in pages["docs/hosts/cursor.md"]
    assert "[Add it to VS Code](vscode:mcp/install?" in pages["docs/hosts/vscode.md"]
    assert "[Add it to" not in pages["docs/hosts/claude-desktop.md"]
