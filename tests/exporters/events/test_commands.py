"""`flyball event` against an endpoint of its own."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from controlplane.adapters.clock import SystemClock
from controlplane.store import SqlStore
from flyball.cli.events import app, delivering
from flyball.event_settings import EventSettings
from flyball.listen_address import ListenAddress
from flyball.secret import Secret
from flyball.telemetry import Tracing, own_metrics
from flyball.web.events_hook import EventsHook
from flyball.web.server import WebServer
from tests.exporters.events.sent import sent

TOKEN = "events-secret-0123456789"
AT = f"{SystemClock().now() - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
DEPLOYED = ("send", "deployed", "--service", "checkout", "--version", "1.4.2")


class Serving:
    """The endpoint; `failing` of the next requests are answered 503."""

    def __init__(self, store: SqlStore) -> None:
        self.failing = 0
        hook = EventsHook(
            store,
            {},
            settings=EventSettings(tokens=(Secret(TOKEN),)),
            clock=SystemClock(),
            metrics=own_metrics(),
            tracing=Tracing(endpoint="", instance="test"),
        )

        async def answer(request: Request) -> Response:
            if self.failing:
                self.failing -= 1
                return Response("not now", 503)
            return await hook.answer(request)

        self.server = WebServer(
            Starlette(routes=[Route("/events", answer, methods=["POST"])]), ListenAddress("127.0.0.1", 0)
        )


@pytest.fixture
def serving(store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serving]:
    """Served, with the environment that leads there, and no pause between attempts."""
    found = Serving(store)
    thread = threading.Thread(target=found.server.run)
    thread.start()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLYBALL_EVENTS_TOKEN", TOKEN)
    monkeypatch.setenv("FLYBALL_EXTERNAL_URL", f"http://{found.server.address}")
    monkeypatch.setenv("FLYBALL_DATABASE_URL", f"sqlite:///{tmp_path}/state.db")
    monkeypatch.setattr(delivering, "pause", lambda seconds: None)
    yield found
    found.server.stop()
    thread.join()


def run(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
    result = CliRunner().invoke(app, arguments, input=stdin)
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def data(*arguments: str, **options: Any) -> Any:
    return json.loads(run(*arguments, "--json", **options).stdout)


def test_an_event_is_sent_found_and_shown(serving: Serving) -> None:
    assert data(*DEPLOYED, "--id", "run-7", "--at", AT, "--link", "https://ci.test/7")["accepted"] == 1
    assert (
        run("send", "merged", "--repository", "github.com/acme/shop", "--number", "12").stdout
        == "1 taken, 0 known already\n"
    )
    assert [row["id"] for row in data("list", "--type", "service.deployed", "--since", "2d")] == ["run-7"]
    assert len(data("list", "--service", "checkout")) == 1
    assert "service.deployed.0.3.0  checkout" in run("list").stdout
    shown = data("show", "/flyball/cli", "run-7")
    assert shown["entity"] == "deployment:/flyball/cli#run-7"
    assert shown["event"]["data"]["customData"]["flyball"] == {"version": "1.4.2", "url": "https://ci.test/7"}
    assert "by cloudevents, number 1" in run("show", "/flyball/cli", "run-7").stdout
    assert "no event run-8" in run("show", "/flyball/cli", "run-8", code=1).stderr


def test_a_command_with_an_id_may_be_repeated(serving: Serving) -> None:
    run(*DEPLOYED, "--id", "run-7", "--at", AT)
    again = data(*DEPLOYED, "--id", "run-7")  # at another time, which nobody said
    assert (again["accepted"], again["duplicates"], again["conflicting"]) == (0, 1, 0)
    other = run(*DEPLOYED[:-1], "1.4.3", "--id", "run-7", "--at", AT, code=1)
    assert "/flyball/cli run-7: one of that id says something else" in other.stderr


def test_a_file_is_sent_whole_or_not_at_all(serving: Serving, tmp_path: Path) -> None:
    good, bad = [sent("service.deployed", number) for number in range(3)], sent("service.deployed", 4)
    del bad["data"]["subject"]["content"]["environment"]
    path = tmp_path / "events.ndjson"
    path.write_text("\n".join(json.dumps(each) for each in [*good, bad]))
    refused = run("send", str(path), code=1)
    assert f"{path}: line 4: data.subject.content.environment: is missing" in refused.stderr
    assert data("list") == []
    answer = data("send", "-", stdin=json.dumps([*good, sent("build.started", 5)]))
    assert (answer["accepted"], answer["unknown_types"]) == (4, ["dev.cdevents.build.started.0.3.0"])
    assert [row["type"] for row in data("list", "--unknown")] == ["dev.cdevents.build.started.0.3.0"]
    assert "kept without being read" in run("send", "-", stdin=json.dumps(sent("build.started", 6))).stdout


def test_an_endpoint_that_is_away_is_asked_again_within_bounds(serving: Serving) -> None:
    serving.failing = 2
    answer = run(*DEPLOYED, "--attempts", "3")
    assert answer.stderr.count("503: not now; again in") == 2
    serving.failing = 9
    assert "(tried 2 times)" in run(*DEPLOYED, "--attempts", "2", code=3).stderr
    assert "(tried 1 times)" in run(*DEPLOYED, "--attempts", "1", "--url", "http://127.0.0.1:1", code=3).stderr


def test_a_refusal_is_told_and_no_token_shows(serving: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYBALL_EVENTS_TOKEN", "another-secret-0123456789")
    refused = run(*DEPLOYED, code=1)
    assert "401: a bearer token is needed" in refused.stderr
    assert "another-secret" not in refused.output
    monkeypatch.delenv("FLYBALL_EVENTS_TOKEN")
    assert "set FLYBALL_EVENTS_TOKEN" in run(*DEPLOYED, code=1).stderr


def test_a_dry_run_prints_what_would_be_sent(serving: Serving) -> None:
    event = json.loads(run(*DEPLOYED, "--id", "x", "--at", AT, "--dry-run").stdout)
    assert (event["id"], event["time"], event["subject"]) == ("x", AT, "checkout")
    assert data("list") == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("send", "deployed", "--service", "a"), "--version"),
        (("send", "nothing.json"), "no such file; and it is none of deployed,"),
        (("send", "-", "--service", "a"), "options about an event need one of"),
        ((*DEPLOYED, "--at", "yesterday"), "is no time with a zone"),
        (("list", "--since", "soon"), "is no length"),
    ],
)
def test_what_does_not_fit_is_an_error_of_usage(arguments: tuple[str, ...], told: str) -> None:
    assert told in " ".join(run(*arguments, code=2).stderr.split())


def test_validating_tells_every_fault_and_sends_nothing(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps([sent(own={"verison": "1"}), sent("build.started", 2)["data"]]))
    bad.write_text(json.dumps([sent(), sent(at="never")]))
    fine = run("validate", str(good))
    assert fine.stdout == f"{good}: 2 events would be taken\n"
    assert "flyball.verison is not read" in fine.stderr
    assert "dev.cdevents.build.started.0.3.0 would be kept without being read" in fine.stderr
    wrong = run("validate", str(good), str(bad), code=1)
    assert f"{bad}: event 1: time: `never` is not a time as in RFC 3339" in wrong.stdout
    assert f"{bad}: 1 event would be taken, 1 refused" in wrong.stdout
    assert [(each["events"], each["refused"]) for each in data("validate", str(good), str(bad), code=1)] == [
        (2, 0),
        (1, 1),
    ]
