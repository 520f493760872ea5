"""Tiers of a ladder as they are written."""

import re
from collections.abc import Mapping
from typing import Final

from controlplane.model.ladder import FlagValue
from controlplane.promql import check_promql
from finops.flags.model import DeclaredStore
from finops.flags.report import Report
from finops.flags.values import typed
from finops.ladder.model import Comparison, Condition, Explained, Tier
from finops.ladder.reading.lengths import DWELL, EXPIRES, length
from finops.ladder.spec import EnterPart, ExitPart, TierPart
from finops.naming import LABEL_NAME

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PATTERN: Final = "~"
Path = tuple[str | int, ...]


def tiers(report: Report, parts: list[TierPart], store: DeclaredStore | None) -> tuple[Tier, ...]:
    """The tiers in order; those with mistakes as far as they can be read."""
    first: dict[str, Path] = {}
    for number, part in enumerate(parts):
        at: Path = ("spec", "tiers", number, "name")
        if not _NAME.fullmatch(part.name):
            hint = "lower-case letters, digits and `-`, at most 63"
            report.error(*at, message=f"`{part.name[:80]}` is not a name", hint=hint)
        elif first.setdefault(part.name, at) != at:
            message = f"the name `{part.name}` is taken by another tier"
            hint = f"first used at {report.document.position_of(*first[part.name])}"
            report.error(*at, message=message, hint=hint)
    return tuple(_tier(report, number, part, store) for number, part in enumerate(parts, start=1))


def _tier(report: Report, number: int, part: TierPart, store: DeclaredStore | None) -> Tier:
    at: Path = ("spec", "tiers", number - 1)
    return Tier(
        number=number,
        name=part.name,
        description=part.description,
        flags=_flags(part.flags, store),
        saving_per_hour=part.saving,
        enter=_condition(report, (*at, "enter"), part.enter),
        enter_samples=part.enter.samples,
        exit=_condition(report, (*at, "exit"), part.exit),
        exit_samples=part.exit.samples,
        dwell=length(report, (*at, "dwell"), part.dwell, DWELL),
        needs_approval=part.approval == "required",
        expires_after=length(report, (*at, "expires"), part.expires, EXPIRES) if part.expires is not None else None,
        journeys=tuple(dict.fromkeys(part.journeys)),
        explains=tuple(_explained(report, (*at, "explains", i), each) for i, each in enumerate(part.explains)),
        public_text=part.public_text,
        source=report.document.position_of(*at, "name"),
    )


def _flags(written: Mapping[str, bool | str], store: DeclaredStore | None) -> tuple[tuple[str, FlagValue], ...]:
    """By the type of each flag; one that does not fit, or is not known, as it is written: the lint tells that."""
    found: list[tuple[str, FlagValue]] = []
    for name, text in written.items():
        flag = store.flag(name) if store is not None else None
        value = typed(flag.type, text) if flag is not None else None
        found.append((name, text if value is None else value))
    return tuple(found)


def _condition(report: Report, at: Path, part: EnterPart | ExitPart) -> Condition:
    if (part.any_ is None) == (part.all_ is None):
        message = "any and all exclude each other" if part.any_ else "no condition"
        report.error(*at, message=message, hint="exactly one of any, all: signals with their thresholds")
    written = part.all_ if part.all_ is not None else part.any_ or {}
    return Condition(tuple(Comparison(*each) for each in written.items()), part.all_ is not None)


def _explained(report: Report, at: Path, written: Mapping[str, str]) -> Explained:
    """Matchers as Alertmanager has them."""
    matchers = []
    for label, value in written.items():
        if not LABEL_NAME.fullmatch(label):
            hint = "letters, digits and `_`, as Prometheus has them"
            report.error(*at, label, message=f"`{label[:80]}` is not a label's name", hint=hint, on_key=True)
        elif value.startswith(_PATTERN) and not _is_pattern(value[1:]):
            message = f"`{value[1:61]}` is not a regular expression"
            report.error(*at, label, message=message, hint="Alertmanager reads RE2; it must match the whole value")
        matchers.append(f"{label}=~{value[1:]}" if value.startswith(_PATTERN) else f"{label}={value}")
    return Explained(tuple(matchers))


def _is_pattern(text: str) -> bool:
    """Whether a matcher of PromQL, which reads the same expressions, takes it."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return check_promql(f'x{{a=~"{quoted}"}}') is None
