"""A value that is typed in another way on each side is one value: nobody is asked, none written."""

from app.canonical import Side
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
