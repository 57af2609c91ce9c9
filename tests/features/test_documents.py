"""Cursors and versions: opaque, signed, bound to their list, and compared strictly."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents import etag, expect_version, shown_field, shown_fields
from app.paging import read_cursor, write_cursor
from app.problems import Problem

KEY = b"k" * 32
positions = st.lists(st.one_of(st.text(max_size=40), st.integers()), max_size=4)


def test_the_names_of_fields_are_camel_case_outside() -> None:
    """Parts too; what is no field's name stays as it is, and so does every value."""
    assert shown_field("address.postal_code") == "address.postalCode"
    assert shown_field("customer_id") == "customerId"
    assert [shown_field(name) for name in ("line1", "vismaNo", None)] == ["line1", "vismaNo", None]
    assert shown_fields({"address": {"postal_code": "a_b"}}) == {"address": {"postalCode": "a_b"}}
    assert shown_fields("organization_number") == "organization_number"


@given(positions, st.text(max_size=60))
def test_a_cursor_leads_back_to_its_position(position: list[str | int], scope: str) -> None:
    """What was written is read, in a form that fits an address."""
    cursor = write_cursor(position, key=KEY, scope=scope)

    assert read_cursor(cursor, key=KEY, scope=scope) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(positions, st.data())
def test_an_altered_cursor_is_refused(position: list[str | int], data: st.DataObject) -> None:
    """Any bit changed, added or left out makes it no cursor."""
    cursor = write_cursor(position, key=KEY, scope="links|a")
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= 1 << data.draw(st.integers(0, 7))

    for altered in (bytes(raw), bytes(raw[:-1]), bytes(raw) + b"x"):
        text = base64.urlsafe_b64encode(altered).decode().rstrip("=")
        with pytest.raises(Problem, match="invalid-cursor"):
            read_cursor(text, key=KEY, scope="links|a")


@pytest.mark.parametrize(("key", "scope"), [(KEY, "links|b"), (b"j" * 32, "links|a")])
def test_a_cursor_is_no_use_elsewhere(key: bytes, scope: str) -> None:
    """Another list, link, filter or key refuses it."""
    cursor = write_cursor(["x"], key=KEY, scope="links|a")

    with pytest.raises(Problem, match="invalid-cursor"):
        read_cursor(cursor, key=key, scope=scope)


@pytest.mark.parametrize("text", ["", "x", "æøå", "%", "=", "A" * 21, "A" * 5000])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """A made-up text is answered, not stumbled over."""
    with pytest.raises(Problem, match="invalid-cursor"):
        read_cursor(text, key=KEY, scope="s")


def test_a_signed_body_is_json() -> None:
    """The position stands readable in the cursor; the signature, not secrecy, protects it."""
    cursor = write_cursor(["a", 1], key=KEY, scope="s")

    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert json.loads(raw[16:]) == ["a", 1]


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_only_the_present_version_passes(version: int, other: int) -> None:
    """A strong ETag of now, or ``*``; any other is told what is there."""
    expect_version(etag(version), version, present={})
    expect_version(f" {etag(version)} ", version, present={})
    expect_version("*", version, present={})
    expect_version(f'"another", {etag(version)}', version, present={})

    if other != version:
        with pytest.raises(Problem) as refused:
            expect_version(etag(other), version, present={"now": version})
        assert refused.value.more == {"present": {"now": version}}
        assert refused.value.headers == {"ETag": etag(version)}
    with pytest.raises(Problem, match="precondition-required"):
        expect_version(None, version, present={})
