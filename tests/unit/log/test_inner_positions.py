"""What a composite has to skip in its inner pipes: kept with its positions, or forgotten without losing a row."""

import dataclasses

import pytest

from joule.core import Layout
from joule.log import CursorFile, InnerPosition, InputPosition, create_log, ensure_cursors
from joule.log._record import CursorPoint, NodeRecord
from joule.log._recovery import _durable_values

LAYOUTS = ["float32_1", "int64_2"]
INNER = [InnerPosition(3, 1, is_open=True), InnerPosition()]


@pytest.fixture
def logs(tmp_path):
    for name in ("in", "other", "out"):
        create_log(tmp_path / name, Layout("int64", 1), f"/{name}")
    return tmp_path


@pytest.fixture
def cursors(logs):
    """A composite that has read 20 rows and written 10, with rows to be skipped."""
    ensure_cursors(logs / "m.cursor", "m", {"in": logs / "in"}, {"out": logs / "out"})
    cursors = CursorFile(logs / "m.cursor")
    cursors.describe_inner(LAYOUTS)
    cursors.commit([InputPosition(20, 2)], [10], INNER)
    yield cursors
    cursors.close()


def reopened(logs):
    cursors = CursorFile(logs / "m.cursor")
    cursors.close()
    return cursors


def test_what_to_skip_is_kept_with_the_positions(logs, cursors):
    found = reopened(logs)
    assert (found.inputs, found.outputs) == ({"in": InputPosition(20, 2)}, {"out": 10})
    assert (list(found.logs.inner), found.inner, found.has_inner_rows) == (LAYOUTS, INNER, True)


def test_other_inner_pipes_drop_all_that_the_outputs_hold(logs, cursors):
    cursors.describe_inner(["float32_1"])
    found = reopened(logs)
    assert (found.inputs, found.outputs) == ({"in": InputPosition(20, 2)}, {"out": 0})
    assert found.inner == [InnerPosition()]


def test_so_do_other_inputs(logs, cursors):
    ensure_cursors(logs / "m.cursor", "m", {name: logs / name for name in ("in", "other")}, {"out": logs / "out"})
    found = reopened(logs)
    assert (found.inputs["in"], found.outputs, found.inner) == (InputPosition(20, 2), {"out": 0}, [])


def test_a_module_that_is_a_composite_no_more_has_nothing_to_skip(logs, cursors):
    cursors.commit([InputPosition(25, 2)], [12])
    assert reopened(logs).inner == [InnerPosition(), InnerPosition()]


def test_what_to_skip_is_in_the_record_of_what_is_durable(logs, cursors):
    record = NodeRecord(cursors={"m.cursor": CursorPoint.of(reopened(logs))})
    record = NodeRecord.unpack(record.pack())
    assert _durable_values(cursors.logs, record, "m.cursor") == [20, 2, 10, 3, 1, 1, 0, 0, 0]
    changed = dataclasses.replace(cursors.logs, inner=["float32_1"])
    assert _durable_values(changed, record, "m.cursor") == [20, 2, 0, 0, 0, 0]
    unknown = NodeRecord()
    assert _durable_values(cursors.logs, unknown, "m.cursor") == [0, 0, 0, 0, 0, 0, 0, 0, 0]
