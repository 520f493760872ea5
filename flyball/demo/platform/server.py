"""The simulated platform over HTTP: what Prometheus discovers and scrapes, and a switch for each fault."""

import json
import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from controlplane.ports import Clock
from flyball.demo.platform.exposition import Exposition
from flyball.demo.platform.infrastructure import TARGET
from flyball.demo.platform.live import LivePlatform, PodState
from flyball.demo.platform.shapes import Labels

LOOPBACK: Final = "127.0.0.1"


class PlatformServer(ThreadingHTTPServer):
    """Serves one platform on loopback.

    `/targets` is HTTP service discovery, `/pods/NAME/metrics` one pod, `/opencost/metrics` what machines cost,
    `/metrics` all of these, `/healthz` is always well, `/faults` are the switches: PUT breaks and DELETE heals, both
    with `control_token` as a bearer token.
    """

    daemon_threads = True

    def __init__(self, platform: LivePlatform, *, clock: Clock, control_token: str, port: int = 0) -> None:
        self.platform: Final = platform
        self.clock: Final = clock
        self.control_token: Final = control_token
        self._exposition: Final = Exposition()
        self._exposing: Final = threading.Lock()
        super().__init__((LOOPBACK, port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients come and go; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def targets(self) -> list[dict[str, object]]:
        """Every pod, and the exporter of costs, as Prometheus' `http_sd_configs` wants it."""
        address = f"{LOOPBACK}:{self.server_address[1]}"
        paths: list[tuple[str, Labels]] = [("/opencost/metrics", TARGET)]
        paths.extend(
            (f"/pods/{pod.life.pod}/metrics", (("job", pod.slot.service.name), *pod.life.target_labels))
            for pod in self.platform.pods(self.clock.now())
        )
        return [{"targets": [address], "labels": {"__metrics_path__": path, **dict(labels)}} for path, labels in paths]

    def costs(self, accept: str) -> tuple[bytes, str]:
        """What an OpenCost beside the platform says: nodes, what they cost, and who runs on them."""
        now = self.clock.now()
        gauges = self.platform.gauges(now)
        return Exposition().render([], accept, at_seconds=now.timestamp(), named=False, gauges=gauges)

    def metrics(self, pod_name: str | None, accept: str) -> tuple[bytes, str] | None:
        """The exposition of one pod, or of everything; None when there is no such pod."""
        now = self.clock.now()
        pods: list[PodState] = self.platform.pods(now)
        if pod_name is not None:
            pods = [pod for pod in pods if pod.life.pod == pod_name]
        if not pods:
            return None
        gauges = self.platform.gauges(now) if pod_name is None else []
        with self._exposing:
            return self._exposition.render(
                pods, accept, at_seconds=now.timestamp(), named=pod_name is None, gauges=gauges
            )

    def faults(self) -> list[dict[str, object]]:
        """Every fault, and since when it is in force."""
        broken = self.platform.broken()
        return [
            {
                "name": fault.name,
                "title": fault.title,
                "since": broken[fault.name].isoformat() if fault.name in broken else None,
            }
            for fault in self.platform.faults.values()
        ]


@contextmanager
def serving(server: PlatformServer) -> Iterator[PlatformServer]:
    """Answer in a thread until the end of the block."""
    thread = threading.Thread(target=server.serve_forever, name="platform", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: PlatformServer
    protocol_version = "HTTP/1.1"
    server_version = "IntelGraph"

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["targets"]:
                self._json(HTTPStatus.OK, self.server.targets())
            case ["faults"]:
                self._json(HTTPStatus.OK, self.server.faults())
            case ["healthz"]:  # what probers check themselves against: it stands behind no ingress
                self._json(HTTPStatus.OK, {"status": "ok"})
            case ["metrics"]:
                self._metrics(None)
            case ["opencost", "metrics"]:
                self._answer(HTTPStatus.OK, *self.server.costs(self.headers.get("Accept", "")))
            case ["pods", pod, "metrics"]:
                self._metrics(pod)
            case [""]:
                pods = self.server.platform.pods(self.server.clock.now())
                pages = [f"{self.server.url}/pods/{pod.life.pod}/metrics" for pod in pods]
                self._json(HTTPStatus.OK, {"platform": "IntelGraph, simulated", "pods": pages})
            case _:
                self._json(HTTPStatus.NOT_FOUND, {"error": f"there is nothing at {self.path}"})

    def do_PUT(self) -> None:
        self._switch(broken=True)

    def do_DELETE(self) -> None:
        self._switch(broken=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the signature of http.server
        """Say nothing: a scrape every few seconds is no news."""

    def _switch(self, *, broken: bool) -> None:
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if not secrets.compare_digest(given.encode(), self.server.control_token.encode()):
            self._json(HTTPStatus.UNAUTHORIZED, {"error": "the bearer token is missing or wrong"})
            return
        match self.path.strip("/").split("/"):
            case ["faults", name] if name in self.server.platform.faults:
                act = self.server.platform.break_ if broken else self.server.platform.heal
                self._json(HTTPStatus.OK, {"changed": act(name, self.server.clock.now())})
            case _:
                known = ", ".join(self.server.platform.faults)
                self._json(HTTPStatus.NOT_FOUND, {"error": f"there is no such fault; known are {known}"})

    def _metrics(self, pod: str | None) -> None:
        answer = self.server.metrics(pod, self.headers.get("Accept", ""))
        if answer is None:
            self._json(HTTPStatus.NOT_FOUND, {"error": f"no pod is called {pod}"})
        else:
            self._answer(HTTPStatus.OK, *answer)

    def _json(self, status: HTTPStatus, value: object) -> None:
        self._answer(status, json.dumps(value).encode(), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
