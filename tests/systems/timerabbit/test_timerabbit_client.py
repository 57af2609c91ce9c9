"""Timerabbit's client on recorded samples: tokens, lists, hours and the unhappy answers."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import structlog

from app.canonical import BillingState, Customer, EntryId, Project, RecordId, RecordKind
from app.settings import Settings
from app.systems.ports import (
    AccessReason,
    EntriesTaken,
    EntryQuery,
    Finding,
    HandoverRequest,
    LinkFacts,
    NotFound,
    OwnAccessRefused,
    RateLimited,
    Reason,
    Rejected,
    ReleaseReason,
    Sighting,
    Subscription,
    TimeSettings,
    Tokens,
    Unauthorised,
    Unreachable,
)
from app.systems.timerabbit.access import report
from app.systems.timerabbit.client import TimerabbitClient, TimerabbitSystem
from app.telemetry import ALLOWED_FIELDS

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
API = "/integration/v1"
SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HTML = httpx.Response(200, content=b"<html>Bad gateway</html>")
CUS_1 = RecordId("cus_1")


def sample(name: str, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, content=(SAMPLES / f"{name}.json").read_bytes())


@pytest.fixture
async def system(network: Any) -> AsyncIterator[TimerabbitSystem]:
    opened = TimerabbitSystem.from_settings(
        Settings.model_validate(
            {
                "timerabbit_url": "http://timerabbit.example/",
                "timerabbit_client_id": "our client",
                "timerabbit_client_secret": "s:cret",
                "outgoing_timeout_seconds": 2.0,
            }
        ),
        transport=network.transport(),
        clock=lambda: NOW,
    )
    yield opened
    await opened.close()


@pytest.fixture
def client(system: TimerabbitSystem, tokens: Any) -> TimerabbitClient:
    return system.open(tokens, pace_key="link-1")


def bearers(network: Any) -> list[str]:
    return [request.headers["authorization"] for request in network.requests]


async def test_calls_carry_the_access_token(client: TimerabbitClient, network: Any) -> None:
    """And the version of what was read is kept for the change that may follow."""
    network.on("GET", f"{API}/customers/cus_1", sample("customer", ETag='"3"'))

    seen = await client.read(CUSTOMER, CUS_1)

    assert bearers(network) == ["Bearer access-1"]
    assert (seen.version, seen.record and seen.record.id) == ('"3"', "cus_1")


async def test_a_refused_token_is_renewed_once_and_the_call_made_again(
    client: TimerabbitClient, network: Any, tokens: Any
) -> None:
    """The new token is used from then on; a refusal comes before any effect."""
    network.on("POST", "/oauth/token", sample("tokens"))
    network.on(
        "POST", f"{API}/customers", sample("error-unauthorized", 401), sample("customer", 201)
    )

    for _ in range(2):
        await client.create(CUSTOMER, Customer(RecordId(""), "Kari"), key="intent-1")

    assert [b for b in bearers(network) if b.startswith("Bearer")] == [
        "Bearer access-1",
        "Bearer access-2",
        "Bearer access-2",
    ]
    asked = parse_qs(network.requests[1].content.decode())
    assert asked == {"grant_type": ["refresh_token"], "refresh_token": ["refresh-1"]}
    secret = base64.b64decode(network.requests[1].headers["authorization"].removeprefix("Basic "))
    assert secret == b"our%20client:s%3Acret"
    assert tokens.kept == Tokens("access-2", "refresh-2", NOW + timedelta(hours=1))


async def test_renewed_tokens_that_are_refused_too_end_the_access(
    client: TimerabbitClient, network: Any
) -> None:
    """No loop: two refusals and a person must log in again."""
    network.on("POST", "/oauth/token", sample("tokens"))
    network.on("GET", f"{API}/customers/cus_1", sample("error-unauthorized", 401))

    with pytest.raises(Unauthorised) as caught:
        await client.read(CUSTOMER, CUS_1)

    assert caught.value.reason is AccessReason.CREDENTIAL_REFUSED
    assert len(network.requests) == 3


async def test_a_refresh_token_that_is_spent_ends_the_access(
    client: TimerabbitClient, network: Any
) -> None:
    """Timerabbit's refusal to renew pauses the link."""
    network.on("POST", "/oauth/token", sample("error-grant", 400))
    network.on("GET", f"{API}/customers/cus_1", sample("error-unauthorized", 401))

    with pytest.raises(Unauthorised):
        await client.read(CUSTOMER, CUS_1)


async def test_a_wrong_client_secret_pauses_no_link(client: TimerabbitClient, network: Any) -> None:
    """It is ours to repair, so the work waits."""
    network.on("POST", "/oauth/token", httpx.Response(401))
    network.on("GET", f"{API}/customers/cus_1", sample("error-unauthorized", 401))

    with pytest.raises(Unreachable):
        await client.read(CUSTOMER, CUS_1)


async def test_a_refresh_without_a_new_refresh_token_keeps_the_old_one(
    client: TimerabbitClient, network: Any, tokens: Any
) -> None:
    """Rotation is the other side's choice."""
    network.on("POST", "/oauth/token", sample("tokens-without-refresh"))
    network.on(
        "GET",
        f"{API}/customers/cus_1",
        sample("error-unauthorized", 401),
        sample("customer"),
    )

    await client.read(CUSTOMER, CUS_1)

    assert tokens.kept.refresh == "refresh-1"


async def test_twenty_calls_that_meet_an_old_token_renew_it_once(
    system: TimerabbitSystem, network: Any, tokens: Any
) -> None:
    """A refresh token is good once; everyone else takes what the first one got."""
    network.on("POST", "/oauth/token", sample("tokens"))

    async def by_token(request: httpx.Request) -> httpx.Response:
        network.requests.append(request)
        await asyncio.sleep(0)
        if request.url.path == "/oauth/token":
            return sample("tokens")
        if request.headers["authorization"] == "Bearer access-2":
            return sample("customer")
        return sample("error-unauthorized", 401)

    network.handle = by_token
    renewing = TimerabbitSystem.from_settings(
        Settings(timerabbit_url="http://timerabbit.example"),
        transport=httpx.MockTransport(by_token),
        clock=lambda: NOW,
    )
    clients = [renewing.open(tokens, pace_key=f"link-{n}") for n in range(20)]

    await asyncio.gather(*(client.read(CUSTOMER, CUS_1) for client in clients))
    await renewing.close()

    assert tokens.renewals == 1


async def test_a_subscription_that_ended_pauses_the_link(
    client: TimerabbitClient, network: Any
) -> None:
    """402 is told apart from a refused token, and no token is renewed for it."""
    network.on("GET", f"{API}/customers/cus_1", sample("error-subscription-ended", 402))

    with pytest.raises(Unauthorised) as caught:
        await client.read(CUSTOMER, CUS_1)

    assert caught.value.reason is AccessReason.SUBSCRIPTION_ENDED
    assert len(network.requests) == 1


async def rows_of(client: TimerabbitClient, kind: RecordKind, **since: Any) -> list[Any]:
    return [row async for page in client.pages(kind, **since) for row in page.rows]


async def test_a_list_is_walked_by_cursor_with_its_tombstones(
    client: TimerabbitClient, network: Any
) -> None:
    """An unknown kind makes one row thin and hides no other."""
    network.on("GET", f"{API}/customers", sample("customers-page-1"), sample("customers-page-2"))

    rows = await rows_of(client, CUSTOMER, changed_since=datetime(2026, 11, 23, tzinfo=UTC))

    assert [(row.id, row.complete, row.record.gone) for row in rows] == [
        ("cus_1", True, False),
        ("cus_2", False, False),
        ("cus_3", True, True),
    ]
    assert rows[0].record.mark == "17"
    assert rows[2].record.merged_into == "cus_1"
    first, second = network.queries()
    assert first == {
        "includeDeleted": "true",
        "updatedSince": "2026-11-23T00:00:00Z",
        "limit": "500",
    }
    assert second == first | {"cursor": "c2"}


async def test_an_expired_cursor_starts_the_list_anew_once(
    client: TimerabbitClient, network: Any
) -> None:
    """Rows come twice, none is missed."""
    network.on(
        "GET",
        f"{API}/customers",
        sample("customers-page-1"),
        sample("error-cursor", 410),
        sample("customers-page-1"),
        sample("customers-page-2"),
    )

    rows = await rows_of(client, CUSTOMER)

    assert [row.id for row in rows] == ["cus_1", "cus_2", "cus_1", "cus_2", "cus_3"]


async def test_a_cursor_that_always_expires_ends_the_walk(
    client: TimerabbitClient, network: Any
) -> None:
    """No endless loop."""
    network.on("GET", f"{API}/customers", sample("error-cursor", 410))

    with pytest.raises(Rejected):
        await rows_of(client, CUSTOMER)

    assert len(network.requests) == 2


async def test_a_list_that_leads_back_to_itself_ends(
    client: TimerabbitClient, network: Any
) -> None:
    """No endless loop, and no list that only looks complete."""
    network.on("GET", f"{API}/customers", sample("customers-page-1"))

    with pytest.raises(Unreachable):
        await rows_of(client, CUSTOMER)


@pytest.mark.parametrize("content", [b"<html>", b'{"items":[', b"[]", b'{"hits":[]}'])
async def test_what_is_no_list_is_never_an_empty_list(
    client: TimerabbitClient, network: Any, content: bytes
) -> None:
    """Nonsense must not make all records look gone."""
    network.on("GET", f"{API}/projects", httpx.Response(200, content=content))

    with pytest.raises(Unreachable):
        await rows_of(client, PROJECT)


async def test_a_missing_record_is_none(client: TimerabbitClient, network: Any) -> None:
    """Timerabbit says so with a problem document."""
    network.on("GET", f"{API}/customers/cus_9", sample("error-not-found", 404))

    assert await client.read(CUSTOMER, RecordId("cus_9")) == Sighting(None)


async def test_a_create_carries_our_key_and_mark(client: TimerabbitClient, network: Any) -> None:
    """The same key makes no second record."""
    network.on("POST", f"{API}/projects", sample("project", 201))

    made = await client.create(
        PROJECT, Project(RecordId(""), "Nytt tak", CUS_1, mark="5"), key="intent-0001"
    )

    assert made.mark == "5"
    assert network.requests[0].headers["idempotency-key"] == "intent-0001"
    assert network.body() == {
        "name": "Nytt tak",
        "customerId": "cus_1",
        "active": True,
        "externalRefs": {"conta": "5"},
    }


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        (HTML, True),
        (httpx.Response(201, content=b"{}"), True),
        (httpx.Response(502), True),
        (httpx.ReadTimeout("x"), True),
        (httpx.ConnectError("x"), False),
    ],
)
async def test_a_create_tells_an_unknown_outcome_from_none(
    client: TimerabbitClient, network: Any, answer: httpx.Response | Exception, effect: bool
) -> None:
    """It is settled by the same key, not by this call."""
    network.on("POST", f"{API}/customers", answer)

    with pytest.raises(Unreachable) as caught:
        await client.create(CUSTOMER, Customer(RecordId(""), "Kari"), key="intent-0001")

    assert caught.value.effect_possible is effect
    assert len(network.requests) == 1


async def test_a_duplicate_is_named(client: TimerabbitClient, network: Any) -> None:
    """The record in the way can be offered to a person."""
    network.on("POST", f"{API}/customers", sample("error-duplicate", 409))

    with pytest.raises(Rejected) as caught:
        await client.create(CUSTOMER, Customer(RecordId(""), "Kari"), key="intent-0001")

    assert caught.value.existing_id == "cus_2"


async def test_a_change_is_bound_to_the_version_that_was_seen(
    client: TimerabbitClient, network: Any
) -> None:
    """Only the named fields go out, as a merge patch."""
    network.on("GET", f"{API}/customers/cus_1", sample("customer"))
    network.on("PATCH", f"{API}/customers/cus_1", sample("customer"))

    seen = await client.read(CUSTOMER, CUS_1)
    await client.update(CUSTOMER, seen, {"phone": None, "mark": "17"})

    request = network.requests[-1]
    assert request.headers["if-match"] == '"3"'
    assert request.headers["content-type"] == "application/merge-patch+json"
    assert network.body() == {"phone": None, "externalRefs": {"conta": "17"}}


async def test_a_change_to_something_newer_is_stale(client: TimerabbitClient, network: Any) -> None:
    """It is read again and decided anew."""
    network.on("PATCH", f"{API}/customers/cus_1", sample("error-stale", 412))
    record = Customer(CUS_1, "Kari")

    with pytest.raises(Rejected) as refused:
        await client.update(CUSTOMER, Sighting(record, version='"2"'), {"name": "Kåri"})
    with pytest.raises(Rejected) as unseen:
        await client.update(CUSTOMER, Sighting(record), {"name": "Kåri"})

    assert refused.value.stale
    assert unseen.value.stale
    assert len(network.requests) == 1


async def test_a_change_of_nothing_calls_nobody(client: TimerabbitClient, network: Any) -> None:
    """And one of a missing record is not found."""
    record = Customer(CUS_1, "Kari")

    assert await client.update(CUSTOMER, Sighting(record), {}) == record
    with pytest.raises(NotFound):
        await client.update(CUSTOMER, Sighting(None), {"name": "x"})

    assert network.requests == []


async def test_an_unknown_kind_goes_to_a_person(client: TimerabbitClient, network: Any) -> None:
    """Reading it again will not help."""
    network.on(
        "GET",
        f"{API}/customers/cus_2",
        httpx.Response(200, json={"id": "cus_2", "name": "Fjord", "kind": "foundation"}),
    )

    with pytest.raises(Rejected) as caught:
        await client.read(CUSTOMER, RecordId("cus_2"))

    assert caught.value.reasons == (Reason("unknown-value", about="kind"),)


async def test_hours_are_read_once_each_in_the_order_of_days(
    client: TimerabbitClient, network: Any
) -> None:
    """An entry that moved between pages is taken at its newer version."""
    network.on("GET", f"{API}/time-entries", sample("entries-page-1"), sample("entries-page-2"))

    entries = await client.entries(EntryQuery(customer_id=CUS_1, only_free=True))

    assert [(entry.id, entry.minutes) for entry in entries] == [
        ("ent_2", 300),
        ("ent_3", 450),
        ("ent_1", 450),
    ]
    assert entries[1].billing is BillingState.NOT_BILLABLE
    assert network.queries()[0] == {
        "customerId": "cus_1",
        "uninvoiced": "true",
        "sort": "date",
        "limit": "500",
    }


async def test_an_older_version_never_takes_the_place_of_a_newer(
    client: TimerabbitClient, network: Any
) -> None:
    """Whatever the order of the pages."""
    network.on(
        "GET",
        f"{API}/time-entries",
        httpx.Response(200, content=sample("entries-page-2").content.replace(b"null", b'"c2"')),
        httpx.Response(200, content=sample("entries-page-1").content.replace(b'"c2"', b"null")),
    )

    entries = await client.entries(EntryQuery())

    assert next(entry.minutes for entry in entries if entry.id == "ent_2") == 300


async def test_entries_are_read_by_id_in_portions(client: TimerabbitClient, network: Any) -> None:
    """At most 500 a call, each id once; the read is tried again like any other."""
    network.on("POST", f"{API}/time-entries/batch-get", httpx.Response(503), sample("batch"))
    ids = tuple(EntryId(f"ent_{n}") for n in range(501))

    entries = await client.entries_by_id(ids + ids)

    assert [len(network.body(n)["ids"]) for n in range(3)] == [500, 500, 1]
    assert [(entry.id, entry.gone) for entry in entries[:2]] == [("ent_1", False), ("ent_2", True)]
    assert await client.entries_by_id(()) == ()


async def test_entries_are_reserved_all_or_none(client: TimerabbitClient, network: Any) -> None:
    """A conflict names the entries; nothing was changed."""
    network.on(
        "POST",
        f"{API}/invoice-transfers",
        sample("transfer", 201),
        sample("error-entries", 409),
    )
    versions = {EntryId("ent_1"): 1}

    held = await client.reserve(CUS_1, versions, key="draft-1-part-1", ttl_seconds=3600)
    with pytest.raises(EntriesTaken) as caught:
        await client.reserve(CUS_1, versions, key="draft-2-part-1", ttl_seconds=3600)

    assert (held.id, held.entry_ids) == ("trf_1", ("ent_1",))
    assert caught.value.conflicts[0].held_by == "trf_9"
    assert network.requests[0].headers["idempotency-key"] == "draft-1-part-1"
    assert network.body(0) == {
        "customerId": "cus_1",
        "target": "conta",
        "ttlSeconds": 3600,
        "entries": [{"id": "ent_1", "version": 1}],
    }


async def test_a_reservation_is_completed_and_released(
    client: TimerabbitClient, network: Any
) -> None:
    """With the draft's id, and for a reason."""
    network.on("POST", f"{API}/invoice-transfers/trf_1/complete", sample("transfer"))
    network.on("POST", f"{API}/invoice-transfers/trf_1/release", sample("transfer"))

    await client.complete("trf_1", draft_id="71", draft_url="https://app.conta.no/x")
    await client.complete("trf_1", draft_id="71", draft_url=None)
    await client.release("trf_1", reason=ReleaseReason.DRAFT_DELETED)
    await client.release("trf_1", reason=ReleaseReason.USER_REQUEST, entry_ids=(EntryId("ent_1"),))

    assert [network.body(n) for n in range(4)] == [
        {"draftId": "71", "draftUrl": "https://app.conta.no/x"},
        {"draftId": "71"},
        {"reason": "draft_deleted"},
        {"reason": "user_request", "entryIds": ["ent_1"]},
    ]


async def test_a_short_wish_to_wait_is_honoured_and_a_long_one_handed_on(
    client: TimerabbitClient, network: Any
) -> None:
    """Nothing was done."""
    network.on(
        "POST",
        f"{API}/invoice-transfers/trf_1/complete",
        httpx.Response(429, headers={"Retry-After": "60"}),
    )

    with pytest.raises(RateLimited) as caught:
        await client.complete("trf_1", draft_id="71", draft_url=None)

    assert caught.value.retry_after == 60


async def test_timerabbit_is_told_of_the_link(client: TimerabbitClient, network: Any) -> None:
    """A link it does not know is forgotten just as well."""
    network.on("PUT", f"{API}/links/conta", httpx.Response(200, json={}))
    network.on("DELETE", f"{API}/links/conta", httpx.Response(204), sample("error-not-found", 404))

    await client.tell_link(
        LinkFacts("error", "Tak og Fasade AS", None, project_sync=False, message="x" * 600)
    )
    await client.forget_link()
    await client.forget_link()

    assert network.body(0) == {
        "status": "error",
        "contaOrganizationName": "Tak og Fasade AS",
        "contaOrganizationNumber": None,
        "projectSync": False,
        "invoicePageUrl": None,
        "message": "x" * 500,
    }


async def test_a_subscription_is_made_with_its_own_secret(
    client: TimerabbitClient, network: Any
) -> None:
    """Each call has its own key; ending one that is gone is fine."""
    network.on("POST", f"{API}/webhook-subscriptions", sample("subscription", 201))
    network.on(
        "DELETE",
        f"{API}/webhook-subscriptions/whs_1",
        httpx.Response(204),
        sample("error-not-found", 404),
    )

    made = await client.subscribe("https://service.example/hooks")
    await client.subscribe("https://service.example/hooks")
    await client.unsubscribe("whs_1")
    await client.unsubscribe("whs_1")

    assert isinstance(made, Subscription)
    assert made.secret.startswith("whsec_")
    keys = {request.headers["idempotency-key"] for request in network.requests[:2]}
    assert len(keys) == 2


async def test_settings_are_read(client: TimerabbitClient, network: Any) -> None:
    """Whether hours can be billed, and at what rate."""
    network.on("GET", f"{API}/settings", sample("settings"))

    assert await client.settings() == TimeSettings(
        billable_hours=True,
        approval_required=False,
        default_hourly_rate=95000,  # type: ignore[arg-type]
    )


def well(network: Any, *, company: str = "company", settings: str = "settings") -> None:
    network.on("GET", f"{API}/ping", sample("ping"))
    network.on("GET", f"{API}/company", sample(company))
    network.on("GET", f"{API}/settings", sample(settings))


@pytest.mark.parametrize(
    ("company", "settings", "findings"),
    [
        ("company", "settings", ()),
        ("company", "settings-off", (Finding("timerabbit-billable-hours-off", blocking=False),)),
        (
            "company",
            "settings-without-rate",
            (Finding("timerabbit-default-rate-missing", blocking=False),),
        ),
        ("company-ended", "settings", (Finding("timerabbit-subscription-ended", blocking=True),)),
    ],
)
async def test_a_test_of_the_connection_says_what_it_found(
    client: TimerabbitClient,
    network: Any,
    company: str,
    settings: str,
    findings: tuple[Finding, ...],
) -> None:
    """Only what blocks makes the account unusable."""
    well(network, company=company, settings=settings)

    report = await client.check()

    assert report.findings == findings
    assert report.usable is not any(finding.blocking for finding in findings)
    assert report.account is not None
    assert report.account.organization_number == "987654325"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (sample("error-subscription-ended", 402), "timerabbit-subscription-ended"),
        (httpx.Response(403, json={"code": "forbidden"}), "timerabbit-access-refused"),
        (HTML, "timerabbit-unreachable"),
        (httpx.ConnectError("down"), "timerabbit-unreachable"),
    ],
)
async def test_what_keeps_us_out_is_said_once(
    client: TimerabbitClient, network: Any, answer: httpx.Response | Exception, code: str
) -> None:
    """Three failures of one kind are one finding."""
    well(network)
    network.on_all(answer)

    report = await client.check()

    assert [finding.code for finding in report.findings] == [code]
    assert not report.usable


async def test_the_company_is_known_even_if_only_the_test_answers(
    client: TimerabbitClient, network: Any
) -> None:
    """«Test API» alone says whose credential it is."""
    well(network)
    network.on("GET", f"{API}/company", httpx.Response(503))

    report = await client.check()

    assert report.account is not None
    assert (report.account.id, report.usable) == ("com_1", False)


REQUEST = HandoverRequest(
    return_url="https://app.conta.no/return",
    state="s" * 32,
    challenge="c" * 43,
    organization_name="Tak og Fasade AS",
    organization_number="987654325",
    locale="nb-NO",
)


async def test_a_handover_is_begun_with_our_own_access(
    system: TimerabbitSystem, network: Any
) -> None:
    """Our own token is asked for once and kept until it is about to end."""
    network.on("POST", "/oauth/token", sample("tokens"))
    network.on("POST", f"{API}/handovers", sample("handover", 201))

    page = await system.begin_handover(REQUEST, key="handover-1")
    await system.begin_handover(REQUEST, key="handover-2")

    assert page.url == "https://app.timerabbit.example/handover/hnd_1"
    assert page.expires_at == NOW + timedelta(minutes=10)
    assert [request.url.path for request in network.requests].count("/oauth/token") == 1
    assert parse_qs(network.requests[0].content.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["handover.write"],
    }
    assert network.body() == {
        "returnUrl": "https://app.conta.no/return",
        "state": "s" * 32,
        "codeChallenge": "c" * 43,
        "codeChallengeMethod": "S256",
        "locale": "nb-NO",
        "company": {"name": "Tak og Fasade AS", "organizationNumber": "987654325"},
    }


async def test_our_own_access_is_renewed_when_it_is_refused(
    system: TimerabbitSystem, network: Any
) -> None:
    """Once."""
    network.on("POST", "/oauth/token", sample("tokens"))
    network.on(
        "POST",
        f"{API}/handovers",
        sample("error-unauthorized", 401),
        sample("handover", 201),
    )

    await system.begin_handover(REQUEST, key="handover-1")

    assert [request.url.path for request in network.requests].count("/oauth/token") == 2


@pytest.mark.parametrize(
    ("status", "code"), [(401, "invalid_client"), (400, "invalid_client"), (403, "access_denied")]
)
async def test_a_refusal_of_our_client_is_ours_to_mend_and_told(
    system: TimerabbitSystem, network: Any, status: int, code: str
) -> None:
    """Whoever asks for whatever: the fault is no link's and no person's, and the log has a line."""
    network.on("POST", "/oauth/token", httpx.Response(status, json={"error": code}))

    with structlog.testing.capture_logs() as lines:
        with pytest.raises(OwnAccessRefused):
            await system.require_own_access()
        with pytest.raises(OwnAccessRefused):
            await system.begin_handover(REQUEST, key="handover-1")
        with pytest.raises(OwnAccessRefused):
            await system.exchange_code("code-1", verifier="v" * 43, return_url="https://x/")

    told = [line for line in lines if line["log_level"] == "error"]
    assert [line["event"] for line in told] == ["own access refused"] * 3
    assert {line["route"] for line in told} == {"/oauth/token"}
    assert all(set(line) - {"log_level"} <= ALLOWED_FIELDS for line in told)


async def test_a_client_that_may_not_hand_over_is_ours_to_mend(
    system: TimerabbitSystem, network: Any
) -> None:
    """A new token of our own that is refused too, and one that lacks the right."""
    network.on("POST", "/oauth/token", sample("tokens"))
    network.on("POST", f"{API}/handovers", sample("error-unauthorized", 401))

    with pytest.raises(OwnAccessRefused):
        await system.begin_handover(REQUEST, key="handover-1")


async def test_a_code_becomes_tokens_once(system: TimerabbitSystem, network: Any) -> None:
    """A code that is wrong, old or used is refused."""
    network.on("POST", "/oauth/token", sample("tokens"), sample("error-grant", 400), HTML)

    tokens = await system.exchange_code("code-1", verifier="v" * 43, return_url="https://x/")
    with pytest.raises(Rejected) as refused:
        await system.exchange_code("code-1", verifier="v" * 43, return_url="https://x/")
    with pytest.raises(Unreachable):
        await system.exchange_code("code-2", verifier="v" * 43, return_url="https://x/")

    assert tokens == Tokens("access-2", "refresh-2", NOW + timedelta(hours=1))
    assert refused.value.reasons == (Reason("invalid_grant"),)
    assert parse_qs(network.requests[0].content.decode()) == {
        "grant_type": ["authorization_code"],
        "code": ["code-1"],
        "redirect_uri": ["https://x/"],
        "code_verifier": ["v" * 43],
    }


async def test_the_system_knows_its_issuer_and_reads_its_webhooks(
    system: TimerabbitSystem, client: TimerabbitClient
) -> None:
    """Both without a call."""
    notice = system.read_webhook(b'{"type":"ping","companyId":"com_1","data":{}}')

    assert (system.name, system.issuer) == ("timerabbit", "http://timerabbit.example")
    assert notice.account_id == "com_1"
    capabilities = await client.capabilities()
    assert capabilities.idempotent_create
    assert capabilities.text_limits[CUSTOMER]["address.postal_code"] == 12


async def test_a_day_is_a_day(client: TimerabbitClient, network: Any) -> None:
    """Days are inclusive and carry no time."""
    network.on("GET", f"{API}/time-entries", sample("entries-page-2"))

    await client.entries(EntryQuery(first_day=date(2026, 11, 1), last_day=date(2026, 11, 30)))

    query = network.queries()[0]
    assert (query["dateFrom"], query["dateTo"]) == ("2026-11-01", "2026-11-30")


def test_a_fault_of_our_own_is_never_a_finding() -> None:
    """A bug in a call is raised, not reported as an outage of Timerabbit."""
    bug = RuntimeError("ours")

    with pytest.raises(RuntimeError):
        report(bug, bug, bug)
