"""The command line of `jouled`: what stops it is one line, unless it is a fault of ours."""

import pytest

from joule.config import init_node
from joule.daemon import _main, main


def test_a_node_that_is_not_there_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--config", str(tmp_path)])
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("jouled: ")
    assert "main.conf" in line


def test_an_unknown_option_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--nonsense"])
    assert caught.value.code == 2
    assert "usage: jouled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/x/data"), "jouled: /x/data: No space left on device"),
        (OSError("odd"), "jouled: odd"),
        (RuntimeError("odd"), "a fault of Joule itself"),
    ],
)
def test_what_goes_wrong_is_told(monkeypatch, capsys, caplog, error, said):
    def fail(config):
        raise error

    monkeypatch.setattr(_main, "_find_setup", fail)
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 1
    assert said in capsys.readouterr().err.splitlines()[-1]
    unforeseen = [record for record in caplog.records if record.exc_info]
    assert len(unforeseen) == (1 if isinstance(error, RuntimeError) else 0)


@pytest.mark.parametrize("key", ["DataDirectory", "LogDirectory"])
def test_rows_are_not_written_elsewhere_when_a_directory_is_not_understood(tmp_path, capsys, key):
    (tmp_path / "main.conf").write_text(f"[Main]\n{key} = ${{NOT_SET_ANYWHERE}}/rows\n")
    with pytest.raises(SystemExit) as caught:
        main(["--config", str(tmp_path)])
    assert caught.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"jouled: {tmp_path}/main.conf:2: ${{NOT_SET_ANYWHERE}} stands for nothing")
    assert [file.name for file in tmp_path.iterdir()] == ["main.conf"]


def test_an_empty_name_is_not_the_current_directory(tmp_path, monkeypatch, capsys):
    init_node(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["--config", ""])
    assert caught.value.code == 1
    assert "--config is empty" in capsys.readouterr().err
