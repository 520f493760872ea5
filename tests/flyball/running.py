"""A wired replica and its web server, in this process."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx

from flyball.settings import Settings, load_settings
from flyball.web.app import create_app
from flyball.web.server import WebServer
from flyball.wiring import Services, wire

TOKEN = "webhook-secret-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
NOWHERE = "http://127.0.0.1:1"
PATIENCE_SECONDS = 30


def settings_in(folder: Path, **environ: str) -> Settings:
    """Settings with a webhook secret, on a free port."""
    variables = {
        "FLYBALL_WEBHOOK_TOKEN": TOKEN,
        "FLYBALL_LISTEN": "127.0.0.1:0",
        "FLYBALL_PROMETHEUS_URL": NOWHERE,
        "FLYBALL_LEASE_SECONDS": "2",
    }
    found = load_settings(folder, variables | environ)
    assert isinstance(found, Settings), found
    return found


def eventually(holds: Callable[[], object], *, patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it holds, or fail."""
    deadline = time.monotonic() + patience_seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.05)


@dataclass(frozen=True)
class Replica:
    """A replica that serves HTTP at `url`; its jobs run when a test runs them."""

    services: Services
    url: str
    client: httpx.Client
    console: StringIO

    def post(self, body: bytes, headers: Mapping[str, str] = BEARER) -> httpx.Response:
        """Deliver a notification."""
        return self.client.post("/hooks/alertmanager", content=body, headers=dict(headers))

    def run(self, name: str) -> object:
        """One turn of a job."""
        job = self.services.job(name)
        assert job is not None
        if job.leader_only:
            self.services.leadership.renew()
        return self.services.runner.run(job)


@contextmanager
def replica(settings: Settings) -> Iterator[Replica]:
    """Wire it, serve it, and put it away again."""
    console = StringIO()
    services = wire(settings, console=console)
    server = WebServer(create_app(services), settings.listen)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        url = f"http://{server.address}"
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            eventually(lambda: client.get("/healthz").is_success)
            yield Replica(services, url, client, console)
    finally:
        server.stop()
        thread.join()
        services.leadership.stop()
        services.close()
