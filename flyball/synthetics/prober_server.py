"""A prober's own small server: `/probe`, as blackbox_exporter answers it, `/metrics` and `/healthz`."""

import logging
import threading
from types import TracebackType
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from flyball.listen_address import ListenAddress
from flyball.web.guards import Admission, Guards, loopback_hosts
from flyball.web.health import healthz
from flyball.web.probe_endpoint import ProbeEndpoint, prober_routes
from flyball.web.server import WebServer

STOP_SECONDS: Final = 10.0
log = logging.getLogger(__name__)


class ProberServer:
    """Listens as long as its `with` block lasts."""

    def __init__(self, endpoint: ProbeEndpoint, listen: ListenAddress) -> None:
        app = Starlette(
            routes=[Route("/healthz", healthz, methods=["GET"]), *prober_routes(endpoint)],
            middleware=[Middleware(Guards, admission=Admission(loopback_hosts(listen)))],
        )
        self._server = WebServer(app, listen)
        self._thread = threading.Thread(target=self._server.run, name="prober server", daemon=True)

    def __enter__(self) -> "ProberServer":
        self._thread.start()
        log.info("prober.listening", extra={"address": str(self._server.address)})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join(STOP_SECONDS)
