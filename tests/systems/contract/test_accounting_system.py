"""What the books side must offer, proved on Conta's client against its twin."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
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
from app.sandbox.conta import create_twin
from app.sandbox.faults import Fault, FaultKind
from app.sandbox.seeds import size
from app.settings import Settings
from app.systems.conta.client import ContaSystem
from app.systems.ports import AccessReason, Rejected, Unauthorised, Unreachable

CUSTOMER, PROJECT = RecordKind.CUSTOMER, RecordKind.PROJECT
TODAY = datetime.now(UTC).date()
SINCE = TODAY - timedelta(days=1)
MARK = "TR-7K3QF9M2"


def order(customer: RecordId, *, vat_code: str = "high", **more: Any) -> DraftOrder:
    lines = (
        DraftLine(f"Snekring {MARK}", Decimal("7.50"), Ore(95050), Decimal(0), vat_code),
        DraftLine("Maling", Decimal("0.33"), Ore(100000), Decimal(10), vat_code),
    )
    return DraftOrder(customer, None, lines, **more)


@pytest.fixture
async def customer(conta: Any) -> RecordId:
    made: RecordId = await conta.add_customer("Betaler AS")
    return made


async def test_a_draft_is_created_and_read_back_to_the_ore(conta: Any, customer: RecordId) -> None:
    """Sums come back as exact øre, and its id is the newest in the list."""
    made = await conta.keeper.create_draft(order(customer, message="Hei", their_reference="Ola"))

    assert (made.customer_id, made.net) == (customer, 712875 + 29700)
    assert [line.net for line in made.lines] == [712875, 29700]
    assert await conta.keeper.read_draft(made.id) == made
    assert await conta.keeper.draft_ids(customer, since=SINCE) == (made.id,)


async def test_drafts_of_one_customer_come_newest_first(conta: Any, customer: RecordId) -> None:
    """And those of another are not among them."""
    other = await conta.add_customer("En Annen AS")
    first = await conta.keeper.create_draft(order(customer))
    await conta.keeper.create_draft(order(other))
    third = await conta.keeper.create_draft(order(customer))

    assert await conta.keeper.draft_ids(customer, since=SINCE) == (third.id, first.id)
    assert await conta.keeper.draft_ids(customer, since=TODAY + timedelta(days=2)) == ()


async def test_a_draft_that_is_sent_is_gone_and_its_invoice_carries_the_mark(
    conta: Any, customer: RecordId
) -> None:
    """Paid and credited are told apart; the credit note is not taken for an invoice."""
    draft = await conta.keeper.create_draft(order(customer))
    await conta.control("POST", f"/organizations/1001/drafts/{draft.id}/send")

    assert await conta.keeper.read_draft(draft.id) is None
    (invoice_id,) = await conta.keeper.invoice_ids(customer, since=SINCE)
    opened = await conta.keeper.read_invoice(invoice_id)
    assert (opened.state, opened.net, MARK in opened.lines[0].text) == ("open", draft.net, True)

    await conta.control("POST", f"/invoices/{invoice_id}/pay", {})
    paid = await conta.keeper.read_invoice(invoice_id)
    assert (paid.state, paid.remaining) == ("paid", 0)

    await conta.control("POST", f"/invoices/{invoice_id}/credit")
    credited = await conta.keeper.read_invoice(invoice_id)
    assert credited.state == "credited"
    assert await conta.keeper.invoice_ids(customer, since=SINCE) == (invoice_id,)


async def test_what_stands_on_a_project_is_asked_for_by_the_project(
    conta: Any, customer: RecordId
) -> None:
    """Neither another project's draft nor one without a project is among its papers."""
    mine, other = [
        (await conta.keeper.create(PROJECT, Project(RecordId(""), name, customer), key=name)).id
        for name in ("Tak", "Gulv")
    ]
    first = await conta.keeper.create_draft(replace(order(customer), project_id=mine))
    await conta.keeper.create_draft(replace(order(customer), project_id=other))
    last = await conta.keeper.create_draft(order(customer))
    papers = partial(conta.keeper.paper_ids, since=SINCE)
    drafted = await papers(PROJECT, mine), len(await papers(CUSTOMER, customer))
    await conta.control("POST", f"/organizations/1001/drafts/{first.id}/send")

    sent = await papers(PROJECT, mine)

    assert drafted == ((first.id,), 3)
    assert len(sent) == 1
    assert first.id not in sent
    assert last.id not in sent


async def test_a_draft_that_is_deleted_is_gone(conta: Any, customer: RecordId) -> None:
    """From outside it looks as if it had been sent; but no invoice carries its mark."""
    draft = await conta.keeper.create_draft(order(customer))
    await conta.control("POST", f"/organizations/1001/drafts/{draft.id}/delete")

    assert await conta.keeper.read_draft(draft.id) is None
    assert await conta.keeper.invoice_ids(customer, since=SINCE) == ()


async def test_a_refused_vat_code_made_no_draft(conta: Any, customer: RecordId) -> None:
    """The rule is named and the line's field too."""
    with pytest.raises(Rejected) as caught:
        await conta.keeper.create_draft(order(customer, vat_code="no.vat"))

    assert [(r.code, r.about) for r in caught.value.reasons] == [
        ("WrongVatCodeException", "vat_code")
    ]
    assert await conta.keeper.draft_ids(customer, since=SINCE) == ()


async def test_a_draft_for_nobody_is_refused(conta: Any) -> None:
    """An unknown customer is a refusal, whatever status Conta gives it."""
    with pytest.raises(Rejected):
        await conta.keeper.create_draft(order(RecordId("99999999")))


@pytest.mark.parametrize(
    ("fault", "drafts"),
    [
        ("status_before", 0),
        ("status_after", 1),
        ("lost_answer", 1),
        ("reset_before", 0),
        ("broken_body", 1),
        ("html_page", 0),
    ],
)
async def test_a_draft_of_unknown_outcome_is_sent_once_and_found_by_its_mark(
    conta: Any, customer: RecordId, fault: str, drafts: int
) -> None:
    """The effect is possible each time; the list tells whether it happened."""
    await conta.fault(fault, method="POST", path="invoice-drafts")

    with pytest.raises(Unreachable) as caught:
        await conta.keeper.create_draft(order(customer))

    ids = await conta.keeper.draft_ids(customer, since=SINCE)
    assert caught.value.effect_possible
    assert len(ids) == drafts


async def test_a_company_that_is_new_gets_a_delivery_address_that_then_stays(conta: Any) -> None:
    """Set at creation, and not moved with the address."""
    company = Customer(
        RecordId(""),
        "Levert AS",
        CustomerKind.COMPANY,
        address=Address("Storgata 1", None, "0155", "Oslo", "SE"),
    )
    made = await conta.keeper.create(CUSTOMER, company, key="unused")
    seen = await conta.keeper.read(CUSTOMER, made.id)
    await conta.keeper.update(
        CUSTOMER, seen, {"address": Address("Kaien 7", None, "5003", "Bergen", "NO")}
    )

    kept = await conta.customer(made.id)
    assert kept["deliveryAddressLine1"] == "Storgata 1"
    assert kept["deliveryAddressCountry"] == "Sverige"
    assert kept["customerAddressCountry"] == "Norge"


async def test_a_list_that_loses_its_hits_is_not_empty(conta: Any) -> None:
    """Conta was seen to leave ``hits`` out; with a total above zero that is no answer."""
    await conta.fault("omit_hits")

    with pytest.raises(Unreachable):
        [page async for page in conta.keeper.pages(CUSTOMER)]


async def test_a_list_that_repeats_a_page_is_walked_again(conta: Any) -> None:
    """A page given twice by mistake hides no record."""
    twin = create_twin(seed=size(450, seed=3, today=TODAY, entries=0))
    system = ContaSystem.from_settings(
        Settings(conta_url="http://conta.test", conta_calls_per_second=1000),
        transport=httpx.ASGITransport(app=twin),
    )
    keeper = system.open("1001", "conta-demo-key", pace_key="link-1")
    twin.state.twin.board.add(Fault(kind=FaultKind.REPEAT_PAGE, times=1))

    ids = [row.id async for page in keeper.pages(CUSTOMER) for row in page.rows]
    await system.close()

    expected = [str(id_) for id_ in twin.state.twin.organizations[1001].customers]
    assert sorted(ids, key=int) == sorted(expected, key=int)
    assert len(ids) > 400
    assert not twin.state.twin.violations.as_json()["requests"]


@pytest.mark.parametrize("filtered", [True, False])
async def test_the_sweep_works_with_and_without_the_filter_by_change(
    conta: Any, filtered: bool
) -> None:
    """A gateway that does not know the filter gives everything, which is more, never less."""
    await conta.control("PUT", "/modified-filter", {"on": filtered})
    await conta.control("POST", "/clock", {"advanceSeconds": 10 * 86_400})
    id_ = await conta.add_customer("Endret AS")
    since = datetime.now(UTC) + timedelta(days=10)

    ids = {
        row.id
        async for page in conta.keeper.pages(CUSTOMER, changed_since=since)
        for row in page.rows
    }

    assert id_ in ids
    assert (len(ids) == 1) is filtered


async def test_a_key_that_works_is_usable(conta: Any) -> None:
    """Whose it is, and what the plan holds."""
    report = await conta.keeper.check()

    assert report.usable
    assert report.findings == ()
    assert report.account.id == "1001"
    assert report.account.key_owner
    assert "ALLOW_PROJECT" in report.features


async def test_each_trouble_with_the_account_has_its_finding(conta: Any) -> None:
    """A stranger's key, a wrong key, a block and a lack of Smart."""

    async def codes(keeper: Any) -> list[str]:
        return [finding.code for finding in (await keeper.check()).findings]

    assert await codes(conta.stranger) == ["conta-organization-not-visible"]
    await conta.control("POST", "/organizations/1001/plan", {"features": ["ALLOW_EMAIL"]})
    assert await codes(conta.keeper) == ["conta-projects-need-smart"]
    await conta.control("POST", "/organizations/1001/blocked", {"status": "BY_ADMIN"})
    assert (await codes(conta.keeper))[0] == "conta-organization-blocked"
    await conta.control("DELETE", "/keys/conta-demo-key")
    assert await codes(conta.keeper) == ["conta-key-refused"]


async def test_projects_without_smart_let_customers_go_on(conta: Any) -> None:
    """A lacking plan is a reason of its own, and capabilities say it beforehand."""
    await conta.control("POST", "/organizations/1001/plan", {"features": ["ALLOW_EMAIL"]})

    assert not (await conta.keeper.capabilities()).projects
    with pytest.raises(Unauthorised) as caught:
        [page async for page in conta.keeper.pages(PROJECT)]
    customers = [page async for page in conta.keeper.pages(CUSTOMER)]

    assert caught.value.reason is AccessReason.PLAN
    assert customers


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("read-only", {"on": True}, AccessReason.ORGANIZATION_READ_ONLY),
        ("blocked", {"status": "DELETED"}, AccessReason.ORGANIZATION_BLOCKED),
    ],
)
async def test_an_organization_that_takes_no_writes_says_why(
    conta: Any, customer: RecordId, path: str, body: dict[str, Any], reason: AccessReason
) -> None:
    """Nothing was made, and the link pauses for a reason a person can act on."""
    await conta.control("POST", f"/organizations/1001/{path}", body)

    with pytest.raises(Unauthorised) as caught:
        await conta.keeper.create_draft(order(customer))

    assert caught.value.reason is reason


async def test_a_project_for_another_customer_is_refused_with_its_reason(conta: Any) -> None:
    """A customer that is not there: the third meaning of 409."""
    with pytest.raises(Rejected) as caught:
        await conta.keeper.create(
            PROJECT, Project(RecordId(""), "Tak", RecordId("99999999")), key="unused"
        )

    assert [r.code for r in caught.value.reasons] == ["ForeignKeyViolationDatabaseToolException"]
