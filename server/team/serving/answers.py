"""What is answered to requests that never reach the protocol: each says what to do."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from server.team.identity import Refusal
from server.team.settings import PATH, TeamSettings

METADATA_PATH = "/.well-known/oauth-protected-resource"
# JSON-RPC leaves -32000 to -32099 to servers.
_SERVER_ERROR = -32_000
_OAUTH_ERRORS = {"missing": "", "invalid": "invalid_token", "scope": "insufficient_scope"}


def make_error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return an answer in the form of the protocol, so that clients show the words."""
    error = {"code": _SERVER_ERROR, "message": message}
    content = {"jsonrpc": "2.0", "id": None, "error": error}
    return JSONResponse(content, status_code=status, headers=headers)


def make_refusal(refusal: Refusal, settings: TeamSettings) -> Response:
    """Return the answer to somebody who was not let in, and where to sign in."""
    headers = {"cache-control": "no-store"}
    if refusal.retry_after:
        headers["retry-after"] = str(refusal.retry_after)
    if refusal.reason in _OAUTH_ERRORS:
        headers["www-authenticate"] = _make_challenge(refusal, settings)
        error = _OAUTH_ERRORS[refusal.reason] or "invalid_request"
        content = {"error": error, "error_description": refusal.message}
        return JSONResponse(content, status_code=refusal.status, headers=headers)
    return make_error(refusal.status, refusal.message, headers)


def _make_challenge(refusal: Refusal, settings: TeamSettings) -> str:
    parts = ['realm="archive-mcp"']
    # Without an issuer there is nowhere to sign in: the key or token is in the client's settings.
    if settings.oidc is not None:
        origin = settings.resource.removesuffix(PATH)
        parts.append(f'resource_metadata="{origin}{METADATA_PATH}{PATH}"')
        if settings.oidc.scopes:
            parts.append(f'scope="{" ".join(settings.oidc.scopes)}"')
    if error := _OAUTH_ERRORS[refusal.reason]:
        description = refusal.message.replace('"', "'").encode("ascii", "replace").decode()
        parts += [f'error="{error}"', f'error_description="{description}"']
    return f"Bearer {', '.join(parts)}"


def make_metadata(settings: TeamSettings) -> dict[str, object]:
    """Return what RFC 9728 has clients read: where tokens for this server are made."""
    metadata: dict[str, object] = {
        "resource": settings.resource,
        "resource_name": "archive-mcp",
        "bearer_methods_supported": ["header"],
    }
    if settings.oidc is not None:
        metadata["authorization_servers"] = [settings.oidc.issuer]
        if settings.oidc.scopes:
            metadata["scopes_supported"] = list(settings.oidc.scopes)
    return metadata
