"""Reading what came over the wire: exact, strict, and never surprised."""

import json
import socket
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Customer, Ore, RecordId
from app.systems.addresses import AddressRefused, PublicResolver, is_private_literal, is_public
from app.systems.own_time import own_seconds
from app.systems.ports import Reason, Rejected, Unreachable
from app.systems.reading import (
    UnknownValue,
    fingerprint,
    kroner_from,
    ore_from,
    read_id,
    read_json,
    read_strict_json,
    retry_after_given,
    retry_after_seconds,
    text_or_none,
    understood,
)
from app.systems.texts import longest, refuse_unfit

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=json_values)
def test_json_comes_back_as_it_was_written(value: object) -> None:
    """Reading what was written gives the same value."""
    assert read_json(json.dumps(value).encode()) == value


def test_a_number_with_a_fraction_is_exact() -> None:
    """0.1 is a tenth, not the float next to it."""
    assert read_json(b"[0.1, 1E2, 12345678901234567890.12]") == [
        Decimal("0.1"),
        Decimal("1E2"),
        Decimal("12345678901234567890.12"),
    ]


BROKEN = [
    b"",
    b"<html></html>",
    b'{"a":',
    b"NaN",
    b'{"a":Infinity}',
    b"[" * 100_000 + b"]" * 100_000,
    b"1" * 5_000,
    b'"\xff"',
    '{"a":1}'.encode("utf-16"),
    b"\xef\xbb\xbf{}",
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    """Nonsense, depth, endless digits and other encodings end in one kind of error."""
    with pytest.raises(ValueError):  # noqa: PT011 - the texts differ, the kind is the law
        read_json(body)
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        read_strict_json(body)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}'])
def test_a_signed_body_is_one_object_that_says_everything_once(body: bytes) -> None:
    """A member given twice could be read two ways."""
    with pytest.raises(ValueError):  # noqa: PT011 - as above
        read_strict_json(body)


@pytest.mark.parametrize(
    ("value", "text"), [(17, "17"), ("cus_1", "cus_1"), (2**63 - 1, str(2**63 - 1))]
)
def test_an_id_is_taken_as_text(value: object, text: str) -> None:
    """Numbers and texts are both ids."""
    assert read_id(value) == text


@pytest.mark.parametrize(
    "value",
    [None, True, 0, -1, 2**63, 1.5, "", "a" * 65, "a\x00b", "\ud800", "a\nb", ".", "..", [], {}],
)
def test_what_is_no_id_is_refused(value: object) -> None:
    """Nothing that a path or a database would stumble over passes as an id."""
    with pytest.raises(ValueError, match="id"):
        read_id(value)


@given(ore=st.integers(-(10**14), 10**14))
def test_money_survives_the_way_there_and_back(ore: int) -> None:
    """Øre to kroner and back is the same amount."""
    assert ore_from(kroner_from(Ore(ore))) == ore


def test_half_an_ore_rounds_up() -> None:
    """2.675 kroner are 268 øre, which a float would make 267."""
    assert ore_from(Decimal("2.675")) == 268
    assert ore_from(None) is None


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E400", "1E16"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    """A number beyond any invoice is an error, not a sum."""
    with pytest.raises(ValueError, match="amount"):
        ore_from(Decimal(amount))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("999999999", 86_400),
        (None, 30),
        ("", 30),
        ("soon", 30),
        ("-5", 30),
        ("1e400", 30),
        ("9" * 5000, 30),
        ("Tue, 24 Nov 2026 09:00:45 GMT", 45),
        ("Tue, 24 Nov 2026 09:00:45", 45),
        ("Tue, 24 Nov 2026 08:00:00 GMT", 0),
        ("Tue, 24 Nov 2099 08:00:00 GMT", 86_400),
        ("Tue, 24 Nov 99999999999 08:00:00 GMT", 30),
    ],
)
def test_retry_after_is_read_and_kept_within_reason(header: str | None, seconds: float) -> None:
    """Seconds or a date; nonsense is half a minute; never negative, never above a day."""
    assert retry_after_seconds(header, now=NOW) == seconds


@given(header=st.text(max_size=40))
def test_no_retry_after_surprises(header: str) -> None:
    """Any header gives a wait within a day."""
    assert 0 <= retry_after_seconds(header, now=NOW) <= 86_400


def test_a_retry_after_of_a_failure_is_kept_only_when_it_says_seconds() -> None:
    """Without one the caller's own waits apply."""
    assert retry_after_given("120") == 120
    assert retry_after_given("soon") is None
    assert retry_after_given(None) is None


def test_a_blank_text_says_nothing() -> None:
    """White space is no name."""
    assert text_or_none("  ") is None
    assert text_or_none(None) is None
    assert text_or_none(" Kari ") == "Kari"


def test_equal_records_have_equal_fingerprints() -> None:
    """The fingerprint follows what is said, and only that."""
    kari = Customer(RecordId("1"), "Kari")

    assert fingerprint(kari) == fingerprint(Customer(RecordId("1"), "Kari"))
    assert fingerprint(kari) != fingerprint(Customer(RecordId("1"), "Kåri"))
    assert len(fingerprint(Customer(RecordId("1"), "\ud800"))) == 64


def _unknown() -> None:
    raise UnknownValue("kind")


def _unreadable() -> None:
    raise ArithmeticError


def test_an_unreadable_answer_to_a_write_leaves_the_effect_possible() -> None:
    """After a write nobody knows; after a read nothing happened."""
    with pytest.raises(Unreachable) as written:
        understood(_unreadable, what="a draft", write=True)
    with pytest.raises(Unreachable) as read:
        understood(_unreadable, what="a draft", write=False)
    with pytest.raises(Unreachable) as unknown:
        understood(_unknown, what="a customer", write=True)

    assert (written.value.effect_possible, read.value.effect_possible) == (True, False)
    assert unknown.value.effect_possible


def test_an_unknown_value_in_a_record_goes_to_a_person() -> None:
    """Reading it again will not help, so it is refused with its field."""
    with pytest.raises(Rejected) as caught:
        understood(_unknown, what="a customer", write=False)

    assert caught.value.reasons == (Reason("unknown-value", about="kind"),)


def test_texts_that_do_not_fit_are_named_all_at_once() -> None:
    """Nothing is cut and nothing is sent."""
    limits = {"name": (2, 5), "phone": (4, 10)}

    refuse_unfit(iter([("name", "Kari"), ("phone", None), ("email", "x" * 99)]), limits)
    with pytest.raises(Rejected) as caught:
        refuse_unfit(iter([("name", "Kari Nordmann"), ("phone", "12")]), limits)

    assert caught.value.reasons == (
        Reason("too-long", about="name"),
        Reason("too-short", about="phone"),
    )
    assert longest(limits) == {"name": 5, "phone": 10}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "fd00::1",
        "fe80::1%eth0",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001::1",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "nonsense",
        "",
    ],
)
def test_private_addresses_are_not_public(address: str) -> None:
    """Loopback, private, link-local, carrier, mapped, translated and multicast: all refused."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14"])
def test_public_addresses_are_public(address: str) -> None:
    """The open internet is reachable."""
    assert is_public(address)


def test_only_addresses_written_out_are_looked_at_when_set() -> None:
    """A name is judged when it resolves."""
    assert is_private_literal("10.0.0.1")
    assert is_private_literal("::1")
    assert not is_private_literal("93.184.215.14")
    assert not is_private_literal("api.example.com")


class Names(AbstractResolver):
    """Resolve to what a test says, another answer each time."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.closed = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=ip, port=port, family=family, proto=0, flags=0)
            for ip in self.answers.pop(0)
        ]

    async def close(self) -> None:
        self.closed = True


async def test_only_public_addresses_of_a_name_are_used_at_each_resolution() -> None:
    """A name that is public first and private later is refused the second time."""
    names = Names(["10.0.0.1", "93.184.215.14"], ["127.0.0.1"])
    resolver = PublicResolver(names)

    first = await resolver.resolve("api.example.com", 443)
    with pytest.raises(AddressRefused):
        await resolver.resolve("api.example.com", 443)
    await resolver.close()

    assert [address["host"] for address in first] == ["93.184.215.14"]
    assert names.closed


async def test_a_resolver_never_used_closes_quietly() -> None:
    """Nothing is opened before the first name."""
    await PublicResolver().close()


@given(
    intervals=st.lists(
        st.tuples(st.integers(0, 100), st.integers(0, 30)).map(lambda p: (p[0], p[0] + p[1])),
        max_size=12,
    )
)
def test_own_time_is_wall_time_less_the_union_of_the_calls(
    intervals: list[tuple[int, int]],
) -> None:
    """Calls side by side count once; parts outside the stretch count not at all."""
    waiting = {
        second for first, last in intervals for second in range(first, last) if 10 <= second < 90
    }

    own = own_seconds(10.0, 90.0, [(float(a), float(b)) for a, b in intervals])

    assert own == 80 - len(waiting)


def test_the_wait_of_a_retry_after_is_a_lower_bound_in_seconds() -> None:
    """The date is taken against the clock that is handed in."""
    header = (NOW + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")

    assert retry_after_seconds(header, now=NOW) == 90
