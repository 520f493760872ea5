"""Journey documents as values, and everything that is wrong with them."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity, has_errors
from controlplane.specfile import Declared, Document, declared_by_name
from synthetics.journeys.model import APIFlow, BrowserFlow, Journey, SecretSource
from synthetics.journeys.reading_steps import StepReader
from synthetics.journeys.reading_texts import Known, TextReader
from synthetics.journeys.spec import BrowserPart, JourneyDocument, JourneySpec
from synthetics.probes.secrets import is_secret_name

RULE: Final = "journey"
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SHORTEST: Final = timedelta(seconds=10)
_LONGEST: Final = timedelta(days=7)
_LONGEST_RUN: Final = timedelta(minutes=30)
_SHORTEST_BROWSER: Final = timedelta(seconds=10)  # a browser needs some of it to start


def declared(documents: Sequence[Document]) -> Declared[Journey]:
    """The journeys that these documents declare, by name. One with a mistake is left out; its problems are told."""
    return declared_by_name(documents, JourneyDocument, _read)


def _read(document: Document, value: JourneyDocument) -> tuple[Journey | None, Sequence[Problem]]:
    reading = _Reading(document, value)
    return reading.journey(), reading.problems


class _Reading:
    def __init__(self, document: Document, value: JourneyDocument) -> None:
        self._document, self._value = document, value
        spec = value.spec
        known = Known(frozenset(spec.variables), frozenset(secret.name for secret in spec.secrets))
        self._texts = TextReader(document, known, RULE)

    @property
    def problems(self) -> list[Problem]:
        """What was found."""
        return self._texts.problems

    def journey(self) -> Journey | None:
        """What the document says; None when an error was found."""
        spec, about = self._value.spec, self._value.metadata
        self._check_names()
        every = self._texts.length(spec.interval, "spec", "interval", least=_SHORTEST, most=_LONGEST)
        least = _SHORTEST_BROWSER if spec.browser else timedelta(seconds=1)
        timeout = self._texts.length(spec.timeout, "spec", "timeout", least=least, most=_LONGEST_RUN)
        if timeout > every:
            self._report("spec", "timeout", message=f"is longer than the interval, {spec.interval}")
        for name, text in spec.variables.items():
            if text and is_secret_name(name):
                hint = "name it in spec.secrets"
                message = f"a secret in plain text: `{name}`"
                self._report("spec", "variables", name, message=message, hint=hint, on_key=True)
        flow = self._flow(spec, timeout)
        self._check_secrets(spec)
        if flow is None or has_errors(self.problems):
            return None
        return Journey(
            name=about.name,
            every=every,
            timeout=timeout,
            flow=flow,
            source=self._document.position_of("metadata", "name"),
            regions=frozenset(spec.regions),
            down_regions=spec.verdict.down_regions,
            variables=tuple(spec.variables.items()),
            secrets=tuple(SecretSource(secret.name, secret.env) for secret in spec.secrets),
            environment=frozenset(self._texts.environment),
            display_name=about.display_name,
            description=spec.description,
            owner=about.annotations.get(names.ANNOTATION_OWNER, ""),
            runbook_url=about.annotations.get(names.ANNOTATION_RUNBOOK, ""),
            labels=tuple(sorted(about.labels.items())),
        )

    def _flow(self, spec: JourneySpec, timeout: timedelta) -> APIFlow | BrowserFlow | None:
        written = [name for name in ("steps", "browser", "workflow") if getattr(spec, name) is not None]
        if len(written) != 1:
            message = f"{' and '.join(written)} exclude each other" if written else "nothing is walked"
            self._report("spec", *written[1:2], message=message, hint="exactly one of steps, browser and workflow")
            return None
        if spec.browser is not None:
            return self._browser(spec.browser)
        steps = StepReader(self._document, self._texts, timeout)
        return APIFlow(steps.workflow(spec.workflow) if spec.workflow else steps.steps(spec.steps or ()))

    def _browser(self, written: BrowserPart) -> BrowserFlow:
        path = PurePosixPath(written.file)
        if path.is_absolute() or ".." in path.parts:
            hint = "from the workspace's root on, such as journeys/test_core_flow.py"
            self._report("spec", "browser", "file", message="must lie in the workspace", hint=hint)
        elif path.suffix != ".py":
            self._report("spec", "browser", "file", message="is no Python file")
        if written.function and not written.function.startswith("test"):
            hint = "begin its name with `test`"
            self._report("spec", "browser", "function", message="pytest takes it for no test", hint=hint)
        base_url = self._texts.template(written.base_url, "spec", "browser", "baseUrl")
        if written.base_url and not written.base_url.startswith(("http://", "https://", "${")):
            self._report("spec", "browser", "baseUrl", message="is no address", hint="begin it with https://")
        at = ("spec", "browser")
        return BrowserFlow(
            str(path),
            written.function or "",
            file_source=self._document.position_of(*at, "file"),
            function_source=self._document.position_of(*at, "function" if written.function else "file"),
            base_url=base_url,
            keeps_artifacts=written.artifacts == "failure",
        )

    def _check_names(self) -> None:
        about = self._value.metadata
        if not _NAME.fullmatch(about.name):
            hint = "lower-case letters, digits and `-`, at most 63"
            self._report("metadata", "name", message=f"`{about.name[:80]}` is not a name", hint=hint)
        runbook = about.annotations.get(names.ANNOTATION_RUNBOOK, "")
        if runbook and not runbook.startswith(("http://", "https://")):
            hint = "begin it with https://"
            self._report("metadata", "annotations", names.ANNOTATION_RUNBOOK, message="not a web address", hint=hint)
        self._check_labels(about.labels)
        regions = self._value.spec.regions
        for number, region in enumerate(regions):
            if region in regions[:number]:
                self._report("spec", "regions", number, message=f"`{region}` is there twice")
        needed = self._value.spec.verdict.down_regions
        if needed and regions and needed > len(regions):
            message = f"asks for {needed} regions, but it runs in {len(regions)}"
            self._report("spec", "verdict", "downRegions", message=message)

    def _check_labels(self, labels: Mapping[str, str]) -> None:
        for key in labels:
            if not _LABEL.fullmatch(key):
                hint = "letters, digits and `_`, as Prometheus has them"
                self._report("metadata", "labels", key, message="is not a label's name", hint=hint, on_key=True)

    def _check_secrets(self, spec: JourneySpec) -> None:
        for number, secret in enumerate(spec.secrets):
            earlier = {each.name for each in spec.secrets[:number]}
            if secret.name in earlier or secret.name in spec.variables:
                message = f"`{secret.name}` is there twice"
                self._report("spec", "secrets", number, "name", message=message)
            elif spec.browser is None and secret.name not in self._texts.used_secrets:
                hint = f"${{secret:{secret.name}}} takes it"
                self._report(
                    "spec", "secrets", number, "name",
                    message=f"no step takes `{secret.name}`", hint=hint, severity=Severity.WARNING,
                )  # fmt: skip

    def _report(
        self,
        *path: str | int,
        message: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
        on_key: bool = False,
    ) -> None:
        self._texts.report(*path, message=message, hint=hint, severity=severity, on_key=on_key)
