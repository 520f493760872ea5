"""Steps of a Journey document as values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from controlplane.specfile import Document
from synthetics.journeys.model import (
    STEP_TIMEOUT,
    APIStep,
    Body,
    Expectation,
    FormBody,
    JSONBody,
    Poll,
    RequestTemplate,
    Save,
    SaveFrom,
    TextBody,
)
from synthetics.journeys.reading_texts import Path, TextReader
from synthetics.journeys.spec import JourneyHTTPPart, SavePart, StepPart, WorkflowPart
from synthetics.probes.assertions import ANY_2XX
from synthetics.probes.json_paths import path_fault
from synthetics.probes.modules import Assertion, AssertionKind, HTTPModule
from synthetics.probes.patterns import pattern_fault
from synthetics.probes.reading_assertions import assertion_problems, assertions_of
from synthetics.probes.spec import AssertionPart

_RESERVED: Final = ("now", "unique")
_SHORTEST: Final = timedelta(milliseconds=100)
_START, _DONE = "start", "done"
_HTTP: Final = HTTPModule()
_DEFAULT: Final = Expectation(ANY_2XX)


@dataclass(frozen=True, slots=True)
class _At:
    """Where assertions of a step stand, for whom reads those of a probe: `spec.assertions`."""

    document: Document
    path: Path

    def __call__(self, path: Path) -> Path:
        return self.document.written((*self.path, *path[2:]))


class StepReader:
    """Reads steps in their order, so that what one saves is known to those after it."""

    def __init__(self, document: Document, texts: TextReader, timeout: timedelta) -> None:
        self._document, self._texts, self._timeout = document, texts, timeout

    def steps(self, written: Sequence[StepPart]) -> tuple[APIStep, ...]:
        """Those of `spec.steps`."""
        found = []
        for number, part in enumerate(written):
            path = ("spec", "steps", number)
            if part.name in {each.name for each in written[:number]}:
                self._texts.report(*path, "name", message=f"`{part.name}` is there twice")
            if not part.always and any(each.always for each in written[:number]):
                hint = "put those that always run last"
                self._texts.report(*path, "name", message="stands after a step that always runs", hint=hint)
            found.append(self._step(part, path))
        return tuple(found)

    def workflow(self, written: WorkflowPart) -> tuple[APIStep, ...]:
        """Those that `spec.workflow` stands for."""
        start, done, path = written.start, written.done, ("spec", "workflow")
        request = self._request(start.http, (*path, _START, "http"))
        expect = self._expected(start.expect, (*path, _START, "expect"))
        saves = self._saves(start.save, (*path, _START, "save"))
        asked = self._request(done.http, (*path, _DONE, "http"))
        held = self._expected(done.expect, (*path, _DONE, "expect"))
        until = self._expectations(done.until, (*path, _DONE, "until"))
        every = self._texts.length(done.every, *path, _DONE, "every", least=_SHORTEST, most=self._timeout)
        limit = self._texts.length(written.within, *path, "within", least=every, most=self._timeout)
        return (
            APIStep(_START, request, expect, saves),
            APIStep(_DONE, asked, held, poll=Poll(until, every, limit)),
        )

    def _step(self, part: StepPart, path: Path) -> APIStep:
        request = self._request(part.http, (*path, "http"))
        expect = self._expected(part.expect, (*path, "expect"))
        poll = None
        if part.poll is not None:
            until = self._expectations(part.poll.until, (*path, "poll", "until"))
            every = self._texts.length(part.poll.every, *path, "poll", "every", least=_SHORTEST, most=self._timeout)
            limit = self._texts.length(part.poll.limit, *path, "poll", "for", least=every, most=self._timeout)
            poll = Poll(until, every, limit)
        saves = self._saves(part.save, (*path, "save"))
        return APIStep(part.name, request, expect, saves, poll, part.always)

    def _request(self, part: JourneyHTTPPart, path: Path) -> RequestTemplate:
        body = self._body(part, path)
        timeout = min(STEP_TIMEOUT, self._timeout)
        if part.timeout is not None:
            timeout = self._texts.length(part.timeout, *path, "timeout", least=_SHORTEST, most=self._timeout)
        if not part.url.startswith(("http://", "https://", "${")):
            self._texts.report(*path, "url", message="is no address", hint="begin it with https://")
        return RequestTemplate(
            method=part.method or ("GET" if body is None else "POST"),
            url=self._texts.template(part.url, *path, "url"),
            headers=tuple(
                (name, self._texts.header(name, text, *path, "headers", name)) for name, text in part.headers.items()
            ),
            query=tuple(
                (name, self._texts.field(name, text, *path, "query", name)) for name, text in part.query.items()
            ),
            body=body,
            timeout=timeout,
            follow_redirects=part.follow_redirects,
        )

    def _body(self, part: JourneyHTTPPart, path: Path) -> Body:
        written = [name for name in ("json", "form", "body") if self._document.has(*path, name)]
        if len(written) > 1:
            message = f"{' and '.join(written)} exclude each other"
            self._texts.report(*path, written[1], message=message, hint="at most one of json, form and body")
        if "json" in written:
            return JSONBody(self._texts.tree(part.json_, *path, "json"))
        if part.form is not None:
            fields = part.form.items()
            return FormBody(tuple((name, self._texts.field(name, text, *path, "form", name)) for name, text in fields))
        return None if part.body is None else TextBody(self._texts.template(part.body, *path, "body"))

    def _expected(self, parts: Sequence[AssertionPart], path: Path) -> tuple[Expectation, ...]:
        """What must hold of every answer; where nothing is said of its status, that it is one of 2xx."""
        found = self._expectations(parts, path)
        has_status = any(each.assertion.kind is AssertionKind.STATUS for each in found)
        return found if has_status else (_DEFAULT, *found)

    def _expectations(self, parts: Sequence[AssertionPart], path: Path) -> tuple[Expectation, ...]:
        problems = list(assertion_problems(replace(self._document, written=_At(self._document, path)), parts, _HTTP))
        self._texts.problems += problems
        for number, part in enumerate(parts):
            self._check_possible(part, (*path, number))
        if problems:
            return ()
        assertions = assertions_of(parts)
        return tuple(
            self._expectation(assertion, part, (*path, number))
            for number, (assertion, part) in enumerate(zip(assertions, parts, strict=True))
        )

    def _check_possible(self, part: AssertionPart, path: Path) -> None:
        """What probes see and journeys do not."""
        if part.certificate_days is not None:
            hint = "a Probe of the same address does"
            self._texts.report(*path, "certificateDays", message="a journey does not look at certificates", hint=hint)
        if part.latency is not None and part.latency.phase is not None:
            hint = "leave it out: all of the step's request"
            self._texts.report(*path, "latency", "phase", message="a journey times no phases", hint=hint)

    def _expectation(self, assertion: Assertion, part: AssertionPart, path: Path) -> Expectation:
        for name, compared in (("header", part.header), ("body", part.body), ("jsonPath", part.json_path)):
            if compared is not None and compared.equals is not None:
                template = self._texts.template(compared.equals, *path, name, "equals")
                return Expectation(assertion, template if template.references else None)
        return Expectation(assertion)

    def _saves(self, parts: Sequence[SavePart], path: Path) -> tuple[Save, ...]:
        return tuple(save for number, part in enumerate(parts) if (save := self._save(part, (*path, number))))

    def _save(self, part: SavePart, path: Path) -> Save | None:
        if part.name in _RESERVED:
            self._texts.report(*path, "name", message=f"`{part.name}` has a meaning of its own")
        self._texts.saved.append(part.name)
        given = {
            SaveFrom.JSON: part.json_path,
            SaveFrom.HEADER: part.header,
            SaveFrom.COOKIE: part.cookie,
            SaveFrom.REGEX: part.regex,
        }
        origins = [origin for origin, text in given.items() if text is not None]
        if len(origins) != 1:
            known = ", ".join(origin.value for origin in SaveFrom)
            message = "several places to take it from" if origins else "nothing to take it from"
            self._texts.report(*path, message=message, hint=f"exactly one of {known}")
            return None
        expression = given[origins[0]] or ""
        self._check_expression(origins[0], expression, (*path, origins[0].value))
        return Save(part.name, origins[0], expression)

    def _check_expression(self, origin: SaveFrom, expression: str, path: Path) -> None:
        if origin is SaveFrom.JSON and (fault := path_fault(expression)):
            self._texts.report(*path, message=fault.message, hint="such as $.data.items[0].id")
        if origin is SaveFrom.REGEX and (wrong := pattern_fault(expression)):
            self._texts.report(*path, message=wrong[0], hint=wrong[1])
