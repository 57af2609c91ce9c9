"""A person moves the lines of one draft into another in Conta: the hours are held there."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import busiest, drafts_with, previewed
from tests.features.invoicing.test_followed import person, post_late
from tests.features.invoicing.test_protocol import fault, ids_of, signed_in


async def two(kari: Bookkeeper) -> list[dict[str, Any]]:
    """Bill a customer's hours in two drafts."""
    customer = await busiest(kari.client, kari.link)
    ids = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    return [
        await kari.bill(customerId=customer, entryIds=some, grouping="entry")
        for some in (ids[:3], ids[3:6])
    ]


async def merge(kari: Bookkeeper, mark: str, into: str) -> int:
    """Move all lines of the draft with a mark into another; gives the number of that one."""
    (one,) = await drafts_with(kari.twins, mark)
    (other,) = await drafts_with(kari.twins, into)
    await into_other(kari, one, other)
    return int(other["id"])


async def seen(kari: Bookkeeper, *drafts: dict[str, Any], **step: float) -> list[dict[str, Any]]:
    """Let the books be looked at until nothing is young, and read drafts anew."""
    for _ in range(3):
        kari.clock.advance(**(step or {"minutes": 16}))
        await kari.work()
    await signed_in(kari.twins, kari.link)
    return [await kari.get(f"invoice-drafts/{one['id']}") for one in drafts]


async def test_a_draft_moved_into_another_holds_its_hours_there(kari: Bookkeeper) -> None:
    one, other = await two(kari)
    number = await merge(kari, one["mark"], other["mark"])

    moved, grown = await seen(kari, one, other)
    refused = await kari.release(one)

    assert (moved["became"]["what"], moved["became"]["contaDraftId"]) == ("edited", str(number))
    assert (moved["offersRelease"], {e["place"] for e in moved["entries"]}) == (False, {"in-draft"})
    assert (refused.status_code, refused.json()["code"]) == (409, "draft-holds-hours")
    assert str(number) in refused.json()["detail"]
    assert (grown["problem"], grown["contaDraftIds"]) == ("remote-total-differs", [str(number)])
    assert grown["became"]["alsoMarks"] == [one["mark"]]


async def test_one_invoice_of_two_drafts_is_followed_by_both(kari: Bookkeeper) -> None:
    """Merged and sent before anyone looked; credited, each is offered and billed anew once."""
    one, other = await two(kari)
    number = await merge(kari, one["mark"], other["mark"])
    await person(kari.twins, f"drafts/{number}/send")

    sent = await seen(kari, one, other)
    refused = [await kari.release(draft) for draft in (one, other)]
    (invoice,) = (i["id"] for i in (await kari.twins.books())["invoices"])
    await person(kari.twins, f"invoices/{invoice}/credit")
    credited = await seen(kari, one, other, hours=6)
    freed = [await kari.release(draft) for draft in (one, other)]

    assert [(d["became"]["what"], d["became"]["id"]) for d in sent] == [("sent", str(invoice))] * 2
    assert [answer.json()["code"] for answer in refused] == ["draft-holds-hours"] * 2
    assert [d["became"]["what"] for d in credited] == ["credited"] * 2
    assert [answer.json()["state"] for answer in freed] == ["released"] * 2


async def test_a_moved_draft_is_followed_into_the_invoice_and_offered_once_taken_out(
    kari: Bookkeeper,
) -> None:
    """Its lines are taken out of the other draft again: then, and only then, it is deleted."""
    one, other = await two(kari)
    number = await merge(kari, one["mark"], other["mark"])
    await seen(kari, one)
    (stored,) = await drafts_with(kari.twins, other["mark"])
    own = stored["invoiceDraftLines"][: len(other["lines"])]
    await person(kari.twins, f"drafts/{number}/edit", lines=own)

    gone, left = await seen(kari, one, other)
    freed = await kari.release(one)

    assert (gone["became"]["what"], gone["offersRelease"]) == ("deleted", True)
    assert (left["became"]["what"], left["problem"]) == ("open", None)
    assert freed.json()["state"] == "released"


async def of_two_customers(kari: Bookkeeper) -> list[dict[str, Any]]:
    """Bill hours of one customer, and then an hour of another."""
    one = await kari.bill(grouping="entry")
    free = (await kari.get("billable-entries"))["items"]
    entry = next(e for e in free if not e["hindrances"] and e["customerId"] != one["customerId"])
    return [one, await kari.bill(customerId=entry["customerId"], entryIds=[entry["id"]])]


async def test_a_draft_moved_to_another_customers_draft_is_held_before_that_is_looked_at(
    kari: Bookkeeper,
) -> None:
    """Only the draft that is gone is looked at: a release reads what was not seen since it went."""
    one, other = await of_two_customers(kari)
    await seen(kari, one, other)
    number = await merge(kari, one["mark"], other["mark"])

    early = await kari.release(one)
    kari.clock.advance(seconds=int(early.headers["retry-after"]))
    held = await kari.release(one)

    assert early.json()["code"] == "draft-just-gone"
    assert (held.status_code, held.json()["code"]) == (409, "draft-holds-hours")
    assert str(number) in held.json()["detail"]


async def test_a_draft_moved_to_another_customers_draft_is_held_once_that_was_looked_at(
    kari: Bookkeeper,
) -> None:
    one, other = await of_two_customers(kari)
    number = await merge(kari, one["mark"], other["mark"])

    (moved,) = await seen(kari, one)
    refused = await kari.release(one)

    assert (moved["became"]["what"], moved["became"]["contaDraftId"]) == ("edited", str(number))
    assert refused.json()["code"] == "draft-holds-hours"


async def test_what_a_lost_post_made_and_was_moved_is_not_sent_again(kari: Bookkeeper) -> None:
    """Its answer was lost, a person moved its lines meanwhile: no draft of its own is found."""
    customer = await busiest(kari.client, kari.link)
    ids = ids_of(await previewed(kari.client, kari.link, customerId=customer))
    other = await kari.bill(customerId=customer, entryIds=ids[:3])
    preview = await previewed(kari.client, kari.link, customerId=customer, entryIds=ids[3:])
    await fault(
        kari.twins, "conta", kind="status_after", status=500, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    lost = await kari.send(preview)
    number = await merge(kari, lost["mark"], other["mark"])

    (asked,) = await seen(kari, lost, seconds=121)
    again = await kari.post(f"invoice-drafts/{lost['id']}/resend")
    freed = await kari.release(lost)

    assert (asked["state"], asked["problem"]) == ("needs-person", "draft-not-found")
    for answer in (again, freed):
        assert (answer.status_code, answer.json()["code"]) == (409, "draft-holds-hours")
        assert str(number) in answer.json()["detail"]
    assert [d["id"] for d in (await kari.twins.books())["drafts"]] == [number]
    await person(kari.twins, f"drafts/{number}/send")
    await seen(kari, other)
    (invoice,) = (i["id"] for i in (await kari.twins.books())["invoices"])
    named = await kari.post(f"invoice-drafts/{lost['id']}/invoice", invoiceId=str(invoice))
    assert (named.status_code, named.json()["became"]["what"]) == (200, "sent")
    assert named.json()["state"] == "completed"


async def into_other(kari: Bookkeeper, moved: dict[str, Any], other: dict[str, Any]) -> None:
    """Move the lines of one draft in Conta into another, and delete it."""
    lines = other["invoiceDraftLines"] + moved["invoiceDraftLines"]
    await person(kari.twins, f"drafts/{other['id']}/edit", lines=lines)
    await person(kari.twins, f"drafts/{moved['id']}/delete")


@pytest.mark.parametrize("released", [True, False])
async def test_an_alarm_stands_while_the_late_draft_is_among_anothers_lines(
    kari: Bookkeeper, network: Any, released: bool
) -> None:
    """After a release, or beside its own invoice: billed twice until it is taken out."""
    one, other = await two(kari)
    (own,) = await drafts_with(kari.twins, one["mark"])
    (into,) = await drafts_with(kari.twins, other["mark"])
    if released:
        await kari.in_conta(one, "delete")
        assert (await kari.release(one)).json()["state"] == "released"
    await post_late(network, own)
    if not released:
        await person(kari.twins, f"drafts/{own['id']}/send")
    (told,) = await seen(kari, one)
    (late,) = await drafts_with(kari.twins, one["mark"])
    await into_other(kari, late, into)
    (moved,) = await seen(kari, one, hours=6)
    await person(kari.twins, f"drafts/{into['id']}/edit", lines=into["invoiceDraftLines"])
    (over,) = await seen(kari, one, hours=6)

    problem = "draft-after-release" if released else "duplicate-draft"
    assert [told["problem"], moved["problem"], over["problem"]] == [problem, problem, None]


@pytest.mark.parametrize("written_over", [False, True])
async def test_two_drafts_merged_and_stripped_of_their_marks_offer_no_hour(
    kari: Bookkeeper, written_over: bool
) -> None:
    """Known by the lines that were last seen, or unclear: neither is taken for deleted."""
    one, other = await two(kari)
    number = await merge(kari, one["mark"], other["mark"])
    await seen(kari, one, other)
    (stored,) = await drafts_with(kari.twins, other["mark"])
    lines = stored["invoiceDraftLines"]
    for line in lines:
        plain = line["description"].split(" (spes.")[0]
        line["description"] = "Konsulentbistand" if written_over else plain
    await person(kari.twins, f"drafts/{number}/edit", lines=lines)
    await person(kari.twins, f"drafts/{number}/send")

    both = await seen(kari, one, other)
    refused = [await kari.release(draft) for draft in (one, other)]

    what, code = (
        ("unclear", "draft-may-be-invoiced") if written_over else ("sent", "draft-holds-hours")
    )
    assert [one["became"]["what"] for one in both] == [what] * 2
    assert [answer.json()["code"] for answer in refused] == [code] * 2
