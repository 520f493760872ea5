"""When Prometheus thinks that a sample was taken."""

from datetime import UTC, datetime

from controlplane.adapters.remote_write import columnar
from controlplane.model.series import Series


def test_a_sample_is_never_later_than_the_moment_it_was_written_for() -> None:
    moment = datetime(2026, 11, 20, 12, 0, 0, 123_999, tzinfo=UTC)
    (milliseconds,) = columnar(Series({"__name__": "x"}, ((moment, 1.0),))).timestamps_ms
    assert milliseconds == int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 1000 + 123
