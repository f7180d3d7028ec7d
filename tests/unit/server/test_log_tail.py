"""The end of a log that others write and rotate."""

from joule.server._log_tail import _Tail


def test_a_tail_gives_whole_lines_only_and_goes_over_to_the_next_file(tmp_path):
    path = tmp_path / "m.log"
    tail = _Tail(path)
    assert tail.open_at_end() == 0
    assert tail.read() == []
    path.write_text("one\ntw")
    assert tail.read() == [b"one"]
    with path.open("a") as file:
        file.write("o\n")
    path.rename(tmp_path / "m.log.1")
    path.write_text("three\n")
    assert tail.read() == [b"two"]
    assert tail.read() == []
    assert tail.read() == [b"three"]
    tail.close()
