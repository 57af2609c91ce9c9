"""Conta's client on recorded samples: the unhappy answers first."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.canonical import (
    Address,
    Customer,
    CustomerKind,
    DraftLine,
    DraftOrder,
    Ore,
    Project,
    RecordId,
    RecordKind,
)
from app.settings import Settings
from app.systems.conta.access import Outcomes, report
from app.systems.conta.client import ContaClient, ContaSystem
from app.systems.documents import RemoteLine
from app.systems.ports import (
    AccessReason,
    Finding,
    NotFound,
    Reason,
    Rejected,
    Sighting,
    Unauthorised,
    Unreachable,
)

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
OWN = "/invoice/organizations/1001"
SAMPLES = Path(__file__).parent / "samples"
LINE = DraftLine("Timer TR-7K3QF9M2", Decimal("7.50"), Ore(95000), Decimal(0), "high")
ORDER = DraftOrder(RecordId("17"), RecordId("5"), (LINE,))
HTML = httpx.Response(200, content=b"<html>Bad gateway</html>")


def sample(name: str, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=(SAMPLES / f"{name}.json").read_bytes())


@pytest.fixture
async def system(network: Any) -> AsyncIterator[ContaSystem]:
    opened = ContaSystem.from_settings(
        Settings(conta_url="http://conta.example/", outgoing_timeout_seconds=2.0),
        transport=network.transport(),
    )
    yield opened
    await opened.close()


@pytest.fixture
def client(system: ContaSystem) -> ContaClient:
    return system.open("1001", "key-of-anne", pace_key="link-1")


async def rows_of(client: ContaClient, kind: RecordKind, **since: Any) -> list[Any]:
    return [row async for page in client.pages(kind, **since) for row in page.rows]


async def test_every_call_carries_the_key_and_asks_for_json(
    client: ContaClient, network: Any
) -> None:
    """The key goes in the header ``apiKey``."""
    network.on("GET", f"{OWN}/customers/17", sample("customer"))

    await client.read(CUSTOMER, RecordId("17"))

    headers = network.requests[0].headers
    assert (headers["apikey"], headers["accept"]) == ("key-of-anne", "application/json")


async def test_a_list_is_read_thin_and_an_unknown_type_hides_no_other(
    client: ContaClient, network: Any
) -> None:
    """Extra members are passed over; a row of unknown type is thin, with its name."""
    network.on("GET", f"{OWN}/customers", sample("customers-page"))

    rows = await rows_of(client, CUSTOMER)

    assert [(row.id, row.record.name, row.complete) for row in rows] == [
        ("17", "Bergen Sjømat AS", False),
        ("18", "Kari Nordmann", False),
        ("19", "Stiftelsen Fjord", False),
    ]
    assert rows[0].record.organization_number == "912345678"
    assert network.queries() == [{"sort": "id", "hits": "200", "page": "0"}]


async def test_a_list_without_hits_is_empty(client: ContaClient, network: Any) -> None:
    """Conta leaves ``hits`` out when nothing was found (seen in its sandbox)."""
    network.on("GET", f"{OWN}/customers", sample("customers-page-without-hits"))

    pages = [page async for page in client.pages(CUSTOMER)]

    assert [(page.rows, page.total) for page in pages] == [((), 0)]


@pytest.mark.parametrize("content", [b"<html>", b'{"hitCount":3,"hits":[', b"[]", b'{"items":[]}'])
async def test_what_is_no_list_is_never_an_empty_list(
    client: ContaClient, network: Any, content: bytes
) -> None:
    """A page of HTML, a cut answer or another object must not make all records look gone."""
    network.on("GET", f"{OWN}/customers", httpx.Response(200, content=content))

    with pytest.raises(Unreachable) as caught:
        await rows_of(client, CUSTOMER)

    assert not caught.value.effect_possible


def page_of(*ids: int, total: int | None) -> httpx.Response:
    hits = [{"id": id_, "customerName": f"Kunde {id_}"} for id_ in ids]
    return httpx.Response(200, json={"hits": hits} | ({} if total is None else {"hitCount": total}))


async def test_a_page_smaller_than_asked_for_is_not_the_last(
    client: ContaClient, network: Any
) -> None:
    """The page size is a wish; the total says when all is read."""
    network.on(
        "GET", f"{OWN}/customers", page_of(1, 2, total=3), page_of(3, total=3), page_of(total=3)
    )

    rows = await rows_of(client, CUSTOMER)

    assert [row.id for row in rows] == ["1", "2", "3"]
    assert len(network.requests) == 2


async def test_a_row_that_moves_to_a_page_already_read_is_found_by_a_second_walk(
    client: ContaClient, network: Any
) -> None:
    """Rows are counted by id; missing ones are looked for once more."""
    network.on(
        "GET",
        f"{OWN}/customers",
        page_of(1, 2, total=4),
        page_of(1, 2, total=4),  # the second page, of which 3 and 4 moved away while we paged
        page_of(1, 2, total=4),
        page_of(3, 4, total=4),
    )

    rows = await rows_of(client, CUSTOMER)

    assert [row.id for row in rows] == ["1", "2", "3", "4"]


async def test_a_list_without_a_total_ends_with_a_page_that_brings_nothing_new(
    client: ContaClient, network: Any
) -> None:
    """However often the server repeats itself."""
    network.on("GET", f"{OWN}/customers", page_of(1, 2, total=None))

    rows = await rows_of(client, CUSTOMER)

    assert [row.id for row in rows] == ["1", "2"]
    assert len(network.requests) == 2


@pytest.mark.parametrize(
    "answer", [page_of(1, 2, total=1000), httpx.Response(200, json={"hitCount": 3})]
)
async def test_a_list_shorter_than_its_total_is_no_list(
    client: ContaClient, network: Any, answer: httpx.Response
) -> None:
    """A part taken for the whole would be matched against, and make duplicates."""
    network.on("GET", f"{OWN}/customers", answer)

    with pytest.raises(Unreachable):
        await rows_of(client, CUSTOMER)

    assert len(network.requests) <= 4


@pytest.mark.parametrize("total", [None, 3])
async def test_rows_without_an_id_are_left_out(
    client: ContaClient, network: Any, total: int | None
) -> None:
    """Nothing can be done with them, and they keep no list open."""
    hits = {"hits": [{"customerName": "x"}, 7, {"id": 1}]}
    answer = httpx.Response(200, json=hits | ({} if total is None else {"hitCount": total}))
    network.on("GET", f"{OWN}/customers", answer)

    assert [row.id for row in await rows_of(client, CUSTOMER)] == ["1"]


async def test_the_filter_by_change_overlaps_by_a_day(client: ContaClient, network: Any) -> None:
    """How Conta cuts the day is unknown, so a day more is asked for, in Norway's time."""
    network.on("GET", f"{OWN}/customers", page_of(total=0))
    since = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # the 24th in Oslo

    await rows_of(client, CUSTOMER, changed_since=since)

    assert network.queries()[0]["modifiedFromDate"] == "2026-11-23"


async def test_projects_and_older_gateways_are_listed_whole(network: Any) -> None:
    """Projects have no such filter, and customers only where it is switched on."""
    system = ContaSystem.from_settings(
        Settings(conta_url="http://conta.example", conta_modified_filter=False),
        transport=network.transport(),
    )
    client = system.open("1001", "key", pace_key="link-1")
    network.on("GET", f"{OWN}/customers", page_of(total=0))
    network.on("GET", f"{OWN}/projects", sample("projects-page"))
    since = datetime(2026, 11, 23, tzinfo=UTC)

    await rows_of(client, CUSTOMER, changed_since=since)
    projects = await rows_of(client, PROJECT, changed_since=since)
    await system.close()

    assert all("modifiedFromDate" not in query for query in network.queries())
    assert [(row.id, row.complete, row.record.active) for row in projects] == [
        ("5", True, True),
        ("6", True, False),
    ]


async def test_a_record_is_read_with_all_that_an_update_sends_back(
    client: ContaClient, network: Any
) -> None:
    """The raw body keeps contacts, delivery address, unknown members and exact numbers."""
    network.on("GET", f"{OWN}/customers/17", sample("customer"))
    network.on("PUT", f"{OWN}/customers/17", sample("customer"))

    seen = await client.read(CUSTOMER, RecordId("17"))
    written = await client.update(CUSTOMER, seen, {"phone": "55998877"})

    raw = json.loads((SAMPLES / "customer.json").read_text())
    expected = {name: value for name, value in raw.items() if name not in {"id", "vismaNo"}}
    expected["phoneNo"] = "55998877"
    expected["contacts"] = [{"id": 3, "customerId": 17, "name": "Ola Nordmann"}]
    assert network.body() == expected
    assert written == seen.record
    assert network.requests[-1].headers["content-type"] == "application/json"


async def test_an_update_without_changes_calls_nobody(client: ContaClient, network: Any) -> None:
    """And one of nothing is not found."""
    record = Customer(RecordId("17"), "Kari")

    assert await client.update(CUSTOMER, Sighting(record), {}) == record
    with pytest.raises(NotFound):
        await client.update(CUSTOMER, Sighting(None), {"name": "x"})

    assert network.requests == []


async def test_a_missing_record_is_none_and_a_wrong_path_is_a_fault(
    client: ContaClient, network: Any
) -> None:
    """A record is gone only when Conta says so in its own words."""
    network.on("GET", f"{OWN}/customers/17", sample("error-not-found", 404))
    network.on("GET", f"{OWN}/customers/18", sample("error-unknown-path", 404))
    network.on("PUT", f"{OWN}/customers/19", sample("error-not-found", 404))
    seen = Sighting(Customer(RecordId("19"), "x"), raw=json.loads(sample("customer").content))

    assert await client.read(CUSTOMER, RecordId("17")) == Sighting(None)
    with pytest.raises(Unreachable):
        await client.read(CUSTOMER, RecordId("18"))
    with pytest.raises(NotFound):
        await client.update(CUSTOMER, seen, {"name": "y"})


async def test_an_unknown_type_goes_to_a_person_and_wrong_types_are_tried_again(
    client: ContaClient, network: Any
) -> None:
    """Neither is guessed at: a guess could clear a field on the other side."""
    network.on("GET", f"{OWN}/customers/19", sample("customer-unknown-type"))
    network.on("GET", f"{OWN}/customers/20", sample("customer-wrong-types"))

    with pytest.raises(Rejected) as unknown:
        await client.read(CUSTOMER, RecordId("19"))
    with pytest.raises(Unreachable):
        await client.read(CUSTOMER, RecordId("20"))

    assert unknown.value.reasons == (Reason("unknown-value", about="kind"),)


async def test_a_record_that_says_little_is_read(client: ContaClient, network: Any) -> None:
    """No member but id and name is needed."""
    network.on("GET", f"{OWN}/customers/18", sample("customer-minimal"))

    seen = await client.read(CUSTOMER, RecordId("18"))

    assert seen.record == Customer(RecordId("18"), "Kari Nordmann")


ACME = Customer(
    RecordId(""),
    "Acme AS",
    CustomerKind.COMPANY,
    address=Address("Storgata 1", None, "0155", "Oslo", "NO"),
)


async def test_a_record_is_created_with_one_post(client: ContaClient, network: Any) -> None:
    """The answer is the record as Conta now has it."""
    network.on("POST", f"{OWN}/customers", sample("customer"))
    network.on("POST", f"{OWN}/projects", sample("project"))

    customer = await client.create(CUSTOMER, ACME, key="unused-key")
    project = await client.create(PROJECT, Project(RecordId(""), "Nytt tak"), key="unused-key")

    assert (customer.id, project.id) == ("17", "5")
    assert network.body(0)["deliveryAddressCity"] == "Oslo"


@pytest.mark.parametrize(
    ("answer", "effect"),
    [
        (HTML, True),
        (httpx.Response(200), True),
        (httpx.Response(200, content=b'{"name":"no id"}'), True),
        (httpx.Response(500), True),
        (sample("error-maintenance", 503), True),
        (httpx.ReadTimeout("x"), True),
        (httpx.ConnectError("x"), False),
        (httpx.Response(307, headers={"Location": "http://169.254.169.254"}), True),
        (httpx.Response(408), True),
        (httpx.Response(403), True),
        (httpx.Response(404, content=HTML.content), True),
        (sample("error-unknown-path", 404), True),
    ],
)
async def test_a_create_tells_an_unknown_outcome_from_none(
    client: ContaClient, network: Any, answer: httpx.Response | Exception, effect: bool
) -> None:
    """Only a refused connection proves that nothing was made; the POST is never sent again."""
    network.on("POST", f"{OWN}/customers", answer)
    network.on("POST", f"{OWN}/invoice-drafts", answer)

    with pytest.raises(Unreachable) as customer:
        await client.create(CUSTOMER, ACME, key="k")
    with pytest.raises(Unreachable) as draft:
        await client.create_draft(ORDER)

    assert (customer.value.effect_possible, draft.value.effect_possible) == (effect, effect)
    assert len(network.requests) == 2


async def test_a_new_record_of_unknown_type_was_made_all_the_same(
    client: ContaClient, network: Any
) -> None:
    """It is looked for, not made again."""
    network.on("POST", f"{OWN}/customers", sample("customer-unknown-type"))

    with pytest.raises(Unreachable) as caught:
        await client.create(CUSTOMER, ACME, key="k")

    assert caught.value.effect_possible


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        (
            "error-input",
            409,
            Reason(
                "required",
                "address.line1",
                {"nb": "Adresse mangler", "en": "Address is missing"},
            ),
        ),
        ("error-input", 400, None),
        ("error-input", 422, None),
        ("error-input-texts", 409, Reason("mailingAddressIsNotComplete")),
        ("error-foreign-key", 409, Reason("ForeignKeyViolationDatabaseToolException")),
        (
            "error-custom",
            422,
            Reason(
                "WrongVatCodeException",
                "vat_code",
                {"nb": "Feil MVA-kode", "en": "Wrong VAT code"},
            ),
        ),
        ("error-not-found", 404, Reason("reference-not-found")),
    ],
)
async def test_a_refused_write_made_nothing(
    client: ContaClient, network: Any, name: str, status: int, reason: Reason | None
) -> None:
    """400, 404, 409 and 422 each say why, and none is tried again."""
    network.on("POST", f"{OWN}/invoice-drafts", sample(name, status))

    with pytest.raises(Rejected) as caught:
        await client.create_draft(ORDER)

    assert reason is None or caught.value.reasons == (reason,)
    assert len(network.requests) == 1


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("error-key", 401, AccessReason.CREDENTIAL_REFUSED),
        ("error-blocked", 403, AccessReason.ORGANIZATION_BLOCKED),
        ("error-access-denied", 403, AccessReason.NOT_VISIBLE),
        ("error-read-only", 500, AccessReason.ORGANIZATION_READ_ONLY),
    ],
)
async def test_a_refusal_of_access_is_no_failure_of_the_moment(
    client: ContaClient, network: Any, name: str, status: int, reason: AccessReason
) -> None:
    """It pauses the link, and is asked once."""
    network.on("GET", f"{OWN}/customers/17", sample(name, status))

    with pytest.raises(Unauthorised) as caught:
        await client.read(CUSTOMER, RecordId("17"))

    assert caught.value.reason is reason
    assert len(network.requests) == 1


@pytest.mark.parametrize("key", ["", "line\nbreak", "dash–ed", "x" * 5000])
async def test_a_key_that_no_header_can_carry_is_refused_without_a_call(
    system: ContaSystem, network: Any, key: str
) -> None:
    """A pasted line break is a wrong key, not a crash."""
    client = system.open("1001", key, pace_key="link-1")

    with pytest.raises(Unauthorised):
        await client.read(CUSTOMER, RecordId("17"))

    assert network.requests == []


async def test_a_draft_is_created_with_exact_numbers_and_read_back(
    client: ContaClient, network: Any
) -> None:
    """Price, quantity and sums never pass a float; 950.0 may come back as 950."""
    network.on("POST", f"{OWN}/invoice-drafts", sample("draft"))
    network.on("GET", f"{OWN}/invoice-drafts/71", sample("draft"))

    made = await client.create_draft(ORDER)
    read = await client.read_draft("71")

    assert made == read
    assert (made.id, made.net, made.vat, made.total) == ("71", 712500, 178125, 890625)
    assert b'"quantity":7.50,"price":950.00' in network.requests[0].content
    assert network.body(0)["registrationSource"] == "TIMERABBIT"


@pytest.mark.parametrize(
    ("said", "code"),
    [("high", "high"), ("output.zero.rate", "zero.rate"), ("output.new", None), (None, None)],
)
async def test_a_line_is_read_with_hours_price_discount_and_vat_code(
    client: ContaClient, network: Any, said: str | None, code: str | None
) -> None:
    """The code is the short one however Conta writes it; one we do not know says nothing."""
    line = {"description": "Timer", "quantity": 7.5, "price": 950, "discount": 12.5}
    body = {"id": 71, "invoiceDraftLines": [{**line, "vatCode": said}, {"quantity": None}]}
    network.on("GET", f"{OWN}/invoice-drafts/71", httpx.Response(200, json=body))

    read = await client.read_draft("71")

    assert read is not None
    whole, bare = read.lines
    assert (whole.quantity, whole.unit_price) == (Decimal("7.5"), 95000)
    assert (whole.discount, whole.vat_code) == (Decimal("12.5"), code)
    assert bare == RemoteLine("", None)


async def test_a_draft_or_invoice_that_is_gone_is_none(client: ContaClient, network: Any) -> None:
    """Sent and deleted look the same."""
    network.on("GET", f"{OWN}/invoice-drafts/71", sample("error-not-found", 404))
    network.on("GET", f"{OWN}/invoices/88", sample("error-not-found", 404))

    assert await client.read_draft("71") is None
    assert await client.read_invoice("88") is None


async def test_drafts_and_invoices_are_listed_newest_first_without_credit_notes(
    client: ContaClient, network: Any
) -> None:
    """A credit note repeats its invoice's lines and would look like a second invoice."""
    network.on("GET", f"{OWN}/invoice-drafts", sample("drafts-page"))
    network.on("GET", f"{OWN}/invoices", sample("invoices-page"))
    since = date(2026, 11, 20)

    assert await client.draft_ids(RecordId("17"), since=since) == ("102", "71")
    assert await client.invoice_ids(RecordId("17"), since=since) == ("88",)
    assert network.queries()[0] == {
        "customerId": "17",
        "fromDate": "2026-11-20",
        "sort": "-id",
        "hits": "200",
        "page": "0",
    }


async def test_ids_that_are_no_numbers_still_have_an_order(
    client: ContaClient, network: Any
) -> None:
    """Conta once announced other ids; nothing breaks if they come."""
    network.on(
        "GET",
        f"{OWN}/invoice-drafts",
        httpx.Response(200, json={"hits": [{"id": "b-1"}, {"id": 9}], "hitCount": 2}),
    )

    assert await client.draft_ids(RecordId("17"), since=date(2026, 11, 20)) == ("9", "b-1")


async def test_an_invoice_is_read_with_its_state(client: ContaClient, network: Any) -> None:
    """Number, day, lines and what is left to pay."""
    network.on("GET", f"{OWN}/invoices/88", sample("invoice"))

    invoice = await client.read_invoice("88")

    assert invoice is not None
    assert (invoice.number, invoice.state, invoice.remaining) == ("10001", "paid", 0)
    assert invoice.lines[0].text == "Timer TR-7K3QF9M2"


@pytest.mark.parametrize(("plan", "projects"), [("plan-smart", True), ("plan-standard", False)])
async def test_the_plan_says_what_the_organization_can_do(
    client: ContaClient, network: Any, plan: str, projects: bool
) -> None:
    """Projects need the right to them; unknown features are passed over."""
    network.on("GET", f"{OWN}/subscription-plan", sample(plan))

    found = await client.capabilities()

    assert (found.projects, found.changed_since, found.idempotent_create) == (projects, True, False)
    assert found.text_limits[CUSTOMER]["name"] == 255
    assert found.required == {
        "name",
        "kind",
        "address.line1",
        "address.postal_code",
        "address.city",
    }


def well(network: Any, own: str = OWN) -> None:
    network.on("GET", "/invoice/ping", httpx.Response(200, content=b'"pong"'))
    network.on("GET", "/invoice/organizations", sample("organizations"))
    network.on("GET", "/invoice/account/settings", sample("account-settings"))
    network.on("GET", f"{own}/subscription-plan", sample("plan-smart"))


async def codes(client: ContaClient) -> list[str]:
    return [finding.code for finding in (await client.check()).findings]


async def test_a_good_key_is_usable(client: ContaClient, network: Any) -> None:
    """The report says whose key it is and what the plan holds."""
    well(network)

    report = await client.check()

    assert report.usable
    assert report.findings == ()
    assert report.account is not None
    assert (report.account.name, report.account.key_owner) == ("Tak og Fasade AS", "Anne Berg")
    assert "ALLOW_PROJECT" in report.features


async def test_a_plan_without_projects_is_a_remark(client: ContaClient, network: Any) -> None:
    """Customers and drafts work all the same."""
    well(network)
    network.on("GET", f"{OWN}/subscription-plan", sample("plan-standard"))

    report = await client.check()

    assert report.usable
    assert report.findings == (Finding("conta-projects-need-smart", blocking=False),)


async def test_a_refused_key_is_said_once(client: ContaClient, network: Any) -> None:
    """Four refused calls are one finding."""
    well(network)
    network.on_all(sample("error-key", 401))

    report = await client.check()

    assert (report.usable, [f.code for f in report.findings]) == (False, ["conta-key-refused"])


async def test_an_organization_out_of_reach_is_said_once(system: ContaSystem, network: Any) -> None:
    """That its plan cannot be read either is no news."""
    well(network, "/invoice/organizations/2002")
    network.on(
        "GET", "/invoice/organizations/2002/subscription-plan", sample("error-access-denied", 403)
    )

    stranger = system.open("2002", "key", pace_key="link-1")

    assert await codes(stranger) == ["conta-organization-not-visible"]


async def test_an_organization_that_is_blocked_or_left_is_said(
    system: ContaSystem, network: Any
) -> None:
    """Blocked for missing payments; or the person is no longer active in it."""
    well(network, "/invoice/organizations/1002")
    well(network, "/invoice/organizations/1003")

    blocked = await system.open("1002", "key", pace_key="link-1").check()

    assert blocked.findings == (
        Finding("conta-organization-blocked", blocking=True, facts={"status": "MISSING_PAYMENTS"}),
    )
    assert await codes(system.open("1003", "key", pace_key="link-2")) == [
        "conta-organization-not-visible"
    ]


async def test_everything_found_is_said_at_once(client: ContaClient, network: Any) -> None:
    """A blocked person, a read-only organization and an outage in one report."""
    well(network)
    network.on(
        "GET",
        "/invoice/account/settings",
        httpx.Response(200, json={"emailAddress": "anne@example.com", "blockedStatus": "ABUSE"}),
    )
    network.on("GET", f"{OWN}/subscription-plan", sample("error-read-only", 500))
    network.on("GET", "/invoice/ping", HTML)

    report = await client.check()

    assert {finding.code for finding in report.findings} == {
        "conta-key-refused",
        "conta-organization-read-only",
        "conta-unreachable",
    }
    assert report.account is not None
    assert report.account.key_owner == "anne@example.com"
    assert not report.usable


async def test_an_outage_is_a_finding_and_not_an_exception(
    client: ContaClient, network: Any
) -> None:
    """A test of the connection always gives a report."""
    well(network)
    network.on_all(httpx.ConnectError("down"))

    report = await client.check()

    assert (report.account, [f.code for f in report.findings]) == (None, ["conta-unreachable"])


async def test_the_page_of_drafts_is_in_contas_app(system: ContaSystem) -> None:
    """An id is quoted whole."""
    assert system.draft_page("10/01") == "https://app.conta.no/faktura/10%2F01/fakturaer"
    assert system.name == "conta"
    assert system.read_webhook(b'{"type":"x","organizationId":1}').account_id == "1"


def test_a_fault_of_our_own_is_never_a_finding() -> None:
    """A bug in a call is raised, not reported as an outage of Conta."""
    bug = RuntimeError("ours")

    with pytest.raises(RuntimeError):
        report("1001", Outcomes(bug, bug, bug, bug))
