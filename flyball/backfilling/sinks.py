"""Where computed series go: into a running server, into a file, or into blocks."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TextIO

import numpy as np

from controlplane.adapters import openmetrics
from controlplane.adapters.remote_write import ColumnarSeries, RemoteWriter, encoded_labels
from controlplane.adapters.tsdb_blocks import BlockMaker
from controlplane.ports import Transient
from slo.backfill.grid import PastSeries

_SAMPLES_PER_REQUEST: Final = 200_000


class RemoteWriteSink:
    """Writes to a server that takes old samples, what belongs to one moment in one request."""

    def __init__(self, writer: RemoteWriter) -> None:
        self._writer = writer

    def take(self, series: list[PastSeries]) -> None:
        """Write all of it, oldest first. When that fails or is interrupted, what is missing is missing at its end."""
        columns = [(encoded_labels(one.labels), one.unix_seconds, one.values) for one in series]
        every = np.sort(np.concatenate([times for _, times, _ in columns]))
        for begin in range(0, len(every), _SAMPLES_PER_REQUEST):
            first = every[begin]
            end = every[min(begin + _SAMPLES_PER_REQUEST, len(every)) - 1]
            if begin and first == every[begin - 1]:
                first += 1  # that moment went with the request before
            request = []
            for labels, times, values in columns:
                inside = slice(np.searchsorted(times, first), np.searchsorted(times, end, side="right"))
                request.append(ColumnarSeries(labels, times[inside] * 1000, values[inside]))
            self._writer.write_columns(request)


class BlockSink:
    """Sorts samples for blocks."""

    def __init__(self, maker: BlockMaker) -> None:
        self._maker = maker

    def take(self, series: list[PastSeries]) -> None:
        """Keep them on disk."""
        for one in series:
            self._maker.add(one.labels, one.unix_seconds, one.values)


class OpenMetricsSink:
    """Keeps samples by metric, which is how OpenMetrics wants them."""

    def __init__(self, folder: Path, open_files: ExitStack) -> None:
        self._folder = folder
        self._open_files = open_files
        self._files: dict[str, TextIO] = {}

    def take(self, series: list[PastSeries]) -> None:
        """Keep them on disk."""
        for one in series:
            name = one.labels["__name__"]
            if name not in self._files:
                file = (self._folder / str(len(self._files))).open("w+", encoding="utf-8")
                self._files[name] = self._open_files.enter_context(file)
                self._files[name].write(f"# TYPE {name} gauge\n")
            self._files[name].write(openmetrics.lines(one.labels, one.unix_seconds.tolist(), one.values.tolist()))

    def write_to(self, out: TextIO) -> None:
        """One metric after the other, and the end."""
        for file in self._files.values():
            file.seek(0)
            while piece := file.read(1 << 20):
                out.write(piece)
        out.write(openmetrics.END)


@contextmanager
def openmetrics_file(path: Path) -> Iterator[OpenMetricsSink]:
    """A sink whose samples are in `path` when the block ends well; otherwise what was there stays.

    Raises `Transient` when they cannot be written.
    """
    try:
        with TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as name, ExitStack() as open_files:
            sink = OpenMetricsSink(Path(name), open_files)
            yield sink
            whole = Path(name) / "whole"
            with whole.open("w", encoding="utf-8") as out:
                sink.write_to(out)
            whole.replace(path)
    except OSError as error:
        raise Transient(f"{path}: {error.strerror}") from error
