"""Names in texts: found, replaced once, and nothing else touched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joule.core.variables import replace_variables, variable_names


def test_names_are_found_once_each_in_their_order():
    assert variable_names("${B} $A ${A}${B}$${C} ${_x9}") == ["B", "A", "_x9"]


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${A-B}", "${1}", "x${A", "${Ä}", "${ A}"])
def test_a_brace_without_a_name_is_refused_without_repeating_the_text(text):
    with pytest.raises(ValueError, match="not followed by NAME") as caught:
        variable_names(text + "hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("a${A}b", "a1b"),
        ("${A}${A}", "11"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $ $$ %A {A}", "$A $ $$ %A {A}"),
        ("${B}", "${B}"),
        ("${A", "${A"),
    ],
)
def test_known_names_are_replaced_and_everything_else_stays(text, replaced):
    assert replace_variables(text, {"A": "1"}) == replaced


@given(st.text("${}AB\\%\n'\"", max_size=12), st.text("${}AB\\%", max_size=12))
def test_what_a_name_stands_for_is_never_looked_at_again(value, other):
    assert replace_variables("<${A}|${B}>", {"A": value, "B": other}) == f"<{value}|{other}>"


@given(st.text("${}AB\\g<0>%", max_size=12))
def test_any_text_can_be_written(text):
    written = text.replace("${", "$${")
    assert variable_names(written) == []
    assert replace_variables(written, {"A": "1"}) == text
