"""Skills from the prompts: the same texts, in the form that hosts load when a task fits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from prompts import DOCUMENTS, Document, workflow_prompts
from prompts.workflows import Argument, Workflow
from scripts.package.product import ROOT

FOLDER = "skills"
_PLACE = re.compile(r"\{(\w+)\}")
_CLOSING = "closing"
_HOW_TO_FILL = (
    "A line with a `<value>` that the request does not give and that has no default does not "
    "apply. Ask for what is needed and missing, once, in one question."
)


def list_skills() -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each skill's file."""
    for workflow in workflow_prompts():
        name = workflow.name.replace("_", "-")
        yield f"{FOLDER}/{name}/SKILL.md", _render_workflow(name, workflow)
    for document in DOCUMENTS:
        name = document.name.replace("_system_prompt", "-guide")
        yield f"{FOLDER}/{name}/SKILL.md", _render_document(name, document)


def _render_workflow(name: str, workflow: Workflow) -> str:
    parts = [
        _render_front(name, workflow.description, _render_hint(workflow)),
        f"# {workflow.title}\n",
        "From the request take:\n",
        "\n".join(_render_argument(argument, workflow) for argument in workflow.arguments) + "\n",
        f"{_HOW_TO_FILL}\n",
        _fill(_read_workflow(workflow.name)),
        _fill(_read_workflow(_CLOSING)),
    ]
    return "\n".join(parts)


def _render_document(name: str, document: Document) -> str:
    return f"{_render_front(name, document.description)}\n{document.text()}"


def _render_front(name: str, description: str, hint: str = "") -> str:
    """Return the front matter; its values are quoted, since they may hold colons and brackets."""
    lines = ["---", f"name: {name}", f"description: {_quote(description)}"]
    if hint:
        lines.append(f"argument-hint: {_quote(hint)}")
    return "\n".join([*lines, "---\n"])


def _render_hint(workflow: Workflow) -> str:
    return " ".join(f"[{argument.name}]" for argument in workflow.arguments)


def _render_argument(argument: Argument, workflow: Workflow) -> str:
    text = f"- `<{argument.name}>`: {argument.description}"
    if argument.name in workflow.one_of:
        return f"{text} One of {', '.join(workflow.one_of)} is needed."
    return f"{text} Needed." if argument.required else text


def _fill(text: str) -> str:
    return _PLACE.sub(lambda place: f"`<{place[1]}>`", text)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _read_workflow(name: str) -> str:
    path: Path = ROOT / "prompts" / "workflows" / f"{name}.md"
    return path.read_text(encoding="utf-8")
