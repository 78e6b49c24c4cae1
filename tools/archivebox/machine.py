"""The machines and programs behind ArchiveBox."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from server.archivebox.endpoints import Get, Text
from server.archivebox.pagination import Paged, Record
from tools.archivebox import records
from tools.archivebox.records import Binary, Machine


class ListMachines(Paged[Machine]):
    """List the machines (servers) that ArchiveBox has run on."""

    operation = "GET /machine/machines"
    title = "List machines"
    search_hint = (
        "which servers does my archive run on, computers, hosts, hardware, operating system, "
        "docker, virtual machine, how many servers, containers, what servers is our page archiver "
        "running on"
    )
    since = "0.9"

    # No `bin_providers`: the server answers that filter with a 503 (a fault of its own).
    id: Text | None = Field(None, description="Part of the id.")
    hostname: Text | None = Field(None, description="Part of the host name.")
    os_platform: Text | None = Field(None, description="Such as linux.")
    os_arch: Text | None = Field(None, description="Such as arm64.")
    hw_in_docker: bool | None = Field(None, description="Whether in Docker.")
    hw_in_vm: bool | None = Field(None, description="Whether in a VM.")

    def one(self, record: Record) -> Record:
        return records.plain(record)


class GetCurrentMachine(Get[Machine]):
    """Get the machine (server) that ArchiveBox runs on now."""

    operation = "GET /machine/machine/current"
    title = "Get the current machine"
    search_hint = (
        "the server it runs on now, this server, operating system, OS, memory, disk, how much "
        "space, CPU, hardware, hostname, docker, current computer, free space, ram, running on, "
        "right now, what servers is our page archiver running on, box, uptime, cores"
    )
    since = "0.9"

    def present(self, result: Any) -> dict[str, Any]:
        return records.plain(result)


class GetMachine(Get[Machine]):
    """Get one machine by id or host name."""

    operation = "GET /machine/machine/{machine_id}"
    title = "Get a machine"
    search_hint = (
        "details of one server, second host, computer by id or host name, which OS is it, "
        "operating system, hardware of a machine, specs, host info, specific machine"
    )
    since = "0.9"

    machine_id: Text = Field(description="Id or host name.")

    def present(self, result: Any) -> dict[str, Any]:
        return records.plain(result)


class ListBinaries(Paged[Binary]):
    """List the programs that ArchiveBox uses, such as wget, and whether they work."""

    operation = "GET /machine/binaries"
    title = "List programs"
    search_hint = (
        "which version of chrome, wget, yt-dlp, ffmpeg, node is installed, dependencies, is "
        "anything missing, broken tools, extractors installed, which tools does it use, is "
        "everything installed, browser version, outdated software, chromium, page archiver, "
        "everything else it depends on, tool versions, up to date"
    )
    since = "0.9"

    id: Text | None = Field(None, description="Part of the id.")
    name: Text | None = Field(None, description="Name of the program.")
    binprovider: Text | None = Field(None, description="Where it comes from, such as apt.")
    status: Text | None = Field(None, description="Its status.")
    machine_id: Text | None = Field(None, description="Id of the machine.")
    version: Text | None = Field(None, description="Its version.")

    def one(self, record: Record) -> Record:
        return records.plain(record)


class GetBinary(Get[Binary]):
    """Get one program by id."""

    operation = "GET /machine/binary/{binary_id}"
    title = "Get a program"
    search_hint = (
        "one program by id, where on disk is the program, path, installed where, version, "
        "executable, details of the binary"
    )
    since = "0.9"

    binary_id: Text = Field(description="Program id.")

    def present(self, result: Any) -> dict[str, Any]:
        return records.plain(result)


class GetBinariesByName(Get[Binary]):
    """Get all installations of a program by its name."""

    operation = "GET /machine/binary/by-name/{name}"
    title = "Get programs by name"
    search_hint = (
        "is chrome installed, is wget, yt-dlp, ffmpeg installed, which version of one program, "
        "all copies of a program, path, which node"
    )
    since = "0.9"

    name: Text = Field(description="Such as wget.")

    def present(self, result: Any) -> dict[str, Any]:
        binaries = [
            records.plain(entry) for entry in (result if isinstance(result, list) else [result])
        ]
        return {"nodes": binaries, "totalCount": len(binaries), "nextCursor": None}
