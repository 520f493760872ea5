"""ProbeModule documents as values, and everything that is wrong with them."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from controlplane.problems import Problem, has_errors
from controlplane.specfile import Declared, Document, declared_by_name
from synthetics.probes.lengths import HINT, parse_length
from synthetics.probes.model import ProbeModule
from synthetics.probes.reading_assertions import assertion_problems, assertions_of
from synthetics.probes.reading_parts import RULE, module_of, module_problems, protocols_in
from synthetics.probes.spec import PROTOCOLS, ProbeModuleDocument

_NAME: Final = re.compile(r"[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_LEAST: Final = timedelta(milliseconds=100)
_MOST: Final = timedelta(minutes=5)


def declared_modules(documents: Sequence[Document]) -> Declared[ProbeModule]:
    """The modules that these documents declare, by name; built-in ones are not among them."""
    return declared_by_name(documents, ProbeModuleDocument, _read)


def timeout_problems(document: Document, text: str, least: timedelta = _LEAST) -> Iterator[Problem]:
    """What is wrong with `spec.timeout`."""
    length = parse_length(text)
    if length is None:
        yield document.problem("spec", "timeout", message=f"`{text}` is not a length", hint=HINT, rule=RULE)
    elif not least <= length <= _MOST:
        yield document.problem("spec", "timeout", message="must be between 100ms and 5m", rule=RULE)


def _read(document: Document, value: ProbeModuleDocument) -> tuple[ProbeModule | None, Sequence[Problem]]:
    spec, about = value.spec, value.metadata
    problems = list(_problems(document, value))
    if has_errors(problems):
        return None, problems
    made = ProbeModule(
        name=about.name,
        module=module_of(spec),
        assertions=assertions_of(spec.assertions),
        timeout=parse_length(spec.timeout) if spec.timeout else None,
        source=document.position_of("metadata", "name"),
        description=spec.description,
    )
    return made, problems


def _problems(document: Document, value: ProbeModuleDocument) -> Iterator[Problem]:
    spec, name = value.spec, value.metadata.name
    if not _NAME.fullmatch(name):
        hint = "letters, digits, `-`, `_` and `.`, at most 63"
        yield document.problem("metadata", "name", message=f"`{name[:80]}` is not a name", hint=hint, rule=RULE)
    written = protocols_in(spec)
    if not written:
        hint = f"exactly one of {', '.join(PROTOCOLS)}"
        yield document.problem("spec", message="no protocol", hint=hint, on_key=True, rule=RULE)
    found = list(module_problems(document, spec))
    yield from found
    module = module_of(spec) if len(written) == 1 and not has_errors(found) else None
    yield from assertion_problems(document, spec.assertions, module)
    if spec.timeout is not None:
        yield from timeout_problems(document, spec.timeout)
