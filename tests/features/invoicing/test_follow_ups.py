"""Follow-ups of changed hours: upon one another, released, sent, and hours they take back whole."""

import asyncio
import csv
import io
from collections import Counter
from typing import Any

import pytest

from app.runtime import Runtime
from tests.features.conftest import forget_patience
from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import fault
from tests.features.invoicing.test_specification import text_of
from tests.features.invoicing.test_table import changed


async def test_a_follow_up_keeps_discount_and_increments(kari: Bookkeeper, twins: Any) -> None:
    """With started hours and ten percent off, a minute more of the sum costs what the line says."""
    style = {"grouping": "sum", "rounding": {"minutes": 60}, "discountPercent": 10}
    draft = await kari.bill(**style)
    line = draft["lines"][0]
    members = [e for e in draft["entries"] if e["line"] == 1]
    room = -line["minutes"] % 60
    await change(twins, members[0]["entryId"], minutes=members[0]["minutes"] + room + 1)

    follow_up = await kari.follow(await kari.look())

    (more,) = follow_up["lines"]
    assert (more["hours"], more["discountPercent"]) == ("1.00", line["discountPercent"])
    assert more["netOre"] == line["unitPriceOre"] * 9 // 10
    assert (more["minutes"], more["billedMinutes"]) == (room + 1, 60)
    assert more["vatCode"] == line["vatCode"]


async def test_a_difference_that_increments_swallow_bills_nothing(kari: Bookkeeper) -> None:
    """A minute within the started hour is no money; it can be left, and is never billed later."""
    shown = await previewed(kari.client, kari.link, grouping="entry")
    entry = shown["lines"][0]["entryIds"][0]
    await change(kari.twins, entry, minutes=50)
    await kari.bill(grouping="entry", rounding={"minutes": 60, "per": "entry"})
    await change(kari.twins, entry, minutes=59)

    answer = await kari.ask(await kari.look())

    assert answer.json()["code"] == "nothing-to-bill"


async def test_hours_are_not_released_under_a_living_follow_up(kari: Bookkeeper) -> None:
    """The first draft is gone from Conta, its follow-up is not: the part would come twice."""
    draft = await kari.bill(grouping="entry")
    entry = await longer(kari, draft, 30)
    follow_up = await kari.follow(await kari.look())
    await kari.in_conta(draft, "delete")

    refused = await kari.release(draft)

    assert (refused.status_code, refused.json()["code"]) == (409, "follow-up-holds-hours")
    assert follow_up["id"] in refused.json()["detail"]
    assert (await kari.hour(entry))["place"] == "in-draft"
    await kari.in_conta(follow_up, "delete")
    assert (await kari.release(follow_up)).json()["state"] == "released"
    assert (await kari.release(draft)).json()["state"] == "released"
    again = await previewed(kari.client, kari.link, grouping="entry")
    (whole,) = [line for line in again["lines"] if entry in line["entryIds"]]
    assert whole["minutes"] == draft["entries"][0]["minutes"] + 30


async def test_follow_ups_upon_one_another_are_released_from_the_top(kari: Bookkeeper) -> None:
    """The second is reckoned upon the first: the first cannot go away under it."""
    draft = await kari.bill(grouping="entry")
    entry = await longer(kari, draft, 30)
    first = await kari.follow(await kari.look())
    await longer(kari, draft, 45)
    second = await kari.follow(await kari.look())
    for one in (first, second):
        await kari.in_conta(one, "delete")

    refused = await kari.release(first)

    assert (refused.json()["code"], second["lines"][0]["minutes"]) == ("follow-up-holds-hours", 15)
    assert [c["minutes"] for c in (await kari.hour(entry))["corrections"]] == [15, 30]
    assert (await kari.release(second)).json()["state"] == "released"
    assert (await kari.release(first)).json()["state"] == "released"
    assert {c["place"] for c in (await kari.hour(entry))["corrections"]} == {"free"}
    reopened = await kari.look()
    assert [c["after"]["minutes"] - c["before"]["minutes"] for c in reopened] == [45]
    whole = await kari.follow(reopened)
    assert [line["minutes"] for line in whole["lines"]] == [45]


async def test_nothing_is_reckoned_upon_a_follow_up_that_may_still_be_refused(
    kari: Bookkeeper, twins: Any, runtime: Runtime
) -> None:
    """Its answer was lost: the next difference waits until it stands in Conta."""
    draft = await kari.bill(grouping="entry")
    await longer(kari, draft, 30)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    first = await kari.follow(await kari.look())
    await longer(kari, draft, 45)
    await fault(twins, "conta", kind="status_before", status=503, method="GET", path="invoice")
    changes = await kari.look()

    early = await kari.ask(changes)

    assert first["state"] == "unconfirmed"
    assert (early.status_code, early.json()["code"]) == (409, "draft-not-standing")
    assert first["id"] in early.json()["detail"]
    await twins.control("conta", "DELETE", "/faults")
    forget_patience(runtime)
    later = await kari.follow(await kari.look())
    assert later["lines"][0]["minutes"] == 15, "by then the first was found by its mark"


async def test_an_hour_that_changed_once_more_is_listed_anew(kari: Bookkeeper, twins: Any) -> None:
    """A follow-up is of what the hour is now: the older difference can no longer be previewed."""
    draft = await kari.bill(grouping="entry")
    entry = await longer(kari, draft, 30)
    listed = await kari.look()
    await longer(kari, draft, 60)

    refused = await kari.ask(listed)

    assert refused.status_code == 404
    (anew,) = (await changed(kari.client, kari.link))["items"]
    assert (anew["entryId"], anew["differenceOre"] > listed[0]["differenceOre"]) == (entry, True)


async def test_what_was_left_agrees_to_all_that_lies_between(kari: Bookkeeper) -> None:
    """Billed 120, cut to 60 and left, then 120 again: no difference; 130 is ten minutes."""
    shown = await previewed(kari.client, kari.link, grouping="entry")
    entry = shown["lines"][0]["entryIds"][0]
    await change(kari.twins, entry, minutes=120)
    await kari.bill(grouping="entry")
    await change(kari.twins, entry, minutes=60)
    (cut,) = await kari.look()
    left = await kari.post("changed-hours", changeIds=[cut["id"]], choice="leave")
    found = []
    for minutes in (120, 90, 50, 130):
        await change(kari.twins, entry, minutes=minutes)
        found.append([c["after"]["minutes"] - c["before"]["minutes"] for c in await kari.look()])

    assert left.json()["decided"] == 1
    assert found == [[], [], [-10], [10]]
    follow_up = await kari.follow(await kari.look())
    assert [line["minutes"] for line in follow_up["lines"]] == [10]
    await change(kari.twins, entry, minutes=130)
    assert await kari.look() == []


@pytest.mark.parametrize("how", ["moved", "deleted"])
async def test_an_hour_taken_back_can_be_billed_anew_once_that_is_invoiced(
    kari: Bookkeeper, twins: Any, how: str
) -> None:
    """Moved to another customer, or deleted and restored: off the first bill, then free."""
    draft = await kari.bill(grouping="entry")
    entry = draft["entries"][0]["entryId"]
    minutes, rate = draft["entries"][0]["minutes"], draft["entries"][0]["rateOre"]
    await longer(kari, draft, 6000, 1)
    if how == "moved":
        await change(twins, entry, customerId="cus_9")
    else:
        await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{entry}/delete")
    changes = await kari.look()
    follow_up = await kari.follow(changes)
    await kari.in_conta(follow_up, "send")

    taken = [line for line in follow_up["lines"] if entry in line["entryIds"]]

    assert sum(line["minutes"] for line in taken) == -minutes
    assert sum(c["afterOre"] for c in changes if c["entryId"] == entry) == 0
    (state,) = await entries_of(twins, [entry])
    found = await kari.hour(entry)
    assert (found["place"], state["invoiceStatus"]) == ("free", "to_invoice")
    assert [c["minutes"] for c in found["corrections"]] == [-minutes]
    assert rate * minutes // 60 == -sum(line["netOre"] for line in taken)
    held = await kari.release(follow_up)
    assert held.json()["code"] in {"draft-holds-hours", "follow-up-gave-hours-back"}
    if how == "deleted":
        await change(twins, entry, deletedAt=None)
    customer = state["customerId"]
    anew = await kari.post("invoice-drafts/preview", customerId=customer, entryIds=[entry])
    if how == "moved":
        assert anew.json()["code"] in {"customer-not-linked", None} or anew.status_code == 201
    else:
        assert anew.status_code == 201, anew.text
        assert anew.json()["lines"][0]["minutes"] == minutes


async def test_a_follow_up_that_gave_hours_back_goes_only_with_the_first_invoice(
    kari: Bookkeeper, twins: Any
) -> None:
    """Credited alone it would put the hour on two bills; with the first one credited it may go."""
    draft = await kari.bill(grouping="entry")
    entry = draft["entries"][0]["entryId"]
    await longer(kari, draft, 6000, 1)
    await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{entry}/delete")
    follow_up = await kari.follow(await kari.look())
    for one in (draft, follow_up):
        await kari.in_conta(one, "send")
    await kari.in_conta(follow_up, "credit")

    refused = await kari.release(follow_up)

    assert refused.json()["code"] == "follow-up-gave-hours-back"
    await kari.in_conta(draft, "credit")
    assert (await kari.release(draft)).json()["code"] == "follow-up-holds-hours"
    assert (await kari.release(follow_up)).json()["state"] == "released"
    assert (await kari.release(draft)).json()["state"] == "released"


async def test_timerabbit_away_gives_the_hour_back_later(kari: Bookkeeper, twins: Any) -> None:
    """Free here at once, and marked there until it has the mark off: nobody can bill it between."""
    draft = await kari.bill(grouping="entry")
    entry = draft["entries"][0]["entryId"]
    await longer(kari, draft, 6000, 1)
    await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{entry}/delete")
    follow_up = await kari.follow(await kari.look())
    await fault(twins, "timerabbit", kind="status_before", status=503, path="release", times=40)
    await kari.in_conta(follow_up, "send")
    before = (await entries_of(twins, [entry]))[0]["invoiceStatus"]
    place = (await kari.hour(entry))["place"]
    await twins.control("timerabbit", "DELETE", "/faults")

    for _ in range(3):
        kari.clock.advance(minutes=10)
        await kari.work()

    assert (before, place) == ("invoiced", "free")
    assert (await entries_of(twins, [entry]))[0]["invoiceStatus"] == "to_invoice"


async def test_the_paper_of_a_follow_up_shows_the_hour_as_it_was_and_is(kari: Bookkeeper) -> None:
    """Regulation § 5-14 holds for differences too: who, when, what was billed, what it is now."""
    draft = await kari.bill(grouping="entry")
    hour = draft["entries"][0]
    entry = await longer(kari, draft, 30)
    follow_up = await kari.follow(await kari.look())
    path = f"{kari.link.path}/invoice-drafts/{follow_up['id']}/specification"

    pdf, table = [
        (await kari.client.get(f"{path}.{kind}", headers=kari.link.books)).content
        for kind in ("pdf", "csv")
    ]

    text = text_of(pdf)
    assert "Fakturert før" in text
    assert f"-{hour['minutes']} " in text
    rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig")), delimiter=";"))
    named = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    assert [row["Minutter"] for row in named if row["Type"] == "Time"] == [
        str(-hour["minutes"]), str(hour["minutes"] + 30),
    ]  # fmt: skip
    assert [row["Minutter"] for row in named if row["Type"] == "Sum"] == ["30"]
    assert follow_up["corrections"] == [
        {
            "entryId": entry, "line": 1, "minutes": 30, "netOre": follow_up["netOre"],
            "draftId": draft["id"], "changeId": follow_up["corrections"][0]["changeId"],
        }
    ]  # fmt: skip
    assert (await kari.hour(entry))["corrections"][0]["mark"] == follow_up["mark"]


async def moved_away(kari: Bookkeeper) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """Bill, move an hour to another customer, follow it up beside a longer one."""
    draft = await kari.bill(grouping="entry")
    entry = draft["entries"][0]["entryId"]
    await longer(kari, draft, 6000, 1)
    await change(kari.twins, entry, customerId="cus_9")
    return draft, entry, await kari.follow(await kari.look())


async def test_an_hour_whose_minus_was_taken_out_is_not_given_back(
    kari: Bookkeeper, twins: Any
) -> None:
    """The bookkeeper deletes the minus line in Conta before sending: the hour is still billed."""
    _, entry, follow_up = await moved_away(kari)
    (stored,) = await drafts_with(twins, follow_up["mark"])
    lines = [one for one in stored["invoiceDraftLines"] if one["quantity"] > 0]
    lines[0] |= {"description": f"{lines[0]['description']} (spes. {follow_up['mark']})"}
    await person(twins, f"drafts/{follow_up['contaDraftIds'][0]}/edit", lines=lines)

    await kari.in_conta(follow_up, "send")

    assert (await kari.hour(entry))["place"] == "in-draft"
    shown = await kari.get(f"invoice-drafts/{follow_up['id']}")
    assert (shown["became"]["what"], shown["problem"]) == ("sent", "remote-total-differs")


async def test_an_hour_that_a_later_follow_up_put_on_again_is_not_given_back(
    kari: Bookkeeper, twins: Any
) -> None:
    """Moved away and back before the first follow-up is sent: first draft and both hold it."""
    draft, entry, follow_up = await moved_away(kari)
    await change(twins, entry, customerId=draft["customerId"])
    again = await kari.follow(await kari.look())

    await kari.in_conta(follow_up, "send")

    assert sum(line["minutes"] for line in again["lines"]) == draft["entries"][0]["minutes"]
    assert (await kari.hour(entry))["place"] == "in-draft"


async def test_a_difference_is_never_upon_what_does_not_stand(kari: Bookkeeper, twins: Any) -> None:
    """Deleted in Conta and seen: the whole is released and billed anew, no part of it."""
    draft = await kari.bill(grouping="entry")
    await longer(kari, draft, 30)
    changes = await kari.look()
    shown = (await kari.ask(changes)).json()["preview"]
    await kari.in_conta(draft, "delete")

    refused = await kari.ask(changes)
    late = await kari.send(shown)

    assert (refused.status_code, refused.json()["code"]) == (409, "draft-not-standing")
    assert late["code"] == "preview-outdated"


async def test_two_follow_ups_of_one_line_at_once_are_one(kari: Bookkeeper) -> None:
    """By the started hour, 20 and 20 both become 45: the sum is two hours, not three."""
    shown = await previewed(kari.client, kari.link, grouping="entry")
    ids = [line["entryIds"][0] for line in shown["lines"][:2]]
    for one in ids:
        await change(kari.twins, one, minutes=20)
    style = {"grouping": "sum", "rounding": {"minutes": 60}, "entryIds": ids}
    draft = await kari.bill(customerId=shown["style"]["customerId"], **style)
    for one in ids:
        await change(kari.twins, one, minutes=45)
    changes = await kari.look()
    previews = [(await kari.ask([one])).json()["preview"] for one in changes]

    answers = await asyncio.gather(*(kari.send(one) for one in previews))

    assert [line["hours"] for line in draft["lines"]] == ["1.00"]
    assert Counter(a.get("state") or a["code"] for a in answers) == {
        "completed": 1, "preview-outdated": 1,
    }  # fmt: skip
    (rest,) = await kari.look()
    assert (await kari.ask([rest])).json()["code"] == "nothing-to-bill"


async def test_a_follow_up_credited_after_it_gave_hours_back_is_told_of(
    kari: Bookkeeper, twins: Any
) -> None:
    """The hour may be on two bills now, and the draft says what to do about it."""
    _, _, follow_up = await moved_away(kari)
    await kari.in_conta(follow_up, "send")

    await kari.in_conta(follow_up, "credit")

    shown = await kari.get(f"invoice-drafts/{follow_up['id']}")
    assert shown["problem"] == "credited-after-giving-back"
    assert "first invoice" in shown["problemText"] or "første faktura" in shown["problemText"]


async def test_what_was_left_after_a_follow_up_is_asked_again_with_it(kari: Bookkeeper) -> None:
    """+30 followed, then +30 left, then the follow-up is deleted: one question of +60."""
    draft = await kari.bill(grouping="entry")
    await longer(kari, draft, 30)
    follow_up = await kari.follow(await kari.look())
    await longer(kari, draft, 60)
    (one,) = await kari.look()
    await kari.post("changed-hours", changeIds=[one["id"]], choice="leave")
    await kari.in_conta(follow_up, "delete")

    released = await kari.release(follow_up)

    assert released.json()["state"] == "released"
    (again,) = await kari.look()
    assert again["after"]["minutes"] - again["before"]["minutes"] == 60


async def test_an_hour_that_costs_nothing_any_more_is_followed_up(
    kari: Bookkeeper, twins: Any
) -> None:
    """Re-priced to nothing: the old line comes off, and no line of no kroner stands in its way."""
    draft = await kari.bill(grouping="entry")
    entry = draft["entries"][0]["entryId"]
    await longer(kari, draft, 6000, 1)
    await change(twins, entry, hourlyRate="0")

    follow_up = await kari.follow(await kari.look())

    assert follow_up["state"] == "completed"
    own = [line for line in follow_up["lines"] if entry in line["entryIds"]]
    assert [line["netOre"] for line in own] == [-draft["lines"][0]["netOre"]]


async def test_an_hour_is_given_back_by_the_follow_up_whose_line_takes_it_off(
    kari: Bookkeeper, twins: Any
) -> None:
    """A later one that takes it off once more has no line of it: the first may still be deleted."""
    draft = await kari.bill(grouping="entry")
    moved = draft["entries"][1]["entryId"]
    await longer(kari, draft, 6000)
    await change(twins, moved, customerId="cus_9")
    first = await kari.follow(await kari.look())
    await longer(kari, draft, 12000)
    await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{moved}/delete")
    second = await kari.follow(await kari.look())

    await kari.in_conta(second, "send")
    before = await kari.hour(moved)
    await kari.in_conta(first, "send")
    after = await kari.hour(moved)

    assert not any(moved in line["entryIds"] for line in second["lines"])
    assert (before["place"], after["place"]) == ("in-draft", "free")


async def test_an_hour_whose_bill_was_left_to_stand_is_not_given_back(
    kari: Bookkeeper, twins: Any
) -> None:
    """Moved, and its bill left; then deleted, and restored to its new customer: billed once."""
    draft = await kari.bill(grouping="entry")
    moved = draft["entries"][1]["entryId"]
    await change(twins, moved, customerId="cus_9")
    left = [one["id"] for one in await kari.look()]
    await kari.post("changed-hours", changeIds=left, choice="leave")
    await longer(kari, draft, 6000)
    await twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{moved}/delete")
    follow_up = await kari.follow(await kari.look())

    await kari.in_conta(follow_up, "send")
    await change(twins, moved, deletedAt=None)
    await kari.look()

    assert not any(moved in line["entryIds"] for line in follow_up["lines"])
    assert (await kari.hour(moved))["place"] == "in-draft"
    assert (await entries_of(twins, [moved]))[0]["invoiceStatus"] == "invoiced"


async def test_a_paper_names_the_project_an_hour_is_of_now(kari: Bookkeeper, twins: Any) -> None:
    """Moved to another project and made longer: the new line is of the new project."""
    draft = await kari.bill(grouping="entry")
    entry = await longer(kari, draft, 30)
    state = await twins.time()
    hour = next(e for e in state["entries"] if e["id"] == entry)
    project = next(
        p for p in state["projects"]
        if p["customerId"] == hour["customerId"] and p["id"] != hour["projectId"]
    )  # fmt: skip
    await change(twins, entry, projectId=project["id"])

    (one,) = await kari.look()

    assert one["what"] == ["minutes", "project"]
    assert one["after"]["project"] in {project["name"], None}
    assert one["after"]["project"] != one["before"]["project"]
