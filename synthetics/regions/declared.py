"""Region documents as values, and everything that is wrong with them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address
from typing import Final

from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Declared, Document, declared_by_name, did_you_mean
from synthetics.probes.addresses import split_host_port
from synthetics.probes.builtin import BUILT_IN
from synthetics.probes.declared_modules import declared_modules
from synthetics.probes.lengths import HINT, parse_length
from synthetics.probes.model import Probe, ProbeModule
from synthetics.probes.targets import secret_in, target_fault
from synthetics.regions import limits
from synthetics.regions.model import Region
from synthetics.regions.reporting import HEARTBEAT
from synthetics.regions.spec import RegionDocument, SelfCheckPart

RULE: Final = "region"
_LEAST_SILENT: Final = 2 * HEARTBEAT  # one report may be lost
_MOST_SILENT: Final = timedelta(hours=1)
_LEAST_INTERVAL: Final = timedelta(seconds=1)
_MOST_INTERVAL: Final = timedelta(minutes=5)


def declared(
    documents: Sequence[Document], may_be_declared: Callable[[str], bool] = lambda _: False
) -> Declared[Region]:
    """The regions that these documents declare, by name. One with a mistake is left out; its problems are told.

    Modules of self-checks are looked for among the same documents and among those that are built in;
    `may_be_declared` tells whether a document that could not be read may carry a name.
    """
    modules = {**BUILT_IN, **{one.name: one for one in declared_modules(documents).values}}
    return declared_by_name(
        documents, RegionDocument, lambda one, value: _Reading(one, value, modules, may_be_declared).read()
    )


class _Reading:
    def __init__(
        self,
        document: Document,
        value: RegionDocument,
        modules: Mapping[str, ProbeModule],
        may_be_declared: Callable[[str], bool],
    ) -> None:
        self._document = document
        self._value = value
        self._modules = modules
        self._may_be_declared = may_be_declared

    def read(self) -> tuple[Region | None, Sequence[Problem]]:
        """What the document says, or None; and its problems."""
        name, spec = self._value.metadata.name, self._value.spec
        problems = [
            *self._name_problems(name),
            *self._length_problems("silentAfter", spec.silent_after, _LEAST_SILENT, _MOST_SILENT),
            *self._resolve_problems(),
            *(self._self_check_problems(spec.self_check) if spec.self_check else ()),
        ]
        if has_errors(problems):
            return None, problems
        silent_after = parse_length(spec.silent_after)
        assert silent_after is not None
        region = Region(
            name=name,
            display_name=spec.display_name,
            location=spec.location,
            self_check=self._self_check(spec.self_check),
            resolve=tuple(sorted(spec.resolve.items())),
            silent_after=silent_after,
            source=self._document.position_of("metadata", "name"),
        )
        return region, problems

    def _self_check(self, written: SelfCheckPart | None) -> Probe | None:
        module = self._modules.get(_module_name(written)) if written else None
        if written is None or module is None:
            return None
        interval, timeout = parse_length(written.interval), parse_length(written.timeout)
        assert interval is not None
        assert timeout is not None
        return Probe(
            name=self._value.metadata.name,
            target=written.target,
            module=module.module,
            source=self._document.position_of("spec", "selfCheck"),
            assertions=module.assertions,
            interval=interval,
            timeout=timeout,
            regions=(self._value.metadata.name,),
            display_name=self._value.spec.display_name,
            module_name=module.name,
        )

    def _name_problems(self, name: str) -> Iterator[Problem]:
        if not limits.REGION.fullmatch(name):
            hint = "lower-case letters, digits and `-`, at most 63"
            yield self._problem("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint)

    def _length_problems(
        self, field: str, text: str, least: timedelta, most: timedelta, *under: str
    ) -> Iterator[Problem]:
        length = parse_length(text)
        if length is None:
            yield self._problem("spec", *under, field, message=f"`{text}` is not a length", hint=HINT)
        elif not least <= length <= most:
            message = f"must be between {least.total_seconds():.0f}s and {most.total_seconds() / 60:.0f}m"
            yield self._problem("spec", *under, field, message=message)

    def _resolve_problems(self) -> Iterator[Problem]:
        for wanted, pinned in self._value.spec.resolve.items():
            fault = _address_fault(wanted, is_pinned=False)
            if fault:
                hint = "such as www.example.com:443"
                yield self._problem("spec", "resolve", wanted, message=fault, hint=hint, on_key=True)
            fault = _address_fault(pinned, is_pinned=True)
            if fault:
                hint = "such as 192.0.2.10:443 or [2001:db8::1]:443"
                yield self._problem("spec", "resolve", wanted, message=fault, hint=hint)

    def _self_check_problems(self, written: SelfCheckPart) -> Iterator[Problem]:
        at = ("spec", "selfCheck")
        limits_of_time = (_LEAST_INTERVAL, _MOST_INTERVAL, "selfCheck")
        yield from self._length_problems("interval", written.interval, *limits_of_time)
        yield from self._length_problems("timeout", written.timeout, *limits_of_time)
        interval, timeout = parse_length(written.interval), parse_length(written.timeout)
        if interval and timeout and timeout > interval:
            message = "longer than the interval: the next run would begin before this one ends"
            yield self._problem(*at, "timeout", message=message)
        module = self._modules.get(_module_name(written))
        if module is None:
            name = written.module or ""
            if not self._may_be_declared(name):
                near = did_you_mean(name, sorted(self._modules))
                hint = f"did you mean {near}?" if near else "declare a ProbeModule of this name"
                yield self._problem(*at, "module", message=f"no module is called `{name}`", hint=hint)
            return
        fault = target_fault(module.module, written.target)
        if fault:
            yield self._problem(*at, "target", message=fault[0], hint=fault[1])
        elif secret_in(written.target):
            hint = "write ${env:NAME} for it"
            message = f"a secret stands in the file: {secret_in(written.target)}"
            yield self._problem(*at, "target", message=message, hint=hint)

    def _problem(
        self, *path: str | int, message: str, hint: str = "", on_key: bool = False, severity: Severity = Severity.ERROR
    ) -> Problem:
        return self._document.problem(*path, message=message, hint=hint, severity=severity, rule=RULE, on_key=on_key)


def _module_name(written: SelfCheckPart) -> str:
    return written.module or ("http_2xx" if written.target.startswith(("http://", "https://")) else "tcp_connect")


def _address_fault(text: str, *, is_pinned: bool) -> str:
    try:
        host, _ = split_host_port(text, None)
    except ValueError as error:
        return str(error)
    if is_pinned:
        try:
            ip_address(host)
        except ValueError:
            return "not an IP address and a port"
    return ""
