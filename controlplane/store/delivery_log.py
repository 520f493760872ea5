"""Events of delivery, facts and measures: the parts of one port."""

from sqlalchemy import Connection

from controlplane.store.delivery_events import SqlDeliveryEvents
from controlplane.store.delivery_facts import SqlDeliveryFacts
from controlplane.store.delivery_measures import SqlDeliveryMeasures
from controlplane.store.write_order import DELIVERY_LOCK, FACTS_LOCK, WriteOrder


class SqlDeliveryLog:
    """Implements `controlplane.delivery_ports.DeliveryLog`: every method of it stands in one of three parts."""

    def __init__(self, connection: Connection) -> None:
        facts_order = WriteOrder(connection, lock=FACTS_LOCK)
        events = SqlDeliveryEvents(connection, WriteOrder(connection, lock=DELIVERY_LOCK))
        facts = SqlDeliveryFacts(connection, facts_order)
        measures = SqlDeliveryMeasures(connection, facts_order)

        self.take = events.take
        self.refuse = events.refuse
        self.event_counts = events.event_counts
        self.events_after = events.events_after
        self.entities_after = events.entities_after
        self.events_of = events.events_of
        self.event = events.event
        self.find_events = events.find_events
        self.last_sequence = events.last_sequence
        self.forget_events = events.forget_events

        self.put_deployments = facts.put_deployments
        self.deployments = facts.deployments
        self.deployments_between = facts.deployments_between
        self.last_deployments_before = facts.last_deployments_before
        self.first_deployments_after = facts.first_deployments_after
        self.put_changes = facts.put_changes
        self.changes = facts.changes
        self.changes_of_revisions = facts.changes_of_revisions
        self.changes_merged = facts.changes_merged
        self.put_artifacts = facts.put_artifacts
        self.artifacts = facts.artifacts
        self.deployments_awaiting = facts.deployments_awaiting
        self.put_incidents = facts.put_incidents
        self.delivery_incidents = facts.delivery_incidents
        self.incidents_between = facts.incidents_between
        self.incidents_naming = facts.incidents_naming
        self.drop_facts = facts.drop_facts
        self.services = facts.services

        self.put_correction = measures.put_correction
        self.corrections = measures.corrections
        self.correction_history = measures.correction_history
        self.mark_stale = measures.mark_stale
        self.stale = measures.stale
        self.count_stale = measures.count_stale
        self.put_sheets = measures.put_sheets
        self.sheets = measures.sheets
        self.sheets_of = measures.sheets_of
        self.add_counters = measures.add_counters
        self.counters = measures.counters
        self.put_effects = measures.put_effects
        self.effects_of = measures.effects_of
        self.effects_between = measures.effects_between
        self.progress = measures.progress
        self.put_progress = measures.put_progress
