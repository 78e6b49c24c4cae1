"""The endpoints of the machine, its programs, and the personas."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from server.sandbox.archivebox.answers import Detail, Raised
from server.sandbox.archivebox.call import Call, contains, paged
from server.sandbox.archivebox.finding import bare, only
from server.sandbox.archivebox.render import persona_record, shown_id, stamp
from server.sandbox.archivebox.world.records import Persona, time_id
from server.sandbox.ids import draw

HOSTNAME = "tidewater-archive"
_PROGRAMS = (
    ("wget", "apt", "/usr/bin/wget", "1.25.0"), ("curl", "apt", "/usr/bin/curl", "8.14.1"),
    ("git", "apt", "/usr/bin/git", "2.47.3"), ("python", "env", "/opt/archivebox/venv/bin/python", "3.13.5"),
    ("node", "env", "/usr/bin/node", "22.16.0"),
    ("chrome", "puppeteer", "/opt/archivebox/lib/chrome/chrome", "141.0.7390.54"),
    ("single-file", "npm", "/opt/archivebox/lib/npm/bin/single-file", "2.0.75"),
    ("readability-extractor", "npm", "/opt/archivebox/lib/npm/bin/readability-extractor", "0.0.11"),
    ("yt-dlp", "pip", "/opt/archivebox/venv/bin/yt-dlp", "2026.9.30"), ("ripgrep", "apt", "/usr/bin/rg", "14.1.1"),
    ("sonic", "cargo", "", ""), ("node", "apt", "/usr/local/bin/node", "20.19.2"),
)  # fmt: skip
_FORBIDDEN = {
    "/": "Persona name cannot contain path separators (/ or \\)",
    "\\": "Persona name cannot contain path separators (/ or \\)",
    "..": "Persona name cannot contain parent directory references (..)",
    "\n": "Persona name contains invalid characters",
}


def list_machines(call: Call) -> Any:
    """`GET /machine/machines`; filtering by `bin_providers` fails inside the server."""
    query, machine = call.query, _machine(call)
    if query["bin_providers"] is not None:
        choices = "binary, created_at, guid, hostname, id, os_arch, os_platform, process"
        raise Raised(
            "FieldError",
            f"Cannot resolve keyword 'bin_providers' into field. Choices are: {choices}",
        )
    fits = (
        _begins(machine["id"], query["id"])
        and contains(machine["hostname"], query["hostname"])
        and contains(machine["os_platform"], query["os_platform"])
        and all(
            query[name] is None or machine[name] == query[name]
            for name in ("os_arch", "hw_in_docker", "hw_in_vm")
        )
    )
    return paged(call, [machine] if fits else [], lambda each: each)


def current_machine(call: Call) -> Any:
    """`GET /machine/machine/current`."""
    return _machine(call)


def get_machine(call: Call) -> Any:
    """`GET /machine/machine/{machine_id}` by the beginning of its id or by its name."""
    wanted, machine = call.inside["machine_id"], _machine(call)
    fits = _begins(machine["id"], wanted) or wanted.lower() == HOSTNAME
    return only([machine] if fits else [], "Machine")


def list_binaries(call: Call) -> Any:
    """`GET /machine/binaries`."""
    query = call.query
    found = [
        each
        for each in _binaries(call)
        if _begins(each["id"], query["id"])
        and contains(each["name"], query["name"])
        and contains(each["version"], query["version"])
        and _begins(each["machine_id"], query["machine_id"])
        and all(
            query[name] is None or each[name] == query[name] for name in ("binprovider", "status")
        )
    ]
    return paged(call, found, lambda each: each)


def get_binary(call: Call) -> Any:
    """`GET /machine/binary/{binary_id}` by the beginning of its id."""
    wanted = call.inside["binary_id"]
    return only([each for each in _binaries(call) if _begins(each["id"], wanted)], "Binary")


def binaries_by_name(call: Call) -> Any:
    """`GET /machine/binary/by-name/{name}`: a list, empty for an unknown name."""
    return [each for each in _binaries(call) if each["name"].lower() == call.inside["name"].lower()]


def list_personas(call: Call) -> Any:
    """`GET /personas/personas`: pages on 0.9.73, a plain list before."""
    found = sorted(call.world.personas.values(), key=lambda each: each.name)
    if call.dialect.compact_ids:
        return paged(call, found, lambda each: persona_record(call.world, each))
    return [persona_record(call.world, each) for each in found]


def sync_persona(call: Call) -> Any:
    """`POST /personas/sync`: a browser hands over its settings, cookies and sign-ins."""
    body = call.body
    name = body.name.strip()
    if not name:
        raise Raised("ValueError", "Persona name cannot be empty")
    for part, words in _FORBIDDEN.items():
        if part in name:
            raise Raised("ValueError", words)
    if name.startswith("."):
        raise Raised("ValueError", "Persona name cannot start with a dot (.)")
    if not re.search(r"\w", name):
        raise Detail(409, "Persona name must contain a letter or a digit.")
    known = (
        each
        for each in call.world.personas.values()
        if each.name == name
        or each.config.get("BROWSER_EXTENSION_PERSONA_ID") == body.extension_persona_id
    )
    persona = next(known, None)
    created = persona is None
    if persona is None:
        moment = call.world.moment()
        persona = Persona(call.world.new_id(moment, 83), name, moment, call.caller, {})
        call.world.personas[persona.id] = persona
    agent = body.settings.user_agent
    persona.config |= {
        "BROWSER_EXTENSION_PERSONA_ID": body.extension_persona_id,
        **({"USER_AGENT": agent} if agent else {}),
    }
    sent = call.body.model_fields_set if call.dialect.compact_ids else ()
    return {
        "success": True,
        "created": created,
        "persona": persona_record(call.world, persona),
        "cookies_file_written": bool(body.cookies_txt.strip()) or "cookies_txt" in sent,
        "auth_file_written": bool(body.auth_json) or "auth_json" in sent,
    }


def _begins(id: str, part: str | None) -> bool:
    return part is None or bare(id).startswith(bare(part))


def _machine(call: Call) -> dict[str, Any]:
    world = call.world
    born = world.anchor - timedelta(days=300)
    guid = f"{draw(world.seed, 0, 84):016x}{draw(world.seed, 1, 84):016x}"
    return {
        "TYPE": "machine.Machine",
        "id": shown_id(world, time_id(born, world.seed, 0, 85)),
        "created_at": stamp(born),
        "modified_at": stamp(world.anchor),
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


def _binaries(call: Call) -> list[dict[str, Any]]:
    world, machine = call.world, _machine(call)
    found = []
    for number, (name, provider, path, version) in enumerate(_PROGRAMS):
        born = world.anchor - timedelta(days=290, seconds=-number)
        found.append(
            {
                "TYPE": "machine.Binary",
                "id": shown_id(world, time_id(born, world.seed, number, 86)),
                "created_at": stamp(born),
                "modified_at": stamp(born + timedelta(minutes=2)),
                "machine_id": machine["id"],
                "machine_hostname": HOSTNAME,
                "name": name,
                "binproviders": "env,apt,pip,npm,cargo,puppeteer",
                "binprovider": provider,
                "abspath": path,
                "version": version,
                "sha256": f"{draw(world.seed, number, 87):016x}" * 4 if path else "",
                "status": "installed" if path else "queued",
                "is_valid": bool(path),
                "num_uses_succeeded": 0,
                "num_uses_failed": 0,
            }
        )
    return found
