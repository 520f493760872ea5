"""Status pages in place: what was published, to everybody, and nothing beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from flyball.web.status_files import status_routes
from synthetics.status_page.adapters.page_folder import PageFolder
from synthetics.status_page.publishing import publish
from tests.flyball.web.world import serving
from tests.synthetics.status_page.rendering import samples


@dataclass(frozen=True)
class Site:
    """A client of the pages, and the folder that they lie in."""

    client: httpx.Client
    folder: Path


def told(minutes: int = 0) -> samples.PublicSnapshot:
    calm = samples.calm()
    return replace(calm, at=samples.NOW + timedelta(minutes=minutes), components=calm.components[:2])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "secret.txt").write_text("secret")
    publish(PageFolder(folder / "acme"), told())
    (folder / "acme/current/.hidden").write_text("secret")
    (folder / "acme/current/link.html").symlink_to(folder / "secret.txt")
    with serving(Starlette(routes=status_routes(folder))) as url, httpx.Client(base_url=url) as client:
        yield Site(client, folder)


def test_a_page_is_found_with_its_slash_and_in_every_language(site: Site) -> None:
    answer = site.client.get("/status/acme")
    assert (answer.status_code, answer.headers["location"]) == (308, "/status/acme/")
    assert "All systems are operational" in site.client.get("/status/acme/").text
    assert "Alle Systeme sind in Betrieb" in site.client.get("/status/acme/de/").text
    assert site.client.get("/status/acme/").headers["content-type"] == "text/html; charset=utf-8"
    assert site.client.get("/status/acme/history.atom").headers["content-type"].startswith("application/atom+xml")


@pytest.mark.parametrize(
    "path",
    [
        "/status/acme/../secret.txt", "/status/acme/%2e%2e/secret.txt", "/status/acme/..%2fsecret.txt",
        "/status/acme/%2e%2e%2f%2e%2e%2fsecret.txt", "/status/../secret.txt", "/status/%2e%2e/secret.txt",
        "/status/acme/..%5csecret.txt", "/status/acme//etc/passwd", "/status/acme/%2fetc/passwd",
        "/status/acme/.generations/lock", "/status/acme/x%00.html", "/status/acme/link.html", "/status/acme/api",
        "/status/acme/.hidden",
        "/status/acme/api/v2/", "/status/.acme/", "/status/nobody/", "/status/nobody", "/status/acme/a" + "b" * 300,
    ],
)  # fmt: skip
def test_nothing_beside_the_page_is_served(site: Site, path: str) -> None:
    with httpx.Client(base_url=site.client.base_url) as client:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_who_has_it_already_is_told_so(site: Site) -> None:
    first = site.client.get("/status/acme/history.html")
    tag, changed = first.headers["etag"], first.headers["last-modified"]
    for headers in ({"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-Modified-Since": changed}):
        again = site.client.get("/status/acme/history.html", headers=headers)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for headers in (
        {"If-None-Match": '"x"', "If-Modified-Since": changed},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert site.client.get("/status/acme/history.html", headers=headers).status_code == 200


def test_head_tells_what_get_would(site: Site) -> None:
    head, get = (site.client.request(method, "/status/acme/api/v2/status.json") for method in ("HEAD", "GET"))
    assert head.content == b""
    assert head.headers["content-length"] == str(len(get.content))
    assert head.headers["etag"] == get.headers["etag"]
    assert site.client.post("/status/acme/").status_code == 405


def test_programs_of_other_sites_may_read_the_api_and_show_badges(site: Site) -> None:
    api, badge, page = (site.client.get(f"/status/acme/{it}") for it in ("api/v2/summary.json", "badge.svg", ""))
    assert api.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in page.headers
    resource = "cross-origin-resource-policy"
    assert [it.headers[resource] for it in (api, badge, page)] == ["cross-origin", "cross-origin", "same-origin"]


def test_only_what_is_named_by_its_digest_is_kept_for_good(site: Site) -> None:
    index = site.client.get("/status/acme/")
    style = index.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert "immutable" in site.client.get(f"/status/acme/{style}").headers["cache-control"]
    assert "max-age=30" in index.headers["cache-control"]
    assert "style-src 'self'" in index.headers["content-security-policy"]
    assert "script-src" not in index.headers["content-security-policy"]


def test_the_next_page_is_seen_at_once_and_keeps_what_did_not_change(site: Site) -> None:
    before = {path: site.client.get(f"/status/acme/{path}") for path in ("", "history.atom")}
    publish(PageFolder(site.folder / "acme"), told(1))
    after = {path: site.client.get(f"/status/acme/{path}") for path in before}
    assert "19:22 CET" in after[""].text
    assert after[""].headers["etag"] != before[""].headers["etag"]
    kept = ("etag", "last-modified")
    assert [after["history.atom"].headers[it] for it in kept] == [before["history.atom"].headers[it] for it in kept]
