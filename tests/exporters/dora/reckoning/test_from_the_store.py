"""What is gathered from a real store is what the one in memory gives, so what holds with it holds with the other."""

from contextlib import suppress

from controlplane.model.delivery import Artifact, Change, DeliveryIncident, Deployment
from controlplane.ports import Transaction
from controlplane.store import SqlStore
from exporters.dora.reckoning.gathering import gather_span
from exporters.dora.reckoning.judging import reckon
from tests.exporters.dora.reckoning import test_attribution_cases, test_delivery_cases, test_outcome_cases
from tests.exporters.dora.reckoning.telling import POLICY, at, judged, read, told

CASES = {**test_attribution_cases.CASES, **test_delivery_cases.CASES, **test_outcome_cases.CASES}


class Undone(Exception):
    """Leaves the store as it was."""


def put(transaction: Transaction, text: str) -> None:
    facts, corrections = read(text)
    log = transaction.delivery
    log.put_deployments([one for one in facts if isinstance(one, Deployment)])
    log.put_changes([one for one in facts if isinstance(one, Change)])
    log.put_artifacts([one for one in facts if isinstance(one, Artifact)])
    log.put_incidents([one for one in facts if isinstance(one, DeliveryIncident)])
    for correction in corrections:
        log.put_correction(correction)


def test_every_sixth_case_is_judged_alike(store: SqlStore) -> None:
    start, end = at("1/00:00"), at("60/00:00")
    for text, _ in list(CASES.values())[::6]:
        with suppress(Undone), store.transaction() as transaction:
            put(transaction, text)
            gathered = gather_span(transaction.delivery, "shop", "production", start, end, POLICY)
            assert told(reckon(gathered.stretch, start, end, POLICY)) == told(judged(text))
            raise Undone


def test_a_correction_to_another_service_is_found(store: SqlStore) -> None:
    text = test_attribution_cases.OTHER_SERVICE
    start, end = at("1/00:00"), at("60/00:00")
    with store.transaction() as transaction:
        put(transaction, text)
        gathered = gather_span(transaction.delivery, "pay", "production", start, end, POLICY)
    assert told(reckon(gathered.stretch, start, end, POLICY)) == "p1: failed (incident i1); recovered in 0:30"
