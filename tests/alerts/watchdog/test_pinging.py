"""The heartbeat at a real server: one GET, and no part of a secret address in what goes wrong."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from alerts.watchdog.adapters.pinging import Ping
from controlplane.ports import Permanent, Transient


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.paths.append(self.path)  # type: ignore[attr-defined]
        self.send_response(self.server.answers.pop(0))  # type: ignore[attr-defined]
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.paths, made.answers = [], []  # type: ignore[attr-defined]
    Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_any_success_is_good_and_everything_else_is_told_without_the_address(server: ThreadingHTTPServer) -> None:
    ping = Ping(f"http://127.0.0.1:{server.server_port}/ping/s3cret")
    server.answers = [200, 204, 404, 302, 500, 429]  # type: ignore[attr-defined]
    ping.beat()
    ping.beat()
    assert server.paths == ["/ping/s3cret"] * 2  # type: ignore[attr-defined]
    for status, kind in ((404, Permanent), (302, Permanent), (500, Transient), (429, Transient)):
        with pytest.raises(kind) as raised:
            ping.beat()
        assert str(raised.value) == f"127.0.0.1 answered the heartbeat with {status}"
    ping.close()


def test_an_address_that_is_none_or_that_nobody_listens_at_is_told_without_it() -> None:
    for address in ("ftp://s3cret.example/x", "s3cret", "https://s3cret:port/"):
        with pytest.raises(Permanent) as raised:
            Ping(address)
        assert "s3cret" not in str(raised.value)
    ping = Ping("http://127.0.0.1:1/s3cret")
    with pytest.raises(Transient, match=r"did not reach 127\.0\.0\.1: ConnectError$"):
        ping.beat()
    ping.close()
