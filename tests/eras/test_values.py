"""The data objects, times and intervals of newer eras, as values."""

import datetime as dt

import numpy as np
import pytest

from joule import api, models, utilities
from joule.client import ReaderModule
from joule.errors import ApiError, NotYetError, PipeError
from joule.models.pipes import compute_dtype, find_interval_token, interval_token
from joule.utilities.interval_tools import imerge, interval_difference, interval_intersection


def test_a_data_stream_is_filled_in_and_has_the_layout_of_its_elements():
    stream = api.DataStream("mains", "in the cellar", "int16", keep_us=api.DataStream.KEEP.NONE)
    with pytest.raises(PipeError):
        _ = stream.layout
    stream.elements.append(api.Element("voltage", "V", display_type="DISCRETE"))
    stream.elements.append(api.Element(name="current", units="A", plottable=False))
    assert stream.layout == "int16_2"
    assert stream.datatype == api.DataStream.DATATYPE.INT16 == "int16"
    assert stream.elements[0].display_type == api.Element.DISPLAYTYPE.DISCRETE
    assert (stream.keep_us, stream.locked) == (0, False)
    with pytest.raises(ApiError, match="no id"):
        _ = stream.id


def test_a_word_that_no_stream_knows_is_refused_with_those_that_it_does():
    with pytest.raises(ValueError, match="'float16' is none of float64, float32, int64"):
        api.DataStream("mains", datatype="float16")
    with pytest.raises(ValueError, match="'line' is none of discrete, continuous, event"):
        api.Element("voltage", display_type="line")


def test_streams_of_the_database_and_of_the_api_are_one_class_with_its_enumerations():
    stream = models.DataStream(
        name="mains",
        datatype=models.DataStream.DATATYPE.FLOAT32,
        keep_us=models.DataStream.KEEP.ALL,
        elements=[models.Element(name="x", display_type=models.Element.DISPLAYTYPE.EVENT, index=0)],
    )
    other = api.DataStream("mains", elements=[api.Element("x", display_type="event", index=0)])
    assert models.DataStream is api.DataStream
    assert stream == other
    assert models.LocalPipe(stream.layout, stream=stream).stream.elements[0].name == "x"


@pytest.mark.parametrize("values", [{"datatype": "float16"}, {"elements": [{"name": "x"}]}])
def test_a_stream_that_cannot_be_is_refused_where_it_is_made_or_used(values):
    with pytest.raises((ValueError, AttributeError)):
        _ = api.DataStream(**values).elements[0].name


def test_an_event_takes_times_out_of_rows_and_is_equal_by_what_it_says():
    event = api.Event(content={"power": 5}, start_time=np.int64(10), end_time=np.int64(20))
    assert event == api.Event(10, 20, {"power": 5}, id=3)
    assert event != api.Event(10, 21, {"power": 5})
    assert type(event.start_time) is type(event.end_time) is int
    assert api.Event(10).end_time is None
    with pytest.raises(ValueError, match="after it starts, not at 9 when it starts at 10"):
        api.Event(10, 9)
    assert api.EventStream("runs", event_fields={"power": "numeric"}).event_fields == {"power": "numeric"}


@pytest.mark.parametrize(
    "use",
    [
        api.get_node,
        api.get_nodes,
        lambda: api.TcpNode("node", "http://host", "key"),
        lambda: api.UnixNode("node", "/path"),
        lambda: api.create_tcp_node("http://host", "key"),
        lambda: ReaderModule().node,
    ],
)
def test_what_needs_a_node_says_that_it_comes_later_and_what_there_is(use):
    with pytest.raises(NotYetError, match=r"not in this version.*open_node") as caught:
        use()
    assert isinstance(caught.value, ApiError)


def test_the_node_of_a_module_can_be_a_tests_own():
    module, node = ReaderModule(), object()
    module.node = node
    assert module.node is node


def test_the_interval_token_is_a_row_of_zeros_and_is_found_on_a_rows_edge():
    rows = np.zeros(4, compute_dtype("int16_1"))
    rows["timestamp"] = [256, 1, 0, 2]
    rows["data"] = [[0], [0], [0], [1]]
    assert rows.dtype["data"].shape == (1,)
    assert interval_token("int16_1").tobytes() == bytes(10)
    assert find_interval_token(rows.tobytes() + b"\0\0", "int16_1") == (20, 30)
    assert find_interval_token(rows[:2].tobytes(), "int16_1") is None
    assert find_interval_token(b"", "float32_2") is None


@pytest.mark.parametrize("use", [compute_dtype, interval_token, lambda layout: find_interval_token(b"", layout)])
def test_a_bad_layout_is_a_value_error_that_shows_it(use):
    with pytest.raises(ValueError, match=r"bad layout.*float9_1"):
        use("float9_1")


def test_times_go_to_other_forms_and_back_exactly():
    timestamp = 1_485_188_853_650_944
    assert utilities.datetime_to_timestamp(utilities.timestamp_to_datetime(timestamp)) == timestamp
    assert utilities.timestamp_to_datetime(np.int64(timestamp)).tzinfo is dt.UTC
    assert utilities.datetime_to_timestamp(dt.datetime(1970, 1, 1, 0, 0, 1)) == 1_000_000
    assert utilities.seconds_to_timestamp(1.5) == 1_500_000
    assert utilities.timestamp_to_seconds(1_500_000) == 1.5
    assert utilities.human_to_timestamp(str(timestamp)) == timestamp
    assert utilities.human_to_timestamp(utilities.timestamp_to_human(timestamp)) == timestamp // 10**6 * 10**6
    with pytest.raises(ValueError, match="bad time"):
        utilities.human_to_timestamp("no time at all")


@pytest.mark.parametrize(
    ("text", "span_us"),
    [("all", -1), ("none", 0), ("90s", 90_000_000), ("2m", 120_000_000), ("1h", 3_600_000_000), ("1d", 86_400_000_000)],
)
def test_time_intervals_are_read_as_the_newest_era_does(text, span_us):
    assert utilities.parse_time_interval(text) == span_us


@pytest.mark.parametrize("text", ["", "5", "m", "5 months", "-1d"])
def test_a_bad_time_interval_is_a_value_error(text):
    with pytest.raises(ValueError, match="bad time interval"):
        utilities.parse_time_interval(text)


def test_interval_arithmetic():
    assert interval_difference([[0, 10], [20, 30]], [[2, 4], [8, 22], [29, 40]]) == [[0, 2], [4, 8], [22, 29]]
    assert interval_difference([[0, 10]], []) == [[0, 10]]
    assert interval_difference([[0, 10]], [[5, 5]]) == [[0, 10]]
    assert interval_intersection([[0, 10], [20, 30]], [[5, 25]]) == [[5, 10], [20, 25]]
    assert interval_intersection([[0, 10]], [[10, 20]]) == []
    assert list(imerge([[0, 1], [4, 5]], [[2, 3]])) == [[0, 1], [2, 3], [4, 5]]
