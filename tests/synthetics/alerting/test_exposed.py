"""The alerts on what the control plane really exposes: names and labels of both fit."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from controlplane.model.check import (
    CheckKind,
    CheckResult,
    CheckSample,
    Outcome,
    RegionState,
    RegionVerdict,
    ReportHead,
    Verdict,
    VerdictKind,
)
from controlplane.store import migrate, open_store
from synthetics.regions.exposition import CheckExposition
from synthetics.regions.model import Region, Watch, Watched
from tests.synthetics.alerting.checks import TLS, Fires, run, the_file
from tests.synthetics.alerting.test_rules import OF_TLS, PAGE

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
PROBE = CheckKind.PROBE
REGIONS = ("eu", "us")


@dataclass(frozen=True)
class Clock:
    def now(self) -> datetime:
        return NOW


def exposed(folder: Path, verdict: Verdict, reason: str) -> str:
    """What /metrics says after the probe failed in both regions."""
    url = f"sqlite:///{folder}/state.db"
    migrate(url)
    store = open_store(url)
    ends = CheckSample("probe_ssl_earliest_cert_expiry", 86_400.0)
    with store.transaction() as transaction:
        for region in (*REGIONS, "ap"):
            failed = CheckResult(
                TLS.name, PROBE, region, NOW - timedelta(minutes=1), 0.2, Outcome.FAILED, reason, samples=(ends,)
            )
            transaction.checks.take(ReportHead(region, "p", 1, NOW), [failed], NOW)
        transaction.checks.put_verdicts([verdict], NOW)
    watched = Watched(TLS.name, PROBE, TLS.every, frozenset(REGIONS))
    watch = Watch((watched,), tuple(Region(name) for name in (*REGIONS, "ap")))
    text = CheckExposition(store, lambda: watch, Clock()).text(is_openmetrics=False).decode()
    store.close()
    return text


def test_a_check_that_is_down_pages_with_the_reason_that_the_prober_gave(promtool: str, tmp_path: Path) -> None:
    regions = tuple(RegionVerdict(region, RegionState.DOWN, NOW) for region in REGIONS)
    verdict = Verdict(TLS.name, PROBE, VerdictKind.GLOBAL, NOW - timedelta(minutes=3), 2, regions)
    lines = [line for line in exposed(tmp_path, verdict, "certificate").splitlines() if not line.startswith("#")]
    series = {name: f"{value}x20" for name, _, value in (line.rpartition(" ") for line in lines)}
    words = {
        "summary": "gateway-tls fails in 2 of 2 regions since 2026-11-30 11:57 UTC: certificate",
        "description": "The probe gateway-tls fails wherever it is run: people are affected, whatever region they are "
        "in. Run it from here to see where it breaks: flyball probe run gateway-tls",
        "explain": "flyball probe run gateway-tls",
        "runbook_url": "https://flyball.example/checks",
    }
    run(
        promtool, tmp_path, series,
        Fires("2m", "CheckDown", [OF_TLS | PAGE], words),
        Fires("12m", "CertificateExpires", [OF_TLS | PAGE]),
        Fires("12m", "CheckNotRun"),
        file=the_file(TLS),
    )  # fmt: skip


def test_a_region_that_does_not_run_a_check_any_more_is_not_said_to_be_late(tmp_path: Path) -> None:
    verdict = Verdict(TLS.name, PROBE, VerdictKind.UP, NOW, 2, ())
    text = exposed(tmp_path, verdict, "")
    last = [line for line in text.splitlines() if line.startswith("flyball_check_last_run_timestamp_seconds{")]
    assert [line.split('region="')[1][:2] for line in last] == ["eu", "us"]
    assert "flyball_check_failure" not in text
