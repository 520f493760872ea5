"""How the Prometheus adapter sorts what goes wrong: into what may pass and what stays."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.ports import Permanent, Transient
from flyball.demo import servers

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VECTOR = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})


@dataclass
class Script:
    """A server that gives one answer to everything, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    body: str = VECTOR
    headers: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            script.asked.append({"path": self.path, **{name.lower(): text for name, text in self.headers.items()}})
            if script.silent:
                script.released.wait(30)
            self.send_response(script.status)
            for name, text in script.headers.items():
                self.send_header(name, text)
            self.send_header("content-length", str(len(script.body.encode())))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(script.body.encode())

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer((servers.LOOPBACK, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://{servers.LOOPBACK}:{server.server_port}"
    yield script
    script.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "oops"),
        (502, "<html>Bad Gateway</html>"),
        (503, json.dumps({"status": "error", "errorType": "timeout", "error": "query timed out"})),
        (429, "slow down"),
        (408, ""),
        (200, "<html>Sign in</html>"),
        (200, ""),
        (200, "[]"),
        (200, '{"status": "success"}'),
        (200, '{"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}}]}}'),
        (200, '{"status": "success", "data": {"resultType": "scalar", "result": [1, "many"]}}'),
        (200, '{"status": "success", "data": {"resultType": "scalar", "result": [1e400, "1"]}}'),
        (200, "[" * 100_000),
    ],
)
def test_what_may_pass_is_transient(script: Script, status: int, body: str) -> None:
    script.status, script.body = status, body
    with pytest.raises(Transient):
        PrometheusBackend(script.url).query("up", NOW)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_what_will_be_refused_again_is_permanent(script: Script, status: int) -> None:
    script.status, script.body = status, "no"
    with pytest.raises(Permanent, match=f"answered {status}: no"):
        PrometheusBackend(script.url).query("up", NOW)


def test_native_histograms_are_refused_instead_of_lost(script: Script) -> None:
    row = {"metric": {}, "histogram": [1, {"count": "1"}]}
    script.body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [row]}})
    with pytest.raises(Permanent, match="histogram_count"):
        PrometheusBackend(script.url).query("up", NOW)


def test_nobody_listening_is_transient() -> None:
    with pytest.raises(Transient, match="unreachable"):
        PrometheusBackend(f"http://{servers.LOOPBACK}:{servers.free_port()}").query("up", NOW)


def test_a_server_that_says_nothing_is_transient(script: Script) -> None:
    script.silent = True
    with pytest.raises(Transient, match="did not answer within"):
        PrometheusBackend(script.url, timeout_seconds=0.2).query("up", NOW)


def test_an_answer_over_the_limit_is_permanent(script: Script) -> None:
    script.body = VECTOR + " " * 10_000
    with pytest.raises(Permanent, match="more than 5,000 bytes"):
        PrometheusBackend(script.url, limit_bytes=5_000).query("up", NOW)


def test_a_redirect_is_not_followed(script: Script) -> None:
    script.status, script.headers = 302, {"location": "https://elsewhere.example/"}
    with pytest.raises(Permanent, match="redirects to https://elsewhere"):
        PrometheusBackend(script.url).query("up", NOW)


@pytest.mark.parametrize("url", ["", "prometheus:9090", "ftp://prometheus", "http://", "http://[::1", "http://a:b"])
def test_what_is_no_url_is_permanent(url: str) -> None:
    with pytest.raises(Permanent):
        PrometheusBackend(url)


def test_a_path_before_the_interface_is_kept(script: Script) -> None:
    PrometheusBackend(f"{script.url}/prefix/").query("up", NOW)
    assert script.asked[0]["path"] == "/prefix/api/v1/query"


def test_credentials_are_sent_and_never_shown(script: Script) -> None:
    PrometheusBackend(script.url.replace("//", "//reader:secret@")).query("up", NOW)
    PrometheusBackend(script.url, credentials="reader:secret").query("up", NOW)
    assert [asked["authorization"] for asked in script.asked] == ["Basic cmVhZGVyOnNlY3JldA=="] * 2
    script.status = 401
    backend = PrometheusBackend(script.url.replace("//", "//reader:secret@"))
    with pytest.raises(Permanent) as refusal:
        backend.query("up", NOW)
    assert "secret" not in str(refusal.value) + backend.address


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (403, "Lifecycle API is not enabled.", Permanent, "--web.enable-lifecycle"),
        (403, "forbidden by the proxy", Permanent, "forbidden by the proxy"),
        (500, "failed to reload config: bad rule", Permanent, "bad rule"),
        (500, "the proxy is broken", Transient, "the proxy is broken"),
        (503, "Service Unavailable", Transient, "503"),
        (405, "Method Not Allowed", Permanent, "405"),
    ],
)
def test_a_reload_that_fails_says_why(
    script: Script, status: int, body: str, error: type[Exception], words: str
) -> None:
    script.status, script.body = status, body
    with pytest.raises(error, match=words):
        PrometheusBackend(script.url).reload()


def test_a_reload_that_only_a_proxy_confirms_does_not_count(script: Script) -> None:
    script.body = json.dumps({"status": "success", "data": {"reloadConfigSuccess": False}})
    with pytest.raises(Permanent, match="last reload failed"):
        PrometheusBackend(script.url).reload()
