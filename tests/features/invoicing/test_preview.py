"""Previews over the API: every problem at once, choices kept, several customers at once."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.canonical import Customer, RecordId, RecordKind, Side
from app.database import CommitPoint
from app.invoicing.store import Preview
from app.records.businesses import remember_businesses
from app.records.store import remember
from app.runtime import Runtime
from app.systems.register import Business
from tests.features.invoicing.test_drafts import busiest, drafts_with, previewed, sent
from tests.features.invoicing.test_protocol import signed_in


async def refused(client: httpx.AsyncClient, link: Any, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"{link.path}/invoice-drafts/preview", headers=link.books, json=body)
    assert answer.status_code >= 400, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


async def change(twins: Any, entry: str, **fields: Any) -> None:
    await twins.control("timerabbit", "PATCH", f"/companies/cmp_1/entries/{entry}", fields)


def codes(preview: dict[str, Any]) -> dict[str, bool]:
    return {problem["code"]: problem["blocking"] for problem in preview["problems"]}


async def test_every_problem_is_named_at_once(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Text, zero line, archived customer, untried code: all in one preview, the blocking refuse."""
    customer = await busiest(client, synced)
    first = await previewed(client, synced, customerId=customer, grouping="entry")
    zero = {"line": first["lines"][0]["key"], "discountPercent": "100"}
    partner = synced.more["customers"][customer]
    await twins.control(
        "conta", "PATCH", f"/organizations/1001/customers/{partner}", {"isActive": False}
    )

    preview = await previewed(
        client, synced, customerId=customer, grouping="entry", edits=[zero],
        texts={"2": "x" * 501, "3": "<b></b>", "4": "Se TR-AAAAAAAA", "999": "ingen"},
    )  # fmt: skip

    assert codes(preview) | {
        "line-zero": True, "text-too-long": True, "text-only-tags": True, "text-holds-mark": True,
        "customer-archived": False, "vat-code-untried": False, "edit-without-line": False,
    } == codes(preview)  # fmt: skip
    places = {p["code"]: p["line"] for p in preview["problems"] if "line" in p}
    assert (places["text-too-long"], places["text-only-tags"]) == (2, 3)
    answer = await sent(client, synced, preview)
    assert (answer.status_code, answer.json()["code"]) == (409, "preview-blocked")
    assert (await twins.books())["drafts"] == []


async def test_a_bankrupt_customer_is_warned_of_and_not_blocked(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime
) -> None:
    """What the business register says is told before hours are billed; a person decides."""
    customer = await busiest(client, synced)
    number = "923609016"
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        known = Customer(RecordId(customer), name="Konkurs AS", organization_number=number)
        await remember(
            session, synced.link_id, Side.TIME, RecordKind.CUSTOMER, [known], now=runtime.clock()
        )
        said = Business(number, name="KONKURS AS", bankrupt=True)
        await remember_businesses(session, {number: said}, now=runtime.clock())

    preview = await previewed(client, synced, customerId=customer)

    told = next(p for p in preview["problems"] if p["code"] == "customer-bankrupt")
    assert not told["blocking"]
    assert told["text"] == "Kunden er konkurs ifølge Enhetsregisteret."


async def test_a_customer_gone_from_conta_blocks(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """The books are asked at the preview, not first at the POST."""
    customer = await busiest(client, synced)
    partner = synced.more["customers"][customer]
    await twins.control("conta", "POST", f"/organizations/1001/customers/{partner}/delete")

    preview = await previewed(client, synced, customerId=customer)

    assert codes(preview)["customer-gone"] is True


async def test_billable_hours_off_is_said(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Without «Fakturerbare timer» nothing can be billed, and the remedy is named."""
    customer = await busiest(client, synced)
    off = {"billableHours": {"enabled": False}}
    await twins.control("timerabbit", "POST", "/companies/cmp_1/settings", off)

    problem = await refused(client, synced, customerId=customer)

    assert problem["code"] == "billable-hours-off"


async def test_foreign_hours_and_unknown_ones_are_left_out_by_name(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """An hour of another project, one that does not exist and one in the future: each says so."""
    preview = await previewed(client, synced)
    hours = [e for line in preview["lines"] for e in line["entryIds"]]
    own = {e["id"]: e for e in (await twins.time())["entries"]}
    project = next(own[h]["projectId"] for h in hours if own[h]["projectId"])
    other = next(h for h in hours if own[h]["projectId"] != project)
    await change(twins, hours[0], date="2027-01-04")

    again = await previewed(
        client, synced, customerId=own[other]["customerId"], projectId=project,
        entryIds=[*hours, "ent_nowhere"],
    )  # fmt: skip

    reasons = {one["entryId"]: one["hindrances"] for one in again["leftOut"]}
    assert "other-project" in reasons[other]
    assert reasons["ent_nowhere"] == ["unknown"]
    assert "in-the-future" in reasons[hours[0]]
    texts = {one["entryId"]: one["texts"] for one in again["leftOut"]}
    assert texts["ent_nowhere"] == ["Timen finnes ikke i Timerabbit."]


async def test_where_nothing_can_be_billed_each_hour_says_why_in_words(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """Alone and among several customers; a person need not look a code up."""
    customer = await busiest(client, synced)
    english = {**synced.books, "Accept-Language": "en"}
    path = f"{synced.path}/invoice-drafts"

    one = await client.post(
        f"{path}/preview", headers=english,
        json={"customerId": customer, "entryIds": ["ent_nowhere"]},
    )  # fmt: skip
    several = await client.post(
        f"{path}/previews", headers=english,
        json={"customerIds": [customer], "lastDay": "2020-01-01"},
    )  # fmt: skip

    assert one.json()["code"] == "nothing-to-bill"
    (left,) = [e for e in one.json()["leftOut"] if e["entryId"] == "ent_nowhere"]
    assert left["hindrances"] == ["unknown"]
    assert left["texts"] == ["The hour does not exist in Timerabbit."]
    (result,) = several.json()["items"]
    assert result["problem"]["code"] == "nothing-to-bill"
    assert all(len(e["texts"]) == len(e["hindrances"]) for e in result["problem"]["leftOut"])


async def test_only_kroner_can_be_billed(client: httpx.AsyncClient, synced: Any) -> None:
    """Another currency is refused with its name."""
    problem = await refused(client, synced, customerId="cus_1", currency="EUR")

    assert (problem["code"], problem["facts"]) == ("currency-not-supported", {"currency": "EUR"})


@pytest.mark.parametrize("sign", ["\0", "\ud800"])
@pytest.mark.parametrize("where", ["texts", "edits", "order", "entryIds"])
async def test_text_that_no_database_holds_is_refused_wherever_it_stands(
    client: httpx.AsyncClient, synced: Any, where: str, sign: str
) -> None:
    """U+0000 and half a character, also in members of members: 422, and not our fault."""
    bad = f"a{sign}b"
    wrong = {
        "texts": {"1": bad}, "edits": [{"line": "k", "text": bad}], "order": [bad],
        "entryIds": [bad],
    }  # fmt: skip
    body = json.dumps({"customerId": "cus_1", where: wrong[where]})

    answer = await client.post(
        f"{synced.path}/invoice-drafts/preview", content=body,
        headers={**synced.books, "Content-Type": "application/json"},
    )  # fmt: skip

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{where}")


@pytest.mark.parametrize(
    "day", [20_000, 86_400.0, True, "1700000000", "2026-11-24T00:00:00", "24.11.2026", "2026-02-30"]
)
async def test_a_day_is_a_day_and_nothing_else(
    client: httpx.AsyncClient, synced: Any, day: object
) -> None:
    """No number and no instant is turned into a day, neither in a body nor in an address."""
    problem = await refused(client, synced, customerId="cus_1", firstDay=day)
    listed = await client.get(
        f"{synced.path}/billable-entries", headers=synced.books, params={"lastDay": str(day)}
    )

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid-request", "/firstDay")
    assert listed.status_code == 422


async def test_edits_live_on_in_the_next_preview(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Text, VAT code, discount and order stay when hours came; the draft is what was shown."""
    first = await previewed(client, synced, grouping="entry")
    one, two = (line["key"] for line in first["lines"][:2])
    edited = await previewed(
        client, synced, basedOn=first["previewId"], order=[two],
        edits=[{"line": one, "text": "Rådgivning", "discountPercent": 12.5}],
    )  # fmt: skip

    again = await previewed(client, synced, basedOn=edited["previewId"])

    lines = {line["key"]: line for line in again["lines"]}
    assert again["lines"][0]["key"] == two
    assert (lines[one]["text"], lines[one]["discountPercent"]) == ("Rådgivning", "12.5")
    assert again["netOre"] == edited["netOre"] < first["netOre"]
    draft = (await sent(client, synced, again)).json()
    stored = await drafts_with(twins, again["mark"])
    assert draft["state"] == "completed"
    assert round(float(stored[0]["sumNet"]) * 100) == again["netOre"]
    assert round(float(stored[0]["sumTotal"]) * 100) == again["totalOre"]


async def test_what_is_remembered_holds_until_something_else_is_asked(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """The customer's choice beats the link's, and what is asked now beats both."""
    customer = await busiest(client, synced)
    path = f"{synced.path}/billing-choices"
    await client.put(
        f"{path}/link", headers=synced.books, json={"grouping": "sum", "language": "nn"}
    )
    kept = await client.put(
        f"{path}/customer:{customer}", headers=synced.books,
        json={"template": "{week}", "rounding": {"minutes": 60}},
    )  # fmt: skip

    preview = await previewed(client, synced, customerId=customer)
    asked = await previewed(client, synced, customerId=customer, template="{project}")

    assert kept.status_code == 200
    assert all(line["text"].startswith("veke") for line in preview["lines"])
    assert all(line["billedMinutes"] % 60 == 0 for line in preview["lines"])
    assert preview["lines"][0]["rounding"] == {"minutes": 60, "direction": "up", "per": "line"}
    assert not asked["lines"][0]["text"].startswith("veke")
    listed = (await client.get(path, headers=synced.books)).json()["items"]
    assert [one["scope"] for one in listed] == [f"customer:{customer}", "link"]


async def test_a_choice_that_another_made_meanwhile_is_not_overwritten(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """Two people, two pages: the later one is shown what the first chose; at once only one wins."""
    path = f"{synced.path}/billing-choices/link"

    async def put(language: str, match: str | None) -> httpx.Response:
        more = {} if match is None else {"If-Match": match}
        return await client.put(path, headers={**synced.books, **more}, json={"language": language})

    first = await put("nn", None)
    blind = await put("en", None)
    changed = await put("en", first.headers["ETag"])
    stale = await put("nb", first.headers["ETag"])
    raced = await asyncio.gather(*(put("nb", changed.headers["ETag"]) for _ in range(4)))

    assert [first.status_code, blind.status_code] == [200, 428]
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert stale.status_code == 412
    assert stale.json()["present"]["choice"] == {"language": "en"}
    assert sorted(answer.status_code for answer in raced) == [200, 412, 412, 412]
    losers = [answer.json()["present"] for answer in raced if answer.status_code == 412]
    assert [one["choice"] for one in losers] == [{"language": "nb"}] * 3


async def test_a_first_choice_is_made_once(client: httpx.AsyncClient, synced: Any) -> None:
    """A version that was never there is stale; of two first ones the second must look."""
    path = f"{synced.path}/billing-choices/link"
    body = {"language": "nn"}

    wrong = await client.put(path, headers={**synced.books, "If-Match": '"1"'}, json=body)
    both = await asyncio.gather(
        *(client.put(path, headers=synced.books, json=body) for _ in range(2))
    )

    assert wrong.status_code == 412
    won, lost = sorted(answer.status_code for answer in both)
    assert won == 200
    assert lost in (412, 428)


@pytest.mark.parametrize("where", ["preview", "choice"])
async def test_a_wrong_template_is_refused_with_its_place(
    client: httpx.AsyncClient, synced: Any, where: str
) -> None:
    """Unknown variables never reach an invoice."""
    if where == "preview":
        problem = await refused(client, synced, customerId="cus_1", template="For {kunde}")
    else:
        answer = await client.put(
            f"{synced.path}/billing-choices/link", headers=synced.books,
            json={"template": "For {kunde}"},
        )  # fmt: skip
        problem = answer.json()

    assert problem["code"] == "template-invalid"
    assert problem["facts"]["place"] == "5"


async def test_expenses_and_kilometres_are_told_of_and_billed_when_wished(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Never silently sent, never silently forgotten."""
    customer = await busiest(client, synced)
    plain = await previewed(client, synced, customerId=customer)
    entry = plain["lines"][0]["entryIds"][0]
    await change(
        twins, entry, costs=[{"description": "Parkering", "amount": "120"}], kilometers="18.5"
    )
    told = await previewed(client, synced, customerId=customer)

    billed = await previewed(
        client, synced, customerId=customer, expenseVatCode="exempted",
        kilometres={"rateOre": 500, "vatCode": "high"},
    )  # fmt: skip

    assert codes(told)["expenses-not-included"] is False
    assert "expenses-not-included" not in codes(billed)
    parking, driven = billed["lines"][-2:]
    assert (parking["netOre"], parking["vatCode"]) == (12_000, "exempted")
    assert (driven["hours"], driven["netOre"], driven["vatCode"]) == ("18.50", 9_250, "high")
    assert (await sent(client, synced, billed)).json()["state"] == "completed"
    assert len(await drafts_with(twins, billed["mark"])) == 1


async def test_what_conta_said_to_each_code_is_shown(
    client: httpx.AsyncClient, synced: Any
) -> None:
    """Untried before the first draft, accepted after it."""
    before = await previewed(client, synced)
    await sent(client, synced, before)
    customers = [c for c in synced.more["customers"] if c != before["style"]["customerId"]]

    for customer in customers:
        answer = await client.post(
            f"{synced.path}/invoice-drafts/preview", headers=synced.books,
            json={"customerId": customer},
        )  # fmt: skip
        if answer.status_code == 201:
            break

    said = {one["code"]: one["answer"] for one in answer.json()["vatCodes"]}
    assert {one["answer"] for one in before["vatCodes"]} == {"untried"}
    assert (said["high"], said["low"]) == ("accepted", "untried")


async def test_a_code_refused_among_several_is_doubtful_until_one_is_accepted(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any
) -> None:
    """Conta does not say which of two codes it refused: each is warned of, neither is untried."""
    path = "/organizations/1001/vat-codes"
    await twins.control("conta", "POST", path, {"codes": ["high"]})
    plain = await previewed(client, synced, grouping="entry")
    mixed = await previewed(
        client, synced, basedOn=plain["previewId"],
        edits=[{"line": plain["lines"][1]["key"], "vatCode": "exempted"}],
    )  # fmt: skip
    refused_draft = (await sent(client, synced, mixed)).json()
    clock.advance(minutes=1)

    warned = await previewed(client, synced, basedOn=mixed["previewId"])
    await sent(client, synced, await previewed(client, synced, grouping="entry"), key="key-2")
    answer = await client.post(
        f"{synced.path}/invoice-drafts/previews", headers=synced.books,
        json={"customerIds": sorted(synced.more["customers"])},
    )  # fmt: skip

    def said(preview: dict[str, Any]) -> dict[str, str]:
        return {one["code"]: one["answer"] for one in preview["vatCodes"]}

    assert refused_draft["state"] == "refused"
    told = [p for p in warned["problems"] if p["code"] == "vat-code-doubtful"]
    assert {problem["vatCode"]: problem["blocking"] for problem in told} == {
        "exempted": False, "high": False,
    }  # fmt: skip
    assert all(problem["vatCode"] in problem["text"] for problem in told)
    assert (said(warned)["high"], said(warned)["low"]) == ("doubtful", "untried")
    after = next(said(one["preview"]) for one in answer.json()["items"] if one["preview"])
    assert (after["high"], after["exempted"]) == ("accepted", "doubtful")


async def test_several_customers_at_once_give_one_result_each(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Previews and drafts of several customers; a bad one stops no other; again makes nothing."""
    found = (await client.get(f"{synced.path}/billable-entries", headers=synced.books)).json()
    customers = sorted({e["customerId"] for e in found["items"] if e["billable"]})[:3]
    asked = {"customerIds": [*customers, "cus_none"], "grouping": "week"}
    shown = (
        await client.post(
            f"{synced.path}/invoice-drafts/previews", headers=synced.books, json=asked
        )
    ).json()["items"]
    ids = [one["preview"]["previewId"] for one in shown if one.get("preview")]
    body = {"previewIds": [*ids, "0199f3a0-0000-7000-8000-00000000dead"]}
    headers = {**synced.books, "Idempotency-Key": "month-end"}

    made = await client.post(f"{synced.path}/invoice-drafts/batch", headers=headers, json=body)
    again = await client.post(f"{synced.path}/invoice-drafts/batch", headers=headers, json=body)

    assert shown[-1]["problem"]["code"] == "customer-not-linked"
    assert [one["draft"]["state"] for one in made.json()["items"][:-1]] == ["completed"] * len(ids)
    assert made.json()["items"][-1]["problem"]["code"] == "not-found"
    assert [one["draft"]["id"] for one in again.json()["items"][:-1]] == [
        one["draft"]["id"] for one in made.json()["items"][:-1]
    ]
    assert len((await twins.books())["drafts"]) == len(ids) == len(customers)


async def test_old_previews_do_not_pile_up(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any, runtime: Runtime
) -> None:
    """A preview holds people's hours: a day after its time it is gone."""
    await previewed(client, synced)
    clock.advance(hours=26)
    await signed_in(twins, synced)

    await previewed(client, synced)

    async with runtime.database.reading(synced.link_id) as session:
        assert len((await session.scalars(select(Preview))).all()) == 1
