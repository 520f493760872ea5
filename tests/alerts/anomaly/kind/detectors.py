"""Detectors for tests: as documents, and as values."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from alerts.anomaly.declared import declared
from alerts.anomaly.kinds import KINDS
from alerts.anomaly.model import (
    AnomalyDetector,
    Direction,
    Opening,
    Output,
    Season,
    Sensitivity,
    Values,
)
from controlplane.model.source import SourcePosition
from controlplane.specfile import Declared, SourceFile, read
from tests.alerts.documents import shown

HEAD = """\
apiVersion: flyball.dev/v1
kind: AnomalyDetector
metadata: {name: traffic}
spec:
"""


def a_detector(name: str = "traffic", **different: Any) -> AnomalyDetector:
    """One that watches requests of services, every 5 minutes."""
    plain = AnomalyDetector(
        name=name,
        display_name="Traffic of the gateway",
        query="sum by (service) (rate(http_requests_total[5m]))",
        cost=None,
        step=timedelta(minutes=5),
        season=Season(),
        values=Values.GAUGE,
        direction=Direction.BOTH,
        least_absolute=None,
        least_relative=None,
        denominator="",
        least_denominator=None,
        sensitivity=Sensitivity.MEDIUM,
        outputs=(Output.POINT,),
        calendars=(),
        grouping=None,
        opening=Opening(),
        severity="page",
        most_series=1000,
        labels={"team": "gateway"},
        runbook_url="https://runbooks.example/traffic",
        source=SourcePosition("d.yaml", 1, 1),
    )
    return replace(plain, **different)


def read_text(text: str) -> Declared[AnomalyDetector]:
    """What a file declares; its problems are those of its shape, too."""
    found = read([SourceFile("d.yaml", text.encode())], KINDS)
    values = declared((*found.documents, *found.incomplete))
    values = values if not found.incomplete else Declared((), values.problems)
    return Declared(values.values, (*found.problems, *values.problems))


def of_spec(spec: str) -> Declared[AnomalyDetector]:
    """What a detector with this spec (unindented lines) declares."""
    return read_text(HEAD + "".join(f"  {line}\n" for line in spec.splitlines()))


def told(spec: str) -> list[str]:
    """What is said of a detector with this spec; `line` counts those of the spec."""
    found = []
    for each in shown(of_spec(spec).problems):
        place, rest = each.split(" ", 1)
        line, column = place.split(":")
        found.append(f"{int(line) - HEAD.count(chr(10))}:{int(column) - 2} {rest.removeprefix('spec.')}")
    return found
