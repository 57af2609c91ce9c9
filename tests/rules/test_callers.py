"""Who a caller is and which links are theirs."""

from dataclasses import replace

from app.access.caller import USER, Caller
from app.canonical import Side

KARI = Caller("https://time.example", "kari", Side.TIME, frozenset({"cmp_1"}), USER)


def test_callers_of_two_issuers_are_never_one() -> None:
    assert KARI.name == "https://time.example|kari"
    assert replace(KARI, issuer="https://books.example").name != KARI.name


def test_a_link_is_seen_by_the_account_of_the_callers_own_side() -> None:
    """The same text on the other side, or no account yet, is nobody's."""
    assert KARI.sees(time_account="cmp_1", books_account="1001")
    assert not KARI.sees(time_account="1001", books_account="cmp_1")
    assert not KARI.sees(time_account=None, books_account="cmp_1")
    assert replace(KARI, side=Side.BOOKS).sees(time_account=None, books_account="cmp_1")
