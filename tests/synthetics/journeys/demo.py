"""IntelGraph's own pages on a port of their own, without the rest of the demo."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from flyball.demo.platform.app import HOST, IntelGraphApp
from flyball.demo.platform.app_http import AppRequest
from flyball.demo.platform.app_state import AppState, Credentials

CREDENTIALS = Credentials("synthetic", "a demo's password", "a-demo-token")


class _Handler(BaseHTTPRequestHandler):
    app: IntelGraphApp
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query))
        request = AppRequest(self.command, parts.path, query, headers, body, datetime.now(UTC), 0.0)
        response = self.app.answer(request, self.app.trouble(parts.path))
        self.send_response(response.status)
        for name, value in response.all_headers():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serving_demo() -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
    """Pins of its name, and the variables that its journeys need."""
    app = IntelGraphApp(AppState(CREDENTIALS), lambda: ())
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"app": app}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    variables = {"INTELGRAPH_PASSWORD": CREDENTIALS.password, "INTELGRAPH_API_TOKEN": CREDENTIALS.api_token}
    try:
        yield {f"{HOST}:80": f"127.0.0.1:{server.server_address[1]}"}, variables
    finally:
        server.shutdown()
        server.server_close()
