"""Detectors of every state, with what Prometheus and the database know of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware

from alerts.anomaly.declared import declared
from alerts.anomaly.explaining.model import Channels, Earlier, Explained, Share, StepFacts
from alerts.anomaly.kinds import KINDS
from alerts.anomaly.model import AnomalyDetector, Maturity
from controlplane import anomaly_names as names
from controlplane.adapters.remote_write import RemoteWriter, columnar
from controlplane.model.anomaly import Episode
from controlplane.model.follow_up import AccessToken, Role
from controlplane.model.series import Series
from controlplane.ports import Store
from controlplane.problems import Severity
from controlplane.specfile import SourceFile, read
from flyball.web.access import Access, digest_of
from flyball.web.anomaly_pages import anomaly_routes
from flyball.web.anomaly_series import series_text
from flyball.web.anomaly_state import DeclaredAnomalies
from flyball.web.console import console_routes, exception_handlers
from flyball.web.gathering import Gathering
from flyball.web.guards import Admission, Guards
from tests.flyball.web import world
from tests.flyball.web.world import NASTY, NOW

STEP: Final = timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LAG: Final = timedelta(minutes=8)  # between the newest step and now
CHECKOUT = {"service": "checkout", "region": "eu"}
SEARCH = {"service": "search", "region": "eu"}
UGLY = {"service": NASTY, "region": 'a\\b"c'}
GROUP = {"region": "eu", "group": "1"}
QUIET = {"service": "mail", "region": "eu"}
SERIES: Final = (CHECKOUT, SEARCH, UGLY, GROUP, QUIET)
FIGURES = ("value", "expected", "lower", "upper", "score")
TOKENS = {"vera": Role.VIEWER, "rob": Role.RESPONDER}
FILE: Final = """\
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata:
  name: traffic
  displayName: Traffic of services
  annotations: {flyball.dev/runbook-url: "https://runbooks.example/traffic"}
spec:
  query: sum by (service, region) (rate(http_requests_total[5m]))
  season: {timeZone: Europe/Berlin}
  grouping: {by: [region]}
  severity: page
---
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: tokens}
spec:
  query: sum(rate(gen_ai_tokens_total[5m]))
  direction: above
---
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: spend}
spec:
  cost: {ledger: estimated, by: [service], currency: USD}
"""


def detectors() -> tuple[AnomalyDetector, ...]:
    """As a file declares them."""
    files = read([SourceFile("anomalies.yaml", FILE.encode())], KINDS)
    found = declared(files.documents)
    assert [each for each in (*files.problems, *found.problems) if each.severity is Severity.ERROR] == []
    return found.values


def usual(at: datetime) -> float:
    """Traffic by the time of day."""
    return 100 + 60 * math.sin((at.hour + at.minute / 60) / 24 * 2 * math.pi)


@dataclass(frozen=True)
class Past:
    """What was scraped: a value each five minutes for 26 hours, before that one each hour."""

    times: Sequence[datetime]

    def of(self, labels: Mapping[str, str], factor: float = 1.0) -> Iterator[Series]:
        """One series of `traffic`; `factor`: of what is usual, since an hour ago."""

        def series(metric: str, value: float | None = None, **more: str) -> Series:
            points = [(at, self._value(metric, at - LAG, factor) if value is None else value) for at in self.times]
            return Series(
                {"__name__": metric, "detector": "traffic", "instance": "a:1", "job": "flyball", **labels, **more},
                tuple(points),
            )

        for metric in (names.VALUE, names.EXPECTED, names.LOWER, names.UPPER, names.SCORE):
            yield series(metric)
        yield series(names.MATURITY, 3)
        yield series(names.COVERAGE, 1)
        yield series(names.GAP, 0)
        yield series(names.OPEN, float(factor > 2), output="point")
        yield series(names.CHOSEN_BASELINE, 1, baseline="weekly")

    def _value(self, metric: str, at: datetime, factor: float) -> float:
        expected = usual(at)
        value = expected * factor if NOW - at < HOUR + LAG else expected * 1.02
        found = {
            names.VALUE: value,
            names.EXPECTED: expected,
            names.LOWER: expected * 0.7,
            names.UPPER: expected * 1.3,
            names.SCORE: abs(value - expected) / (expected * 0.3),
        }
        return found[metric]


def write(url: str) -> None:
    """Everything in one request."""
    recent = [NOW - STEP * number for number in range(int(26 * HOUR / STEP))]
    older = [NOW - HOUR * number for number in range(26, 29 * 24)]
    past = Past(sorted([*recent, *older]))
    found = [*past.of(CHECKOUT, 3), *past.of(SEARCH), *past.of(UGLY), *past.of(GROUP, 1.5)]
    last = recent[:2]

    def health(metric: str, value: float, detector: str, **labels: str) -> Series:
        points = tuple((at, value) for at in sorted(last))
        return Series({"__name__": metric, "detector": detector, "instance": "a:1", **labels}, points)

    scored = {"__name__": names.SCORED_AT, "detector": "traffic", "instance": "a:1"}
    found += [
        Series(scored, tuple((at, (at - LAG).timestamp()) for at in past.times)),
        health(names.FITTED_AT, (NOW - 2 * HOUR).timestamp(), "traffic"),
        health(names.SERIES, 4, "traffic", state="scored"),
        health(names.SERIES, 1, "traffic", state="gap"),
        health(names.FAILING, 0, "traffic"),
        health(names.SERIES, 1, "tokens", state="warming"),
        health(names.SCORED_AT, (NOW - LAG).timestamp(), "tokens"),
        health(names.MATURITY, 1, "tokens"),
        health(names.GAP, 0, "tokens"),
        health(names.VALUE, 12.5, "tokens"),
        health(names.SCORED_AT, (NOW - 6 * DAY).timestamp(), "spend"),
        health(names.SERIES, 2, "spend", state="scored"),
        health(names.GAP, 1, "traffic", **QUIET),
        health(names.MATURITY, 3, "traffic", **QUIET),
    ]
    with RemoteWriter(url) as writer:
        writer.write_columns([columnar(each) for each in found])


def an_episode(
    identity: str, labels: Mapping[str, str], kind: str, began: timedelta, lasted: timedelta | None
) -> Episode:
    """Of `traffic`; `began` before now."""
    at = NOW - began
    return Episode(
        identity, "traffic", series_text(labels), labels, kind, at, None if lasted is None else at + lasted, at + STEP,
        Decimal("301.5"), Decimal("100.5"), Decimal("70.3"), Decimal("130.6"), Decimal("6.7"),
    )  # fmt: skip


def episodes() -> list[Episode]:
    """Open and ended ones, a new level, missing samples, one that is nasty."""
    opened = an_episode("open", CHECKOUT, "point", HOUR, None)
    return [
        replace(opened, explanation="301/s, and 70.3 to 131/s is usual: three times the same time on earlier days."),
        an_episode("before", CHECKOUT, "sustained", 20 * HOUR, 40 * timedelta(minutes=1)),
        an_episode("level", CHECKOUT, "level_shift", 10 * HOUR, STEP),
        replace(an_episode("gap", QUIET, "gap", 3 * HOUR, None), **dict.fromkeys(FIGURES)),  # type: ignore[arg-type]
        replace(an_episode("ugly", UGLY, "point", 2 * DAY, HOUR), explanation=NASTY),
    ]  # fmt: skip


def fill(store: Store) -> None:
    """What was found, and who may say something."""
    with store.transaction() as transaction:
        transaction.anomalies.put_episodes(episodes())
        for name, role in TOKENS.items():
            transaction.access.put_token(AccessToken(name, role, digest_of(f"token-of-{name}"), NOW))


def explained(detector: AnomalyDetector, labels: Mapping[str, str], at: datetime) -> Explained | None:
    """Of `checkout` only."""
    if labels != CHECKOUT or detector.name != "traffic":
        return None
    facts = StepFacts(
        at=at, value=301.5, expected=100.5, lower=70.3, upper=130.6, point=2.3, sustained=1.9, score=6.7,
        sustained_score=1.4, channels=Channels(3.2, 1.1, 0.0, None), baseline="weekly", maturity=Maturity.WEEKLY,
        is_shift=False,
    )  # fmt: skip
    earlier = (Earlier(at - DAY, 99.0, False), Earlier(at - 7 * DAY, None, True))
    return Explained(
        "traffic", series_text(labels), facts, earlier, "It alerts (page): open since long ago.", True, NOW - HOUR,
        ("deployment of checkout 1.4.2 9 min ago",), series_text(GROUP), (Share(series_text(UGLY), 0.85),),
    )  # fmt: skip


def application(state: world.State, given: Sequence[AnomalyDetector]) -> Starlette:
    """The console with the pages about anomalies."""
    anomalies = DeclaredAnomalies(lambda: given, explained)
    routes = anomaly_routes(state, anomalies, Gathering(state))
    access = Access(state.store, None, state.clock, b"k" * 32)
    return Starlette(
        routes=[*routes, *console_routes(state)],
        middleware=[Middleware(Guards, admission=Admission(frozenset()), access=access)],
        exception_handlers=dict(exception_handlers()),
    )
