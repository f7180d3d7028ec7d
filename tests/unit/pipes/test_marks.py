"""Which marks of a composite's children fit together."""

from joule.log import InnerPosition, InputPosition
from joule.pipes._marks import Child, End, Joint, Mark, Unstored, live_children, newest_line


def joined(writer: Child, reader: Child) -> Joint:
    joint = Joint()
    joint.writer, joint.reader = writer, reader
    return joint


def mark(consumed: dict[End, tuple[int, int]], emitted: dict[End, tuple[int, int]]) -> Mark:
    return Mark(
        consumed={end: InputPosition(*at) for end, at in consumed.items()},
        emitted={end: InnerPosition(*at) for end, at in emitted.items()},
    )


def test_a_writer_goes_back_to_what_its_reader_has_consumed_and_the_rest_is_skipped():
    writer, reader = Child(), Child()
    joint = joined(writer, reader)
    for rows in (10, 20, 30):
        writer.add(mark({}, {joint: (rows, 0)}))
    reader.add(mark({joint: (26, 0)}, {}))
    line = newest_line([writer, reader], [joint])
    assert line[writer].emitted[joint].rows == 20
    assert joint.skipped(line) == InnerPosition(6, 0)


def test_a_break_that_the_reader_has_not_passed_is_a_gap():
    writer, reader = Child(), Child()
    joint = joined(writer, reader)
    writer.add(mark({}, {joint: (5, 0)}))
    writer.add(mark({}, {joint: (5, 1)}))
    reader.add(mark({joint: (5, 0)}, {}))
    assert newest_line([writer, reader], [joint])[writer].emitted[joint].breaks == 0


def test_rows_left_unconsumed_before_a_break_that_was_passed_are_made_again():
    writer, reader = Child(), Child()
    joint = joined(writer, reader)
    writer.add(mark({}, {joint: (5, 0)}))
    writer.add(mark({}, {joint: (10, 1)}))
    reader.add(mark({joint: (7, 1)}, {}))
    line = newest_line([writer, reader], [joint])
    assert joint.skipped(line) == InnerPosition(2, 1)


def test_children_in_a_circle_come_forward_together():
    one, two = Child(), Child()
    there, back = joined(one, two), joined(two, one)
    one.add(mark({back: (1, 0)}, {there: (1, 0)}))
    two.add(mark({there: (1, 0)}, {back: (1, 0)}))
    line = newest_line([one, two], [there, back])
    assert (there.skipped(line), back.skipped(line)) == (InnerPosition(), InnerPosition())
    assert line[one].consumed[back].row == 1


class Cache(Unstored):
    rows: int | None = None

    def stored(self) -> int | None:
        return self.rows


def test_a_mark_counts_when_the_rows_that_it_counts_have_left_their_cache():
    child, output, cache = Child(), End(), Cache()
    child.add(Mark(unstored={output: cache}))
    child.add(Mark(stored={output: 8}))
    assert newest_line([child], [])[child].stored == {}
    cache.rows = 4
    assert newest_line([child], [])[child].stored == {output: 8}


def test_marks_before_the_line_and_marks_without_rows_between_them_are_forgotten():
    child, pipe = Child(), Joint()
    pipe.writer = child
    for row in range(100):
        child.add(mark({}, {pipe: (row // 50, 0)}))
        newest_line([child], [pipe])
    assert len(child.marks) <= 3


def test_those_who_read_from_a_child_without_inputs_are_live_too():
    reader, middle, last, other = (Child() for _ in range(4))
    outside = End()
    outside.reader = other
    ends = [joined(reader, middle), joined(middle, last), outside]
    assert live_children([reader, middle, last, other], ends) == {reader, middle, last}
