"""Layouts: what a row looks like."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import DATATYPES, MAX_WIDTH, Layout
from joule.errors import BadLayoutError, PipeError

layouts = st.builds(Layout, st.sampled_from(sorted(DATATYPES)), st.integers(1, MAX_WIDTH))


@given(layouts)
def test_a_layout_is_its_text(layout):
    assert Layout.parse(str(layout)) == layout
    assert Layout.parse(layout) is layout
    assert hash(Layout.parse(str(layout))) == hash(layout)


@pytest.mark.parametrize(
    "text, parsed", [("float32_8", ("float32", 8)), ("uint8_1024", ("uint8", 1024)), ("int8_01", ("int8", 1))]
)
def test_a_layout_names_a_type_and_a_count(text, parsed):
    layout = Layout.parse(text)
    assert (layout.datatype, layout.width) == parsed


@pytest.mark.parametrize(
    "text",
    [
        "", "float32", "float32_", "_8", "float32_0", "float32_1025", "float32_-1", "float32_8 ", " float32_8",
        "float32_8\n", "float16_1", "float_8", "int128_2", "FLOAT32_8", "float32_8_2", "float32-8", "float32_٣",
        "float32_99999999999999999999", None, 8, b"float32_8", ["float32_8"],
    ],
)  # fmt: skip
def test_what_is_no_layout_is_refused(text):
    with pytest.raises(BadLayoutError, match="layout") as caught:
        Layout.parse(text)
    assert isinstance(caught.value, PipeError)
    assert isinstance(caught.value, ValueError)
    assert "float32_8" in str(caught.value), "the message shows what a layout looks like"


@pytest.mark.parametrize("datatype, width", [("float16", 1), ("float32", 0), ("float32", 1025), ("", 1)])
def test_a_layout_that_streams_cannot_have_is_not_made(datatype, width):
    with pytest.raises(BadLayoutError):
        Layout(datatype, width)


@given(layouts)
def test_rows_are_packed_little_endian_behind_an_int64_timestamp(layout):
    assert layout.row_bytes == 8 + layout.width * layout.element_dtype.itemsize
    for dtype in (layout.dtype, layout.column_dtype):
        assert dtype.itemsize == layout.row_bytes
        assert dtype["timestamp"] == np.dtype("<i8")
        assert dtype["data"].base == layout.element_dtype
        assert dtype.fields["data"][1] == 8


def test_one_element_has_two_shapes():
    layout = Layout("float32", 1)
    assert layout.dtype["data"].shape == ()
    assert layout.column_dtype["data"].shape == (1,)


def test_more_elements_have_one():
    layout = Layout("float32", 3)
    assert layout.dtype is layout.column_dtype
    assert layout.dtype["data"].shape == (3,)


def test_both_shapes_are_views_of_the_same_bytes():
    layout = Layout("int16", 1)
    rows = np.array([(1, 5), (2, 6)], layout.dtype)
    assert rows.view(layout.column_dtype)["data"].tolist() == [[5], [6]]


def test_layouts_cannot_be_changed():
    with pytest.raises(AttributeError):
        Layout("int16", 1).width = 2
