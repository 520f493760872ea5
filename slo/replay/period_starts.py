"""Where the periods of calendar windows begin, on the grid of a replay."""

from controlplane.model.slo import RollingWindow, Window
from slo.replay.history import Span
from slo.replay.sliding import Whole


def period_starts(window: Window, span: Span) -> Whole | None:
    """For each ledger entry of `span` the first entry of its calendar period; None for rolling windows."""
    if isinstance(window, RollingWindow):
        return None
    raise NotImplementedError(span)
