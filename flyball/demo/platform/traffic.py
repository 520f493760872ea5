"""How many events are to be expected, minute by minute: working hours, weekends, incidents, faults and noise."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flyball.demo.platform.shapes import Catalogue, Demand, Effect, Flow, Tenant

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MINUTES_PER_DAY: Final = 1440
_PEAK_HOUR: Final = 14.5
_SWING: Final = 0.8  # of a tenant's own day; the sum over all time zones swings much less
_BAD_NOISE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Stream:
    """Events of one flow and, where the flow tells tenants apart, of one tenant."""

    flow: Flow
    tenant: Tenant | None


def streams_of(catalogue: Catalogue) -> tuple[Stream, ...]:
    """Every stream, in the order of the flows."""
    return tuple(
        Stream(flow, tenant) for flow in catalogue.flows for tenant in (catalogue.tenants if flow.tenanted else (None,))
    )


class Traffic:
    """Expected events per minute of every stream. Minutes are counted from the Unix epoch; `seam` ends the history."""

    def __init__(self, catalogue: Catalogue, seam: int) -> None:
        self.streams: Final = streams_of(catalogue)
        self._catalogue: Final = catalogue
        self._seam: Final = seam

    def per_minute(self, first: int, noise: Floats, effects: Sequence[Effect] = ()) -> tuple[Floats, Floats]:
        """Expected (good, bad) events, each of shape (minutes, streams).

        `noise` holds standard normal values of shape (minutes, 2, streams) and says how many minutes there are.
        `effects` apply to all of these minutes; past incidents and deployments apply by themselves.
        """
        minutes = first + np.arange(noise.shape[0], dtype=np.int64)
        activity = {tenant: _activity(tenant, minutes) for tenant in self._catalogue.tenants}
        demand = np.stack([self._demand(stream, minutes, activity) for stream in self.streams], axis=1)
        spread = np.array([0.0 if stream.flow.every_minutes else stream.flow.noise for stream in self.streams])
        demand *= np.exp(spread * noise[:, 0] - spread**2 / 2)
        ratio = np.array([stream.flow.bad_ratio for stream in self.streams]) * np.exp(
            _BAD_NOISE * noise[:, 1] - _BAD_NOISE**2 / 2
        )
        for effect, rows in self._in_force(minutes, effects):
            self._apply(effect, rows, demand, ratio)
        np.clip(ratio, 0, 1, out=ratio)
        return demand * (1 - ratio), demand * ratio

    def _demand(self, stream: Stream, minutes: Integers, activity: dict[Tenant, Floats]) -> Floats:
        flow = stream.flow
        if flow.every_minutes:
            return np.asarray(minutes % flow.every_minutes == 0, dtype=np.float64)
        share = stream.tenant.share if stream.tenant else 1.0
        if flow.demand is Demand.STEADY:
            return np.full(minutes.shape, 60 * flow.per_second * share)
        if stream.tenant:
            return 60 * flow.per_second * share * activity[stream.tenant]
        together = np.zeros(minutes.shape)
        for tenant, values in activity.items():
            together += tenant.share * values
        return np.asarray(60 * flow.per_second * together)

    def _in_force(self, minutes: Integers, effects: Sequence[Effect]) -> list[tuple[Effect, slice]]:
        """Which rows each fault, incident or deployment touches."""
        found = [(effect, slice(None)) for effect in effects]
        first, last = int(minutes[0]), int(minutes[-1])
        for incident in self._catalogue.incidents:
            start = self._seam - round(incident.days_ago * MINUTES_PER_DAY)
            end = start + incident.minutes
            if start <= last and end > first:
                rows = slice(max(start - first, 0), end - first)
                found.extend((effect, rows) for effect in incident.effects)
        for deployment in self._catalogue.deployments:
            start = self._seam - round(deployment.days_ago * MINUTES_PER_DAY)
            if start <= last:
                found.extend((effect, slice(max(start - first, 0), None)) for effect in deployment.effects)
        return found

    def _apply(self, effect: Effect, rows: slice, demand: Floats, ratio: Floats) -> None:
        for column, stream in enumerate(self.streams):
            if stream.flow.name != effect.flow or effect.tenant not in ("", stream.tenant and stream.tenant.name):
                continue
            if effect.load is None:
                demand[rows, column] *= effect.traffic
            else:
                share = stream.tenant.share if stream.tenant else 1.0
                demand[rows, column] = 60 * stream.flow.per_second * share * effect.load
            if effect.bad_ratio is not None:
                ratio[rows, column] = np.maximum(ratio[rows, column], effect.bad_ratio)


def _activity(tenant: Tenant, minutes: Integers) -> Floats:
    """How busy a tenant is, 1 on the average of a week: a wave over its day, less of it at its weekend."""
    local = minutes + round(tenant.utc_offset_hours * 60)
    hour = (local % MINUTES_PER_DAY) / 60
    weekday = (local // MINUTES_PER_DAY + 3) % 7  # the epoch was a Thursday; Monday is 0
    wave = 1 + _SWING * np.cos(2 * np.pi * (hour - _PEAK_HOUR) / 24)
    weekend = np.where(weekday >= 5, tenant.weekend_ratio, 1.0)
    return np.asarray(wave * weekend / ((5 + 2 * tenant.weekend_ratio) / 7))
