import json


def test_a_new_node_is_sound_and_tells_what_comes_next(run, tmp_path):
    result = run("init", str(tmp_path / "node"))
    assert result.exit_code == 0
    assert f"made {tmp_path}/node/main.conf" in result.stdout
    assert f"jouled --config {tmp_path}/node" in result.stdout
    assert run("check", str(tmp_path / "node")).exit_code == 0


def test_a_node_that_is_there_is_left_as_it_is(run, tmp_path):
    (tmp_path / "main.conf").write_text("mine")
    result = run("init", str(tmp_path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{tmp_path}/main.conf" in result.stderr
    assert (tmp_path / "main.conf").read_text() == "mine"


def test_a_file_is_no_directory_for_a_node(run, tmp_path):
    (tmp_path / "file").write_text("mine")
    assert run("init", str(tmp_path / "file")).exit_code == 2
    assert run("init", str(tmp_path / "file" / "below")).exit_code == 1


def test_json_names_what_was_made(run, tmp_path):
    made = json.loads(run("init", str(tmp_path / "node"), "--json").stdout)
    assert made["directory"] == str(tmp_path / "node")
    assert f"{tmp_path}/node/main.conf" in made["created"]


def test_a_directory_with_a_space_is_quoted_in_what_comes_next(run, tmp_path):
    assert f"joule check '{tmp_path}/my node'" in run("init", str(tmp_path / "my node")).stdout


def test_an_empty_name_is_not_the_current_directory(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("init", "").exit_code == 2
    assert list(tmp_path.iterdir()) == []
