"""Labels as readers written in Go take them."""

from typing import Annotated

from pydantic import BeforeValidator


def _as_text(value: object) -> object:
    """`true` as a label's value is text."""
    return str(value).lower() if isinstance(value, bool) else value


def _nothing_as_empty(value: object) -> object:
    """A key without a value means what a missing key means."""
    return {} if value is None else value


LabelText = Annotated[str, BeforeValidator(_as_text)]
Labels = Annotated[dict[str, LabelText], BeforeValidator(_nothing_as_empty)]
