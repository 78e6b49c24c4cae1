"""Which function answers which endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from server.sandbox.archivebox.call import Call
from server.sandbox.archivebox.endpoints import (
    auth,
    cli,
    cli_old,
    crawls,
    feed,
    machine,
    results,
    snapshots,
    tags,
    uploads,
)

Handler = Callable[[Call], Any]

HANDLERS: dict[str, Handler] = {
    "POST /auth/get_api_token": auth.get_api_token,
    "POST /auth/check_api_token": auth.check_api_token,
    "POST /auth/browser_session": auth.browser_session,
    "GET /core/snapshots": snapshots.list_snapshots,
    "POST /core/snapshots": snapshots.create_snapshot,
    "GET /core/snapshot/{snapshot_id}/screencast.jpg": snapshots.get_screencast,
    "GET /core/snapshots.rss": feed.get_feed,
    "GET /core/snapshot/{snapshot_id}": snapshots.get_snapshot,
    "PATCH /core/snapshot/{snapshot_id}": snapshots.update_snapshot,
    "DELETE /core/snapshot/{snapshot_id}": snapshots.delete_snapshot,
    "GET /core/archiveresults": results.list_results,
    "POST /core/archiveresults": uploads.create_result,
    "GET /core/archiveresult/{archiveresult_id}": results.get_result,
    "PATCH /core/archiveresult/{archiveresult_id}": uploads.update_result,
    "GET /core/tags": tags.list_tags,
    "GET /core/tag/{tag_id}": tags.get_tag,
    "DELETE /core/tag/{tag_id}": tags.delete_tag,
    "POST /core/tag/{tag_id}/rename": tags.rename_tag,
    "GET /core/tag/{tag_id}/urls.txt": tags.export_urls,
    "GET /core/tag/{tag_id}/snapshots.jsonl": tags.export_snapshots,
    "GET /core/tags/search/": tags.search_tags,
    "GET /core/tags/autocomplete/": tags.suggest_tags,
    "POST /core/tags/create/": tags.create_tag,
    "POST /core/tags/add-to-snapshot/": tags.tag_snapshot,
    "POST /core/tags/remove-from-snapshot/": tags.untag_snapshot,
    "GET /core/any/{id}": snapshots.get_any,
    "GET /core/any/{abid}": snapshots.get_any,
    "GET /crawls/crawls": crawls.list_crawls,
    "POST /crawls/crawls": crawls.create_crawl,
    "GET /crawls/crawl/{crawl_id}": crawls.get_crawl,
    "PATCH /crawls/crawl/{crawl_id}": crawls.update_crawl,
    "DELETE /crawls/crawl/{crawl_id}": crawls.delete_crawl,
    "GET /crawls/crawl/{crawl_id}/files/{filename}": crawls.get_crawl_file,
    "GET /crawls/crawl/{crawl_id}/files/{folder}/{filename}": crawls.get_crawl_file,
    "GET /crawls/crawl/{crawl_id}/files/{folder}/{subfolder}/{filename}": crawls.get_crawl_file,
    "POST /cli/add": cli.add,
    "POST /cli/update": cli.update,
    "POST /cli/schedule": cli.schedule,
    "POST /cli/search": cli.search,
    "POST /cli/remove": cli.remove,
    "GET /machine/machines": machine.list_machines,
    "GET /machine/machine/current": machine.get_current_machine,
    "GET /machine/machine/{machine_id}": machine.get_machine,
    "GET /machine/binaries": machine.list_binaries,
    "GET /machine/binary/{binary_id}": machine.get_binary,
    "GET /machine/binary/by-name/{name}": machine.list_binaries_by_name,
    "GET /personas/personas": machine.list_personas,
    "POST /personas/sync": machine.sync_persona,
}
# Before 0.9 only the commands differ that much; what a release does not declare is never called.
OLD_HANDLERS: dict[str, Handler] = {
    **HANDLERS,
    "POST /cli/add": cli_old.add,
    "POST /cli/update": cli_old.update,
    "POST /cli/schedule": cli_old.schedule,
    "POST /cli/list": cli_old.list_links,
    "POST /cli/remove": cli_old.remove,
}
