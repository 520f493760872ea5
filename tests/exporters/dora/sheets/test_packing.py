"""Sheets as bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exporters.dora.sheets.columns import CHANGE, COUNTED, DEPLOYMENT, INCIDENT, DaySheet, hashed
from exporters.dora.sheets.packing import VERSION, UnreadableSheet, pack, unpack

SIZES = st.integers(0, 4)
SHEETS = st.builds(
    DaySheet, *(arrays.arrays(dtype, SIZES) for dtype in (DEPLOYMENT, CHANGE, INCIDENT)), arrays.arrays(COUNTED, SIZES)
)


@given(SHEETS)
def test_what_is_packed_comes_out_again(sheet: DaySheet) -> None:
    body = pack(sheet)
    found = unpack(body)
    for name in ("deployments", "changes", "incidents", "counted"):
        assert getattr(found, name).tobytes() == getattr(sheet, name).tobytes()
    assert pack(found) == body


def test_a_day_without_anything_is_no_bytes() -> None:
    assert pack(DaySheet()) == b""
    assert unpack(b"").is_empty


def test_what_was_counted_is_kept_even_alone() -> None:
    body = pack(DaySheet(counted=np.array([7], COUNTED)))
    assert unpack(body).counted.tolist() == [7]


@given(SHEETS, st.integers(0, 255))
def test_other_versions_are_not_read(sheet: DaySheet, version: int) -> None:
    body = pack(sheet)
    if body and version != VERSION:
        with pytest.raises(UnreadableSheet, match=f"version {version} "):
            unpack(bytes([version]) + body[1:])


@given(SHEETS, st.binary(min_size=1, max_size=9))
def test_what_is_cut_or_longer_is_not_read(sheet: DaySheet, more: bytes) -> None:
    body = pack(sheet)
    for wrong in (body + more if body else more + more, body[:-1]):
        if wrong:
            with pytest.raises(UnreadableSheet):
                unpack(wrong)


def test_the_layout_stays_as_it_is() -> None:
    """Bytes in databases: who changes the layout counts VERSION up."""
    assert (DEPLOYMENT.itemsize, CHANGE.itemsize, INCIDENT.itemsize, COUNTED.itemsize) == (19, 20, 25, 8)
    deployment = np.array([(60, 1, 2, 1, 30, 5)], DEPLOYMENT)
    body = pack(DaySheet(deployments=deployment))
    assert body.hex() == "01" + "01000000" + "00000000" * 3 + "3c000000" + "010201" + "1e000000" + "0500000000000000"


def test_names_are_told_apart_by_their_parts() -> None:
    assert len({hashed("lead", "a"), hashed("lea", "da"), hashed("failed", "a")}) == 3
    assert hashed("deployment", "x\udc80") > 0  # what a decoder could not read
