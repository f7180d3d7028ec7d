"""The catalog: ids that stay, attributes that may change, layouts that may not, and durable transactions."""

from __future__ import annotations

import dataclasses
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from joule.catalog import Catalog
from joule.core import DATATYPES, ElementSpec, StreamSpec, time_now
from joule.errors import BadPathError, LayoutMismatchError, NameTakenError, NotFoundError


def spec(path: str = "/a/b", datatype: str = "float32", names: str = "xy", **fields) -> StreamSpec:
    return StreamSpec(path=path, datatype=datatype, elements=tuple(ElementSpec(name=name) for name in names), **fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "catalog.sqlite"


@pytest.fixture
def catalog(path):
    with Catalog.open(path) as catalog:
        yield catalog


def test_a_new_stream_has_an_id_and_the_moment_it_was_made(catalog):
    before = time_now()
    record = catalog.ensure_stream(spec())
    assert record.spec == spec()
    assert before <= record.created_us <= time_now()
    assert catalog.stream(record.id) == catalog.stream("/a/b") == record


def test_ids_survive_restarts(path):
    with Catalog.open(path) as catalog:
        first = [catalog.ensure_stream(spec(f"/s{n}")) for n in range(3)]
    with Catalog.open(path) as catalog:
        assert [catalog.ensure_stream(spec(f"/s{n}")) for n in reversed(range(3))] == first[::-1]
        assert catalog.streams() == first


def test_ids_are_not_used_again_when_the_newest_stream_is_gone(path):
    with Catalog.open(path) as catalog:
        gone = catalog.ensure_stream(spec("/a"))
    raw = sqlite3.connect(path)
    raw.executescript("DELETE FROM element; DELETE FROM stream;")
    raw.close()
    with Catalog.open(path) as catalog:
        assert catalog.ensure_stream(spec("/b")).id > gone.id


def test_attributes_and_element_names_change_with_the_configuration_and_the_id_stays(catalog):
    old = catalog.ensure_stream(spec())
    new = StreamSpec(
        path="/a/b",
        datatype="float32",
        keep_us=0,
        decimate=False,
        out_of_order="drop",
        description="ü",
        elements=(
            ElementSpec(
                name="u",
                units="°C",
                plottable=False,
                display_type="event",
                offset=1.5,
                scale_factor=-2.0,
                default_min=-1.0,
                default_max=1e300,
            ),
            ElementSpec(name="x"),
        ),
    )
    record = catalog.ensure_stream(new)
    assert (record.id, record.created_us) == (old.id, old.created_us)
    assert catalog.stream(old.id).spec == new


@pytest.mark.parametrize("other", [spec(datatype="float64"), spec(names="x"), spec(names="xyz")])
def test_another_layout_is_refused_with_both_named_and_nothing_changes(catalog, other):
    record = catalog.ensure_stream(spec())
    with pytest.raises(LayoutMismatchError, match="float32_2") as caught:
        catalog.ensure_stream(dataclasses.replace(other, description="new"))
    assert str(other.layout) in caught.value.message
    assert catalog.stream(record.id) == record


def test_an_unchanged_stream_writes_nothing(path, catalog):
    catalog.ensure_stream(spec())
    wal = path.with_name(path.name + "-wal")
    before = wal.stat().st_size
    catalog.ensure_stream(spec())
    assert wal.stat().st_size == before


def test_a_path_that_is_none_is_refused(catalog):
    with pytest.raises(BadPathError):
        catalog.ensure_stream(spec("a"))
    assert catalog.streams() == []


@pytest.mark.parametrize("wanted", ["/a/c", "/", "", "a/b", "/a/b/", "/a/b/c", "/a\udcff", 0, 2, -1, 2**70])
def test_a_stream_that_is_not_there_is_said_so(catalog, wanted):
    catalog.ensure_stream(spec())
    with pytest.raises(NotFoundError) as caught:
        catalog.stream(wanted)
    assert caught.value.detail["stream"] == wanted


def test_the_nearest_path_is_offered_for_one_that_is_not_there(catalog):
    catalog.ensure_stream(spec("/house/mains"))
    with pytest.raises(NotFoundError, match="did you mean '/house/mains'"):
        catalog.stream("/house/mian")


def test_folders_are_a_tree_with_the_streams_in_their_places(catalog):
    for path in ("/b/y", "/b/x", "/b/c/z", "/r", "/b c/%_/w"):
        catalog.ensure_stream(spec(path))
    root = catalog.folders()
    assert (root.path, root.name, [stream.spec.path for stream in root.streams]) == ("/", "", ["/r"])
    assert [folder.path for folder in root.folders] == ["/b", "/b c"]
    (b, blank) = root.folders
    assert [stream.spec.path for stream in b.streams] == ["/b/x", "/b/y"]
    assert [(folder.path, folder.name, len(folder.streams)) for folder in b.folders] == [("/b/c", "c", 1)]
    assert blank.folders[0].streams[0].spec.path == "/b c/%_/w"


def test_the_deepest_folders_that_paths_allow_are_a_tree_too(catalog):
    catalog.ensure_stream(spec("/a" * 100))
    folder, depth = catalog.folders(), 0
    while folder.folders:
        (folder,), depth = folder.folders, depth + 1
    assert depth == 99
    assert folder.streams[0].spec.path == "/a" * 100


def test_a_stream_and_a_folder_may_share_a_path(catalog):
    catalog.ensure_stream(spec("/a"))
    catalog.ensure_stream(spec("/a/b"))
    assert [record.spec.path for record in catalog.streams()] == ["/a", "/a/b"]


def test_a_moved_stream_keeps_its_id_and_leaves_its_old_path_free(catalog):
    record = catalog.ensure_stream(spec("/a/b"))
    moved = catalog.move_stream("/a/b", "/c/d/e")
    assert moved == dataclasses.replace(record, spec=spec("/c/d/e"))
    assert catalog.ensure_stream(spec("/a/b", datatype="int8")).id != record.id
    assert catalog.move_stream(record.id, "/c/d/e") == moved


def test_a_move_onto_another_stream_is_refused(catalog):
    catalog.ensure_stream(spec("/a"))
    catalog.ensure_stream(spec("/b"))
    with pytest.raises(NameTakenError, match="there is a stream '/b' already"):
        catalog.move_stream("/a", "/b")
    with pytest.raises(BadPathError):
        catalog.move_stream("/a", "b")
    with pytest.raises(NotFoundError):
        catalog.move_stream("/c", "/d")
    assert [record.spec.path for record in catalog.streams()] == ["/a", "/b"]


def test_a_transaction_that_fails_changes_nothing(path, catalog):
    with pytest.raises(ZeroDivisionError), catalog.transaction():
        catalog.ensure_stream(spec("/a"))
        _ = 1 / 0
    assert catalog.streams() == []


def test_a_refusal_inside_a_transaction_costs_the_others_nothing(path):
    with Catalog.open(path) as catalog:
        catalog.ensure_stream(spec("/a"))
        with catalog.transaction():
            for new in (spec("/b"), spec("/a", datatype="int8"), spec("/c")):
                try:
                    catalog.ensure_stream(new)
                except LayoutMismatchError as error:
                    assert error.detail["stream"] == "/a"
    with Catalog.open(path, read_only=True) as catalog:
        assert [str(record.spec.layout) for record in catalog.streams()] == ["float32_2"] * 3


names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=5).filter(
    lambda name: not set(name) & set("/:") and name not in (".", "..")
)
finite = st.floats(allow_nan=False, allow_infinity=False)
elements = st.builds(
    ElementSpec,
    name=st.text(st.characters(codec="utf-8"), max_size=5),
    units=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
    plottable=st.booleans(),
    display_type=st.sampled_from(["continuous", "discrete", "event"]),
    offset=finite,
    scale_factor=finite,
    default_min=st.none() | finite,
    default_max=st.none() | finite,
)
specs = st.builds(
    StreamSpec,
    path=st.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    datatype=st.sampled_from(sorted(DATATYPES)),
    elements=st.lists(elements, min_size=1, max_size=3).map(tuple),
    keep_us=st.none() | st.integers(0, 2**63 - 1),
    decimate=st.booleans(),
    out_of_order=st.sampled_from(["raise", "drop"]),
    description=st.text(st.characters(codec="utf-8"), max_size=5),
)


@given(st.lists(specs, max_size=4, unique_by=lambda one: one.path))
@settings(deadline=None, max_examples=30)
def test_whatever_was_stored_is_read_back(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("catalog") / "catalog.sqlite"
    with Catalog.open(path) as catalog, catalog.transaction():
        for one in found:
            catalog.ensure_stream(one)
    with Catalog.open(path, read_only=True) as catalog:
        assert [record.spec for record in catalog.streams()] == sorted(found, key=lambda one: one.path)


def test_an_id_can_be_asked_for_and_those_up_to_one_be_reserved(catalog):
    catalog.reserve_ids(5)
    assert catalog.ensure_stream(spec("/a")).id == 6
    assert catalog.ensure_stream(spec("/b"), stream_id=3).id == 3
    assert catalog.ensure_stream(spec("/b"), stream_id=4).id == 3
    catalog.reserve_ids(5)
    assert catalog.ensure_stream(spec("/c")).id == 7
    assert catalog.has_stream("/c")
    assert not catalog.has_stream("/d")
