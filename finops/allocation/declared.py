"""CostAllocation documents as plans, and everything that is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity
from controlplane.promql import check_promql
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from finops.allocation.circles import circle_problems
from finops.allocation.exact import total
from finops.allocation.model import (
    CostAllocation,
    CostKey,
    CostKind,
    CsvUsage,
    EvenKey,
    Figure,
    Key,
    Period,
    PromqlUsage,
    QuantityUsage,
    Scope,
    SharesKey,
    Step,
    UsageKey,
    UsageSource,
)
from finops.allocation.spec import AllocationDocument, KeyPart, StepPart, UsagePart
from finops.naming import annotation_problems, name_problems

RULE: Final = "cost-allocation"
_KEYS: Final = ("cost", "usage", "even", "shares")
_SOURCES: Final = ("promql", "csv", "quantity")
_TIMES: Final = ("hour", "day", "month")


def declared(documents: Sequence[Document]) -> Declared[CostAllocation]:
    """The plans that these documents declare, by name. A plan with a mistake is left out; its problems are told."""
    return declared_by_name(documents, AllocationDocument, _read)


def _read(document: Document, value: AllocationDocument) -> tuple[CostAllocation | None, Sequence[Problem]]:
    reading = _Reading(document, value)
    return reading.plan(), reading.problems


class _Reading:
    def __init__(self, document: Document, value: AllocationDocument) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._value = value

    def plan(self) -> CostAllocation | None:
        """What the document says; None when an error was found."""
        spec, about = self._value.spec, self._value.metadata
        self.problems += name_problems(self._document, about.name)
        self.problems += annotation_problems(self._document, about.annotations)
        usage = dict(self._usage())
        steps = [self._step(number, part) for number, part in enumerate(spec.steps)]
        self._check_names()
        self._check_dimension(spec.target, "spec", "target")
        whole = [step for step in steps if step is not None]
        if len(whole) == len(steps):
            self.problems += circle_problems(self._document, whole)
            self._check_use(whole, usage)
        if any(problem.severity is Severity.ERROR for problem in self.problems):
            return None
        return CostAllocation(
            name=about.name,
            target=spec.target,
            steps=tuple(whole),
            source=self._document.position_of("metadata", "name"),
            usage=tuple(usage.items()),
            figure=Figure(spec.figure),
            period=Period(spec.period),
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
        )

    def _step(self, number: int, part: StepPart) -> Step | None:
        over = part.over or self._value.spec.target
        at = ("spec", "steps", number)
        self._check_dimension(over, *at, "over")
        self._check_scope(part.select, *at, "select")
        key = self._key(number, part)
        if key is None:
            return None
        return Step(part.name, CostKind(part.kind), _scope(part.select), over, key, tuple(part.targets or ()))

    def _key(self, number: int, part: StepPart) -> Key | None:
        at = ("spec", "steps", number, "by")
        given = [name for name in _KEYS if getattr(part.by, name) is not None]
        if len(given) != 1:
            message = "no key" if not given else f"{' and '.join(given)} exclude each other"
            self._report(*at, message=message, hint=f"exactly one of {', '.join(_KEYS)}")
            return None
        return self._key_of(part.by, part, at)

    def _key_of(self, by: KeyPart, part: StepPart, at: tuple[str | int, ...]) -> Key | None:
        if by.cost is not None:
            self._check_scope(by.cost.where, *at, "cost", "where")
            return CostKey(by.cost.of == "loaded", _scope(by.cost.where))
        if by.usage is not None:
            return self._usage_key(by.usage, at)
        if by.shares is not None:
            return self._shares(by.shares, part, at)
        if not by.even:
            self._report(*at, "even", message="must be true", hint="remove it, or choose another key")
        return EvenKey()

    def _usage_key(self, name: str, at: tuple[str | int, ...]) -> Key:
        known = self._value.spec.usage
        if name not in known:
            meant = did_you_mean(name, known)
            message = f"no usage `{name}` is declared" + (f", did you mean `{meant}`?" if meant else "")
            hint = "" if meant else f"declared under spec.usage: {', '.join(known) or 'nothing'}"
            self._report(*at, "usage", message=message, hint=hint)
        return UsageKey(name)

    def _shares(self, shares: Mapping[str, Decimal], part: StepPart, at: tuple[str | int, ...]) -> Key:
        for target, share in shares.items():
            if share < 0:
                self._report(*at, "shares", target, message="a share must not be negative")
            if part.targets is not None and target not in part.targets:
                self._report(*at, "shares", target, message="is not among the step's `targets`", on_key=True)
        whole = total(shares.values())
        if whole != 1:
            message = f"the shares add up to {whole:f}, not to 1"
            self._report(*at, "shares", message=message, hint="exact decimals: 0.3333, 0.3333 and 0.3334")
        return SharesKey(tuple(sorted(shares.items())))

    def _usage(self) -> Iterator[tuple[str, UsageSource]]:
        for name, part in self._value.spec.usage.items():
            given = [source for source in _SOURCES if getattr(part, source) is not None]
            if len(given) != 1:
                message = "no source" if not given else f"{' and '.join(given)} exclude each other"
                self._report("spec", "usage", name, message=message, hint=f"exactly one of {', '.join(_SOURCES)}")
                continue
            yield name, self._source(name, part)

    def _source(self, name: str, part: UsagePart) -> UsageSource:
        at = ("spec", "usage", name)
        if part.promql is not None:
            error = check_promql(part.promql)
            if error:
                self.problems.append(
                    self._document.problem(
                        *at, "promql", message=error.message, offset=error.offset, length=error.length,
                        hint=error.hint, rule="promql-syntax",
                    )
                )  # fmt: skip
            return PromqlUsage(part.promql, part.label or self._over_of(name))
        if part.csv is not None:
            if part.csv.startswith("/") or ".." in part.csv.split("/") or not part.csv:
                hint = "a path below the document's folder, such as weights/seats.csv"
                self._report(*at, "csv", message="not a file beside this document", hint=hint)
            return CsvUsage(part.csv)
        self._check_scope(part.quantity or {}, *at, "quantity")
        return QuantityUsage(_scope(part.quantity or {}), part.unit)

    def _over_of(self, usage: str) -> str:
        """The dimension that the first step with this usage spreads over."""
        spec = self._value.spec
        return next((step.over for step in spec.steps if step.by.usage == usage and step.over), spec.target)

    def _check_names(self) -> None:
        seen: set[str] = set()
        for number, part in enumerate(self._value.spec.steps):
            if part.name in seen:
                message = f"there is another step `{part.name}`"
                self._report("spec", "steps", number, "name", message=message, hint="rename one")
            seen.add(part.name)

    def _check_use(self, steps: Sequence[Step], usage: Mapping[str, UsageSource]) -> None:
        used = {step.key.name for step in steps if isinstance(step.key, UsageKey)}
        for name in usage.keys() - used:
            self._warn("spec", "usage", name, message="no step uses these weights")
        if all(step.over != self._value.spec.target for step in steps):
            message = f"no step gives anything to a {self._value.spec.target}: all shared cost stays unallocated"
            self._warn("spec", "target", message=message)

    def _check_scope(self, scope: Mapping[str, Sequence[str]], *at: str | int) -> None:
        for dimension, values in scope.items():
            self._check_dimension(dimension, *at, dimension)
            for number, value in enumerate(values):
                if value in values[:number]:
                    self._warn(*at, dimension, message=f"`{value}` is there twice")

    def _check_dimension(self, dimension: str, *at: str | int) -> None:
        if dimension in _TIMES:
            message = f"`{dimension}` is time: cost is spread within each {self._value.spec.period} anyway"
            self._report(*at, message=message, hint="choose a dimension such as tenant, team or service")

    def _report(self, *path: str | int, message: str, hint: str = "", on_key: bool = False) -> None:
        self.problems.append(self._document.problem(*path, message=message, hint=hint, rule=RULE, on_key=on_key))

    def _warn(self, *path: str | int, message: str) -> None:
        warning = self._document.problem(*path, message=message, severity=Severity.WARNING, rule=RULE, on_key=True)
        self.problems.append(warning)


def _scope(written: Mapping[str, Sequence[str]]) -> Scope:
    return tuple((dimension, tuple(values)) for dimension, values in sorted(written.items()))
