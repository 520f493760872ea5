"""AutoscalingCap documents as caps, and everything that is wrong with them."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.burn_rate import duration
from controlplane.model.source import SourcePosition
from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Declared, Document, did_you_mean
from finops.caps.model import (
    AutoscalingCap,
    FixedPrice,
    PriceOfItem,
    PrometheusTrigger,
    QueriedPrice,
    ReplicaPrice,
    ResourceTrigger,
    Scaler,
    Target,
    Trigger,
)
from finops.caps.spec import CapDocument, TriggerPart

RULE: Final = "autoscaling-cap"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OBJECT_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_LENGTH: Final = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS: Final = {"s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_SECOND: Final = timedelta(seconds=1)
_LENGTHS: Final[Mapping[str, tuple[str, timedelta, timedelta]]] = {
    "polling_interval": ("pollingInterval", _SECOND, timedelta(hours=1)),
    "cooldown": ("cooldown", timedelta(0), timedelta(days=7)),
    "stabilization": ("stabilization", timedelta(0), timedelta(hours=1)),  # the most that autoscaling/v2 takes
    "stale_after": ("staleAfter", timedelta(minutes=1), timedelta(days=1)),
}
_KEYS_OF_PRICES: Final = ("amount", "query", "price")
_KEYS_OF_TRIGGERS: Final = ("prometheus", "cpu", "memory")
Path = tuple[str | int, ...]


def declared(
    documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Declared[AutoscalingCap]:
    """The caps that these documents declare, by name. One with a mistake is left out; its problems are told.

    Names of Budgets and PriceMaps are looked for among the same documents; `may_be_declared` tells whether a document
    that could not be read may carry a name.
    """
    readings = [_Reading(one, one.value) for one in documents if isinstance(one.value, CapDocument)]
    problems = [problem for reading in readings for problem in reading.check(documents, may_be_declared)]
    problems += _repeated(readings)
    problems += _overspent(readings)
    found: dict[str, AutoscalingCap] = {}
    for reading in readings:
        made = reading.cap()
        if made is not None:
            found.setdefault(made.name, made)
    return Declared(tuple(found[name] for name in sorted(found)), tuple(problems))


class _Reading:
    def __init__(self, document: Document, value: CapDocument) -> None:
        self.document: Final = document
        self.value: Final = value
        self.lengths: Final[dict[str, timedelta]] = {}
        self._faulty = False

    def check(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> list[Problem]:
        """Everything that is wrong with this one."""
        found = [
            *self._names(),
            *self._lengths(),
            *self._price(),
            *self._triggers(),
            *self._replicas(),
            *self._references(documents, may_be_declared),
        ]
        self._faulty = any(problem.severity is Severity.ERROR for problem in found)
        return found

    def cap(self) -> AutoscalingCap | None:
        """What the document says; None when an error was found."""
        if self._faulty:
            return None
        spec, about = self.value.spec, self.value.metadata
        least = spec.replicas.p0_minimum
        return AutoscalingCap(
            name=about.name,
            target=Target(spec.target.namespace, spec.target.name, spec.target.api_version, spec.target.kind),
            budget=spec.budget,
            price=_price(self.value),
            share=spec.share,
            p0_minimum=least,
            minimum=max(least, 1) if spec.replicas.minimum is None else spec.replicas.minimum,
            ceiling=spec.replicas.ceiling,
            triggers=tuple(_trigger(part) for part in spec.triggers),
            source=self.position,
            scaler=Scaler(spec.scaler),
            idle_to_zero=spec.replicas.idle == "zero",
            polling=self.lengths["polling_interval"],
            cooldown=self.lengths["cooldown"],
            stabilization=self.lengths["stabilization"],
            hysteresis=spec.hysteresis,
            stale_after=self.lengths["stale_after"],
            labels=tuple(sorted(about.labels.items())),
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
        )

    @property
    def position(self) -> SourcePosition:
        """Where its name stands."""
        return self.document.position_of("metadata", "name")

    def problem(self, *path: str | int, message: str, hint: str = "", severity: Severity = Severity.ERROR) -> Problem:
        """A problem of this document."""
        return self.document.problem(*path, message=message, hint=hint, severity=severity, rule=RULE)

    def _names(self) -> Iterator[Problem]:
        name, target = self.value.metadata.name, self.value.spec.target
        if not _NAME.fullmatch(name):
            hint = "lower-case letters, digits and `-`, at most 63"
            yield self.problem("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint)
        if not _NAME.fullmatch(target.namespace):
            message = f"`{target.namespace[:80]}` is not a Kubernetes namespace"
            yield self.problem("spec", "target", "namespace", message=message)
        if not _OBJECT_NAME.fullmatch(target.name):
            message = f"`{target.name[:80]}` is not the name of a Kubernetes object"
            yield self.problem("spec", "target", "name", message=message)

    def _lengths(self) -> Iterator[Problem]:
        for field, (key, least, most) in _LENGTHS.items():
            text = getattr(self.value.spec, field)
            match = _LENGTH.fullmatch(text)
            if match is None:
                message = f"`{text}` is not a duration"
                yield self.problem("spec", key, message=message, hint="a number and s, m, h or d, as in 30s or 5m")
                continue
            self.lengths[field] = int(match[1]) * _UNITS[match[2]]
            if not least <= self.lengths[field] <= most:
                yield self.problem("spec", key, message=f"must be between {duration(least)} and {duration(most)}")

    def _price(self) -> Iterator[Problem]:
        part, at = self.value.spec.cost_per_replica_hour, ("spec", "costPerReplicaHour")
        given = [key for key in _KEYS_OF_PRICES if getattr(part, key) is not None]
        if len(given) != 1:
            message = "no price" if not given else f"{' and '.join(given)} exclude each other"
            yield self.problem(*at, message=message, hint=f"exactly one of {', '.join(_KEYS_OF_PRICES)}")
        if part.query is not None:
            yield from self._promql(part.query, *at, "query")

    def _triggers(self) -> Iterator[Problem]:
        for number, part in enumerate(self.value.spec.triggers):
            at: Path = ("spec", "triggers", number)
            given = [key for key in _KEYS_OF_TRIGGERS if getattr(part, key) is not None]
            if len(given) != 1:
                message = "no trigger" if not given else f"{' and '.join(given)} exclude each other"
                yield self.problem(*at, message=message, hint=f"exactly one of {', '.join(_KEYS_OF_TRIGGERS)}")
            if part.prometheus is None:
                continue
            yield from self._promql(part.prometheus.query, *at, "prometheus", "query")
            if self.value.spec.scaler == "hpa":
                message = "a HorizontalPodAutoscaler cannot ask Prometheus"
                yield self.problem(*at, "prometheus", message=message, hint="use scaler: keda, or cpu and memory")

    def _replicas(self) -> Iterator[Problem]:
        spec, at = self.value.spec, ("spec", "replicas")
        replicas = spec.replicas
        if replicas.p0_minimum > replicas.ceiling:
            message = f"below p0Minimum ({replicas.p0_minimum})"
            yield self.problem(*at, "ceiling", message=message, hint="raise it, or lower p0Minimum")
        if replicas.minimum is not None and not replicas.p0_minimum <= replicas.minimum <= replicas.ceiling:
            message = f"must be between p0Minimum ({replicas.p0_minimum}) and ceiling ({replicas.ceiling})"
            yield self.problem(*at, "minimum", message=message)
        if spec.scaler == "hpa" and (replicas.idle == "zero" or replicas.p0_minimum == 0 or replicas.minimum == 0):
            field = "idle" if replicas.idle == "zero" else "p0Minimum" if replicas.p0_minimum == 0 else "minimum"
            message = "a HorizontalPodAutoscaler cannot scale to zero"
            yield self.problem(*at, field, message=message, hint="use scaler: keda, or 1 at least")
        elif replicas.idle == "zero" and not any(part.prometheus for part in spec.triggers):
            message = "nothing would wake it: cpu and memory are not used while none runs"
            yield self.problem(*at, "idle", message=message, hint="add a prometheus trigger that counts what waits")

    def _references(self, documents: Sequence[Document], may_be_declared: Callable[[str], bool]) -> Iterator[Problem]:
        wanted: list[tuple[str, str, Path]] = [("Budget", self.value.spec.budget, ("spec", "budget"))]
        price = self.value.spec.cost_per_replica_hour.price
        if price is not None:
            wanted.append(("PriceMap", price.price_map, ("spec", "costPerReplicaHour", "price", "priceMap")))
        for kind, name, at in wanted:
            known = [_name_of(one) for one in documents if one.kind.name == kind]
            if name not in known and not may_be_declared(name):
                meant = did_you_mean(name, known)
                message = f"there is no {kind} `{name}`" + (f", did you mean `{meant}`?" if meant else "")
                hint = "" if meant else f"declared: {', '.join(sorted(known))}" if known else f"declare a {kind}"
                yield self.problem(*at, message=message, hint=hint)

    def _promql(self, text: str, *path: str | int) -> Iterator[Problem]:
        wrong = check_promql(text)
        if wrong is not None:
            yield self.document.problem(
                *path, message=wrong.message, offset=wrong.offset, length=wrong.length, hint=wrong.hint, rule=RULE
            )


def _repeated(readings: Iterable[_Reading]) -> Iterator[Problem]:
    """Names and workloads that two caps claim."""
    by_name: dict[str, _Reading] = {}
    by_target: dict[tuple[str, str, str], _Reading] = {}
    for reading in readings:
        name, target = reading.value.metadata.name, reading.value.spec.target
        first = by_name.setdefault(name, reading)
        if first is not reading:
            message = f"the name `{name}` is taken by another AutoscalingCap"
            yield reading.problem("metadata", "name", message=message, hint=f"first used at {first.position}")
            continue
        first = by_target.setdefault((target.namespace, target.kind, target.name), reading)
        if first is not reading:
            message = f"{target.kind} {target.namespace}/{target.name} has another cap, and only one can scale it"
            yield reading.problem("spec", "target", message=message, hint=f"the other one stands at {first.position}")


def _overspent(readings: Iterable[_Reading]) -> Iterator[Problem]:
    """Budgets whose caps may spend more than there is, told at the cap that passes the whole."""
    sums: dict[str, Decimal] = {}
    for reading in sorted(readings, key=lambda one: one.value.metadata.name):
        budget, share = reading.value.spec.budget, reading.value.spec.share
        before = sums.get(budget, Decimal(0))
        sums[budget] = before + share
        if before <= 1 < sums[budget]:
            message = f"the shares of budget `{budget}` add up to {sums[budget]}"
            hint = "together they may spend more than is left: let them add up to 1 at most"
            yield reading.problem("spec", "share", message=message, hint=hint, severity=Severity.WARNING)


def _price(value: CapDocument) -> ReplicaPrice:
    part = value.spec.cost_per_replica_hour
    if part.amount is not None:
        return FixedPrice(part.amount)
    if part.query is not None:
        return QueriedPrice(part.query)
    assert part.price is not None
    return PriceOfItem(part.price.price_map, part.price.item, part.price.units)


def _trigger(part: TriggerPart) -> Trigger:
    asked = part.prometheus
    if asked is not None:
        return PrometheusTrigger(asked.server_address, asked.query, asked.threshold, asked.activation_threshold)
    if part.cpu is not None:
        return ResourceTrigger("cpu", part.cpu.utilization)
    assert part.memory is not None
    return ResourceTrigger("memory", part.memory.utilization)


def _name_of(document: Document) -> str:
    return str(getattr(getattr(document.value, "metadata", None), "name", ""))
