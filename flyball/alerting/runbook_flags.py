"""What values the flags of the workspace's FlagStores take, for the check of runbooks."""

from collections.abc import Callable, Sequence

from finops.flags.model import DeclaredFlag, DeclaredStore, FlagType
from finops.flags.values import EXPECTED, typed

_BOOLEANS = {"true": True, "false": False}


def flags_by_store(stores: Sequence[DeclaredStore]) -> dict[str, dict[str, Callable[[str], str]]]:
    """By store and flag: why it does not take a value, given as text; empty when it does."""
    return {store.name: {flag.name: _taker(flag) for flag in store.flags} for store in stores}


def _taker(flag: DeclaredFlag) -> Callable[[str], str]:
    def refusal(text: str) -> str:
        written: bool | str = _BOOLEANS.get(text, text) if flag.type is FlagType.BOOLEAN else text
        if typed(flag.type, written) is not None:
            return ""
        return f"the flag `{flag.name}` takes {EXPECTED[flag.type]}, not `{text[:80]}`"

    return refusal
