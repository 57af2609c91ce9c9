"""A prepared request is, for whoever looks, the request that httpx itself would have made."""

import httpx
import pytest

from app.systems.prepared import Prepared

_ADDRESS = "https://books.test:8443/invoice/organizations/7/customers?sort=id&name=%C3%85se%2FB"
_GIVEN = {"Accept": "application/json", "apiKey": "secret", "Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("POST", None), ("PUT", b'{"name":"x"}')]
)
def test_it_has_the_parts_of_a_request_of_httpx(method: str, body: bytes | None) -> None:
    made = httpx.Request(method, _ADDRESS, headers=_GIVEN, content=body)
    prepared = Prepared(method, _ADDRESS, _GIVEN, body, {"timeout": {"connect": 10.0}})
    assert prepared.url == made.url
    assert str(prepared.url) == _ADDRESS
    assert prepared.headers.raw == made.headers.raw
    assert (prepared.method, prepared.content) == (made.method, made.content)
    assert prepared.extensions == {"timeout": {"connect": 10.0}}


async def test_its_body_can_be_read_again_as_one_of_httpx_can() -> None:
    prepared = Prepared("PUT", _ADDRESS, _GIVEN, b"whole", {})
    assert await prepared.aread() == b"whole"
    assert httpx.ByteStream in type(prepared.stream).__mro__
