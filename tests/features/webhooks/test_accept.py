"""Accepting webhooks: verified or refused alike, kept once, never a 500."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text, update
from uuid_utils.compat import uuid7

from app.canonical import LinkId, Side
from app.database import CommitPoint
from app.links.store import DirectoryEntry, WebhookSecret
from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.webhooks.conftest import Sender, make_secret


async def _rows(runtime: Runtime, link_id: LinkId, query: str) -> list[tuple[Any, ...]]:
    async with runtime.database.reading(link_id) as session:
        return [tuple(row) for row in await session.execute(text(query))]


async def _changes(runtime: Runtime, link_id: LinkId) -> list[tuple[Any, ...]]:
    return await _rows(
        runtime, link_id, "SELECT side, kind, record_id, counter, state FROM changes ORDER BY 3"
    )


async def _jobs(runtime: Runtime, link_id: LinkId) -> list[tuple[Any, ...]]:
    return await _rows(runtime, link_id, "SELECT task_name, lock FROM procrastinate_jobs")


async def _set_state(runtime: Runtime, link_id: LinkId, state: str) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        await session.execute(
            update(DirectoryEntry).where(DirectoryEntry.link_id == link_id).values(state=state)
        )


async def test_a_webhook_becomes_a_change_and_wakes_the_drain(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """One accepted hint: one delivery, one pending change, one waiting drain."""
    answer = await timerabbit.send()

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    assert await _changes(running, link_id) == [("time", "customer", "17", 1, "pending")]
    assert await _jobs(running, link_id) == [("drain_link", f"drain_link:{link_id}")]
    due = await _rows(running, link_id, "SELECT next_due IS NOT NULL FROM link_directory")
    assert due == [(True,)]


async def test_both_systems_are_heard_on_their_own_path(
    conta: Sender, running: Runtime, link_id: LinkId
) -> None:
    """A hint is noted for the side that sent it."""
    answer = await conta.send()

    assert answer.status_code == 202
    assert await _changes(running, link_id) == [("books", "customer", "17", 1, "pending")]


async def test_a_second_delivery_with_the_same_id_changes_nothing(
    timerabbit: Sender, running: Runtime, link_id: LinkId, clock: SetClock
) -> None:
    """A retry with a fresh time stamp is answered 202 and has no second effect."""
    await timerabbit.send()
    clock.advance(seconds=60)

    answer = await timerabbit.send()

    assert answer.json() == {"status": "repeated"}
    assert await _changes(running, link_id) == [("time", "customer", "17", 1, "pending")]


async def test_the_same_id_with_another_body_is_flagged_and_has_no_effect(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """An id is good for one effect, whatever is signed under it."""
    await timerabbit.send()

    answer = await timerabbit.send(timerabbit.event("18"))

    assert answer.json() == {"status": "repeated"}
    assert await _rows(running, link_id, "SELECT altered FROM deliveries") == [(True,)]
    assert await _changes(running, link_id) == [("time", "customer", "17", 1, "pending")]


async def test_twenty_copies_at_once_have_one_effect(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """Uniqueness is the database's, not a look before the write."""
    answers = await asyncio.gather(*(timerabbit.send() for _ in range(20)))

    assert {answer.status_code for answer in answers} == {202}
    assert sum(answer.json()["status"] == "accepted" for answer in answers) == 1
    assert await _changes(running, link_id) == [("time", "customer", "17", 1, "pending")]


async def test_a_thousand_hints_for_one_record_are_one_row(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """Pending changes are a set; the counter tells how often it was hinted."""
    for number in range(5):
        await timerabbit.send(id_=f"msg_{number}")

    assert await _changes(running, link_id) == [("time", "customer", "17", 5, "pending")]
    assert len(await _jobs(running, link_id)) == 1


async def test_whatever_cannot_be_verified_looks_the_same(
    timerabbit: Sender, http: httpx.AsyncClient, link_id: LinkId
) -> None:
    """Unknown link, wrong system, missing header and bad signature differ in nothing."""
    body = timerabbit.event()
    good = timerabbit.headers(body, id_="msg_1")
    tries = [
        (f"/v1/webhooks/timerabbit/{uuid7()}", good),
        ("/v1/webhooks/timerabbit/no-uuid", good),
        (f"/v1/webhooks/tripletex/{link_id}", good),
        (f"/v1/webhooks/conta/{link_id}", good),
        *(
            (timerabbit.path, {k: v for k, v in good.items() if k != missing})
            for missing in ("webhook-id", "webhook-timestamp", "webhook-signature")
        ),
        (timerabbit.path, good | {"webhook-id": "msg_2"}),
        (timerabbit.path, good | {"webhook-timestamp": "+1"}),
        (timerabbit.path, good | {"webhook-signature": "v1,AAAA v1 v1,,, \t"}),
        (timerabbit.path, timerabbit.headers(body, id_="msg_1", at=-330)),
        (timerabbit.path, timerabbit.headers(body, id_="msg_1", at=330)),
    ]

    answers = [await http.post(path, content=body, headers=headers) for path, headers in tries]

    documents = [answer.json() for answer in answers]
    for document, (path, _) in zip(documents, tries, strict=True):
        assert document.pop("instance") == path
        document.pop("requestId")
    assert {answer.status_code for answer in answers} == {401}
    assert all(document == documents[0] for document in documents)


async def test_a_changed_body_is_refused_and_nothing_is_kept(
    timerabbit: Sender, http: httpx.AsyncClient, running: Runtime, link_id: LinkId
) -> None:
    """One more space is another message."""
    body = timerabbit.event()
    headers = timerabbit.headers(body, id_="msg_1")

    answer = await http.post(timerabbit.path, content=body + b" ", headers=headers)

    assert answer.status_code == 401
    assert await _rows(running, link_id, "SELECT count(*) FROM deliveries") == [(0,)]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"null", b"17", b"{", b'{"type": NaN}', b'{"type": Infinity}',
        b'{"type": "customer.updated", "type": "ping", "companyId": "c-1"}',
        b"[" * 100_000,
        b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": "\\u0000"}}',
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": "\\ud800"}}',
        b'{"type": "a\\u0000", "companyId": "c-1"}',
        b'{"type": "ping", "companyId": "\\ud800"}',
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": ' + b"9" * 5000 + b"}}",
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": -1}}',
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": "' + b"x" * 65 + b'"}}',
        b'{"type": "customer.updated", "companyId": "c-1"}',
        b"\xff\xfe{}", '{"type": "ping"}'.encode("utf-16"),
    ],
)  # fmt: skip
async def test_a_malformed_body_is_a_problem_and_never_a_500(
    timerabbit: Sender, running: Runtime, link_id: LinkId, body: bytes
) -> None:
    """Rightly signed nonsense is refused by a document and leaves nothing behind."""
    answer = await timerabbit.send(body)

    assert (answer.status_code, answer.json()["code"]) == (422, "webhook-body-invalid")
    assert await _rows(running, link_id, "SELECT count(*) FROM deliveries") == [(0,)]


async def test_a_nul_in_a_member_we_do_not_read_is_kept_as_bytes(timerabbit: Sender) -> None:
    """JSON may escape a NUL where jsonb may not; the raw bytes are kept."""
    body = (
        b'{"type": "customer.updated", "companyId": "c-1", "data": {"id": "1", "name": "\\u0000"}}'
    )

    assert (await timerabbit.send(body)).status_code == 202


async def test_a_body_over_the_limit_is_413_before_any_signature_work(timerabbit: Sender) -> None:
    """The size limit comes first."""
    assert (await timerabbit.send(b" " * 262_145)).status_code == 413


async def test_either_of_two_active_secrets_signs(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """While a secret is rotated both are good; a new one is known at once."""
    await timerabbit.send()
    timerabbit.secret = await make_secret(running, link_id, Side.TIME)
    await asyncio.sleep(1.01)  # the warm secrets may be a second old

    answer = await timerabbit.send(id_="msg_2")

    assert answer.json() == {"status": "accepted"}


async def test_a_revoked_secret_is_refused_at_once_by_a_warm_process(
    timerabbit: Sender, running: Runtime, link_id: LinkId, clock: SetClock
) -> None:
    """A cached secret accepts nothing by itself."""
    await timerabbit.send()
    async with running.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await session.execute(
            update(WebhookSecret)
            .where(WebhookSecret.link_id == link_id)
            .values(expires_at=clock() - timedelta(seconds=1))
        )

    answer = await timerabbit.send(id_="msg_2")

    assert answer.status_code == 401


@pytest.mark.parametrize("state", ["connecting", "reviewing", "paused"])
async def test_a_hint_before_or_between_work_is_kept(
    timerabbit: Sender, running: Runtime, link_id: LinkId, state: str
) -> None:
    """While a link does not sync, hints wait in its rows and no drain is asked for."""
    await _set_state(running, link_id, state)

    answer = await timerabbit.send()

    assert answer.status_code == 202
    assert await _changes(running, link_id) == [("time", "customer", "17", 1, "pending")]
    assert await _jobs(running, link_id) == []


async def test_a_closed_link_is_gone_for_its_own_sender_only(
    timerabbit: Sender, running: Runtime, link_id: LinkId
) -> None:
    """410 needs a valid signature; anyone else sees 401."""
    await _set_state(running, link_id, "closed")

    own = await timerabbit.send()
    timerabbit.secret = bytes(24)
    foreign = await timerabbit.send()

    assert (own.status_code, foreign.status_code) == (410, 401)


async def test_an_event_about_another_account_is_refused(timerabbit: Sender) -> None:
    """A signed hint counts only for the account of its link."""
    timerabbit.account = {"companyId": "c-2"}

    answer = await timerabbit.send()

    assert (answer.status_code, answer.json()["code"]) == (422, "webhook-wrong-account")


@pytest.mark.parametrize("type_", ["settings.updated", "link.revoked", "ping", "coffee.brewed"])
async def test_an_event_without_changes_is_accepted_and_counted(
    timerabbit: Sender, running: Runtime, link_id: LinkId, type_: str
) -> None:
    """Unknown and quiet events are kept; those about access make the sweep due."""
    answer = await timerabbit.send(timerabbit.event(type_=type_))

    assert answer.status_code == 202
    assert await _changes(running, link_id) == []
    sweep = await _rows(running, link_id, "SELECT next_sweep IS NOT NULL FROM link_directory")
    assert sweep == [(type_ in {"settings.updated", "link.revoked"},)]


async def test_last_use_is_written_once_a_minute(
    timerabbit: Sender, running: Runtime, link_id: LinkId, clock: SetClock
) -> None:
    """Each secret shows when it was last used, at the cost of one write a minute."""
    seen = []
    for number, seconds in enumerate((0, 30, 31)):
        clock.advance(seconds=seconds)
        await timerabbit.send(id_=f"msg_{number}")
        rows = await _rows(running, link_id, "SELECT last_used_at FROM webhook_secrets")
        seen.append(rows[0][0])

    assert seen[0] == seen[1] < seen[2]


async def test_without_the_database_nothing_is_acknowledged(
    timerabbit: Sender, running: Runtime
) -> None:
    """503 with Retry-After tells the sender to come again."""
    await timerabbit.send()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.settings, "database_url", "postgresql://nobody@127.0.0.1:1/none")
        app = timerabbit.client._transport.app  # type: ignore[attr-defined]
        await app.state.webhook_desk.intake.close()
        answer = await timerabbit.send(id_="msg_2")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
