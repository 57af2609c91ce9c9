"""A person copies a draft in Conta, mark and all: both are told, and what lives decides."""

from typing import Any

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with
from tests.features.invoicing.test_followed import person, post_late
from tests.features.invoicing.test_merged import seen


async def copied(kari: Bookkeeper, network: Any) -> tuple[dict[str, Any], list[int]]:
    """Bill hours and copy the draft in Conta; gives the numbers of both there."""
    draft = await kari.bill()
    (stored,) = await drafts_with(kari.twins, draft["mark"])
    await post_late(network, stored)
    return draft, [one["id"] for one in await drafts_with(kari.twins, draft["mark"])]


async def invoices(kari: Bookkeeper) -> list[str]:
    return [str(one["id"]) for one in (await kari.twins.books())["invoices"]]


async def test_two_invoices_with_one_mark_are_told_and_the_living_one_decides(
    kari: Bookkeeper, network: Any
) -> None:
    """Credited one by one: the hours are offered only when the last is, and then released."""
    draft, numbers = await copied(kari, network)
    for number in numbers:
        await person(kari.twins, f"drafts/{number}/send")
    both = await invoices(kari)

    (told,) = await seen(kari, draft)
    first = told["became"]["id"]
    await person(kari.twins, f"invoices/{first}/credit")
    looked = (await kari.post(f"invoice-drafts/{draft['id']}/look")).json()
    held = await kari.release(draft)
    await person(kari.twins, f"invoices/{looked['became']['id']}/credit")
    credited = (await kari.post(f"invoice-drafts/{draft['id']}/look")).json()
    freed = await kari.release(draft)

    assert (told["problem"], told["became"]["what"]) == ("duplicate-draft", "sent")
    assert {f"invoice:{one}" for one in both} <= set(told["contaDraftIds"])
    assert (looked["problem"], looked["became"]["what"]) == (None, "sent")
    assert {first, looked["became"]["id"]} == set(both)
    assert (looked["offersRelease"], held.json()["code"]) == (False, "draft-holds-hours")
    assert (credited["became"]["what"], credited["offersRelease"]) == ("credited", True)
    assert freed.json()["state"] == "released"


async def test_a_copy_left_as_a_draft_beside_the_invoice_is_told_until_it_is_deleted(
    kari: Bookkeeper, network: Any
) -> None:
    draft, (number, copy) = await copied(kari, network)
    await person(kari.twins, f"drafts/{number}/send")

    (told,) = await seen(kari, draft)
    await person(kari.twins, f"drafts/{copy}/delete")
    left = (await kari.post(f"invoice-drafts/{draft['id']}/look")).json()

    assert (told["problem"], told["became"]["what"]) == ("duplicate-draft", "sent")
    assert str(copy) in told["contaDraftIds"]
    assert (left["problem"], left["became"]["what"]) == (None, "sent")


async def test_a_copy_that_is_sent_too_keeps_the_alarm(kari: Bookkeeper, network: Any) -> None:
    """It is gone from the drafts, but not from what bills the hours."""
    draft, (number, copy) = await copied(kari, network)
    await person(kari.twins, f"drafts/{number}/send")
    await seen(kari, draft)

    await person(kari.twins, f"drafts/{copy}/send")
    looked = (await kari.post(f"invoice-drafts/{draft['id']}/look")).json()
    again = (await kari.post(f"invoice-drafts/{draft['id']}/look")).json()

    assert [one["problem"] for one in (looked, again)] == ["duplicate-draft"] * 2
    assert {f"invoice:{one}" for one in await invoices(kari)} <= set(looked["contaDraftIds"])


async def test_a_draft_replaced_by_its_copy_is_followed_there(
    kari: Bookkeeper, network: Any
) -> None:
    """The copy stays and our own is deleted: no hour is offered that the copy bills."""
    draft, (number, copy) = await copied(kari, network)
    await person(kari.twins, f"drafts/{number}/delete")

    (moved,) = await seen(kari, draft)
    held = await kari.release(draft)

    assert (moved["problem"], moved["offersRelease"]) == (None, False)
    assert (moved["became"]["what"], moved["became"]["contaDraftId"]) == ("edited", str(copy))
    assert held.json()["code"] == "draft-holds-hours"


async def test_an_invoice_credited_and_billed_anew_in_conta_holds_the_hours(
    kari: Bookkeeper, network: Any
) -> None:
    """The new invoice was made of a copy and carries the mark: it is the one that is followed."""
    draft, (number, copy) = await copied(kari, network)
    await person(kari.twins, f"drafts/{number}/send")
    (old,) = await invoices(kari)
    await person(kari.twins, f"drafts/{copy}/send")
    (new,) = set(await invoices(kari)) - {old}
    await person(kari.twins, f"invoices/{old}/credit")

    (followed,) = await seen(kari, draft)

    assert (followed["problem"], followed["offersRelease"]) == (None, False)
    assert (followed["became"]["what"], followed["became"]["id"]) == ("sent", new)
