"""Steps that set a flag, in a store of the workspace and on its allow-list."""

from alerts.ports import Switchboard
from alerts.runbooks.model import RunbookStep
from alerts.runbooks.ports import AfterCrash, Performed


class FlagSteps:
    """Implements `Performer`."""

    def __init__(self, switchboard: Switchboard) -> None:
        self._switchboard = switchboard

    def check(self, step: RunbookStep) -> str:
        """What would be set, and what it is now."""
        store, flag, value = _what(step)
        now = self._switchboard.read(store, flag)
        return f"leave {flag} in {store} at {now}" if now == value else f"set {flag} in {store} from {now} to {value}"

    def look(self, step: RunbookStep) -> str:
        """Its value."""
        store, flag, _ = _what(step)
        return self._switchboard.read(store, flag)

    def perform(self, step: RunbookStep, key: str) -> Performed:
        """Set it, unless it is so."""
        store, flag, value = _what(step)
        before = self._switchboard.read(store, flag)
        if before == value:
            return Performed(f"{flag} in {store} was {value} already")
        self._switchboard.write(store, flag, value)
        return Performed(f"{flag} in {store} was {before} and is {value}, read back")

    def after_crash(self, step: RunbookStep, before: str) -> tuple[AfterCrash, str]:
        """By its value now."""
        store, flag, value = _what(step)
        now = self._switchboard.read(store, flag)
        if now == value:
            return AfterCrash.DONE, f"{flag} in {store} is {value}"
        if now == before:
            return AfterCrash.AGAIN, f"{flag} in {store} is {now}, as before"
        return AfterCrash.UNCLEAR, f"{flag} in {store} was {before} and is {now}: somebody else set it"


def _what(step: RunbookStep) -> tuple[str, str, str]:
    return step.settings["store"], step.settings["flag"], step.settings["value"]
