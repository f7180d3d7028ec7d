"""Stream paths: what every era accepted is a path, and what pipes could not name is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core import check_stream_path, join_stream_path, split_stream_path
from joule.errors import BadPathError


@pytest.mark.parametrize("path", ["/a", "/a/b", "/house/Main Power/phase-1", "/a_b/c.d", "/строка/ü", "/a/b (W)"])
def test_paths_of_any_era_are_accepted_unchanged(path):
    assert check_stream_path(path) == path


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("", "begin with /"),
        ("a/b", "begin with /"),
        ("/", "empty"),
        ("/a/", "empty"),
        ("//a", "empty"),
        ("/a/../b", "no name"),
        ("/a/ b", "blank"),
        ("/a/b ", "blank"),
        ("/a:float32[x]", "colon"),
        ("/a\nb", "printed"),
        ("/a\udcff", "printed"),
        ("/" + "a" * 256, "255 bytes"),
        ("/" + "/".join(["a" * 200] * 6), "1024"),
        ("/a" * 101, "101 parts"),
    ],
)
def test_what_is_no_path_is_refused_with_the_reason(path, reason):
    with pytest.raises(BadPathError, match=reason):
        check_stream_path(path)


@pytest.mark.parametrize(("path", "parts"), [("/a", ("/", "a")), ("/a/b", ("/a", "b")), ("/a/b c/d", ("/a/b c", "d"))])
def test_a_path_is_a_folder_and_a_name(path, parts):
    assert split_stream_path(path) == parts
    assert join_stream_path(*parts) == path


def test_a_name_with_a_slash_joins_nothing():
    with pytest.raises(BadPathError, match="no /"):
        join_stream_path("/a", "b/c")


@given(st.text(max_size=20))
def test_any_text_is_a_path_or_refused(text):
    try:
        path = check_stream_path(text)
    except BadPathError:
        return
    assert join_stream_path(*split_stream_path(path)) == path
