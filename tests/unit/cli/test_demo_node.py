"""The demo's directory: what it may remove, what it refuses, and that its files make a sound node."""

import pytest

from joule.cli._demo_node import MACHINE, MEANS, default_demo_directory, demo_directory, short_path, write_node
from joule.cli._exit import Failure
from joule.config import load_node
from joule.log import ProcessLock


def test_the_demo_s_node_has_no_fault(tmp_path):
    with demo_directory(tmp_path / "demo"):
        write_node(tmp_path / "demo", rate_hz=5)
    setup = load_node(tmp_path / "demo")
    assert [str(fault) for fault in setup.faults] == []
    assert [module.name for module in setup.modules if not module.outputs] == []
    assert {"System Reader", "Mean Filter", "Composite"} == {module.name for module in setup.modules}
    assert {MACHINE, MEANS} < {stream.path for stream in setup.streams}


def test_a_directory_with_blanks_and_quotes_in_its_name_will_do(tmp_path):
    directory = tmp_path / "it's a demo"
    with demo_directory(directory):
        write_node(directory, rate_hz=5)
    assert not load_node(directory).faults


def test_a_demo_replaces_what_the_last_one_left(tmp_path):
    with demo_directory(tmp_path / "demo"):
        (tmp_path / "demo" / "data").mkdir()
        (tmp_path / "demo" / "data" / "rows").touch()
    assert (tmp_path / "demo" / "data" / "rows").exists()  # it stays until then
    with demo_directory(tmp_path / "demo"):
        assert not (tmp_path / "demo" / "data").exists()


def test_a_directory_that_is_no_demo_s_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(Failure, match="not made by a demo"), demo_directory(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_link_in_a_demo_s_directory_is_removed_and_not_followed(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "rows").touch()
    with demo_directory(tmp_path / "demo"):
        (tmp_path / "demo" / "data").symlink_to(tmp_path / "elsewhere")
    with demo_directory(tmp_path / "demo"):
        pass
    assert (tmp_path / "elsewhere" / "rows").exists()


def test_a_second_demo_in_the_same_directory_is_refused(tmp_path):
    with (
        demo_directory(tmp_path),
        pytest.raises(Failure, match="a demo is running in .* already"),
        demo_directory(tmp_path),
    ):
        pass


def test_a_directory_that_a_jouled_runs_is_refused_and_left_alone(tmp_path):
    with demo_directory(tmp_path):
        (tmp_path / "data").mkdir()
    lock = ProcessLock(tmp_path / "data" / "node.lock", "jouled")
    try:
        with pytest.raises(Failure, match="a node is still running"), demo_directory(tmp_path):
            pass
    finally:
        lock.close()
    assert (tmp_path / "data").exists()


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="name another with --directory"), demo_directory(tmp_path / "file" / "demo"):
        pass


def test_a_user_s_demos_have_one_directory_below_the_temporary_one(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert default_demo_directory() == default_demo_directory()
    assert default_demo_directory().parent == tmp_path


def test_paths_below_the_current_directory_are_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / "a" / "b") == "a/b"
    assert short_path(tmp_path.parent / "other") == str(tmp_path.parent / "other")
