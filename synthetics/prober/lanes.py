"""How many runs may be under way at once."""

from collections import deque
from collections.abc import Callable


class Lane:
    """A queue with `capacity` places, first come first served. For one event loop; not safe between threads."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._taken = 0
        self._waiting: deque[Callable[[], None]] = deque()

    @property
    def taken(self) -> int:
        """Places that are taken."""
        return self._taken

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    def enter(self, begin: Callable[[], None]) -> None:
        """Call `begin` when there is a place: at once, or from somebody's `leave`."""
        if self._taken < self._capacity:
            self._taken += 1
            begin()
        else:
            self._waiting.append(begin)

    def leave(self) -> None:
        """Give the place to whoever waits longest."""
        if self._waiting:
            self._waiting.popleft()()
        else:
            self._taken -= 1

    def dismiss(self, begin: Callable[[], None]) -> bool:
        """Forget one that waits; False when it does not wait (any more)."""
        try:
            self._waiting.remove(begin)
        except ValueError:
            return False
        return True

    def clear(self) -> None:
        """Forget all that wait."""
        self._waiting.clear()
