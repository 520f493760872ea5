"""Servers that subscribers would have: one for webhooks, answering as told, with and without TLS."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Respond = Callable[["Heard", BaseHTTPRequestHandler], None]


class Heard:
    """One delivery as it arrived."""

    def __init__(self, path: str, headers: dict[str, str], body: bytes) -> None:
        self.path = path
        self.headers = headers
        self.body = body


def answering(status: int, body: bytes = b"", **headers: str) -> Respond:
    def respond(heard: Heard, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return respond


@contextmanager
def hearing(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Heard]]]:
    """The URL of a server on loopback, and what it hears."""
    heard: list[Heard] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            delivery = Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, self.rfile.read(length))
            heard.append(delivery)
            respond(delivery, self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{server.server_port}/hook?a=1", heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
