"""/probe over HTTP: who may have what asked."""

import asyncio
import secrets

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from controlplane.adapters.clock import SystemClock
from controlplane.model.source import SourcePosition
from flyball.settings import Secret
from flyball.web.probe_endpoint import ProbeAccess, ProbeEndpoint, prober_routes
from synthetics.probes.endpoint import Book
from synthetics.probes.model import Probe
from synthetics.probes.modules import HTTPModule
from synthetics.probes.running import Place
from tests.synthetics.probes.web_servers import answering, response

TOKEN = "probe-token-0123456789"


def an_app(access: ProbeAccess, book: Book) -> Starlette:
    endpoint = ProbeEndpoint(
        book=lambda: book,
        place=lambda: Place("local", secrets.token_bytes),
        clock=SystemClock(),
        access=access,
        registry=CollectorRegistry(),
    )
    return Starlette(routes=prober_routes(endpoint))


def client(access: ProbeAccess, book: Book | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=an_app(access, book or Book()))
    return httpx.AsyncClient(transport=transport, base_url="http://prober")


def test_a_scrape_gets_blackbox_exporters_text() -> None:
    async def scene() -> None:
        async with answering(response()) as server, client(ProbeAccess(is_loopback=True)) as scraper:
            target = f"127.0.0.1:{server.port}"
            found = await scraper.get("/probe", params={"target": target, "module": "http_2xx"})
            assert found.status_code == 200
            assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert "\nprobe_success 1\n" in found.text
            assert found.headers["x-trace-id"] in server.requests[0]
            debug = await scraper.get("/probe", params={"target": target, "debug": "true"})
            assert debug.headers["content-type"].startswith("text/plain")
            assert debug.text.startswith("Logs for the probe:\n")
            assert (await scraper.get("/probe")).status_code == 400
            assert (await scraper.get("/probe", params={"target": "x" * 20_000})).status_code == 414
            metrics = (await scraper.get("/metrics")).text
            assert 'flyball_probe_requests_total{code="200"} 2.0' in metrics

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("authorization", "status"),
    [(f"Bearer {TOKEN}", 200), ("Bearer wrong", 403), ("", 403), (f"Basic {TOKEN}", 403)],
)
def test_elsewhere_than_on_loopback_the_token_is_needed_for_targets_that_no_probe_declares(
    authorization: str, status: int
) -> None:
    async def scene() -> None:
        access = ProbeAccess(is_loopback=False, token=Secret(TOKEN))
        async with answering(response()) as server, answering(response()) as declared:
            probe = Probe("shop", declared.url(), HTTPModule(), SourcePosition("x", 1, 1))
            async with client(access, Book(probes={"shop": probe})) as scraper:
                headers = {"Authorization": authorization}
                found = await scraper.get("/probe", params={"target": server.url()}, headers=headers)
                assert found.status_code == status
                allowed = await scraper.get("/probe", params={"target": declared.url()}, headers=headers)
                assert allowed.status_code == 200

    asyncio.run(scene())


def test_without_a_token_nobody_else_may_name_a_target() -> None:
    async def scene() -> None:
        async with client(ProbeAccess(is_loopback=False)) as scraper:
            found = await scraper.get("/probe", params={"target": "127.0.0.1:1"}, headers={"Authorization": "Bearer "})
            assert found.status_code == 403

    asyncio.run(scene())
