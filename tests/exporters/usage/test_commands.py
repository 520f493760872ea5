"""`flyball usage` from a file of events to a verified invoice."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from controlplane.adapters.clock import SystemClock
from exporters.usage.periods import bounds, period_of, previous
from flyball.cli.usage import app
from tests.exporters.usage.metering import lines, tokens

WORKSPACE = """
apiVersion: flyball.dev/v1
kind: Meter
metadata: {name: tokens}
spec:
  eventType: ai.completed
  aggregation: sum
  value: tokens.total
  unit: token
  billing: {free: 100, price: {amount: 4, per: 1000, currency: USD}}
---
apiVersion: flyball.dev/v1
kind: UsageQuota
metadata: {name: inference}
spec: {meter: tokens, limit: 2000}
---
apiVersion: flyball.dev/v1
kind: ServiceContract
metadata: {name: standard}
spec:
  tenants: [alpha]
  slo: gateway
  credits: [{below: 0.999, percent: 10}]
  fee: {amount: 1000, currency: USD}
"""
LAST_MONTH = previous(period_of(SystemClock().now()))
IN_IT = f"{bounds(LAST_MONTH)[0] + timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace, entered."""
    (tmp_path / "usage.yaml").write_text(WORKSPACE)
    (tmp_path / "flyball.yaml").write_text(
        "apiVersion: flyball.dev/v1\nkind: Workspace\nmetadata: {name: w}\nspec: {prometheus: {url: 'http://127.0.0.1:1'}}\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def events(count: int = 3, **changes: Any) -> bytes:
    return lines(*[tokens(number, "500.5", time=IN_IT, **changes) for number in range(count)])


def run(*arguments: str, code: int = 0, content: bytes = b"") -> str:
    result = CliRunner().invoke(app, arguments, input=content)
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout if code == 0 else result.output


def as_json(*arguments: str, code: int = 0, content: bytes = b"") -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], input=content)
    assert result.exit_code == code, (result.output, result.exception)
    return json.loads(result.stdout)


def test_from_events_to_a_verified_invoice(folder: Path) -> None:
    (folder / "events.ndjson").write_bytes(events())
    assert run("ingest", "events.ndjson") == "3 events counted, 0 known already\n"
    assert as_json("ingest", "-", content=events(4)) | {"faults": None} == {
        "accepted": 1, "duplicates": 3, "conflicts": 0, "unknown": 0, "late": 0, "refused": 0, "faults": None,
    }  # fmt: skip
    closed = as_json("close", "--period", LAST_MONTH, "--early")
    assert (closed["already_closed"], closed["totals"]) == (False, {"USD": "7.61"})
    assert closed["credits"][0]["verdict"] == "no_data"
    assert "was closed already" in run("close", "--period", LAST_MONTH)
    exported = as_json("export", "--period", LAST_MONTH, "-o", "out")
    assert (exported["rows"], exported["totals"]) == (1, {"USD": "7.61"})
    path = Path(exported["file"])
    first = (path.read_bytes(), Path(exported["manifest"]).read_bytes())
    run("export", "--period", LAST_MONTH, "-o", "out")
    assert (path.read_bytes(), Path(exported["manifest"]).read_bytes()) == first
    assert sorted(each.name for each in path.parent.iterdir()) == [
        f"usage-{LAST_MONTH}.csv", f"usage-{LAST_MONTH}.manifest.json",
    ]  # fmt: skip
    assert "agrees with its manifest and the store" in run("verify", str(path))
    assert as_json("verify", str(path), "--offline")["agrees"] is True
    path.write_bytes(path.read_bytes().replace(b"7.61", b"7.60"))
    assert as_json("verify", str(path), code=1)["agrees"] is False
    assert "the lines add up to" in run("verify", str(path), "--offline", code=1)


def test_a_file_with_a_bad_event_is_not_counted_at_all_unless_asked_for(folder: Path) -> None:
    (folder / "e.ndjson").write_bytes(events(2) + b"{oops\n" + lines(tokens("x", -1, time=IN_IT)))
    shown = run("ingest", "e.ndjson", code=1)
    assert "line 3: is not JSON" in shown
    assert "line 4: data.tokens.total: must not be negative" in shown
    assert "2 malformed events: nothing was counted" in shown
    assert as_json("status")["events"]["accepted"] == 0
    kept = as_json("ingest", "e.ndjson", "--keep-good", code=1)
    assert (kept["accepted"], kept["refused"]) == (2, 2)
    assert [fault["place"] for fault in kept["faults"]] == ["line 3", "line 4"]


def test_contradictions_and_unknown_events_are_listed(folder: Path) -> None:
    assert run("conflicts") == "Nothing is set aside.\n"
    run("ingest", "-", content=events(1))
    content = lines(tokens(0, 7, time=IN_IT), tokens(9, 1, time=IN_IT, type="new.type"))
    assert "1 contradictions and 1 unknown ones set aside" in run("ingest", "-", content=content)
    rows = as_json("conflicts")
    assert [(row["reason"], row["id"], row["type"]) for row in rows] == [
        ("conflict", "e0", "ai.completed"), ("unknown_type", "e9", "new.type"),
    ]  # fmt: skip
    assert run("conflicts", "--csv").splitlines()[0] == "reason,tenant,source,id,type,time,received,seen"
    assert "unknown_type" in run("conflicts", "--limit", "5")


def test_events_that_came_before_their_meter_are_counted_by_retry_exactly_once(folder: Path) -> None:
    new = [
        tokens(number, quantity, time=IN_IT, type="new.type")
        for number, quantity in enumerate(["0.1", 0.25, "12345678901234567.5"])
    ]  # fmt: skip
    run("ingest", "-", content=lines(*new, tokens(3, -5, time=IN_IT, type="new.type")))
    assert "0 events counted, 0 known already; 4 stay aside" in run("retry")
    (folder / "more.yaml").write_text(
        WORKSPACE.split("---")[0].replace("name: tokens", "name: new").replace("ai.completed", "new.type")
    )
    found = as_json("retry", code=1)
    assert (found["accepted"], found["unknown"]) == (3, 1)
    assert found["faults"][0] | {"place": ""} == {
        "place": "", "field": "data.tokens.total", "error": "must not be negative; it is `-5`",
    }  # fmt: skip
    assert as_json("retry", code=1)["accepted"] == 0
    assert as_json("ingest", "-", content=lines(*new))["duplicates"] == 3
    assert [row["id"] for row in as_json("conflicts")] == ["e3"]
    closed = as_json("close", "--period", LAST_MONTH, "--early")
    assert closed["controls"][0]["accepted"] == "12345678901234567.85"


def test_status_and_credits_before_the_close(folder: Path) -> None:
    run("ingest", "-", content=events(2))
    assert LAST_MONTH in run("status")
    assert [(each["period"], each["state"]) for each in as_json("status")["periods"]] == [(LAST_MONTH, "grace")]
    (decision,) = as_json("credits", "--period", LAST_MONTH)
    assert (decision["verdict"], decision["tenant"]) == ("no_data", "alpha")
    assert "unreachable" in decision["reason"]
    assert "Nothing of this is booked" in run("credits", "--period", LAST_MONTH)
    assert run("credits", "--period", LAST_MONTH, "--csv").startswith("tenant,contract,period,verdict")


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("close", "--period", "2026-13"), 2, "must be a month such as 2026-11"),
        (("close", "--period", "2099-01"), 1, "goes on until 2099-02-01 00:00 UTC"),
        (("export", "--period", "2026-01"), 1, "2026-01 is not closed: flyball usage close --period 2026-01"),
        (("verify", "missing.csv"), 1, "missing.csv: No such file"),
        (("ingest", "missing.json"), 1, "missing.json: No such file"),
        (("ingest", "-", "--database", "mysql://x"), 3, "expected sqlite:///"),
        (("status", "-w", "nowhere"), 1, "nowhere"),
    ],
)
def test_what_cannot_be_done_says_why(folder: Path, arguments: tuple[str, ...], code: int, expected: str) -> None:
    assert expected in " ".join(run(*arguments, code=code, content=events()).split())


def test_a_workspace_with_mistakes_counts_nothing(folder: Path) -> None:
    (folder / "usage.yaml").write_text(WORKSPACE.replace("aggregation: sum", "aggregation: summ"))
    shown = run("ingest", "-", code=1, content=events())
    assert "usage.yaml:7:16: spec.aggregation" in shown
    (folder / "usage.yaml").unlink()
    assert "declares no Meter" in run("ingest", "-", code=1, content=events())


@pytest.mark.parametrize("command", ["ingest", "status", "conflicts", "retry", "close", "credits", "export", "verify"])
def test_every_command_has_examples(command: str) -> None:
    assert "Examples:" in run(command, "--help")
