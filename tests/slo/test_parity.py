"""Converted files alert when the rules of Sloth and Pyrra do."""

import pytest

from benchmarks.parity import RATIOS, figures


@pytest.mark.soak
@pytest.mark.parametrize("ratio", RATIOS)
def test_converted_files_alert_with_those_of_their_tools(ratio: float) -> None:
    late = [figure for figure in figures((ratio,)) if not figure.met]
    assert late == []
