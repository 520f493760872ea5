"""Probe documents as values, and everything that is wrong with them."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final

from controlplane import conventions as names
from controlplane.check_names import JOURNEY, PHASE, PROBE, REGION, STEP
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from synthetics.probes.builtin import BUILT_IN
from synthetics.probes.declared_modules import declared_modules, timeout_problems
from synthetics.probes.lengths import HINT, parse_length, shown_length
from synthetics.probes.model import Probe, ProbeModule
from synthetics.probes.modules import Assertion, AssertionKind, Module
from synthetics.probes.reading_assertions import assertion_problems, assertions_of
from synthetics.probes.reading_parts import (
    RULE,
    module_of,
    module_problems,
    protocols_in,
    reference_problems,
)
from synthetics.probes.spec import PROTOCOLS, ProbeDocument
from synthetics.probes.targets import is_encrypted, secret_in, target_fault

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_REGION: Final = _NAME
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_RESERVED: Final = (PROBE, JOURNEY, STEP, PHASE, REGION, names.SEVERITY, "kind", "check", "alertname", "alertstate")
_LEAST: Final = timedelta(seconds=1)
_MOST: Final = timedelta(days=1)
_USUAL_TIMEOUT: Final = timedelta(seconds=10)


def declared(
    documents: Sequence[Document],
    may_be_declared: Callable[[str], bool] = lambda _: False,
    regions: Collection[str] | None = None,
) -> Declared[Probe]:
    """The probes that these documents declare, by name. One with a mistake is left out; its problems are told.

    Modules are looked for among the same documents and among those that are built in; `may_be_declared` tells whether
    a document that could not be read may carry a name. `regions` are those that are declared; None: not known here.
    """
    modules = declared_modules(documents)
    known = {**BUILT_IN, **{one.name: one for one in modules.values}}
    unsure = {_name_of(one) for one in documents if one.kind.name == "ProbeModule"} - known.keys()
    around = _Around(known, lambda name: name in unsure or may_be_declared(name), regions)
    found = declared_by_name(documents, ProbeDocument, lambda one, value: _Reading(one, value, around).read())
    return Declared(found.values, (*modules.problems, *found.problems))


class _Around:
    """What a document may refer to."""

    def __init__(
        self,
        modules: Mapping[str, ProbeModule],
        may_be_declared: Callable[[str], bool],
        regions: Collection[str] | None,
    ) -> None:
        self.modules: Final = modules
        self.may_be_declared: Final = may_be_declared
        self.regions: Final = regions


class _Reading:
    def __init__(self, document: Document, value: ProbeDocument, around: _Around) -> None:
        self._document = document
        self._value = value
        self._spec = value.spec
        self._around = around
        self._named = around.modules.get(value.spec.module or "")
        self._interval = parse_length(value.spec.interval)

    def read(self) -> tuple[Probe | None, Sequence[Problem]]:
        """What the document says, or None; and its problems."""
        of_module = [*self._module_problems()]
        module = None if has_errors(of_module) else self._module()
        problems = [
            *self._name_problems(),
            *of_module,
            *self._target_problems(module),
            *self._time_problems(),
            *self._region_problems(),
            *assertion_problems(self._document, self._spec.assertions, module),
            *self._label_problems(),
        ]
        if module is None or has_errors(problems):
            return None, problems
        problems += self._doubts(module)
        return self._probe(module), problems

    def _probe(self, module: Module) -> Probe:
        spec, about, named = self._spec, self._value.metadata, self._named
        assert self._interval is not None
        return Probe(
            name=about.name,
            target=spec.target,
            module=module,
            source=self._document.position_of("metadata", "name"),
            assertions=self._assertions(),
            interval=self._interval,
            timeout=self._timeout(),
            regions=tuple(dict.fromkeys(spec.regions)),
            down_regions=spec.verdict.down_regions,
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            labels=tuple(sorted(about.labels.items())),
            module_name=named.name if named else "",
        )

    def _module(self) -> Module | None:
        if self._named is not None:
            return self._named.module
        return module_of(self._spec) if protocols_in(self._spec) else None

    def _assertions(self) -> tuple[Assertion, ...]:
        """The module's, then the probe's own; a status of its own takes the place of the module's."""
        own = assertions_of(self._spec.assertions)
        has_status = any(one.kind is AssertionKind.STATUS for one in own)
        inherited = self._named.assertions if self._named else ()
        return (*(one for one in inherited if not (has_status and one.kind is AssertionKind.STATUS)), *own)

    def _timeout(self) -> timedelta:
        assert self._interval is not None
        written = parse_length(self._spec.timeout) if self._spec.timeout else None
        usual = self._named.timeout if self._named and self._named.timeout else _USUAL_TIMEOUT
        return written or min(usual, self._interval * 4 / 5)

    def _problem(self, *at: str | int, message: str, hint: str = "", on_key: bool = False) -> Problem:
        return self._document.problem(*at, message=message, hint=hint, on_key=on_key, rule=RULE)

    def _name_problems(self) -> Iterator[Problem]:
        name = self._value.metadata.name
        if not _NAME.fullmatch(name):
            hint = "lower-case letters, digits and `-`, at most 63"
            yield self._problem("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint)

    def _module_problems(self) -> Iterator[Problem]:
        spec = self._spec
        written = protocols_in(spec)
        if spec.module is None:
            if not written:
                hint = f"exactly one of {', '.join(PROTOCOLS)}, or module"
                yield self._problem("spec", message="no protocol: it is not said how to ask", hint=hint, on_key=True)
        elif written:
            message = f"module and {written[0]} exclude each other"
            yield self._problem("spec", "module", message=message, hint="a module says the protocol", on_key=True)
        elif self._named is None and not self._around.may_be_declared(spec.module):
            meant = did_you_mean(spec.module, self._around.modules)
            message = f"there is no module `{spec.module}`" + (f", did you mean `{meant}`?" if meant else "")
            hint = "" if meant else "declare a ProbeModule, or see `flyball probe modules`"
            yield self._problem("spec", "module", message=message, hint=hint)
        yield from module_problems(self._document, spec)

    def _target_problems(self, module: Module | None) -> Iterator[Problem]:
        target = self._spec.target
        secret = secret_in(target)
        if secret:
            hint = "take it from the prober's environment: `${env:NAME}`"
            message = f"a secret in plain text: {secret}"
            yield self._document.problem("spec", "target", message=message, hint=hint, rule="secret")
        yield from reference_problems(self._document, target, "spec", "target")
        fault = target_fault(module, target) if module is not None and not secret else None
        if fault is not None:
            yield self._problem("spec", "target", message=fault[0], hint=fault[1])

    def _time_problems(self) -> Iterator[Problem]:
        spec, interval = self._spec, self._interval
        if interval is None:
            yield self._problem("spec", "interval", message=f"`{spec.interval}` is not a length", hint=HINT)
        elif not _LEAST <= interval <= _MOST:
            yield self._problem("spec", "interval", message="must be between 1s and 24h")
        if spec.timeout is None:
            return
        found = list(timeout_problems(self._document, spec.timeout))
        yield from found
        timeout = parse_length(spec.timeout)
        if not found and timeout is not None and interval is not None and _LEAST <= interval <= timeout:
            message = f"is not shorter than the interval ({shown_length(interval)})"
            yield self._problem("spec", "timeout", message=message, hint="one try must end before the next begins")

    def _region_problems(self) -> Iterator[Problem]:
        written, known = self._spec.regions, self._around.regions
        for number, region in enumerate(written):
            if region in written[:number]:
                yield self._problem("spec", "regions", number, message=f"`{region}` is there twice")
            elif not _REGION.fullmatch(region):
                hint = "lower-case letters, digits and `-`, at most 63"
                yield self._problem("spec", "regions", number, message=f"`{region}` is not a name", hint=hint)
            elif known is not None and region not in known and not self._around.may_be_declared(region):
                meant = did_you_mean(region, known)
                message = f"there is no region `{region}`" + (f", did you mean `{meant}`?" if meant else "")
                hint = "" if meant or not known else f"declared: {', '.join(sorted(known))}"
                yield self._problem("spec", "regions", number, message=message, hint=hint)
        most = len(written) or (len(known) if known is not None else 0)
        needed = self._spec.verdict.down_regions
        if needed is not None and most and needed > most:
            message = f"only {most} region{'' if most == 1 else 's'} will ask"
            yield self._problem("spec", "verdict", "downRegions", message=message, hint="it would never be down")

    def _label_problems(self) -> Iterator[Problem]:
        for label in self._value.metadata.labels:
            if not _LABEL.fullmatch(label) or label in _RESERVED:
                what = "is taken" if label in _RESERVED else "cannot be a label of an alert"
                hint = "letters, digits and `_`"
                yield self._problem("metadata", "labels", label, message=f"`{label}` {what}", hint=hint, on_key=True)
        runbook = self._value.metadata.annotations.get(names.ANNOTATION_RUNBOOK, "")
        if runbook and not runbook.startswith(("http://", "https://")):
            at = ("metadata", "annotations", names.ANNOTATION_RUNBOOK)
            yield self._problem(*at, message="not a web address", hint="begin it with https://")

    def _doubts(self, module: Module) -> Iterator[Problem]:
        """What is allowed, and hardly meant."""
        if is_encrypted(module, self._spec.target):
            return
        for number, part in enumerate(self._spec.assertions):
            if part.certificate_days is not None:
                message = "there is no certificate without TLS: it fails unless a redirect leads to it"
                at = ("spec", "assertions", number, "certificateDays")
                yield self._document.problem(*at, message=message, severity=Severity.WARNING, rule=RULE)


def _name_of(document: Document) -> str:
    return str(getattr(getattr(document.value, "metadata", None), "name", ""))
