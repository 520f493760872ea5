"""Corrections: what counts differently from what was measured, from the page's file and from the command line."""

import hashlib
from dataclasses import replace
from datetime import datetime

from controlplane.model.public_status import ComponentStatus, Correction
from controlplane.model.status_record import CorrectionRecord
from controlplane.ports import Transaction
from synthetics.status_page.desk import BY_FILE
from synthetics.status_page.model import StatusPage


def declared_corrections(page: StatusPage, transaction: Transaction, now: datetime) -> None:
    """Those of the file stand from the moment at which they are seen first; those that left it are withdrawn."""
    log = transaction.status
    known = {each.id: each for each in log.corrections(page.name) if each.from_file}
    wanted: set[str] = set()
    for each in page.corrections:
        correction = Correction(each.start, each.end, each.status, each.reason, now)
        id_ = correction_id(page, each.component, correction)
        wanted.add(id_)
        before = known.get(id_)
        if before is None or before.withdrawn_at is not None:
            record = CorrectionRecord(page.name, id_, each.component, correction, BY_FILE, from_file=True)
            _keep(page, transaction, record, "status.correction_declared", now)
    for id_, before in known.items():
        if id_ not in wanted and before.withdrawn_at is None:
            _keep(page, transaction, replace(before, withdrawn_at=now), "status.correction_withdrawn", now)


def correct(
    page: StatusPage, transaction: Transaction, *, component: str, correction: Correction, by: str, now: datetime
) -> CorrectionRecord:
    """A correction that somebody makes by hand."""
    record = CorrectionRecord(
        page.name, correction_id(page, component, correction, by), component, correction, by, from_file=False
    )
    _keep(page, transaction, record, "status.correction_declared", now)
    return record


def withdraw(
    page: StatusPage, transaction: Transaction, id_: str, *, by: str, now: datetime
) -> CorrectionRecord | None:
    """It counts no more; None when there is none of that id, or it stands in the file."""
    for each in transaction.status.corrections(page.name):
        if each.id == id_ and not each.from_file and each.withdrawn_at is None:
            gone = replace(each, withdrawn_at=now)
            _keep(page, transaction, gone, "status.correction_withdrawn", now, actor=by)
            return gone
    return None


def correction_id(page: StatusPage, component: str, correction: Correction, by: str = "") -> str:
    """The same correction has the same id."""
    parts = (page.name, component, correction.start.isoformat(), correction.end.isoformat())
    text = "\x00".join((*parts, correction.status.value, correction.reason, by))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _keep(
    page: StatusPage,
    transaction: Transaction,
    record: CorrectionRecord,
    action: str,
    now: datetime,
    *,
    actor: str = "",
) -> None:
    transaction.status.put_correction(record)
    correction = record.correction
    transaction.audit.append(
        at=now,
        actor=actor or record.by,
        action=action,
        subject=f"{page.name}/{record.component}/{record.id}",
        detail={
            "start": correction.start.isoformat(),
            "end": correction.end.isoformat(),
            "status": correction.status.value,
            "reason": correction.reason,
        },
    )


def statuses() -> tuple[ComponentStatus, ...]:
    """What something may be corrected to; unknown: it was not measured rightly, and counts on neither side."""
    return (
        ComponentStatus.OPERATIONAL,
        ComponentStatus.DEGRADED,
        ComponentStatus.PARTIAL,
        ComponentStatus.MAJOR,
        ComponentStatus.UNKNOWN,
    )
