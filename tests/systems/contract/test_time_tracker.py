"""What the time side must offer, proved on Timerabbit's client against its twin."""

import asyncio
import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.canonical import BillingState, EntryId, Project, RecordId, RecordKind
from app.sandbox.seeds import size
from app.sandbox.timerabbit import create_twin
from app.settings import Settings
from app.systems.ports import (
    AccessReason,
    EntriesTaken,
    EntryQuery,
    HandoverRequest,
    LinkFacts,
    NotFound,
    Rejected,
    ReleaseReason,
    Tokens,
    Unauthorised,
)
from app.systems.signatures import decode_secret, verify
from app.systems.timerabbit.client import TimerabbitSystem

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
COMPANY = "/companies/cmp_1"


@pytest.fixture
async def customer(timerabbit: Any) -> RecordId:
    made: RecordId = await timerabbit.add_customer("Betaler AS")
    return made


async def add_entry(timerabbit: Any, customer: RecordId, day: str, **more: Any) -> EntryId:
    body = {"customerId": customer, "date": day, **more}
    return EntryId((await timerabbit.control("POST", f"{COMPANY}/entries", body))["id"])


async def versions(timerabbit: Any, *ids: EntryId) -> dict[EntryId, int]:
    return {entry.id: entry.version for entry in await timerabbit.keeper.entries_by_id(ids)}


async def test_hours_are_read_by_customer_in_the_order_of_days(
    timerabbit: Any, customer: RecordId
) -> None:
    """Only the customer's, only those still free when so asked, with exact rates."""
    late = await add_entry(timerabbit, customer, "2026-11-20", hourlyRate="1250.50")
    early = await add_entry(timerabbit, customer, "2026-11-02", minutes=450)
    billed = await add_entry(timerabbit, customer, "2026-11-03", invoiceStatus="invoiced")

    every = await timerabbit.keeper.entries(EntryQuery(customer_id=customer))
    free = await timerabbit.keeper.entries(EntryQuery(customer_id=customer, only_free=True))

    assert [entry.id for entry in every] == [early, billed, late]
    assert [entry.id for entry in free] == [early, late]
    assert (free[0].minutes, free[1].hourly_rate) == (450, 125050)
    assert every[1].billing is BillingState.INVOICED


async def test_many_hours_come_over_several_pages(timerabbit: Any, customer: RecordId) -> None:
    """Each entry once, however many pages they fill."""
    ids = [await add_entry(timerabbit, customer, "2026-11-02") for _ in range(1001)]

    entries = await timerabbit.keeper.entries(EntryQuery(customer_id=customer))
    by_id = await timerabbit.keeper.entries_by_id(tuple(ids))

    assert [entry.id for entry in entries] == sorted(ids)
    assert len(by_id) == 1001


async def test_entries_are_read_by_id_with_tombstones_and_without_strangers(
    timerabbit: Any, customer: RecordId
) -> None:
    """A deleted entry is gone, an unknown one left out."""
    kept = await add_entry(timerabbit, customer, "2026-11-02")
    deleted = await add_entry(timerabbit, customer, "2026-11-02")
    await timerabbit.control("POST", f"{COMPANY}/entries/{deleted}/delete")

    entries = await timerabbit.keeper.entries_by_id((kept, deleted, EntryId("ent_none")))

    assert [(entry.id, entry.gone) for entry in entries] == [(kept, False), (deleted, True)]


async def test_hours_are_reserved_completed_and_set_free(
    timerabbit: Any, customer: RecordId
) -> None:
    """The whole way of hours through a draft; each step again changes nothing."""
    entry = await add_entry(timerabbit, customer, "2026-11-02")
    seen = await versions(timerabbit, entry)

    held = await timerabbit.keeper.reserve(customer, seen, key="draft-1-part-1", ttl_seconds=3600)
    again = await timerabbit.keeper.reserve(customer, seen, key="draft-1-part-1", ttl_seconds=3600)
    (reserved,) = await timerabbit.keeper.entries_by_id((entry,))
    for _ in range(2):
        await timerabbit.keeper.complete(held.id, draft_id="71", draft_url="https://conta.test/71")
    (completed,) = await timerabbit.keeper.entries_by_id((entry,))
    for _ in range(2):
        await timerabbit.keeper.release(held.id, reason=ReleaseReason.DRAFT_DELETED)
    (freed,) = await timerabbit.keeper.entries_by_id((entry,))

    assert (held.id, held.entry_ids) == (again.id, (entry,))
    assert held.expires_at is not None
    assert reserved.held_by == held.id
    assert (completed.billing, completed.draft_id) == (BillingState.INVOICED, "71")
    assert (freed.billing, freed.held_by, freed.draft_id) == (BillingState.TO_INVOICE, None, None)


async def test_hours_that_are_taken_are_named_and_none_is_held(
    timerabbit: Any, customer: RecordId
) -> None:
    """One bad entry refuses the lot, and each bad one is named with its reason."""
    free = await add_entry(timerabbit, customer, "2026-11-02")
    changed = await add_entry(timerabbit, customer, "2026-11-02")
    taken = await add_entry(timerabbit, customer, "2026-11-02")
    seen = await versions(timerabbit, free, changed, taken)
    other = await timerabbit.keeper.reserve(
        customer, {taken: seen[taken]}, key="another-draft", ttl_seconds=3600
    )
    await timerabbit.control("PATCH", f"{COMPANY}/entries/{changed}", {"minutes": 5})

    with pytest.raises(EntriesTaken) as caught:
        await timerabbit.keeper.reserve(customer, seen, key="draft-1-part-1", ttl_seconds=3600)

    conflicts = {conflict.id: conflict for conflict in caught.value.conflicts}
    assert {id_: conflict.reason for id_, conflict in conflicts.items()} == {
        changed: "version_mismatch",
        taken: "held_by_transfer",
    }
    assert conflicts[taken].held_by == other.id
    (untouched,) = await timerabbit.keeper.entries_by_id((free,))
    assert untouched.held_by is None


async def test_a_lapsed_reservation_can_still_be_completed_unless_its_hours_were_taken(
    timerabbit: Any, customer: RecordId
) -> None:
    """The draft exists, so its mark must not be lost; but nobody else's hours are marked."""
    first = await add_entry(timerabbit, customer, "2026-11-02")
    second = await add_entry(timerabbit, customer, "2026-11-02")
    seen = await versions(timerabbit, first, second)
    lapsed = [
        await timerabbit.keeper.reserve(
            customer, {id_: seen[id_]}, key=f"draft-{id_}-part-1", ttl_seconds=60
        )
        for id_ in (first, second)
    ]
    await timerabbit.control("POST", "/clock", {"advanceSeconds": 120})
    seen = await versions(timerabbit, second)
    await timerabbit.keeper.reserve(customer, seen, key="someone-else", ttl_seconds=3600)

    await timerabbit.keeper.complete(lapsed[0].id, draft_id="71", draft_url=None)
    with pytest.raises(EntriesTaken):
        await timerabbit.keeper.complete(lapsed[1].id, draft_id="72", draft_url=None)

    (billed,) = await timerabbit.keeper.entries_by_id((first,))
    assert billed.billing is BillingState.INVOICED


async def test_a_reservation_nobody_knows_is_not_found(timerabbit: Any) -> None:
    """Neither completed nor released."""
    with pytest.raises(NotFound):
        await timerabbit.keeper.complete("trf_none", draft_id="71", draft_url=None)
    with pytest.raises(NotFound):
        await timerabbit.keeper.release("trf_none", reason=ReleaseReason.USER_REQUEST)


async def test_telling_of_the_link_locks_the_customers_of_projects(
    timerabbit: Any, customer: RecordId
) -> None:
    """While the link is active a project cannot move; afterwards it can."""
    other = await timerabbit.add_customer("En Annen AS")
    project = await timerabbit.keeper.create(
        PROJECT, Project(RecordId(""), "Tak", customer), key="intent-0001"
    )
    facts = LinkFacts("active", "Fjord & Fjell", "974760673", project_sync=True)
    await timerabbit.keeper.tell_link(facts)

    with pytest.raises(Rejected) as caught:
        await timerabbit.keeper.update(
            PROJECT, await timerabbit.keeper.read(PROJECT, project.id), {"customer_id": other}
        )
    for _ in range(2):
        await timerabbit.keeper.forget_link()
    moved = await timerabbit.keeper.update(
        PROJECT, await timerabbit.keeper.read(PROJECT, project.id), {"customer_id": other}
    )

    assert [reason.code for reason in caught.value.reasons] == ["project_customer_locked"]
    assert moved.customer_id == other


async def test_a_stale_change_is_refused_and_a_fresh_look_succeeds(
    timerabbit: Any, customer: RecordId
) -> None:
    """A person changed the record between our look and our write."""
    seen = await timerabbit.keeper.read(CUSTOMER, customer)
    await timerabbit.edit_customer(customer, phone="55123456")

    with pytest.raises(Rejected) as caught:
        await timerabbit.keeper.update(CUSTOMER, seen, {"name": "Nytt Navn AS"})
    fresh = await timerabbit.keeper.read(CUSTOMER, customer)
    changed = await timerabbit.keeper.update(CUSTOMER, fresh, {"name": "Nytt Navn AS"})

    assert caught.value.stale
    assert (changed.name, changed.phone) == ("Nytt Navn AS", "55123456")


async def test_our_mark_is_kept_on_the_record(timerabbit: Any, customer: RecordId) -> None:
    """A lost mapping can be rebuilt from it."""
    seen = await timerabbit.keeper.read(CUSTOMER, customer)

    marked = await timerabbit.keeper.update(CUSTOMER, seen, {"mark": "10001"})

    assert marked.mark == "10001"
    assert (await timerabbit.customer(customer))["externalRefs"]["conta"] == "10001"


async def test_a_merged_customer_says_where_it_lives_on(
    timerabbit: Any, customer: RecordId
) -> None:
    """Its tombstone names the other."""
    other = await timerabbit.add_customer("Hovedkunden AS")
    await timerabbit.control("POST", f"{COMPANY}/customers/{customer}/merge", {"into": other})

    gone = (await timerabbit.keeper.read(CUSTOMER, customer)).record

    assert (gone.gone, gone.merged_into) == (True, other)


async def test_a_connection_that_works_is_usable(timerabbit: Any) -> None:
    """Who it is, with the organization number to compare."""
    report = await timerabbit.keeper.check()

    assert report.usable
    assert report.findings == ()
    assert (report.account.id, len(report.account.organization_number)) == ("cmp_1", 9)
    assert (await timerabbit.keeper.settings()).billable_hours


async def test_settings_and_subscription_show_in_the_test_of_the_connection(
    timerabbit: Any,
) -> None:
    """Hours that cannot be billed are a remark, an ended subscription blocks."""
    await timerabbit.control("POST", f"{COMPANY}/settings", {"billableHours": {"enabled": False}})
    remark = await timerabbit.keeper.check()
    await timerabbit.control("POST", f"{COMPANY}/subscription", {"status": "ended"})
    ended = await timerabbit.keeper.check()

    assert [f.code for f in remark.findings] == ["timerabbit-billable-hours-off"]
    assert remark.usable
    assert [f.code for f in ended.findings] == ["timerabbit-subscription-ended"]
    with pytest.raises(Unauthorised) as caught:
        await timerabbit.keeper.settings()
    assert caught.value.reason is AccessReason.SUBSCRIPTION_ENDED


async def test_an_access_token_that_ended_is_renewed_by_itself(
    timerabbit: Any, tokens: Any
) -> None:
    """Twice, since each renewal brings the next refresh token."""
    for renewals in (1, 2):
        await timerabbit.control("POST", "/clock", {"advanceSeconds": 3700})
        await timerabbit.keeper.settings()

        assert tokens.renewals == renewals


async def test_access_taken_back_asks_for_a_person(timerabbit: Any) -> None:
    """Renewing is refused, and so the link pauses."""
    await timerabbit.control("POST", f"{COMPANY}/revoke")

    with pytest.raises(Unauthorised) as caught:
        await timerabbit.keeper.settings()

    assert caught.value.reason is AccessReason.CREDENTIAL_REFUSED


VERIFIER = "v" * 43
RETURN_URL = "http://127.0.0.1:1/return"


def handover_request() -> HandoverRequest:
    digest = hashlib.sha256(VERIFIER.encode()).digest()
    return HandoverRequest(
        return_url=RETURN_URL,
        state="s" * 32,
        challenge=base64.urlsafe_b64encode(digest).decode().rstrip("="),
        organization_name="Fjord & Fjell Rådgivning AS",
        organization_number="974760673",
        locale="nb-NO",
    )


async def test_a_person_logs_in_and_the_code_becomes_access(timerabbit: Any, tokens: Any) -> None:
    """From the button in Conta to a working connection; the code is good once."""
    page = await timerabbit.system.begin_handover(handover_request(), key="handover-1")
    consent = await timerabbit.control("POST", "/consent", {"handoverUrl": page.url})
    back = {
        name: values[0] for name, values in parse_qs(urlsplit(consent["redirect"]).query).items()
    }

    got = await timerabbit.system.exchange_code(
        back["code"], verifier=VERIFIER, return_url=RETURN_URL
    )
    with pytest.raises(Rejected):
        await timerabbit.system.exchange_code(
            back["code"], verifier=VERIFIER, return_url=RETURN_URL
        )

    assert page.expires_at > datetime.now(UTC)
    assert (back["state"], back["iss"]) == ("s" * 32, timerabbit.system.issuer)
    assert isinstance(got, Tokens)
    tokens.kept = got
    assert (await timerabbit.system.open(tokens, pace_key="link-1").check()).usable


@pytest.mark.parametrize(
    ("verifier", "return_url"), [("w" * 43, RETURN_URL), (VERIFIER, RETURN_URL + "/")]
)
async def test_a_code_without_its_verifier_or_address_is_refused(
    timerabbit: Any, verifier: str, return_url: str
) -> None:
    """Whoever steals a code has nothing."""
    page = await timerabbit.system.begin_handover(handover_request(), key="handover-1")
    consent = await timerabbit.control("POST", "/consent", {"handoverUrl": page.url})
    code = parse_qs(urlsplit(consent["redirect"]).query)["code"][0]

    with pytest.raises(Rejected):
        await timerabbit.system.exchange_code(code, verifier=verifier, return_url=return_url)


async def test_webhooks_come_signed_and_name_what_changed(tokens: Any) -> None:
    """The secret of the subscription verifies them; nothing else does."""
    heard: list[httpx.Request] = []

    def hear(request: httpx.Request) -> httpx.Response:
        heard.append(request)
        return httpx.Response(202)

    world = size(12, seed=7, today=datetime.now(UTC).date())
    twin = create_twin(seed=world, webhook_transport=httpx.MockTransport(hear))
    control = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=twin), base_url="http://timerabbit.test/_control"
    )
    system = TimerabbitSystem.from_settings(
        Settings(timerabbit_url="http://timerabbit.test"), transport=httpx.ASGITransport(app=twin)
    )
    granted = (await control.post(f"{COMPANY}/access-token", json={})).json()
    tokens.kept = Tokens(granted["access_token"], granted["refresh_token"], datetime.now(UTC))
    client = system.open(tokens, pace_key="link-1")

    subscription = await client.subscribe("http://service.test/hooks")
    made = (await control.post(f"{COMPANY}/customers", json={"name": "Ny AS"})).json()
    for _ in range(100):
        if heard:
            break
        await asyncio.sleep(0.01)
    changed = await client.rotate_secret(subscription.id)
    await client.unsubscribe(subscription.id)
    await client.unsubscribe(subscription.id)
    await twin.state.hooks.close()
    await control.aclose()
    await system.close()

    assert changed.startswith("whsec_")
    assert changed != subscription.secret
    (request,) = heard
    now = int(datetime.now(UTC).timestamp())
    secret = decode_secret(subscription.secret)
    assert verify(request.headers, request.content, secrets=(secret,), now=now) == 0
    notice = system.read_webhook(request.content)
    assert (notice.account_id, [change.id for change in notice.changes]) == ("cmp_1", [made["id"]])
    assert json.loads(request.content)["type"] == "customer.created"
