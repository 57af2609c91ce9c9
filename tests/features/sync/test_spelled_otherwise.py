"""A value that is typed in another way on each side is one value: nobody is asked, none written."""

from app.canonical import Side
from tests.conftest import SetClock
from tests.features.sync.conftest import Hands


async def test_one_number_in_two_spellings_is_no_conflict(hands: Hands) -> None:
    """Both sides keep their spelling, through later looks too; the next real change goes over."""
    time_id, books_id = await hands.paired()
    await hands.edit_time(time_id, phone="99887766")
    await hands.edit_books(books_id, phoneNo="+47 998 87 766")
    for _ in range(2):
        await hands.hint(Side.TIME, time_id)
        await hands.hint(Side.BOOKS, books_id)
        await hands.work()

    assert await hands.rows("SELECT field FROM conflicts") == []
    assert (await hands.in_time(time_id))["phone"] == "99887766"
    assert (await hands.in_books(books_id))["phoneNo"] == "+47 998 87 766"

    await hands.edit_books(books_id, phoneNo="40506070")
    await hands.hint(Side.BOOKS, books_id)
    await hands.work()

    assert (await hands.in_time(time_id))["phone"] == "40506070"


async def test_a_spelling_that_was_agreed_is_no_news_of_a_sweep(
    hands: Hands, clock: SetClock
) -> None:
    """Names and mail that one side has in capitals are read once more: the brake counts none."""
    pairs = [await hands.paired(f"Kunde {number} AS") for number in range(12)]
    clock.advance(hours=4)
    await hands.work()
    for number, (time_id, books_id) in enumerate(pairs):
        await hands.edit_time(time_id, name=f"Firma {number} AS", phone="40404040")
        await hands.edit_books(books_id, name=f"FIRMA {number} AS", phoneNo="+47 40 40 40 40")
    await hands.hint(Side.TIME, *(time_id for time_id, _ in pairs))
    await hands.work()
    assert {pair.problem for pair in await hands.pairs()} == {None}

    for _ in range(7):  # within a day each record is read whole
        clock.advance(hours=4)
        await hands.work()

    assert await hands.rows("SELECT state, pause_reason FROM links") == [("active", None)]
    assert await hands.changes() == []
