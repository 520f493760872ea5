"""Names, labels and annotations of the kinds of finops: what they may be, and what to say when they are not."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from controlplane import conventions as names
from controlplane.problems import Problem, Severity
from controlplane.specfile import Document, did_you_mean

MAX_NAME: Final = 63
RULE: Final = "metadata"
LABEL_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,127}")
_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_KEY: Final = re.compile(r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?")
_PREFIX: Final = "flyball.dev/"
_RESERVED: Final = frozenset(
    {
        names.BUDGET, names.UNIT_COST, names.CURRENCY, names.SEVERITY, names.PACE, names.MOMENT, names.PERIOD,
        names.BASIS, names.THRESHOLD, names.TIER, names.CALENDAR, names.SERVICE, "alertname", "alertstate", "window",
        "owner",
    }
)  # fmt: skip
ANNOTATIONS: Final = (names.ANNOTATION_OWNER, names.ANNOTATION_RUNBOOK)


def name_problems(document: Document, name: str) -> Iterator[Problem]:
    """Why the `metadata.name` of a document is none: 1–63 lower-case letters, digits and `-`."""
    at = ("metadata", "name")
    if len(name) > MAX_NAME:
        yield document.problem(
            *at, message=f"has {len(name)} characters, at most {MAX_NAME} are allowed", rule=RULE, hint="shorten it"
        )
    elif not _NAME.fullmatch(name):
        suggestion = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        message = (
            f"`{name}` is not a name: lower-case letters, digits and `-`, beginning and ending with one of the former"
        )
        yield document.problem(
            *at, message=message, hint=f"for example `{suggestion}`" if suggestion else "", rule=RULE
        )


def labels_of(
    document: Document, written: Mapping[str, str], reserved: Collection[str] = _RESERVED
) -> tuple[tuple[tuple[str, str], ...], tuple[Problem, ...]]:
    """The `metadata.labels` under names that Prometheus takes, sorted; what cannot be one is left out and told."""
    labels: dict[str, str] = {}
    problems = []
    for key, value in written.items():
        name = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        name = f"_{name}" if name[:1].isdigit() else name
        fault, severity = "", Severity.ERROR
        if not _LABEL_KEY.fullmatch(key):
            fault = f"`{key[:80]}` is not a label's key: letters, digits, `-`, `_` and `.`, at most {MAX_NAME}"
        elif name in reserved:
            fault, severity = "left out: Flyball sets this label itself", Severity.WARNING
        elif name in labels:
            fault, severity = f"left out: another label is also `{name}` in Prometheus", Severity.WARNING
        if fault:
            at = ("metadata", "labels", key)
            problems.append(document.problem(*at, message=fault, severity=severity, rule=RULE, on_key=True))
        else:
            labels[name] = value
    return tuple(sorted(labels.items())), tuple(problems)


def annotation_problems(
    document: Document, written: Mapping[str, str], known: Collection[str] = ANNOTATIONS
) -> Iterator[Problem]:
    """What is wrong with `metadata.annotations`: keys of ours that there are not, and a runbook that is no address."""
    for key, value in written.items():
        at = ("metadata", "annotations", key)
        if key.startswith(_PREFIX) and key not in known:
            meant = did_you_mean(key, known)
            message = f"unknown annotation `{key[:80]}`" + (f", did you mean `{meant}`?" if meant else "")
            hint = "" if meant else f"known: {', '.join(known)}"
            yield document.problem(*at, message=message, hint=hint, rule=RULE)
        if key == names.ANNOTATION_RUNBOOK and not value.startswith(("http://", "https://")):
            yield document.problem(*at, message="not a web address", hint="begin it with https://", rule=RULE)
