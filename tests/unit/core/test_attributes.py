"""Which attributes a stream has, and which values they take."""

from __future__ import annotations

import math

import pytest

from joule.core import ElementSpec, StreamSpec
from joule.core.attributes import change_stream
from joule.errors import BadAttributeError

SPEC = StreamSpec(
    path="/a/b", datatype="float32", elements=(ElementSpec(name="x"), ElementSpec(name="y", units="A")), keep_us=5
)


def test_what_is_not_named_stays_as_it_is():
    changed = change_stream(SPEC, {"description": " the mains ", "elements": {"y": {"units": "V", "default_max": 5}}})
    assert changed.description == "the mains"
    assert changed.elements == (ElementSpec(name="x"), ElementSpec(name="y", units="V", default_max=5.0))
    assert (changed.keep_us, changed.path, changed.layout) == (5, "/a/b", SPEC.layout)
    assert change_stream(SPEC, {}) == SPEC


@pytest.mark.parametrize(("value", "keep_us"), [(None, None), (-1, None), (0, 0), (7, 7)])
def test_keep_is_microseconds_none_or_all(value, keep_us):
    assert change_stream(SPEC, {"keep_us": value}).keep_us == keep_us


def test_elements_are_changed_by_name_or_all_in_order():
    renamed = change_stream(SPEC, {"elements": [{"name": "y"}, {"name": "x"}]})
    assert [element.name for element in renamed.elements] == ["y", "x"]
    assert renamed.elements[1].units == "A"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kep_us": 1}, "did you mean 'keep_us'"),
        ({"path": "/c"}, "there are description, keep_us"),
        ({"keep_us": -2}, "microseconds"),
        ({"keep_us": True}, "microseconds"),
        ({"keep_us": 1.5}, "microseconds"),
        ({"decimate": "yes"}, "true or false"),
        ({"out_of_order": "sort"}, "raise, drop"),
        ({"description": 5}, "is a text"),
        ({"description": "x" * 10_001}, "10000 are allowed"),
        ({"elements": {"z": {}}}, "no element 'z'"),
        ({"elements": {"x": {"unit": "V"}}}, "did you mean 'units'"),
        ({"elements": {"x": "V"}}, "values by attribute"),
        ({"elements": {"x": {"name": "y"}}}, "two elements would be named 'y'"),
        ({"elements": {"x": {"name": " "}}}, "cannot name an element"),
        ({"elements": {"x": {"offset": math.nan}}}, "finite number"),
        ({"elements": {"x": {"default_min": 2, "default_max": 1}}}, "2 is not below default_max 1"),
        ({"elements": {"x": {"display_type": "pie"}}}, "continuous, discrete, event"),
        ({"elements": [{}]}, "the stream has 2"),
        ({"elements": "xy"}, "the stream has 2"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(changes, word):
    with pytest.raises(BadAttributeError, match=word):
        change_stream(SPEC, changes)
