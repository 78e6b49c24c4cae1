"""What hosts read from the repository itself: plugin, marketplace, extension, registry entry."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scripts.package.product import (
    ENTRY_POINT,
    EXTRAS,
    SERVER,
    SHORT,
    TITLE,
    Product,
)
from server.settings import DEFAULT_API_URL
from server.settings.table import Kind, Setting

REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
MARKETPLACE = "archive-mcp"
# The kinds of our table, in the words of MCPB and of Claude Code's plugins.
FORM_KINDS: dict[Kind, str] = {
    "text": "string",
    "secret": "string",
    "choice": "string",
    "switch": "boolean",
    "folder": "directory",
    "file": "file",
}
_REGISTRY_FORMATS: dict[Kind, str] = {"switch": "boolean", "folder": "filepath", "file": "filepath"}
# Certificates of the system: behind a proxy that replaces them uv could install nothing otherwise.
# The first name is for uv up to 0.9, the second for later ones.
UV_ENVIRONMENT = {"UV_NATIVE_TLS": "true", "UV_SYSTEM_CERTS": "true"}
# Milliseconds. A session of Gemini CLI waits as long by itself, but `gemini mcp list` only five
# seconds unless this is set: too short for a first start, which installs the server.
_GEMINI_PATIENCE = 600_000


def describe_form(setting: Setting) -> dict[str, Any]:
    """Return a field of a form that the user fills in when they install."""
    field: dict[str, Any] = {
        "type": FORM_KINDS[setting.kind],
        "title": setting.title,
        "description": setting.prompt,
        "required": False,
        # Without a default a host leaves the name of the field where its value belongs.
        "default": False if setting.kind == "switch" else "",
    }
    if setting.is_secret:
        field["sensitive"] = True
    return field


def describe_forms(product: Product) -> dict[str, Any]:
    """Return the fields of all settings that an installer asks for, by their name in the form."""
    return {setting.name.lower(): describe_form(setting) for setting in product.asked_settings}


def form_environment(product: Product) -> dict[str, str]:
    """Return the environment that hands the fields of the form to the server."""
    fields = {
        setting.name: f"${{user_config.{setting.name.lower()}}}"
        for setting in product.asked_settings
    }
    return {**UV_ENVIRONMENT, **fields}


def build_run_arguments(folder: str) -> list[str]:
    """Return what uv takes to run the server from a folder with the repository."""
    extras = [part for extra in EXTRAS for part in ("--extra", extra)]
    return ["run", "--directory", folder, *extras, ENTRY_POINT]


def describe_plugin(product: Product) -> dict[str, Any]:
    """Return the manifest of the Claude Code plugin."""
    root, data = "${CLAUDE_PLUGIN_ROOT}", "${CLAUDE_PLUGIN_DATA}"
    return {
        "name": SERVER,
        "version": product.version,
        "description": SHORT,
        "author": {"name": product.identity.owner},
        "homepage": product.identity.git,
        "repository": product.identity.git,
        "license": product.project["license"],
        "keywords": product.project["keywords"],
        "userConfig": describe_forms(product),
        "mcpServers": {
            SERVER: {
                "command": "uv",
                "args": build_run_arguments(root),
                # The packages go beside the plugin, so that an update does not install them anew.
                "env": {"UV_PROJECT_ENVIRONMENT": f"{data}/venv", **form_environment(product)},
            }
        },
        "network": {"hosts": [urlsplit(DEFAULT_API_URL).hostname]},
    }


def describe_marketplace(product: Product) -> dict[str, Any]:
    """Return the marketplace with the one plugin of this repository."""
    return {
        "name": MARKETPLACE,
        "owner": {"name": product.identity.owner},
        "metadata": {"description": f"{TITLE}, as tools for Claude Code"},
        "plugins": [
            {
                "name": SERVER,
                "source": "./",
                "description": SHORT,
                "category": "productivity",
                "keywords": product.project["keywords"],
            }
        ],
    }


def describe_extension(product: Product) -> dict[str, Any]:
    """Return the manifest of the Gemini CLI extension."""
    return {
        # Gemini CLI expects the folder's name, which is that of the repository.
        "name": "archive-mcp",
        "version": product.version,
        "description": SHORT,
        "mcpServers": {
            SERVER: {
                "command": "uv",
                "args": build_run_arguments("${extensionPath}"),
                "env": UV_ENVIRONMENT,
                "timeout": _GEMINI_PATIENCE,
            }
        },
        "settings": [
            {
                "name": setting.title,
                "description": setting.prompt,
                "envVar": setting.name,
                "sensitive": setting.is_secret,
            }
            for setting in product.asked_settings
        ],
    }


def describe_registry_entry(product: Product) -> dict[str, Any]:
    """Return the entry of the MCP registry: the packages whose address is known beforehand."""
    variables = [_describe_variable(setting) for setting in product.settings]
    transport = {"type": "stdio"}
    return {
        "$schema": REGISTRY_SCHEMA,
        "name": product.identity.server_name,
        "title": TITLE,
        "description": SHORT,
        "version": product.version,
        "websiteUrl": product.identity.git,
        "repository": {"url": product.identity.git, "source": _find_forge(product.identity.git)},
        "packages": [
            {
                "registryType": "pypi",
                "identifier": product.distribution,
                "version": product.version,
                "runtimeHint": "uvx",
                "transport": transport,
                "environmentVariables": variables,
            },
            {
                "registryType": "oci",
                "identifier": f"{product.identity.image}:{product.version}",
                "runtimeHint": "docker",
                "transport": transport,
                "environmentVariables": variables,
            },
        ],
    }


def describe_bundle_package(product: Product, sha256: str) -> dict[str, Any]:
    """Return the bundle's part of the registry entry, which holds the digest of the file.

    Args:
        sha256: the digest in hexadecimal digits.
    """
    file = f"archive-mcp-{product.version}.mcpb"
    return {
        "registryType": "mcpb",
        "identifier": f"{product.identity.git}/releases/download/v{product.version}/{file}",
        "version": product.version,
        "fileSha256": sha256,
        "transport": {"type": "stdio"},
    }


def _describe_variable(setting: Setting) -> dict[str, Any]:
    variable: dict[str, Any] = {
        "name": setting.name,
        "description": setting.prompt,
        "isRequired": False,
        "isSecret": setting.is_secret,
    }
    if setting.kind in _REGISTRY_FORMATS:
        variable["format"] = _REGISTRY_FORMATS[setting.kind]
    if setting.choices:
        variable["choices"] = list(setting.choices)
    return variable


def _find_forge(git: str) -> str:
    """Return the registry's word for the service that has the repository."""
    host = urlsplit(git).hostname or ""
    return "gitlab" if "gitlab" in host else "github"
