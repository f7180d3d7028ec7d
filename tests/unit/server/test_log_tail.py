"""The end of a log that others write and rotate."""

from joule.server._log_tail import _Tail, last_lines


def test_no_file_has_no_lines(tmp_path):
    assert last_lines(tmp_path / "absent.log", 10) == []


def test_the_rotated_file_fills_up_what_is_missing(tmp_path):
    path = tmp_path / "m.log"
    path.write_text("c\nd\n")
    (tmp_path / "m.log.1").write_text("a\nb\n")
    assert last_lines(path, 1) == ["d"]
    assert last_lines(path, 3) == ["b", "c", "d"]
    assert last_lines(path, 100) == ["a", "b", "c", "d"]
    assert last_lines(path, 0) == []


def test_bytes_that_are_no_text_do_no_harm(tmp_path):
    path = tmp_path / "m.log"
    path.write_bytes(b"\xff\n")
    assert last_lines(path, 1) == ["\\xff"]


def test_a_tail_gives_whole_lines_only_and_goes_over_to_the_next_file(tmp_path):
    path = tmp_path / "m.log"
    tail = _Tail(path)
    assert tail.open_at_end() == 0
    assert tail.read() == b""
    path.write_text("one\ntw")
    assert tail.read() == b"one\n"
    with path.open("a") as file:
        file.write("o\n")
    path.rename(tmp_path / "m.log.1")
    path.write_text("three\n")
    assert tail.read() == b"two\n"
    assert tail.read() == b""
    assert tail.read() == b"three\n"
    tail.close()
