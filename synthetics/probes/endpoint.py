"""`/probe`, as blackbox_exporter answers it, from our modules and probes; whatever carries HTTP stands before it."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from controlplane.model.source import SourcePosition
from synthetics.probes.builtin import BUILT_IN
from synthetics.probes.exposition import CONTENT_TYPE, result_text
from synthetics.probes.model import Probe, ProbeModule
from synthetics.probes.modules import GRPCModule, HTTPModule, Module, TCPModule, TLSModule
from synthetics.probes.running import Place, ProbeRun, run_probe, variables_named
from synthetics.probes.secrets import masked
from synthetics.probes.targets import target_fault
from synthetics.probes.variables import named_in

USUAL_MODULE: Final = "http_2xx"
TIMEOUT_HEADER: Final = "X-Prometheus-Scrape-Timeout-Seconds"
_OFFSET_SECONDS: Final = 0.5  # what the answer may take beside the probe, as there
_USUAL_SECONDS: Final = 120.0
_LEAST_SECONDS: Final = 0.1
_PLAIN: Final = "text/plain; charset=utf-8"
_NOWHERE: Final = SourcePosition("/probe", 1, 1)
_BAD, _FORBIDDEN, _BROKEN, _OK = 400, 403, 500, 200


@dataclass(frozen=True, slots=True)
class Book:
    """What may be asked: modules by name beside those that are built in, and the probes of the workspace."""

    modules: Mapping[str, ProbeModule] = field(default_factory=dict)
    probes: Mapping[str, Probe] = field(default_factory=dict)

    def module(self, name: str) -> ProbeModule | None:
        """A module of that name, or the way that the probe of that name asks."""
        found = self.modules.get(name) or BUILT_IN.get(name)
        probe = self.probes.get(name)
        if found is None and probe is not None:
            return ProbeModule(name, probe.module, probe.assertions, probe.timeout)
        return found

    def variables_named(self) -> frozenset[str]:
        """The names of all variables that are taken from the prober's environment."""
        probes = [*self.probes.values(), *(Probe("", "", one.module, _NOWHERE) for one in self.modules.values())]
        return frozenset(name for probe in probes for name in variables_named(probe))

    def declares(self, target: str) -> bool:
        """Whether a probe asks this very target."""
        return any(probe.target == target for probe in self.probes.values())

    def declares_with(self, target: str, module: ProbeModule) -> bool:
        """Whether a probe asks this target in this way."""
        return any(probe.target == target and probe.module == module.module for probe in self.probes.values())


@dataclass(frozen=True, slots=True)
class Question:
    """The parameters of a request, as they came; empty where they did not."""

    target: str = ""
    module: str = ""
    hostname: str = ""
    is_debugging: bool = False
    scrape_timeout: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. `trace_id` is that of the request which the target got; empty without."""

    status: int
    content_type: str
    body: str
    trace_id: str = ""


async def answer(question: Question, book: Book, place: Place, now: datetime, *, any_target: bool) -> Reply:
    """Ask the target once, and say what blackbox_exporter would.

    `any_target` false: only targets that a probe declares may be asked. Nobody is sent a secret of a module that no
    probe with this module declares, and targets from outside name no variables.
    """
    name = question.module or USUAL_MODULE
    module = book.module(name)
    if module is None:
        return _refused(f'Unknown module "{name}"')
    probe = book.probes.get(name)
    target = question.target or (probe.target if probe else "")
    try:
        seconds = _timeout(question.scrape_timeout, module.timeout)
    except ValueError as error:
        return Reply(_BROKEN, _PLAIN, f"Failed to parse timeout from Prometheus header: {error}\n")
    if not target:
        return _refused("Target parameter is missing")
    forbidden = _forbidden(target, module, book, any_target=any_target)
    if forbidden:
        return Reply(_FORBIDDEN, _PLAIN, f"{forbidden}\n")
    try:
        asked = _with_host(module.module, question.hostname)
    except ValueError as error:
        return _refused(str(error))
    trial = Probe(
        name=name,
        target=_as_asked(module.module, target),
        module=asked,
        source=_NOWHERE,
        assertions=module.assertions,
        timeout=timedelta(seconds=seconds),
    )
    run = await run_probe(trial, place, now)
    text = result_text(run.result)
    if question.is_debugging:
        return Reply(_OK, "text/plain", _debug_text(trial, run, text, place), run.result.trace_id)
    return Reply(_OK, CONTENT_TYPE, text, run.result.trace_id)


def _forbidden(target: str, module: ProbeModule, book: Book, *, any_target: bool) -> str:
    """Why this target may not be asked this way; empty when it may."""
    if not any_target and not book.declares(target):
        return "This target is declared by no Probe, and without the prober's token no other is asked"
    trial = Probe("", target, module.module, _NOWHERE)
    if variables_named(trial) and not book.declares_with(target, module):
        return "This module sends secrets, which go only to targets that a Probe declares with it"
    return ""


def _timeout(header: str, of_module: timedelta | None) -> float:
    """As blackbox_exporter: what Prometheus waits, less half a second, or the module's if that is shorter."""
    try:
        scrape = float(header) if header else 0.0
    except ValueError:
        raise ValueError(f'strconv.ParseFloat: parsing "{header[:50]}": invalid syntax') from None
    if not math.isfinite(scrape) or scrape <= 0:
        scrape = _USUAL_SECONDS
    most = min(scrape, _USUAL_SECONDS) - _OFFSET_SECONDS
    own = of_module.total_seconds() if of_module else 0.0
    if own and (own < most or most < 0):
        return own
    return max(most, _LEAST_SECONDS)


def _with_host(module: Module, hostname: str) -> Module:
    """The module with another host: its header for HTTP, the certificate's name for TLS."""
    if not hostname:
        return module
    if isinstance(module, HTTPModule):
        said = next((value for name, value in module.headers if name.lower() == "host"), hostname)
        if said != hostname:
            raise ValueError(
                f"host header defined both in module configuration ({said}) and with URL-parameter 'hostname' "
                f"({hostname})"
            )
        others = tuple(pair for pair in module.headers if pair[0].lower() != "host")
        return replace(module, headers=(*others, ("Host", hostname)))
    if isinstance(module, TCPModule | TLSModule | GRPCModule) and module.tls and not module.tls.server_name:
        return replace(module, tls=replace(module.tls, server_name=hostname))
    return module


def _as_asked(module: Module, target: str) -> str:
    """blackbox_exporter also takes a host for a URL."""
    return f"http://{target}" if isinstance(module, HTTPModule) and "://" not in target else target


def _debug_text(trial: Probe, run: ProbeRun, metrics: str, place: Place) -> str:
    lines = [*run.attempt.notes]
    lines += [f"{'holds' if one.holds else 'does not hold'}: {one.title}; saw {one.saw}" for one in run.checked]
    result = run.result
    fault = target_fault(trial.module, trial.target)
    if fault is not None:
        lines.append(f"target: {fault[0]}; {fault[1]}")
    lines.append(f"{result.outcome.value} {result.reason} {result.detail}".strip())
    lines.append(f"trace id: {result.trace_id}" if result.trace_id else "no trace")
    module = "\n".join(_settings("", dataclasses.asdict(trial.module)))
    secrets = [place.variables[name] for name in named_in(module) if name in place.variables]
    logs = "\n".join(lines)
    return masked(
        f"Logs for the probe:\n{logs}\n\n\n\nMetrics that would have been returned:\n{metrics}\n\n\n"
        f"Module configuration:\n{module}\n",
        secrets,
    )


def _settings(path: str, value: object) -> list[str]:
    """A module's fields, a line each; only those that say something."""
    if isinstance(value, dict):
        return [line for key, one in value.items() for line in _settings(f"{path}.{key}" if path else str(key), one)]
    shown = value.value if isinstance(value, Enum) else value
    return [] if shown in ("", (), None) else [f"{path}: {shown}"]


def _refused(message: str) -> Reply:
    return Reply(_BAD, _PLAIN, f"{message}\n")
