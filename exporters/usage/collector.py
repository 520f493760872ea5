"""Usage on /metrics, from the store: a restart loses nothing, and every replica says the same."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.samples import Exemplar

from controlplane import conventions as names
from controlplane.model.usage import Aggregation, Outcome, UsageCounter, UsageTotal
from controlplane.ports import Clock, Permanent, Store, Transient
from exporters.usage.declared import OTHERS
from exporters.usage.periods import period_of
from exporters.usage.quotas import QuotaUse, current
from exporters.usage.terms import UsageTerms

_TOTAL: Final = "_total"


class UsageCollector:
    """Give it to a registry. While the store does not answer it says nothing: missing is not 0.

    Decimals become floats here, as Prometheus has nothing else. MAX meters have no counter: they do not count.
    """

    def __init__(self, store: Store, terms: Callable[[], UsageTerms], clock: Clock) -> None:
        self._store = store
        self._terms = terms
        self._clock = clock

    def describe(self) -> list[Metric]:
        """Names only: registering must not ask the store."""
        return [_quantities([]), _events({}), _quotas([], {})]

    def collect(self) -> Iterator[Metric]:
        """Counters of usage and of events, and what is used of quotas."""
        terms, now = self._terms(), self._clock.now()
        meters = sorted({quota.meter for quota in terms.quotas})
        try:
            with self._store.transaction(read_only=True) as transaction:
                counters = transaction.usage.counters()
                outcomes, shown = transaction.usage.outcomes(), transaction.usage.shown()
                totals: Sequence[UsageTotal] = (
                    transaction.usage.totals(period=period_of(now), meters=meters) if meters else ()
                )
        except (Transient, Permanent):
            return
        alone = [each for each in counters if not each.tenant or shown.get(each.tenant)]
        yield _quantities(alone)
        yield _events(outcomes)
        yield _quotas(current(terms.quotas, totals, now), shown)


def _quantities(counters: Sequence[UsageCounter]) -> Metric:
    family = CounterMetricFamily(
        names.USAGE_TOTAL.removesuffix(_TOTAL), "What was accepted.", labels=[names.TENANT, names.METER]
    )
    for counter in counters:
        if counter.aggregation is not Aggregation.MAX:
            labels = [counter.tenant or OTHERS, counter.meter]
            family.add_metric(labels, float(counter.quantity), exemplar=_exemplar(counter))
    return family


def _exemplar(counter: UsageCounter) -> Exemplar | None:
    if not counter.trace_id or counter.traced_at is None:
        return None
    return Exemplar({"trace_id": counter.trace_id}, float(counter.traced), _seconds(counter.traced_at))


def _seconds(at: datetime) -> float:
    return at.timestamp()


def _events(outcomes: Mapping[Outcome, int]) -> Metric:
    family = CounterMetricFamily(
        names.USAGE_EVENTS.removesuffix(_TOTAL), "Events of usage by what became of them.", labels=["outcome"]
    )
    for outcome, count in outcomes.items():
        family.add_metric([outcome.value], count)
    return family


def _quotas(uses: Sequence[QuotaUse], shown: Mapping[str, bool]) -> Metric:
    """Of tenants that are shown alone or named by the quota; `other` is the one of the rest that has used most."""
    family = GaugeMetricFamily(
        names.QUOTA_USED, "What is used of a quota, as a share of its limit.", labels=[names.TENANT, names.QUOTA]
    )
    rest: dict[str, float] = {}
    for use in uses:
        ratio = float(use.ratio)
        if use.tenant in use.quota.tenants or shown.get(use.tenant):
            family.add_metric([use.tenant, use.quota.name], ratio)
        else:
            rest[use.quota.name] = max(ratio, rest.get(use.quota.name, 0.0))
    for quota, ratio in sorted(rest.items()):
        family.add_metric([OTHERS, quota], ratio)
    return family
