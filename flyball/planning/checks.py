"""What a plan says about checks from outside, who is told, deliveries and anomalies: documents that change."""

from collections.abc import Sequence

from flyball.alerting.declared import KINDS as ALERT_KINDS
from flyball.alerting.reading import alert_documents
from flyball.anomalies.declared import KINDS as ANOMALY_KINDS
from flyball.anomalies.reading import anomaly_documents
from flyball.delivery.declared import KINDS as DELIVERY_KINDS
from flyball.delivery.reading import delivery_documents
from flyball.document_records import record_text, recorded_documents
from flyball.planning.documents import DocumentChange, by_key, changes_between, files_at
from flyball.synthetics.declared import KINDS
from flyball.synthetics.reading import check_documents


def plan_checks(record: str, paths: Sequence[str]) -> tuple[DocumentChange, ...]:
    """What differs between a record of what was applied and the files at `paths`."""
    before = by_key(recorded_documents(record, KINDS))
    return tuple(changes_between(before, by_key(check_documents(files_at(paths)))))


def record_of_checks(paths: Sequence[str]) -> str:
    """The record that applying the files at `paths` would keep."""
    return record_text(check_documents(files_at(paths)))


def plan_alerts(record: str, paths: Sequence[str]) -> tuple[DocumentChange, ...]:
    """The same about who is told of alerts."""
    before = by_key(recorded_documents(record, ALERT_KINDS))
    return tuple(changes_between(before, by_key(alert_documents(files_at(paths)))))


def record_of_alerts(paths: Sequence[str]) -> str:
    """The same about who is told of alerts."""
    return record_text(alert_documents(files_at(paths)))


def plan_delivery(record: str, paths: Sequence[str]) -> tuple[DocumentChange, ...]:
    """The same about deliveries."""
    before = by_key(recorded_documents(record, DELIVERY_KINDS))
    return tuple(changes_between(before, by_key(delivery_documents(files_at(paths)))))


def record_of_delivery(paths: Sequence[str]) -> str:
    """The same about deliveries."""
    return record_text(delivery_documents(files_at(paths)))


def plan_anomalies(record: str, paths: Sequence[str]) -> tuple[DocumentChange, ...]:
    """The same about anomalies."""
    before = by_key(recorded_documents(record, ANOMALY_KINDS))
    return tuple(changes_between(before, by_key(anomaly_documents(files_at(paths)))))


def record_of_anomalies(paths: Sequence[str]) -> str:
    """The same about anomalies."""
    return record_text(anomaly_documents(files_at(paths)))
