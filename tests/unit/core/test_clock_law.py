"""The law of a node's clock: what its pieces give, and that a law in the place of another is nowhere behind it."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from joule.core import ClockLaw
from joule.core.clock_law import LAW_BYTES, SLOW_DOWN_US
from joule.core.clock_rules import DAY_US, ClockState, adjust

BOOT = bytes(range(16))
HOUR_US = 3_600_000_000
SECOND_US = 1_000_000
TIMES = st.integers(0, 2**50)


def law_at(node_us, boot_us=0):
    return ClockLaw.start(BOOT, boot_us, node_us)


def test_a_clock_goes_with_the_time_since_boot():
    law = law_at(1000, boot_us=50)
    assert [law.node_us(boot_us) for boot_us in (50, 51, 1050)] == [1000, 1001, 2000]


def test_before_it_was_made_a_law_gives_the_time_at_which_it_was_made():
    assert law_at(1000, boot_us=50).node_us(20) == 1000


def test_a_jump_is_there_at_once_and_never_backwards():
    law = law_at(1000)
    assert law.jump(10, 5000).node_us(10) == 5000
    assert law.jump(10, 200).node_us(10) == 1010


def test_a_slow_down_begins_ahead_and_lasts_twice_as_long_as_it_takes_away():
    law = law_at(HOUR_US).slow_down(0, 0)
    begin = SLOW_DOWN_US
    assert law.node_us(begin) == HOUR_US + begin
    assert law.node_us(begin + 1000) == HOUR_US + begin + 500
    assert law.settles_us == begin + 2 * HOUR_US
    assert law.node_us(law.settles_us) == law.settles_us
    assert law.node_us(law.settles_us + 7) == law.settles_us + 7


@given(st.lists(st.tuples(TIMES, TIMES, st.sampled_from([1, 2])), min_size=1, max_size=4), st.integers(1, 2**63))
def test_a_law_comes_back_from_its_record(pieces, sequence):
    from joule.core.clock_law import Piece

    law = ClockLaw(boot_id=BOOT, pieces=tuple(Piece(*piece) for piece in pieces), sequence=sequence)
    assert len(law.pack()) == LAW_BYTES
    assert ClockLaw.unpack(law.pack()) == law


@pytest.mark.parametrize("offset", range(0, LAW_BYTES, 3))
def test_every_changed_byte_of_a_record_is_noticed(offset):
    data = bytearray(law_at(5).pack())
    data[offset] ^= 0x10
    assert ClockLaw.unpack(bytes(data)) is None


@pytest.mark.parametrize("data", [b"", bytes(LAW_BYTES), b"x" * 1000])
def test_what_is_no_record_is_none(data):
    assert ClockLaw.unpack(data) is None


def test_the_rules_of_the_clock():
    law = law_at(DAY_US * 10)
    system = DAY_US * 10
    assert adjust(law, 0, system).state is ClockState.FOLLOWING
    assert adjust(law, 0, system).law is None

    forward = adjust(law, 0, system + 3650 * DAY_US)
    assert (forward.state, forward.jumped_us) == (ClockState.FOLLOWING, 3650 * DAY_US)

    back = adjust(law, 0, system - HOUR_US)
    assert (back.state, back.law.settles_us) == (ClockState.SLOWING, SLOW_DOWN_US + 2 * HOUR_US)
    assert adjust(back.law, 10, system - HOUR_US + 10).law is None

    far = adjust(law, 0, system - DAY_US - 1)
    assert (far.state, far.law) == (ClockState.OWN, None)


def test_a_clock_that_went_slower_goes_at_full_speed_again_when_it_keeps_its_own_time():
    slow = law_at(DAY_US).slow_down(0, 0)
    later = 2 * SLOW_DOWN_US
    own = adjust(slow, later, later - 5 * DAY_US)
    assert own.state is ClockState.OWN
    assert own.law.node_us(later + 1000) == slow.node_us(later) + 1000


def test_a_slow_down_that_lies_ahead_is_waited_for_before_another():
    slow = law_at(HOUR_US).slow_down(0, 0)
    again = adjust(slow, SLOW_DOWN_US // 4, SLOW_DOWN_US // 4 - HOUR_US)
    assert (again.law, again.again_after_us) == (None, SLOW_DOWN_US * 3 // 4)


def test_when_the_system_s_clock_comes_back_a_slow_down_that_lies_ahead_is_given_up():
    slow = law_at(HOUR_US).slow_down(0, 0)
    given_up = adjust(slow, 1000, HOUR_US + 1000)
    assert (given_up.state, given_up.jumped_us) == (ClockState.FOLLOWING, 0)
    assert given_up.law.slows_from_us(1000) is None


STEPS = st.one_of(
    st.integers(-3 * DAY_US, 3 * DAY_US),
    st.integers(-3 * SECOND_US, 3 * SECOND_US),
    st.sampled_from([-3650 * DAY_US, 3650 * DAY_US, HOUR_US, -HOUR_US]),
)
WAITS = st.one_of(st.integers(0, 3 * HOUR_US), st.integers(0, 3 * SECOND_US))


@example([(0, -103), (1_000_001, 101)], [1])  # half a microsecond
@given(st.lists(st.tuples(WAITS, STEPS), min_size=1, max_size=12), st.lists(st.integers(0, 2 * DAY_US), max_size=6))
def test_a_law_in_the_place_of_another_is_nowhere_behind_it_while_both_may_be_used(changes, looks):
    """Whoever goes by the old law looked at the clock before the new one was published: within SLOW_DOWN_US."""
    boot_us, offset_us, law = 0, 2000 * DAY_US, law_at(2000 * DAY_US)
    for wait_us, step_us in changes:
        boot_us += wait_us
        offset_us += step_us
        new = adjust(law, boot_us, boot_us + offset_us).law
        if new is not None:
            assert len(new.pieces) <= 4
            assert new.sequence > law.sequence
            for look_us in (0, boot_us, *(boot_us + look % SLOW_DOWN_US for look in looks), boot_us + SLOW_DOWN_US):
                assert new.node_us(look_us) >= law.node_us(min(look_us, boot_us + SLOW_DOWN_US))
            law = new
        moments = sorted(boot_us + look for look in looks)
        times = [law.node_us(moment) for moment in moments]
        assert times == sorted(times)


@given(st.lists(st.tuples(WAITS, STEPS), min_size=1, max_size=12))
def test_once_the_system_s_clock_is_left_alone_both_meet_or_the_node_keeps_its_own_time(changes):
    boot_us, offset_us, law = 0, 2000 * DAY_US, law_at(2000 * DAY_US)
    for wait_us, step_us in changes:
        boot_us += wait_us
        offset_us += step_us
        law = adjust(law, boot_us, boot_us + offset_us).law or law
    for _ in range(3):
        adjustment = adjust(law, boot_us, boot_us + offset_us)
        law = adjustment.law or law
        boot_us += adjustment.again_after_us or 0
    assert adjustment.law is None
    assert (adjustment.state is ClockState.OWN) == (law.offset_us - offset_us > DAY_US)
    if adjustment.state is not ClockState.OWN:
        assert abs(law.node_us(law.settles_us) - law.settles_us - offset_us) <= 100
        assert all(piece.node_us - piece.boot_us >= offset_us - 100 for piece in law.pieces)  # never behind it
