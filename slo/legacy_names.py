"""What Sloth and Pyrra call an SLO: as their own files say, as an annotation says, or as its name suggests."""

import json
from dataclasses import replace

from controlplane import conventions as names
from controlplane.model.slo import SLO, Dialect, LegacyNames

_NAMESPACE = "namespace"


class LegacyFault(Exception):
    """Why a text does not say what another tool calls an SLO."""


def sloth_names(service: str, name: str, labels: dict[str, str], *, recorded: bool) -> LegacyNames:
    """The labels of every series that Sloth would record of an SLO."""
    ours = {"sloth_id": f"{service}-{name}", "sloth_service": service, "sloth_slo": name}
    return LegacyNames(Dialect.SLOTH, tuple(sorted((labels | ours).items())), recorded)


def pyrra_names(name: str, labels: dict[str, str], *, recorded: bool) -> LegacyNames:
    """The labels of every series that Pyrra would record of an SLO; `labels` are those that it propagates."""
    return LegacyNames(Dialect.PYRRA, tuple(sorted((labels | {names.SLO: name}).items())), recorded)


def suggested(slo: SLO, dialect: Dialect) -> LegacyNames:
    """What the tool would call it, as far as its name, service and labels tell."""
    labels = dict(slo.labels)
    if dialect is Dialect.SLOTH:
        return sloth_names(slo.service, slo.name.removeprefix(f"{slo.service}-"), labels, recorded=True)
    labels.pop(_NAMESPACE, None)
    return pyrra_names(slo.name, labels, recorded=True)


def keeping(slo: SLO, dialect: Dialect) -> SLO:
    """The SLO with the tool's series recorded, by the names that its file gave it there where that is known."""
    known = slo.legacy_names
    if known is not None and known.dialect is dialect:
        return replace(slo, legacy_names=replace(known, recorded=True))
    return replace(slo, legacy_names=suggested(slo, dialect))


def labels_from(text: str) -> tuple[tuple[str, str], ...]:
    """The labels that an annotation holds as a JSON object of texts; raises `LegacyFault`."""
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        raise LegacyFault('expected labels as JSON, such as {"sloth_slo": "availability"}') from None
    if not isinstance(written, dict) or not all(isinstance(value, str) for value in written.values()):
        raise LegacyFault("expected a JSON object whose values are texts")
    return tuple(sorted(written.items()))
