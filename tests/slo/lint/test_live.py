"""Live rules, against a Prometheus that holds a week we wrote, and that scrapes itself."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from controlplane.adapters.clock import SystemClock
from controlplane.adapters.prometheus import PrometheusBackend
from controlplane.adapters.prometheus_catalogue import PrometheusCatalogue
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.model.alerting import STANDARD_ALERTING, AlertMethod
from controlplane.model.slo import LatencyIndicator, RatioIndicator
from controlplane.model.source import SourcePosition
from controlplane.ports import Transient
from flyball.demo import servers
from slo.lint.live import Live, live_findings
from slo.lint.live.combinations import METRICS_A_QUERY, combinations_of
from slo.lint.live.traffic import too_fine
from tests.slo.slos import an_slo, query

WEEK = 7 * 24 * 60
NOW = SystemClock().now().replace(microsecond=0)
PER_MINUTE = {
    'http_requests_total{job="checkout",code="200"}': 600.0,
    'http_requests_total{job="checkout",code="503"}': 1.0,
    'http_requests_total{job="quiet",code="200"}': 40 / 60,
    'http_requests_total{job="pods",app="cart",code="200"}': 10.0,
    'http_requests_total{job="pods",app="search",code="200"}': 10.0,
    'http_requests_total{job="slow",code="200"}': 600.0,
    'http_seconds_bucket{job="checkout",le="0.1"}': 300.0,
    'http_seconds_bucket{job="checkout",le="0.25"}': 500.0,
    'http_seconds_bucket{job="checkout",le="+Inf"}': 600.0,
    'http_seconds_count{job="checkout"}': 600.0,
    'recent_total{job="down"}': 600.0,
    'http_requests_total{job="down",code="200"}': 600.0,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    port = servers.free_port()
    scrape: list[dict[str, object]] = [
        {"job_name": "itself", "scrape_interval": "1s", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]},
        {"job_name": "slow", "scrape_interval": "5m", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
    ]
    folder = tmp_path_factory.mktemp("prometheus")
    with servers.prometheus(
        folder, scrape=scrape, port=port, retention="20d", out_of_order="14d", block_duration="14d"
    ) as server:
        with RemoteWriter(server.url) as writer:
            writer.write_columns([_week(selector, rate) for selector, rate in PER_MINUTE.items()])
        _wait_for_scrapes(server.url)
        yield server


def _wait_for_scrapes(url: str) -> None:
    """Until it knows its targets and has scraped itself."""
    backend = PrometheusBackend(url)
    catalogue = PrometheusCatalogue(backend)
    deadline = time.monotonic() + 60
    while not (catalogue.metric_types() and len(catalogue.scrape_intervals()) == 2):
        assert time.monotonic() < deadline, "it does not scrape itself"
        time.sleep(0.05)
    backend.close()


def _week(selector: str, per_minute: float) -> ColumnarSeries:
    name, _, rest = selector.rstrip("}").partition("{")
    labels = {"__name__": name, **{key: value.strip('"') for key, value in (e.split("=") for e in rest.split(","))}}
    minutes = np.arange(WEEK + 1)
    if labels["job"] == "down":
        minutes = minutes[:-60]  # down for the last hour
    stamps = (int(NOW.timestamp()) - (WEEK - minutes) * 60) * 1000
    return ColumnarSeries(encoded_labels(labels), stamps.astype(np.int64), minutes * per_minute)


@dataclass
class Counting:
    """Passes every request on, and counts them."""

    target: Any
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.asked.append(name)
            return getattr(self.target, name)(*arguments)

        return call


@pytest.fixture
def live(server: servers.Server) -> Iterator[Live]:
    backend = PrometheusBackend(server.url)
    yield Live(backend, PrometheusCatalogue(backend), NOW)
    backend.close()


def ratio(bad: str, total: str) -> RatioIndicator:
    return RatioIndicator(replace(query(total), position=SourcePosition("slo.yaml", 9, 9)), query(bad), None)


def within(bound: str) -> LatencyIndicator:
    bucket = f'http_seconds_bucket{{job="checkout",le="{bound}"}}'
    return LatencyIndicator(query(bucket), query('http_seconds_count{job="checkout"}'), Decimal(bound))


CHECKOUT = 'http_requests_total{job="checkout"}'
ERRORS = 'http_requests_total{job="checkout",code=~"5.."}'
CASES: list[tuple[str, RatioIndicator | LatencyIndicator, list[str]]] = [
    ("all is there", ratio(ERRORS, CHECKOUT), []),
    ("no error has happened yet", ratio('http_requests_total{job="quiet",code=~"5.."}', CHECKOUT), []),
    ("a metric whose targets are down", ratio('recent_total{job="down",code="5"}', 'recent_total{job="down"}'), []),
    ("a service that is down", ratio(ERRORS, 'http_requests_total{job="down"}'), []),
    (
        "a metric with a slip",
        ratio(ERRORS, 'http_request_total{job="checkout"}'),
        ["metric-unknown: Prometheus has no metric `http_request_total`, did you mean `http_requests_total`?"],
    ),
    (
        "a label by another name",
        ratio('http_requests_total{job="checkout",status=~"5.."}', CHECKOUT),
        ["label-unknown: no series of `http_requests_total` has a label `status` (its labels: app, code, job)"],
    ),
    (
        "a label of errors that is not there, excluded",
        ratio('http_requests_total{job="checkout",stats!="200"}', CHECKOUT),
        ["label-unknown: no series of `http_requests_total` has a label `stats` (its labels: app, code, job)"],
    ),
    (
        "a value with a slip",
        ratio('http_requests_total{job="chekout",code=~"5.."}', 'http_requests_total{job="chekout"}'),
        [
            'value-unknown: `job="chekout"` matches no series of `http_requests_total`, did you mean `checkout`?'
            " (there are: checkout, pods, quiet, slow)"
        ],
    ),
    (
        "a pattern that matches nothing",
        ratio(ERRORS, 'http_requests_total{job=~"pay.*"}'),
        [
            'value-unknown: `job=~"pay.*"` matches no series of `http_requests_total`'
            " (there are: checkout, pods, quiet, slow)"
        ],
    ),
    (
        "two conditions that never meet",
        ratio(ERRORS, 'http_requests_total{job="checkout",app="cart"}'),
        ["selector-empty: no series of `http_requests_total` has all of these labels together"],
    ),
    ("a bound that is there", within("0.25"), []),
    (
        "a bound that is none",
        within("0.3"),
        ['bucket-missing: `http_seconds_bucket` has no bucket le="0.3" (its bounds: 0.1, 0.25)'],
    ),
    (
        "a job behind which are two services",
        ratio('http_requests_total{job="pods",code=~"5.."}', 'http_requests_total{job="pods"}'),
        [
            "two-services: `http_requests_total` adds up 2 services (app: cart, search)"
            ' (add a condition such as app="cart")'
        ],
    ),
    ("one of them", ratio('http_requests_total{app="cart",code="500"}', 'http_requests_total{app="cart"}'), []),
    (
        "no service at all",
        ratio('http_requests_total{code=~"5.."}', 'http_requests_total{code!=""}'),
        [
            "two-services: `http_requests_total` adds up 4 services (job: checkout, pods, quiet, slow)"
            ' (add a condition such as job="checkout")',
            "scrape-too-slow: job slow is scraped every 5m: too rarely for rates over 5 minutes"
            " (scrape it every minute, at least every 2 minutes)",
        ],
    ),
    (
        "a job that is scraped too rarely",
        ratio('http_requests_total{job="slow",code=~"5.."}', 'http_requests_total{job="slow"}'),
        [
            "scrape-too-slow: job slow is scraped every 5m: too rarely for rates over 5 minutes"
            " (scrape it every minute, at least every 2 minutes)"
        ],
    ),
]


@pytest.mark.parametrize(("indicator", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_prometheus_does_not_have_is_told(
    live: Live, indicator: RatioIndicator | LatencyIndicator, expected: list[str]
) -> None:
    found = live_findings([an_slo("checkout", indicator, "0.99", 7)], live)
    assert found.notes == ()
    said = [
        f"{each.rule.name}: {each.message}" + (f" ({each.hint})" if each.hint else "")
        for each in found.findings
        if each.rule.name != "objective-too-fine"
    ]
    assert said == expected


def test_a_finding_stands_where_the_query_does(live: Live) -> None:
    (finding,) = live_findings(
        [an_slo("a", ratio(ERRORS, 'http_request_total{job="checkout"}'), "0.99", 7)], live
    ).findings
    assert (finding.position.line, finding.position.column) == (9, 9)


def test_an_slo_by_group_may_add_up_services(live: Live) -> None:
    slo = an_slo("a", ratio('http_requests_total{job="pods",code="5"}', 'http_requests_total{job="pods"}'), "0.9", 7)
    assert [each.rule.name for each in live_findings([replace(slo, groups=("app",))], live).findings] == []


def test_a_gauge_is_no_counter(live: Live) -> None:
    gauge = ratio('prometheus_tsdb_head_series{job="itself",x="1"}', 'prometheus_tsdb_head_series{job="itself"}')
    names = [each.rule.name for each in live_findings([an_slo("a", gauge, "0.99", 7)], live).findings]
    assert "not-a-counter" in names


def test_a_window_beyond_the_retention_is_told(live: Live) -> None:
    fits, too_long = (an_slo(f"days-{days}", ratio(ERRORS, CHECKOUT), "0.99", days) for days in (14, 30))
    (finding,) = live_findings([fits, too_long], live).findings
    assert finding.rule.name == "retention-too-short"
    assert finding.message == "Prometheus keeps 20d, the window is 30d"
    assert finding.hint.startswith("its coverage will not pass 67 %")


QUIET = ratio('http_requests_total{job="quiet",code=~"5.."}', 'http_requests_total{job="quiet"}')


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("0.99", None),  # 67 bad events in 7 days
        ("0.9999", "at 40 events an hour one bad event spends more than the whole budget of 7d"),
        (
            "0.9996",
            "at 40 events an hour the budget of 7d is 2.6 bad events: spent before the 3 that an alert waits for",
        ),
        (
            "0.999",
            "at 40 events an hour one bad event is 14.9 % of the budget of 7d:"
            " only the floor of 3 bad events keeps one error from paging you",
        ),
    ],
)
def test_an_objective_finer_than_the_traffic_is_told(live: Live, objective: str, message: str | None) -> None:
    found = live_findings([an_slo("quiet", QUIET, objective, 7)], live).findings
    assert [each.message for each in found] == ([message] if message else [])
    assert message is None or found[0].hint == "99 % would leave a budget of 67 bad events"


def test_a_query_that_is_more_than_a_selector_is_measured_too(live: Live) -> None:
    total = 'sum(rate(http_requests_total{job="quiet"}[1m])) - sum(rate(http_requests_total{job="quiet",code="4"}[1m]))'
    (finding,) = live_findings([an_slo("quiet", ratio('nothing{job="quiet"}', total), "0.9999", 7)], live).findings[-1:]
    assert finding.message.startswith("at 40 events an hour one bad event spends")


def test_with_burn_rate_alerts_one_error_may_page() -> None:
    slo = replace(an_slo("quiet", QUIET, "0.999"), alerting=replace(STANDARD_ALERTING, method=AlertMethod.BURN_RATE))
    finding = too_fine(slo, 40)
    assert finding is not None
    assert finding.message == "at 40 events an hour one bad event pages you"
    assert too_fine(an_slo("quiet", QUIET, "0.998"), 40) is None  # 57.6 bad events, so one is less than 2 % of them
    assert too_fine(an_slo("nobody", QUIET, "0.999"), 0) is None


def test_a_thousand_slos_ask_no_more_than_ten(live: Live) -> None:
    def asked(count: int) -> list[str]:
        slos = [
            an_slo(f"slo-{number}", ratio(f'http_requests_total{{job="j{number}",code=~"5.."}}', CHECKOUT), "0.99", 7)
            for number in range(count)
        ]
        backend, catalogue = Counting(live.backend), Counting(live.catalogue)
        live_findings(slos, Live(backend, catalogue, NOW))
        return [name for name in backend.asked + catalogue.asked if name != "series"]

    assert len(asked(1000)) == len(asked(10)) <= 8


def test_metrics_of_which_the_same_labels_matter_are_asked_for_together(live: Live) -> None:
    names = live.catalogue.metric_names(NOW, NOW)
    counting = Counting(live.backend)
    found, notes = combinations_of(dict.fromkeys(names, frozenset({"job"})), counting, NOW, lambda done: None)
    assert notes == []
    assert found.keys() == names
    assert len(counting.asked) == -(-len(names) // METRICS_A_QUERY) < len(names)
    assert {labels["job"] for labels in found["http_seconds_count"].all} == {"checkout"}


def test_a_server_that_does_not_answer_is_not_taken_for_an_empty_one() -> None:
    silent = PrometheusBackend(f"http://127.0.0.1:{servers.free_port()}", timeout_seconds=2)
    with pytest.raises(Transient):
        live_findings([an_slo("a", QUIET)], Live(silent, PrometheusCatalogue(silent), datetime(2026, 1, 1, tzinfo=UTC)))


def test_nothing_is_asked_of_a_pattern_that_might_take_for_ever(live: Live) -> None:
    total = 'http_requests_total{job=~"(c+h+)+x"}'
    assert live_findings([an_slo("a", ratio(ERRORS, total), "0.9", 7)], live).findings == ()
