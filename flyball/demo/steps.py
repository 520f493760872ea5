"""What a user sees while something is set up: a bar for each step on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

Report = Callable[[float], None]


class Steps(Protocol):
    """Shows steps, one after the other."""

    def step(self, title: str) -> AbstractContextManager[Report]:
        """A step that lasts as long as the block; tell it the share that is done, if that is known."""
        ...


class PlainSteps:
    """One line when a step begins and one when it is done, for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Two lines."""
        print(f"{title} …", file=self._out, flush=True)
        begun = time.monotonic()
        yield lambda share: None
        print(f"{title}: done in {time.monotonic() - begun:.1f} s", file=self._out, flush=True)


class TerminalSteps:
    """A live display with bars and estimates. Use it with `with`."""

    def __init__(self, out: TextIO) -> None:
        self.progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=Console(file=out),
        )

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """One row; it pulses until a share is told."""
        task = self.progress.add_task(title, total=None)

        def report(share: float) -> None:
            self.progress.update(task, total=1.0, completed=share)

        yield report
        self.progress.update(task, total=1.0, completed=1.0)


@contextmanager
def steps_on(out: TextIO) -> Iterator[Steps]:
    """The display that suits `out`."""
    if not out.isatty():
        yield PlainSteps(out)
        return
    steps = TerminalSteps(out)
    with steps.progress:
        yield steps
