"""Names that a ladder refers to, and currencies that do not fit together."""

from collections.abc import Iterable
from typing import Final

from controlplane.burn_rate import duration
from controlplane.specfile import Document
from finops.ladder.lint.examined import Examined, Path
from finops.ladder.lint.other_kinds import value_at
from finops.ladder.lint.recorded import recorded_windows
from finops.ladder.model import Measure, Signal
from finops.ladder.reading.signals import plain
from finops.ladder.spec import SignalPart

RULE: Final = "ladder-reference"
_KINDS: Final = (
    ("budget", "budget", "Budget"),
    ("unit_cost", "unitCost", "UnitCost"),
    ("quota", "quota", "UsageQuota"),
    ("anomaly", "anomaly", "AnomalyDetector"),
)


def check(it: Examined) -> None:
    """Sources of signals, signals in conditions, SLOs of brakes, the flag store."""
    _store(it)
    for number, part in enumerate(it.spec.signals):
        for name, key, kind in _KINDS:
            if getattr(part, name) is not None:
                _source(it, ("spec", "signals", number), key, kind, part)
    for tier, _, at, condition in it.conditions():
        _known_signals(it, at, (each.signal for each in condition.comparisons), f"tier `{tier.name}`")
    if it.ladder.emergency is not None:
        at = ("spec", "emergency", "any")
        _known_signals(it, at, (each.signal for each in it.ladder.emergency.comparisons), "the emergency jump")
    if it.ladder.growth is not None and it.ladder.signal(it.ladder.growth.signal) is None:
        _unknown_signal(it, ("spec", "growth", "signal"), it.ladder.growth.signal, on_key=False)
    _unused(it)
    _repeated(it)


def _store(it: Examined) -> None:
    name = it.ladder.store
    if it.store is None and not it.ground.may_be_declared(name):
        known = it.ground.named("FlagStore")
        at = ("spec", "flagStore")
        it.report.unknown(
            *at, what="FlagStore", name=name, known=known, hint="declare a FlagStore", rule=RULE, on_key=False
        )
    elif it.store is not None and it.store.type == "ofrep":
        message = f"FlagStore `{name}` is only read: by OFREP no flag can be changed"
        hint = "add to it the store behind that server: flagd, unleash, launchDarkly or webhook"
        it.report.error("spec", "flagStore", message=message, hint=hint, rule=RULE)


def _source(it: Examined, at: Path, key: str, kind: str, part: SignalPart) -> None:
    name = str({"Budget": part.budget, "UnitCost": part.unit_cost, "UsageQuota": part.quota}.get(kind, part.anomaly))
    known = it.ground.named(kind)
    document = known.get(name)
    if document is None:
        if not it.ground.may_be_declared(name):
            hint = f"declare {_a(kind)}"
            it.report.unknown(*at, key, what=kind, name=name, known=known, hint=hint, rule=RULE, on_key=False)
        return
    if kind == "UnitCost" and value_at(document, "spec", "target") is None:
        message = f"unit cost `{name}` has no target, and the signal is what it costs ÷ its target"
        it.report.error(*at, key, message=message, hint="give the UnitCost a `target`", rule=RULE)
    if kind in ("Budget", "UnitCost"):
        _currency(it, (*at, key), kind, name, document)
        _window(it, at, name, document, it.ladder.signal(part.name))


def _a(kind: str) -> str:
    return f"{'an' if kind.startswith('A') else 'a'} {kind}"


def _currency(it: Examined, at: Path, kind: str, name: str, document: Document) -> None:
    currency = value_at(document, "spec", "currency")
    if isinstance(currency, str) and currency != it.ladder.currency:
        message = f"{kind} `{name}` is in {currency}, and the savings of this ladder are in {it.ladder.currency}"
        hint = "a ladder has one currency: its exit is judged by spend + savings"
        it.report.error(*at, message=message, hint=hint, rule=RULE)


def _window(it: Examined, at: Path, name: str, document: Document, signal: Signal | None) -> None:
    """Only what is recorded can be asked: a window that nobody records would always be missing."""
    if signal is None or signal.window is None:
        return
    recorded = recorded_windows(signal.measure, document)
    if recorded and signal.window not in recorded:
        length = duration(signal.window)
        what = f"burn rate of budget `{name}`" if signal.measure is Measure.BURN_RATE else f"unit cost `{name}`"
        hint = f"recorded: {', '.join(duration(each) for each in recorded)}"
        if signal.measure is Measure.UNIT_COST:
            hint += f"; or add {length} to its `windows`"
        message = f"the {what} is not recorded over {length}"
        it.report.error(*at, "window", message=message, hint=hint, rule=RULE)


def _known_signals(it: Examined, at: Path, signals: Iterable[str], where: str) -> None:
    for name in signals:
        if it.ladder.signal(name) is None:
            _unknown_signal(it, (*at, name), name, on_key=True)


def _unknown_signal(it: Examined, at: Path, name: str, *, on_key: bool) -> None:
    known = [signal.name for signal in it.ladder.signals]
    it.report.unknown(
        *at, what="signal", name=name, known=known, hint="declare it under `signals`", rule=RULE, on_key=on_key
    )


def _unused(it: Examined) -> None:
    ladder = it.ladder
    used = {each.signal for _, _, _, condition in it.conditions() for each in condition.comparisons}
    used |= {each.signal for each in ladder.emergency.comparisons} if ladder.emergency else set()
    used |= {ladder.growth.signal} if ladder.growth else set()
    for number, part in enumerate(it.spec.signals):
        if part.name not in used:
            message = f"nothing looks at the signal `{part.name[:80]}`"
            hint = "remove it, or use it in a condition"
            it.report.warning("spec", "signals", number, "name", message=message, hint=hint, rule=RULE)


def _repeated(it: Examined) -> None:
    first: dict[tuple[object, ...], str] = {}
    for number, part in enumerate(it.spec.signals):
        signal = it.ladder.signal(part.name)
        if signal is None or (not signal.subject and not signal.query):
            continue
        same = (
            signal.measure, signal.subject, signal.window, plain(signal.query), signal.floor_per_hour, signal.detector,
        )  # fmt: skip
        name = first.setdefault(same, part.name)
        if name != part.name:
            message = f"says the same as the signal `{name}`"
            at = ("spec", "signals", number)
            it.report.warning(*at, message=message, hint="keep one of the two", rule=RULE)


def is_money(signal: Signal) -> bool:
    """Whether it is made from series of spend, which are recorded every minute."""
    return signal.measure not in (Measure.QUERY, Measure.QUOTA, Measure.ANOMALY)
