"""What stands before an API and answers in its place: pages of proxies, firewalls and login forms,
and of the web server itself."""

from __future__ import annotations

from server.sandbox import Answer
from tests.campaign.faults.server import Fault

HTML = {"content-type": "text/html; charset=utf-8"}


def page(status: int, body: str, **headers: str) -> Fault:
    """A fault that answers with a page; underscores in names of headers stand for dashes."""
    own = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda answer: Answer(status, {**HTML, **own}, body.encode())


PAGES: dict[str, Fault] = {
    "cloudflare 1020": page(
        403,
        "<!DOCTYPE html><title>Access denied | x used Cloudflare to restrict access</title>"
        "<h1>Error 1020</h1>",
        server="cloudflare",
        cf_ray="8a1b2c3d4e5f-FRA",
    ),
    "cloudflare challenge": page(
        403, "<title>Just a moment...</title>", server="cloudflare", cf_mitigated="challenge"
    ),
    "cloudflare 522": page(522, "<title>522: Connection timed out</title>", server="cloudflare"),
    "cloudflare 429": page(429, "error code: 1015", server="cloudflare", cf_ray="8a1b"),
    "cloudfront 403": page(403, "<H1>403 ERROR</H1>Request blocked.", server="CloudFront"),
    "akamai 403": page(403, "<H1>Access Denied</H1>Reference #18.2d", server="AkamaiGHost"),
    "nginx 403": page(403, "<center><h1>403 Forbidden</h1></center>", server="nginx"),
    "modsecurity 406": page(406, "<h1>Not Acceptable!</h1>Mod_Security", server="Apache"),
    "captive portal 511": page(511, "<title>Network Authentication Required</title>"),
    "captive portal 200": page(200, "<html><title>Hotel WiFi</title>Accept the terms</html>"),
    "captive portal 302": page(302, "", location="http://login.hotel.example/?to=x"),
    "basic auth": page(401, "<h1>401</h1>", www_authenticate='Basic realm="Staging"'),
    "negotiate": page(401, "", www_authenticate="Negotiate"),
    "sso redirect": page(302, "", location="https://login.corp.example/oauth2/authorize?x=1"),
    "access redirect": page(
        302, "", location="https://corp.cloudflareaccess.example/cdn-cgi/access/login/x"
    ),
    "redirect with a body": page(301, '{"data": {}}', location="https://other.example/api"),
    "redirect nowhere": page(307, ""),
    "redirect to itself": page(308, "", location="/api/v2"),
    "redirect to nonsense": page(302, "", location="http://[::1"),
    "allowed hosts": page(400, "<h1>Bad Request (400)</h1>"),
    "empty 401": page(401, ""),
    "text 403": page(403, "Forbidden"),
    "303 to a list": page(303, "", location="/admin/core/snapshot/"),
    "https instead": page(302, "", location="https://127.0.0.1/x"),
    "JSON of a gateway": page(403, '{"message": "Forbidden"}'),
    "bare 400": page(400, "", server="nginx"),
    "404 page": page(404, "<h1>404 Not Found</h1>", server="nginx"),
    "405 page": page(405, "<h1>405 Not Allowed</h1>", server="nginx"),
    "413 page": page(413, "<h1>413 Request Entity Too Large</h1>", server="nginx"),
    "414 page": page(414, "<h1>414 Request-URI Too Large</h1>", server="nginx"),
    "502 page": page(502, "<h1>502 Bad Gateway</h1>", server="nginx"),
    "503 maintenance": page(503, "<h1>Down for maintenance</h1>", retry_after="120"),
    "504 page": page(504, "<h1>504 Gateway Time-out</h1>", server="nginx"),
    "proxy 407": page(407, "<h1>Proxy Authentication Required</h1>"),
    "204 nothing": lambda answer: Answer(204, {}, b""),
}
"""Each by its name. None of them let the request through."""

OWN_PAGES = frozenset({"allowed hosts"})
"""What the API's own web server says before it looks at a request."""
