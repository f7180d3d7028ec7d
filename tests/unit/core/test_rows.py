"""Turning what authors write into rows, and rows into what they read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from joule.core import DATATYPES, Layout, first_disorder, flatten_rows, to_rows
from joule.errors import BadRowsError, BadTimestampError, RowWidthError

INTEGERS = sorted(name for name in DATATYPES if "int" in name)
PAIR = Layout("float64", 2)


def stamps_of(data, layout=PAIR):
    return to_rows(data, layout, "p")["timestamp"].tolist()


def values_of(data, text):
    return to_rows(data, Layout.parse(text), "p")["data"].tolist()


# Forms


@pytest.mark.parametrize(
    "data",
    [
        [[1, 2, 3]],
        ((1, 2, 3),),
        [np.array([1, 2, 3])],
        np.array([[1.0, 2.0, 3.0]]),
        np.array([[1, 2, 3]], ">i4"),
        np.array([[1, 2, 3]], ">f8"),
        np.array([[1, 2, 3]], np.uint8),
        np.array([[1, 2, 3]], np.longdouble),
        np.asfortranarray([[1, 2, 3]]),
        np.array([(1, (2, 3))], PAIR.dtype),
        np.array([(1, (2, 3))], PAIR.dtype).view(np.recarray),
        np.ma.array([[1, 2, 3]]),
    ],
)
def test_rows_have_many_forms(data):
    rows = to_rows(data, PAIR, "p")
    assert rows.dtype == PAIR.dtype
    assert type(rows) is np.ndarray
    assert rows.flags.c_contiguous
    assert rows.tolist()[0][0] == 1
    assert rows["data"].tolist() == [[2, 3]]


def test_rows_of_the_layout_are_passed_on_without_a_copy():
    rows = np.zeros(3, PAIR.dtype)
    assert to_rows(rows, PAIR, "p") is rows
    single = Layout("int8", 1)
    column = np.zeros(3, single.column_dtype)
    assert np.shares_memory(to_rows(column, single, "p"), column)
    assert to_rows(column, single, "p").dtype == single.dtype


@pytest.mark.parametrize(
    "empty",
    [
        [],
        (),
        [[]],
        np.empty(0),
        np.empty((0, 9)),
        np.empty((1, 0)),
        np.empty((0, 2, 2)),
        np.empty(0, Layout("int8", 5).dtype),
    ],
)
def test_empty_data_of_any_shape_is_no_rows(empty):
    rows = to_rows(empty, PAIR, "p")
    assert rows.shape == (0,)
    assert rows.dtype == PAIR.dtype


@pytest.mark.parametrize("data", [None, 1, "1 2 3", b"123", {1: 2}, iter([[1, 2, 3]]), np.zeros(1, PAIR.dtype)[0]])
def test_what_is_neither_array_nor_list_is_named(data):
    with pytest.raises(BadRowsError, match=type(data).__name__):
        to_rows(data, PAIR, "p")


@pytest.mark.parametrize(
    "data, text",
    [
        ([[1, 2, 3], [1, 2]], "different lengths"),
        ([["1", "2", "3"]], "rows are numbers"),
        ([[1, 2, None]], "object"),
        ([[1, 2, 2**70]], "object"),
        (np.array([["a", "b", "c"]]), "numbers"),
        (np.array([[1, 2, 3]], "M8[us]"), "numbers"),
        (np.array([[1, 2, 3]], complex), "numbers"),
        (np.array([[True, True, True]]), "timestamps are numbers"),
        (np.zeros((1, 1), PAIR.dtype), "1-D"),
        (np.zeros(1, Layout("float32", 2).dtype), "float64_2"),
        (np.zeros(1, [("time", "<i8"), ("data", "<f8", 2)]), "dtype"),
        (np.zeros(1, PAIR.dtype.newbyteorder(">")), "dtype"),
    ],
)
def test_what_is_no_rows_is_refused_with_the_reason(data, text):
    with pytest.raises(BadRowsError, match=text):
        to_rows(data, PAIR, "p")


# Width


@pytest.mark.parametrize("shape", [(1, 2), (1, 4), (5, 1), (3,), (3, 3, 1), ()])
def test_another_width_is_refused(shape):
    with pytest.raises(RowWidthError, match="2"):
        to_rows(np.ones(shape), PAIR, "p")


@given(st.integers(1, 20), st.integers(1, 40))
def test_only_arrays_that_fit_transposed_get_the_hint(rows, columns):
    layout = Layout("float64", 3)
    try:
        to_rows(np.ones((rows, columns)), layout, "p")
    except RowWidthError as error:
        assert columns != 4
        assert ("transposed" in str(error)) == (rows == 4)
    else:
        assert columns == 4


# Timestamps


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1))
def test_r7_whole_microseconds_pass_float64_exactly(stamps):
    data = np.zeros((len(stamps), 3))
    data[:, 0] = stamps
    assert stamps_of(data) == stamps


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_int64_columns_are_exact(stamps):
    data = np.zeros((len(stamps), 3), np.int64)
    data[:, 0] = stamps
    assert stamps_of(data) == stamps


@given(st.lists(st.floats(-1e15, 4e15), min_size=2))
def test_r34_fractions_keep_their_order(stamps):
    data = np.zeros((len(stamps), 3))
    data[:, 0] = sorted(stamps)
    rounded = stamps_of(data)
    assert rounded == sorted(rounded)
    assert all(abs(whole - stamp) <= 0.5 for whole, stamp in zip(rounded, sorted(stamps), strict=True))


def test_halves_go_up_so_that_even_series_stay_even():
    assert stamps_of([[0.5, 0, 0], [1.5, 0, 0], [2.5, 0, 0], [-0.5, 0, 0]]) == [1, 2, 3, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 2.0**63, -1e300])
def test_what_is_no_time_is_refused_with_its_row(bad):
    with pytest.raises(BadTimestampError, match="row 2") as caught:
        to_rows([[1, 0, 0], [2, 0, 0], [bad, 0, 0], [np.nan, 0, 0]], PAIR, "p")
    assert caught.value.detail["row"] == 2


def test_a_uint64_beyond_int64_is_no_time():
    with pytest.raises(BadTimestampError, match="row 1"):
        to_rows(np.array([[1, 0, 0], [2**63, 0, 0]], np.uint64), PAIR, "p")


@pytest.mark.parametrize("datatype", [np.float32, np.float16])
def test_low_precision_columns_are_refused(datatype):
    with pytest.raises(BadTimestampError, match="use float64"):
        to_rows(np.ones((1, 3), datatype), PAIR, "p")


# Values


@pytest.mark.parametrize("target", INTEGERS)
@pytest.mark.parametrize("source", [*INTEGERS, "float64"])
@given(data=st.data())
def test_integers_arrive_as_they_are_or_not_at_all(source, target, data):
    elements = st.floats(width=64) if source == "float64" else hnp.from_dtype(np.dtype(source))
    value = data.draw(elements)
    bounds = np.iinfo(target)
    array = np.zeros((1, 2), source)
    array[0, 1] = value
    try:
        came = values_of(array, f"{target}_1")
    except BadRowsError as error:
        assert "element 0" in str(error)
        assert not np.isfinite(value) or not bounds.min <= int(value) <= bounds.max
    else:
        assert came == [int(value)]


@given(hnp.arrays(np.float64, (3, 2), elements=st.floats(width=64, allow_nan=True)))
def test_floats_pass_bit_for_bit(values):
    data = np.column_stack(([1.0, 2.0, 3.0], values))
    assert to_rows(data, PAIR, "p")["data"].tobytes() == values.tobytes()


@given(st.floats(width=64))
def test_float32_takes_what_it_can_round(value):
    array = np.array([[1.0, value]])
    try:
        came = to_rows(array, Layout("float32", 1), "p")["data"]
    except BadRowsError as error:
        assert "float32" in str(error)
        assert np.isfinite(value)
        assert abs(value) > float(np.finfo(np.float32).max)
    else:
        assert np.array_equal(came, np.array([value]).astype(np.float32), equal_nan=True)


def test_signalling_nan_is_no_warning():
    array = np.zeros((1, 2))
    array[0, 1] = np.array([0x7FF0000000000001], np.uint64).view(np.float64)[0]
    assert np.isnan(to_rows(array, Layout("float32", 1), "p")["data"]).all()


# What is read


@pytest.mark.parametrize(
    "text, dtype", [("int64_2", np.int64), ("uint64_2", np.float64), ("int8_1", np.float64), ("float32_1", np.float64)]
)
def test_flattened_rows_have_a_type_for_timestamps_and_values(text, dtype):
    layout = Layout.parse(text)
    for form in (layout.dtype, layout.column_dtype):
        rows = np.zeros(3, form)
        rows["timestamp"] = [1, 2, 3]
        flat = flatten_rows(rows)
        assert flat.dtype == dtype
        assert flat.shape == (3, 1 + layout.width)
        assert flat[:, 0].tolist() == [1, 2, 3]


@given(st.lists(st.integers(-5, 5)), st.one_of(st.none(), st.integers(-5, 5)))
def test_the_first_disorder_is_found(stamps, last):
    series = ([] if last is None else [last]) + stamps
    wrong = [at for at in range(1, len(series)) if series[at] <= series[at - 1]]
    expected = wrong[0] - (last is not None) if wrong else None
    assert first_disorder(np.array(stamps, np.int64), last) == expected


def test_masked_values_are_no_data():
    array = np.ma.array([[1.0, 2.0], [2.0, 3.0]], mask=[[False, False], [False, True]])
    with pytest.raises(BadRowsError, match="masked"):
        to_rows(array, Layout("float64", 1), "p")
    assert to_rows(array[:1], Layout("float64", 1), "p")["data"].tolist() == [2.0]
