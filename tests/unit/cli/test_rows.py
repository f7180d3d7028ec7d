import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from joule.cli._rows import format_rows
from joule.core import DATATYPES, Layout


@st.composite
def rows(draw):
    layout = Layout(draw(st.sampled_from(sorted(DATATYPES))), draw(st.integers(1, 4)))
    return draw(hnp.arrays(draw(st.sampled_from([layout.dtype, layout.column_dtype])), st.integers(1, 5)))


def text_of(block, **options):
    return "".join(format_rows(block, **options))


def data_2d(block):
    return block["data"].reshape(len(block), -1)


@given(rows())
def test_plain_text_gives_the_same_rows_back_bit_for_bit(block):
    lines = text_of(block, as_json=False).splitlines()
    kind = data_2d(block).dtype
    convert = int if kind.kind in "iu" else float
    assert [int(line.split()[0]) for line in lines] == block["timestamp"].tolist()
    values = np.array([[convert(v) for v in line.split()[1:]] for line in lines], kind).reshape(data_2d(block).shape)
    np.testing.assert_array_equal(values, data_2d(block))
    np.testing.assert_array_equal(np.signbit(values), np.signbit(data_2d(block)) & ~np.isnan(values))


@given(rows())
def test_json_gives_the_same_rows_back_with_null_for_nan(block):
    lines = [json.loads(line, parse_constant=pytest.fail) for line in text_of(block, as_json=True).splitlines()]
    assert [line["timestamp"] for line in lines] == block["timestamp"].tolist()
    kind = data_2d(block).dtype
    for line, row in zip(lines, data_2d(block), strict=True):
        assert list(line) == ["timestamp", "data"]
        for value, stored in zip(line["data"], row, strict=True):
            assert (value is None) if np.isnan(stored) else (kind.type(value) == stored)


def block_of(layout, values):
    block = np.zeros(1, Layout.parse(layout).dtype)
    block["timestamp"], block["data"] = 1_500_000_000_000_000, values
    return block


@pytest.mark.parametrize(
    ("layout", "values", "shown"),
    [
        ("float32_2", [0.1, 1e10], "0.1 1e+10"),
        ("float64_2", [0.1, 1 / 3], "0.1 0.3333333333333333"),
        ("int64_2", [2**63 - 1, -(2**63)], "9223372036854775807 -9223372036854775808"),
        ("uint64_1", 2**64 - 1, "18446744073709551615"),
        ("float32_3", [math.nan, math.inf, -math.inf], "nan inf -inf"),
    ],
)
def test_plain_values_are_the_shortest_that_are_exact(layout, values, shown):
    assert text_of(block_of(layout, values), as_json=False) == f"1500000000000000 {shown}\n"


@pytest.mark.parametrize("datatype", ["float32", "float64"])
def test_json_has_null_for_nan_and_strings_for_infinities(datatype):
    block = block_of(f"{datatype}_4", [math.nan, math.inf, -math.inf, 0.5])
    assert text_of(block, as_json=True) == (
        '{"timestamp": 1500000000000000, "data": [null, "Infinity", "-Infinity", 0.5]}\n'
    )


def test_a_wide_block_comes_in_chunks_of_whole_lines():
    block = np.zeros(100, Layout("int8", 1024).dtype)
    chunks = list(format_rows(block, as_json=False))
    assert len(chunks) > 1
    assert all(chunk.endswith("\n") for chunk in chunks)
    assert sum(chunk.count("\n") for chunk in chunks) == 100
