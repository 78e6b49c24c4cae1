"""The endpoints of the machine, its programs, and the personas."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, NamedTuple

from server.sandbox.archivebox.answers import Detail, ServerError, make_field_error
from server.sandbox.archivebox.call import Call, Filter, contains, paginate, select
from server.sandbox.archivebox.lookup import get_only, strip_dashes
from server.sandbox.archivebox.render import format_date, format_id, render_persona
from server.sandbox.archivebox.world.records import Persona, find_all, find_first, make_time_id
from server.sandbox.ids import draw

HOSTNAME = "tidewater-archive"
_FIELDS = "binary, created_at, guid, hostname, id, os_arch, os_platform, process"


class Program(NamedTuple):
    """A program that plugins run; without a path it is not installed yet."""

    name: str
    provider: str
    path: str
    version: str


# Node is there twice, so that a name may mean more than one program.
_PROGRAMS = (
    Program("wget", "apt", "/usr/bin/wget", "1.25.0"),
    Program("curl", "apt", "/usr/bin/curl", "8.14.1"),
    Program("git", "apt", "/usr/bin/git", "2.47.3"),
    Program("python", "env", "/opt/archivebox/venv/bin/python", "3.13.5"),
    Program("node", "env", "/usr/bin/node", "22.16.0"),
    Program("chrome", "puppeteer", "/opt/archivebox/lib/chrome/chrome", "141.0.7390.54"),
    Program("single-file", "npm", "/opt/archivebox/lib/npm/bin/single-file", "2.0.75"),
    Program(
        "readability-extractor",
        "npm",
        "/opt/archivebox/lib/npm/bin/readability-extractor",
        "0.0.11",
    ),
    Program("yt-dlp", "pip", "/opt/archivebox/venv/bin/yt-dlp", "2026.9.30"),
    Program("ripgrep", "apt", "/usr/bin/rg", "14.1.1"),
    Program("sonic", "cargo", "", ""),
    Program("node", "apt", "/usr/local/bin/node", "20.19.2"),
)
_FORBIDDEN = {
    "/": "Persona name cannot contain path separators (/ or \\)",
    "\\": "Persona name cannot contain path separators (/ or \\)",
    "..": "Persona name cannot contain parent directory references (..)",
    "\n": "Persona name contains invalid characters",
}


def list_machines(call: Call) -> Any:
    """Answer `GET /machine/machines`; filtering by `bin_providers` fails inside the server."""
    machine = _make_machine(call)
    if call.query["bin_providers"] is not None:
        raise make_field_error("bin_providers", _FIELDS)
    return paginate(call, select(call, [machine], _MACHINE_FILTERS, call.query), lambda row: row)


def get_current_machine(call: Call) -> Any:
    """Answer `GET /machine/machine/current`."""
    return _make_machine(call)


def get_machine(call: Call) -> Any:
    """Answer `GET /machine/machine/{machine_id}` by the beginning of its id or by its name."""
    text, machine = call.path["machine_id"], _make_machine(call)
    fits = _begins_with(machine["id"], text) or text.lower() == HOSTNAME
    return get_only([machine] if fits else [], "Machine")


def list_binaries(call: Call) -> Any:
    """Answer `GET /machine/binaries`."""
    binaries = select(call, _make_binaries(call), _BINARY_FILTERS, call.query)
    return paginate(call, binaries, lambda binary: binary)


def get_binary(call: Call) -> Any:
    """Answer `GET /machine/binary/{binary_id}` by the beginning of its id."""
    text, binaries = call.path["binary_id"], _make_binaries(call)
    matches = find_all(binaries, lambda binary: _begins_with(binary["id"], text))
    return get_only(matches, "Binary")


def list_binaries_by_name(call: Call) -> Any:
    """Answer `GET /machine/binary/by-name/{name}`: a list, empty for an unknown name."""
    name = call.path["name"].lower()
    return find_all(_make_binaries(call), lambda binary: binary["name"].lower() == name)


def list_personas(call: Call) -> Any:
    """Answer `GET /personas/personas`: pages on 0.9.73, a plain list before."""
    personas = sorted(call.world.personas.values(), key=lambda persona: persona.name)
    if call.dialect.paginates_personas:
        return paginate(call, personas, lambda persona: render_persona(call.world, persona))
    return [render_persona(call.world, persona) for persona in personas]


def sync_persona(call: Call) -> Any:
    """Answer `POST /personas/sync`: a browser hands over its settings, cookies and sign-ins."""
    body = call.body
    name = body.name.strip()
    _check_persona_name(name)
    persona = _find_persona(call, name)
    created = persona is None
    if persona is None:
        persona = call.world.add_persona(name, call.caller)
    persona.config["BROWSER_EXTENSION_PERSONA_ID"] = body.extension_persona_id
    if body.settings.user_agent:
        persona.config["USER_AGENT"] = body.settings.user_agent
    files = body.model_fields_set if call.dialect.writes_empty_files else ()
    return {
        "success": True,
        "created": created,
        "persona": render_persona(call.world, persona),
        "cookies_file_written": bool(body.cookies_txt.strip()) or "cookies_txt" in files,
        "auth_file_written": bool(body.auth_json) or "auth_json" in files,
    }


def _check_persona_name(name: str) -> None:
    """Refuse what cannot name the persona's folder.

    Raises:
        ServerError, Detail: as the server refuses it.
    """
    if not name:
        raise ServerError("ValueError", "Persona name cannot be empty")
    if part := find_first(_FORBIDDEN, lambda part: part in name):
        raise ServerError("ValueError", _FORBIDDEN[part])
    if name.startswith("."):
        raise ServerError("ValueError", "Persona name cannot start with a dot (.)")
    # The only one of these mistakes that the server refuses on purpose.
    if not re.search(r"\w", name):
        raise Detail(409, "Persona name must contain a letter or a digit.")


def _find_persona(call: Call, name: str) -> Persona | None:
    extension_id = call.body.extension_persona_id

    def fits(persona: Persona) -> bool:
        # The browser keeps its persona also after somebody renamed it.
        has_id = persona.config.get("BROWSER_EXTENSION_PERSONA_ID") == extension_id
        return has_id or persona.name == name

    return find_first(call.world.personas.values(), fits)


def _begins_with(id: str, part: str) -> bool:
    return strip_dashes(id).startswith(strip_dashes(part))


def _make_machine(call: Call) -> dict[str, Any]:
    world = call.world
    birth = world.anchor - timedelta(days=300)
    guid = f"{draw(world.seed, 0, 84):016x}{draw(world.seed, 1, 84):016x}"
    return {
        "TYPE": "machine.Machine",
        "id": format_id(world, make_time_id(birth, world.seed, 0, 85)),
        "created_at": format_date(birth),
        "modified_at": format_date(world.anchor),
        "guid": guid,
        "hostname": HOSTNAME,
        "hw_in_docker": True,
        "hw_in_vm": False,
        "hw_manufacturer": "Docker",
        "hw_product": "Container",
        "hw_uuid": guid[:12],
        "os_arch": "x86_64",
        "os_family": "linux",
        "os_platform": "Linux-6.12.48-amd64-x86_64-with-glibc2.41",
        "os_release": "Debian 13",
        "os_kernel": "#1 SMP PREEMPT_DYNAMIC Debian 6.12.48-1",
        "stats": {"mem_virt_used_pct": 37, "disk_used_pct": 61, "cpu_load": [0.4, 0.3, 0.2]},
        "num_uses_succeeded": 0,
        "num_uses_failed": 0,
    }


def _make_binaries(call: Call) -> list[dict[str, Any]]:
    world, machine = call.world, _make_machine(call)
    binaries: list[dict[str, Any]] = []
    for number, program in enumerate(_PROGRAMS):
        # Installed one after another, so that a list of them has an order.
        birth = world.anchor - timedelta(days=290, seconds=-number)
        digest = f"{draw(world.seed, number, 87):016x}" * 4
        binaries.append(
            {
                "TYPE": "machine.Binary",
                "id": format_id(world, make_time_id(birth, world.seed, number, 86)),
                "created_at": format_date(birth),
                "modified_at": format_date(birth + timedelta(minutes=2)),
                "machine_id": machine["id"],
                "machine_hostname": HOSTNAME,
                "name": program.name,
                "binproviders": "env,apt,pip,npm,cargo,puppeteer",
                "binprovider": program.provider,
                "abspath": program.path,
                "version": program.version,
                "sha256": digest if program.path else "",
                "status": "installed" if program.path else "queued",
                "is_valid": bool(program.path),
                "num_uses_succeeded": 0,
                "num_uses_failed": 0,
            }
        )
    return binaries


_MACHINE_FILTERS: dict[str, Filter] = {
    "id": lambda call, text, machine: _begins_with(machine["id"], text),
    "hostname": lambda call, text, machine: contains(machine["hostname"], text),
    "os_platform": lambda call, text, machine: contains(machine["os_platform"], text),
    "os_arch": lambda call, text, machine: machine["os_arch"] == text,
    "hw_in_docker": lambda call, value, machine: machine["hw_in_docker"] == value,
    "hw_in_vm": lambda call, value, machine: machine["hw_in_vm"] == value,
}
_BINARY_FILTERS: dict[str, Filter] = {
    "id": lambda call, text, binary: _begins_with(binary["id"], text),
    "name": lambda call, text, binary: contains(binary["name"], text),
    "version": lambda call, text, binary: contains(binary["version"], text),
    "machine_id": lambda call, text, binary: _begins_with(binary["machine_id"], text),
    "binprovider": lambda call, text, binary: binary["binprovider"] == text,
    "status": lambda call, text, binary: binary["status"] == text,
}
