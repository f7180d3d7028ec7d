"""Streams and folders as objects: made, moved, described and deleted, with the rules that keep them a tree."""

from __future__ import annotations

import pytest

from joule.catalog import Catalog
from joule.core import ElementSpec, StreamSpec
from joule.errors import (
    BadMoveError,
    BadPathError,
    FolderNotEmptyError,
    LayoutMismatchError,
    NameTakenError,
    NotFoundError,
)


def spec(path, **fields):
    return StreamSpec(path=path, datatype="float32", elements=(ElementSpec(name="x"),), **fields)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def catalog(path):
    with Catalog.open(path) as catalog:
        for stream in ("/house/power/mains", "/house/power/solar", "/house/water", "/lab/noise"):
            catalog.ensure_stream(spec(stream))
        yield catalog


def paths(catalog):
    return [record.spec.path for record in catalog.streams()]


def folders(catalog):
    def below(folder):
        yield folder.path
        for child in folder.folders:
            yield from below(child)

    return list(below(catalog.folders()))


def test_a_stream_is_made_once(catalog):
    (record,) = catalog.complete_streams({catalog.begin_stream("/new/stream"): spec("/new/stream", keep_us=7)})
    assert catalog.stream("/new/stream") == record
    with pytest.raises(NameTakenError, match="'/new/stream' already"):
        catalog.begin_stream("/new/stream")
    assert catalog.stream("/new/stream").spec.keep_us == 7


def test_attributes_change_and_path_and_layout_do_not(catalog):
    changed = catalog.update_stream("/lab/noise", spec("/elsewhere", description="loud"))
    assert (changed.spec.path, changed.spec.description) == ("/lab/noise", "loud")
    with pytest.raises(LayoutMismatchError):
        wide = StreamSpec(path="/x", datatype="int8", elements=(ElementSpec(name="x"),))
        catalog.update_stream("/lab/noise", wide)


def test_an_outline_renames_elements_and_leaves_everything_else(catalog):
    catalog.update_stream(
        "/lab/noise",
        StreamSpec(path="", datatype="float32", elements=(ElementSpec(name="x", units="V"),), keep_us=7),
    )
    outline = StreamSpec(path="/lab/noise", datatype="float32", elements=(ElementSpec(name="level"),))
    record = catalog.ensure_stream(outline, names_only=True)
    assert record.spec.elements == (ElementSpec(name="level", units="V"),)
    assert record.spec.keep_us == 7
    assert catalog.stream(record.id) == record


def test_a_moved_folder_keeps_the_ids_of_all_that_is_below_it(catalog):
    before = {record.id for record in catalog.streams()}
    moved = catalog.move_folder("/house", "/archive/old/house")
    assert moved.path == "/archive/old/house"
    assert {record.id for record in catalog.streams()} == before
    assert paths(catalog) == [
        "/archive/old/house/power/mains",
        "/archive/old/house/power/solar",
        "/archive/old/house/water",
        "/lab/noise",
    ]
    assert "/house" not in folders(catalog)


def test_a_folder_is_renamed_in_place_and_a_move_to_where_it_is_does_nothing(catalog):
    assert catalog.move_folder("/house/power/", "/house/energy").path == "/house/energy"
    assert catalog.move_folder("/house", "/house/").path == "/house"
    assert paths(catalog)[0] == "/house/energy/mains"


@pytest.mark.parametrize(
    ("folder", "to", "error"),
    [
        ("/", "/x", BadMoveError),
        ("/house", "/house/power/house", BadMoveError),
        ("/house", "/lab", NameTakenError),
        ("/house", "/", BadPathError),
        ("/house", "no/path", BadPathError),
        ("/house", "/x" * 99, BadPathError),
        ("/hose", "/x", NotFoundError),
    ],
)
def test_moves_that_would_leave_no_tree_are_refused_and_change_nothing(catalog, folder, to, error):
    before = paths(catalog), folders(catalog)
    with pytest.raises(error):
        catalog.move_folder(folder, to)
    assert (paths(catalog), folders(catalog)) == before


def test_the_nearest_folder_is_offered_for_one_that_is_not_there(catalog):
    with pytest.raises(NotFoundError, match="did you mean '/house'"):
        catalog.folder("/hose")


def test_a_folder_is_found_by_path_and_by_id(catalog):
    folder = catalog.folder("/house/power/")
    assert catalog.folder(folder.id) == folder
    assert [record.spec.name for record in folder.streams] == ["mains", "solar"]
    assert catalog.folder("/").path == "/"


def test_a_folder_that_holds_something_goes_only_with_all_that_is_in_it(catalog):
    with pytest.raises(FolderNotEmptyError, match="3 streams"):
        catalog.delete_folder("/house", recursive=False)
    assert len(paths(catalog)) == 4
    gone = {record.id for record in catalog.streams() if record.spec.path.startswith("/house/")}
    catalog.delete_folder("/house", recursive=True)
    assert (paths(catalog), folders(catalog)) == (["/lab/noise"], ["/", "/lab"])
    assert {removal.stream_id for removal in catalog.removals()} == gone


def test_an_empty_folder_goes_and_the_root_never_does(catalog):
    catalog.move_stream("/lab/noise", "/noise")
    catalog.delete_folder("/lab", recursive=False)
    assert "/lab" not in folders(catalog)
    with pytest.raises(BadMoveError, match="root"):
        catalog.delete_folder("/", recursive=True)


def test_a_deleted_stream_is_listed_until_its_log_is_gone_and_its_id_is_not_given_again(path, catalog):
    record = catalog.delete_stream("/lab/noise")
    assert "/lab/noise" not in paths(catalog)
    with Catalog.open(path, read_only=True) as other:
        assert [(removal.stream_id, removal.path) for removal in other.removals()] == [(record.id, "/lab/noise")]
    catalog.finish_removal(record.id)
    assert catalog.removals() == []
    assert catalog.ensure_stream(spec("/lab/noise")).id > record.id


def test_streams_that_were_begun_appear_together_or_not_at_all(catalog):
    ids = [catalog.begin_stream("/copy/a"), catalog.begin_stream("/copy/b")]
    assert "/copy/a" not in paths(catalog)
    assert [removal.stream_id for removal in catalog.removals()] == ids
    specs = {ids[0]: spec("/copy/a"), ids[1]: spec("/copy/b")}
    catalog.ensure_stream(spec("/copy/b"))
    with pytest.raises(NameTakenError):
        catalog.complete_streams(specs)
    assert "/copy/a" not in paths(catalog)
    catalog.move_stream("/copy/b", "/elsewhere")
    assert [record.id for record in catalog.complete_streams(specs)] == ids
    assert catalog.removals() == []
    assert {"/copy/a", "/copy/b"} < set(paths(catalog))
