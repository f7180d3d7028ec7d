"""A few modules start at a time, in order."""

import asyncio

import pytest

from joule.daemon._turns import StartTurns


async def waiting(turns, *names):
    tasks = [asyncio.ensure_future(turns.take(name)) for name in names]
    while len(turns.places()) < len(names):
        await asyncio.sleep(0)
    return tasks


async def test_turns_come_in_the_order_in_which_they_were_asked_for():
    turns = StartTurns(1)
    turn = await turns.take("a")
    first, second = await waiting(turns, "b", "c")
    assert turns.places() == {"b": 0, "c": 1}
    turn.give_back()
    turn.give_back()  # twice gives no second turn
    await first
    assert turns.places() == {"c": 0} and not second.done()
    first.result().give_back()
    assert await second is not None


async def test_who_withdraws_gets_none_and_is_no_obstacle():
    turns = StartTurns(1)
    turn = await turns.take("a")
    withdrawn, next_ = await waiting(turns, "b", "c")
    turns.withdraw("b")
    turn.give_back()
    assert await withdrawn is None
    assert await next_ is not None


@pytest.mark.parametrize("is_granted_first", [True, False])
async def test_a_turn_of_somebody_cancelled_goes_to_the_next(is_granted_first):
    turns = StartTurns(1)
    turn = await turns.take("a")
    cancelled, next_ = await waiting(turns, "b", "c")
    if is_granted_first:
        turn.give_back()
        cancelled.cancel()
    else:
        cancelled.cancel()
        turn.give_back()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    (await next_).give_back()
    assert await turns.take("d") is not None
