"""Deliveries that are wrong in every way one could think of: each a problem, never a 500."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

import pytest
from sqlalchemy import text
from standardwebhooks.webhooks import Webhook

from app.canonical import LinkId
from app.runtime import Runtime
from tests.features.webhooks.conftest import Sender

Raw = list[tuple[str, str]]


async def _kept(runtime: Runtime, link_id: LinkId) -> tuple[int, int]:
    async with runtime.database.reading(link_id) as session:
        row = (
            await session.execute(
                text("SELECT (SELECT count(*) FROM deliveries), (SELECT count(*) FROM changes)")
            )
        ).one()
    return int(row[0]), int(row[1])


def _signature(good: str, change: str) -> str:
    """Give a wrong signature made of a right one."""
    mac = good.removeprefix("v1,")
    raw = base64.b64decode(mac)
    return {
        "no comma": "v1" + mac,
        "no version": mac,
        "bare version": "v1",
        "empty mac": "v1,",
        "three parts": f"v1,{mac},{mac}",
        "commas for spaces": f"v1,{mac},v1,{mac}",
        "bad base64": "v1,!!!!" + mac[4:],
        "base64 with junk": f"v1,{mac[:4]}*{mac[4:]}",
        "url-safe alphabet": "v1," + "-_" * 21 + "A=",
        "no padding": good.rstrip("="),
        "cut short": "v1," + base64.b64encode(raw[:16]).decode(),
        "one byte more": "v1," + base64.b64encode(raw + b"\0").decode(),
        "hex": "v1," + raw.hex(),
        "all zero": "v1," + base64.b64encode(bytes(32)).decode(),
        "other case": "v1," + mac.swapcase(),
        "other version": f"v2,{mac}",
        "public key version": f"v1a,{mac}",
        "too many": " ".join([f"v1,{base64.b64encode(bytes(32)).decode()}"] * 500),
        "tabs": f"v2,x\t{good}",
    }[change]


LENIENT: Final = {"base64 with junk"}
"""What the reference verifier believes all the same."""

SIGNATURES: Final = [
    "no comma", "no version", "bare version", "empty mac", "three parts", "commas for spaces",
    "bad base64", "base64 with junk", "url-safe alphabet", "no padding", "cut short",
    "one byte more", "hex", "all zero", "other case", "other version", "public key version",
    "too many", "tabs",
]  # fmt: skip


@pytest.mark.parametrize("change", SIGNATURES)
async def test_a_wrong_signature_is_401_and_keeps_nothing(
    timerabbit: Sender, running: Runtime, link_id: LinkId, change: str
) -> None:
    """Whatever is wrong with it, the answer is the same, and the reference refuses it too."""
    body = timerabbit.event()
    headers = timerabbit.headers(body, id_="msg_1")
    headers["webhook-signature"] = _signature(headers["webhook-signature"], change)

    answer = await timerabbit.client.post(timerabbit.path, content=body, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "webhook-not-verified")
    assert await _kept(running, link_id) == (0, 0)
    assert _reference_believes(timerabbit, headers, body) is (change in LENIENT)


def _reference_believes(sender: Sender, headers: Mapping[str, str], body: bytes) -> bool:
    """Ask the reference verifier, at the test's time; a foreign exception counts as no."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Then":
            return cls.fromtimestamp(sender.clock().timestamp(), tz)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("standardwebhooks.webhooks.datetime", Then)
        try:
            Webhook(sender.secret).verify(body, dict(headers))
        except Exception:  # noqa: BLE001 - it raises whatever its decoders raise
            return False
    return True


@pytest.mark.parametrize(
    "headers",
    [
        [("webhook-id", "msg_1"), ("webhook-id", "msg_2")],
        [("webhook-id", "x" * 100), ("webhook-id", "msg_1")],
        [("webhook-id", "a\x00b"), ("webhook-id", "msg_1")],
        [("webhook-timestamp", "1"), ("webhook-timestamp", "good")],
        [("webhook-signature", "v1,AAAA"), ("webhook-signature", "good")],
    ],
    ids=["two ids", "a long id first", "a NUL id first", "two times", "two signature headers"],
)
async def test_a_header_given_twice_is_401(
    timerabbit: Sender, running: Runtime, link_id: LinkId, headers: Raw
) -> None:
    """Two readers could read it differently: one to verify, the other to keep."""
    body = timerabbit.event()
    good = timerabbit.headers(body, id_="msg_1")
    doubled = {name for name, _ in headers}
    raw = [(k, v) for k, v in good.items() if k not in doubled]
    raw += [(k, good[k] if v == "good" else v) for k, v in headers]

    answer = await timerabbit.client.post(
        timerabbit.path,
        content=body,
        headers=[(name.encode(), value.encode()) for name, value in raw],
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "webhook-not-verified")
    assert await _kept(running, link_id) == (0, 0)


@pytest.mark.parametrize("type_", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
async def test_what_does_not_say_it_is_json_is_415_once_it_is_verified(
    timerabbit: Sender, running: Runtime, link_id: LinkId, type_: str
) -> None:
    """A body is read as what it says it is; before it is verified nothing is told but 401."""
    answer = await timerabbit.send(None, **{"content-type": type_})
    forged = await timerabbit.send(None, **{"content-type": type_, "webhook-signature": "v1,AAAA"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")
    assert forged.status_code == 401
    assert await _kept(running, link_id) == (0, 0)


async def test_json_may_name_its_charset(timerabbit: Sender) -> None:
    """The type counts, not its parameters or case."""
    answer = await timerabbit.send(None, **{"content-type": "Application/JSON; charset=utf-8"})

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("headers", "size", "status"),
    [
        ({"content-encoding": "gzip"}, 0, 415),
        ({"content-encoding": "br"}, 0, 415),
        ({"transfer-encoding": "chunked"}, 0, 400),
        ({}, 1_100_000, 413),
    ],
    ids=["gzip", "br", "two framings", "over a megabyte"],
)
async def test_an_ambiguous_or_large_request_is_refused_at_the_edge(
    timerabbit: Sender,
    running: Runtime,
    link_id: LinkId,
    headers: dict[str, str],
    size: int,
    status: int,
) -> None:
    """Framing and size come before any signature work, also for a rightly signed message."""
    body = timerabbit.event() + b" " * size

    answer = await timerabbit.send(body, **headers)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await _kept(running, link_id) == (0, 0)


@pytest.mark.parametrize(
    "body",
    [
        '{"type": "customer.updated", "companyId": "c-1", "data": {"id": "æøå-日本-🐇"}}',
        '{"data": {"id": "17", "rate": 0.10, "big": 1E400}, "companyId": "c-1",\n'
        ' "type": "customer.updated"}\n',
        '{"type": "customer.updated", "companyId": "c-1", "data": {"id": 9223372036854775807}}',
        '{"type": "customer.exploded", "companyId": "c-1", "data": {"id": "17"}}',
    ],
    ids=["unicode id", "another spelling", "a large number as id", "unknown deed of a known kind"],
)
async def test_an_unusual_but_right_delivery_is_accepted_once(
    timerabbit: Sender, running: Runtime, link_id: LinkId, body: str
) -> None:
    """Strict is not narrow: what JSON allows and the sender signed is taken, once."""
    first = await timerabbit.send(body.encode())
    second = await timerabbit.send(body.encode())

    assert [first.json()["status"], second.json()["status"]] == ["accepted", "repeated"]
    assert await _kept(running, link_id) == (1, 1)


@pytest.mark.parametrize("type_", ["invoice.paid", "employee.updated", "customer", "x", "."])
async def test_an_unknown_kind_of_event_is_202_and_changes_nothing(
    timerabbit: Sender, running: Runtime, link_id: LinkId, type_: str
) -> None:
    """A system may tell of more than we asked for; it is kept by name and that is all."""
    answer = await timerabbit.send(timerabbit.event(type_=type_))

    assert answer.status_code == 202
    assert await _kept(running, link_id) == (1, int(type_ == "customer"))


async def test_many_wrong_and_right_at_once_do_not_spoil_each_other(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """Right ones are kept however many wrong ones share their moment."""
    sends = []
    for number in range(30):
        wrong = {"webhook-signature": "v1,AAAA"} if number % 3 == 0 else {}
        event = timerabbit.event(str(number + 1))
        body = b"[]" if number % 3 == 1 else event
        sends.append(timerabbit.send(body, id_=f"msg_{number}", **wrong))

    answers = await asyncio.gather(*sends)

    assert [answer.status_code for answer in answers] == [401, 422, 202] * 10
    assert await _kept(running, link_id) == (10, 10)


@pytest.mark.parametrize("record_id", ["abc", "0", "-1", "../../x", "99999999999999999999"])
async def test_an_id_that_conta_cannot_have_is_the_senders_fault(
    conta: Sender, running: Runtime, link_id: LinkId, record_id: str
) -> None:
    """Rightly signed, it is refused and not noted: no call could ever find such a record."""
    answer = await conta.send(conta.event(record_id))

    assert (answer.status_code, answer.json()["code"]) == (422, "webhook-body-invalid")
    assert await _kept(running, link_id) == (0, 0)
