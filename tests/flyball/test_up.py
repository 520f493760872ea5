"""`flyball up` from outside: starting, stopping, who may come in, and what its output gives away."""

import contextlib
import http.client
import json
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from controlplane import conventions
from flyball.cli import app
from flyball.cli import commands as commands
from flyball.web import server
from tests.alerts.notifications import alert, body
from tests.flyball.processes import FLYBALL, environment, flyball_up
from tests.flyball.running import BEARER, NOWHERE, TOKEN, Replica, eventually, replica, settings_in

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
CONSOLE_TOKEN = "console-secret-9876543210"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def one(workspace: Path) -> Iterator[Replica]:
    with replica(settings_in(workspace)) as it:
        yield it


def address(one: Replica) -> tuple[str, int]:
    host, _, port = one.url.removeprefix("http://").partition(":")
    return host, int(port)


def fails(workspace: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [FLYBALL, "up", workspace, *arguments], env=environment(**environ), capture_output=True, text=True, timeout=60
    )


def refused(workspace: Path, *arguments: str) -> Result:
    """What is said in this process of settings that nothing is begun with."""
    return CliRunner().invoke(app, ["up", str(workspace), *arguments], env=environment())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_order_with_0(workspace: Path, number: signal.Signals) -> None:
    with flyball_up(workspace) as process:
        assert httpx.get(f"{process.url}/healthz").json() == {"status": "alive"}
        process.child.send_signal(number)
        assert process.child.wait(30) == 0
        events = [line["event"] for line in process.logs()]
        assert events.index("process.stopping") < events.index("leadership.released") < events.index("process.stopped")


def test_traces_that_nobody_takes_hold_nothing_up(workspace: Path) -> None:
    with flyball_up(workspace, OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE) as process:
        assert httpx.post(f"{process.url}/hooks/alertmanager", content=body(alert()), headers=BEARER).is_success
        process.child.terminate()
        assert process.child.wait(30) == 0


def test_a_job_that_hangs_delays_the_end_only_for_a_while(workspace: Path) -> None:
    shutil.copy(EXAMPLES / "minimal" / "slo.yaml", workspace)
    with socket.socket() as silent:  # a Prometheus that takes connections and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with flyball_up(workspace, FLYBALL_PROMETHEUS_URL=url) as process:
            silent.settimeout(30)
            asked, _ = silent.accept()
            assert process.url
            process.child.terminate()
            assert process.child.wait(30) == 0
            assert process.logged("process.jobs_left_running")
            assert process.logged("leadership.released")
            asked.close()


def test_an_address_that_others_reach_needs_a_console_token(workspace: Path) -> None:
    for listen in ("0.0.0.0:0", "[::]:0"):
        ended = refused(workspace, "--listen", listen)
        assert ended.exit_code == 1
        assert "FLYBALL_CONSOLE_TOKEN_FILE" in ended.stderr
    with flyball_up(workspace, "--listen", "0.0.0.0:0", FLYBALL_CONSOLE_TOKEN=CONSOLE_TOKEN) as process:
        url = process.url
        assert httpx.get(f"{url}/").status_code == 401
        assert httpx.get(f"{url}/", auth=("anyone", CONSOLE_TOKEN)).status_code == 200
        for path in ("/healthz", "/metrics"):
            assert httpx.get(f"{url}{path}", headers={"Host": "flyball.example"}).status_code == 200
        assert httpx.post(f"{url}/hooks/alertmanager", content=body(alert()), headers=BEARER).status_code == 200
        assert httpx.post(f"{url}/hooks/alertmanager", auth=("", CONSOLE_TOKEN)).status_code == 401


def test_a_port_in_use_is_one_clear_sentence(workspace: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = fails(workspace, "--listen", address)
    assert ended.returncode == 3
    assert f"flyball up: cannot listen on {address}: Address already in use" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_database_out_of_reach_is_one_clear_sentence_without_its_password(workspace: Path) -> None:
    ended = fails(workspace, FLYBALL_DATABASE_URL="postgresql://u:geheim@127.0.0.1:1/f")
    assert ended.returncode == 3
    assert "127.0.0.1" in ended.stderr
    assert "geheim" not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_settings_that_make_no_sense_are_told_with_their_place(workspace: Path) -> None:
    (workspace / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nspec:\n  store: {url: 'postgresql://u:geheim@db/f'}\n"
    )
    ended = refused(workspace)
    assert ended.exit_code == 1
    assert "flyball.yaml:4:" in ended.stderr
    assert "spec.store.url" in ended.stderr
    assert "geheim" not in ended.stderr


def test_nothing_that_it_prints_or_serves_holds_a_secret(workspace: Path) -> None:
    secrets = {
        "FLYBALL_CONSOLE_TOKEN": CONSOLE_TOKEN,
        "FLYBALL_PROMETHEUS_URL": "http://reader:metrics-geheim@127.0.0.1:1",
        "FLYBALL_LOG_LEVEL": "DEBUG",
    }
    with flyball_up(workspace, **secrets) as process:
        url = process.url
        shown = []
        with httpx.Client(auth=("x", CONSOLE_TOKEN), timeout=10) as client:
            client.post(f"{url}/hooks/alertmanager", content=body(alert()), headers=BEARER)
            client.post(f"{url}/hooks/alertmanager", content=b"{", headers=BEARER)
            client.post(f"{url}/hooks/alertmanager", headers={"Authorization": f"Bearer {TOKEN}x"})
            eventually(lambda: process.logged("slo.unreachable") or process.logged("slo.rejected"))
            for path in ("/metrics", "/readyz", "/healthz", "/", "/alerts", "/problems", "/api/v1/slos"):
                shown.append(client.get(url + path).text)
        process.child.terminate()
        process.child.wait(30)
        shown += [process.out.read_text(), process.err.read_text()]
    for secret in (TOKEN, CONSOLE_TOKEN, "metrics-geheim"):
        assert all(secret not in text for text in shown), secret


# --- who may come in --------------------------------------------------------------------------------------------------


def test_on_loopback_only_its_own_names_are_answered(one: Replica) -> None:
    for host in ("localhost", "127.0.0.1", "[::1]:8321", "LOCALHOST:1"):
        assert one.client.get("/healthz", headers={"Host": host}).status_code == 200
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        for path in ("/", "/metrics", "/hooks/alertmanager", "/api/v1/slos"):
            assert one.client.get(path, headers={"Host": host}).status_code == 421


def test_the_external_name_is_answered_too(workspace: Path) -> None:
    with replica(settings_in(workspace, FLYBALL_EXTERNAL_URL="https://flyball.example/x")) as it:
        assert it.client.get("/healthz", headers={"Host": "flyball.example"}).status_code == 200


def test_a_console_token_is_asked_for_on_loopback_too_when_there_is_one(workspace: Path) -> None:
    with replica(settings_in(workspace, FLYBALL_CONSOLE_TOKEN=CONSOLE_TOKEN)) as it:
        answer = it.client.get("/")
        assert (answer.status_code, answer.headers["www-authenticate"].split(" ")[0]) == (401, "Basic")
        refused = it.client.get("/api/v1/slos", headers={"Authorization": "Basic !!!"})
        assert (refused.status_code, "error" in refused.json()) == (401, True)
        for wrong in (("a", ""), ("a", CONSOLE_TOKEN + "x"), (CONSOLE_TOKEN, "")):
            assert it.client.get("/", auth=wrong).status_code == 401
        assert it.client.get("/", headers={"Authorization": f"Bearer {CONSOLE_TOKEN}"}).status_code == 200
        assert it.client.get("/", auth=("me", CONSOLE_TOKEN)).status_code == 200
        assert it.client.get("/static/nothing").status_code == 401


def test_every_answer_has_the_security_headers(one: Replica) -> None:
    for path in ("/", "/metrics", "/hooks/alertmanager", "/api/v1/slos", "/nothing"):
        headers = one.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"]
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "http" not in policy


def test_errors_are_json_for_programs(one: Replica) -> None:
    for path in ("/api/v1/nothing", "/hooks/nothing"):
        answer = one.client.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]


def test_readiness_tells_every_check(one: Replica) -> None:
    answer = one.client.get("/readyz")
    checks = answer.json()["checks"]
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert checks["store"] == {"ok": True}
    assert "unreachable" in checks["prometheus"]["reason"]
    assert "not been read" in checks["files"]["reason"]
    one.run("files")
    eventually(lambda: one.client.get("/readyz").json()["checks"]["files"] == {"ok": True})


def hung_up(connection: socket.socket) -> bool:
    """Whether the other side ends the connection; a timeout fails the test."""
    try:
        while connection.recv(1000):
            pass
    except ConnectionResetError:
        pass
    return True


def test_headers_that_do_not_arrive_end_the_connection(one: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.3)
    port = httpx.URL(one.url).port
    for beginning in (b"", b"GET /healthz HTTP/1.1\r\nHost: local"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(beginning)
            assert hung_up(connection)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"GET /heal")
        assert hung_up(connection)


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01 hello\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n"],
)
def test_what_is_no_http_is_refused_in_json(one: Replica, sent: bytes) -> None:
    with socket.create_connection(address(one), 10) as connection:
        connection.sendall(sent)
        head, _, text = b"".join(iter(lambda: connection.recv(4096), b"")).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"nosniff" in head
    assert json.loads(text)["error"]


def test_a_connection_too_many_is_told_so_in_json(one: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    one.client.close()
    idle = [socket.create_connection(address(one), 10) for _ in range(3)]
    refused = httpx.get(f"{one.url}/healthz")
    assert (refused.status_code, refused.json()) == (503, {"error": "too many connections; try again"})
    assert refused.headers["retry-after"] == "5"
    assert refused.headers["x-content-type-options"] == "nosniff"
    for connection in idle:
        connection.close()
    eventually(lambda: httpx.get(f"{one.url}/healthz").is_success)


def test_endless_headers_are_refused(one: Replica) -> None:
    for size, codes in ((1000, {200}), (40_000, {400, 431}), (1_000_000, {400, 431})):
        connection = http.client.HTTPConnection("127.0.0.1", httpx.URL(one.url).port or 0, timeout=10)
        connection.putrequest("GET", "/healthz")
        connection.putheader("X-Long", "x" * size)
        with contextlib.suppress(ConnectionError):  # it may hang up while we still send
            connection.endheaders()
            assert connection.getresponse().status in codes
        connection.close()


def test_our_own_metrics_pass_the_prometheus_linter(one: Replica, promtool: str) -> None:
    one.post(body(alert()))
    text = one.client.get("/metrics").text
    linted = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")
    for name in (conventions.JOB_RUNS, conventions.LEADER, conventions.WEBHOOK_REQUESTS, conventions.APPLY_TOTAL):
        assert name in text
