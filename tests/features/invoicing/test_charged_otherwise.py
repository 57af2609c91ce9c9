"""Follow-ups upon lines that a person wrote over or took out in Conta."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import drafts_with
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_release_lines import release, taken


async def gone(kari: Bookkeeper, draft: dict[str, Any], place: int) -> str:
    """Delete the one hour of a line in Timerabbit; gives its id."""
    (entry,) = draft["lines"][place]["entryIds"]
    await kari.twins.control("timerabbit", "POST", f"/companies/cmp_1/entries/{entry}/delete")
    return str(entry)


def told(preview: dict[str, Any]) -> list[tuple[str, bool]]:
    return [
        (one["code"], one["blocking"])
        for one in preview["problems"]
        if one["code"].endswith("-in-conta")
    ]


@pytest.mark.parametrize("sent", [False, True])
async def test_what_was_never_charged_is_not_taken_off(kari: Bookkeeper, sent: bool) -> None:
    """A line taken out in Conta and its hour deleted: the line is released, nothing is credited."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1)
    if sent:
        await kari.in_conta(draft, "send")
        seen = await kari.get(f"invoice-drafts/{draft['id']}")
        assert seen["became"]["goneLines"] == [2]
    entry = await gone(kari, draft, 1)
    await longer(kari, draft, 600, 3)
    changes = await kari.look()

    preview = (await kari.ask(changes)).json()["preview"]

    assert told(preview) == [("line-not-in-conta", True)]
    (found,) = [one for one in preview["problems"] if one["code"] == "line-not-in-conta"]
    assert (found["draftId"], found["line"]) == (draft["id"], 2)
    answer = await release(kari, draft, lines=[2])
    assert answer.status_code == 200, answer.text
    (left,) = await kari.look()
    assert left["entryId"] != entry
    assert told((await kari.ask([left])).json()["preview"]) == []


async def test_no_more_is_taken_off_than_was_charged(kari: Bookkeeper) -> None:
    """Half the price given in Conta: the whole price does not come off, both sums are shown."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1, discount=50)
    await kari.in_conta(draft, "send")
    await gone(kari, draft, 1)
    await longer(kari, draft, 600, 3)

    preview = (await kari.ask(await kari.look())).json()["preview"]

    (found,) = [one for one in preview["problems"] if one["code"] == "line-differs-in-conta"]
    net = draft["lines"][1]["netOre"]
    assert (found["oursOre"], found["theirsOre"], found["blocking"]) == (net, net // 2, True)


async def test_a_difference_upon_a_changed_line_is_told(kari: Bookkeeper) -> None:
    """More hours upon a line with a discount of Conta's own: a person sees it and may send."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1, discount=50, description="Skrevet om")
    await longer(kari, draft, 600, 1)

    preview = (await kari.ask(await kari.look())).json()["preview"]

    assert told(preview) == [("line-differs-in-conta", False)]
    assert (await kari.send(preview))["state"] == "completed"


async def test_another_text_of_the_same_sum_is_no_difference(kari: Bookkeeper) -> None:
    """A person wrote a better text in Conta: the customer was charged what we sent."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1, description="Skrevet om")
    await kari.in_conta(draft, "send")
    await longer(kari, draft, 600, 1)

    preview = (await kari.ask(await kari.look())).json()["preview"]

    assert told(preview) == []


async def test_what_followed_is_charged_with_its_line(kari: Bookkeeper) -> None:
    """A follow-up's line that was taken out in Conta is missing from what the next comes upon."""
    draft = await kari.bill(grouping="entry")
    await longer(kari, draft, 60)
    await longer(kari, draft, 600, 1)
    first = await kari.follow(await kari.look())
    own = next(n for n, line in enumerate(first["lines"]) if line["minutes"] == 60)
    await taken(kari, first, own)
    await longer(kari, draft, 120)

    preview = (await kari.ask(await kari.look())).json()["preview"]

    (found,) = [one for one in preview["problems"] if one["code"] == "line-differs-in-conta"]
    assert found["oursOre"] - found["theirsOre"] == first["lines"][own]["netOre"]


async def test_nothing_is_reckoned_upon_a_draft_that_is_gone_unseen(kari: Bookkeeper) -> None:
    """Deleted in Conta a moment ago: the next look says so, until then nothing is previewed."""
    draft = await kari.bill(grouping="entry")
    await longer(kari, draft, 60)
    changes = await kari.look()
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/delete")

    answer = await kari.ask(changes)

    assert (answer.status_code, answer.json()["code"]) == (409, "draft-not-standing")
    assert not await drafts_with(kari.twins, draft["mark"])


async def moved(kari: Bookkeeper, *places: int) -> tuple[list[str], dict[str, Any]]:
    """Bill, move hours to another customer and follow it up beside a longer one."""
    draft = await kari.bill(grouping="entry")
    entries = [draft["entries"][place]["entryId"] for place in places]
    await longer(kari, draft, 6000, 3)
    for entry in entries:
        await change(kari.twins, entry, customerId="cus_9", projectId=None)
    return entries, await kari.follow(await kari.look())


def minus(draft: dict[str, Any]) -> list[int]:
    return [place for place, line in enumerate(draft["lines"]) if line["netOre"] < 0]


async def test_another_text_of_a_minus_line_still_gives_the_hour_back(kari: Bookkeeper) -> None:
    """A person writes «Retting» for «Korreksjon» in Conta: the customer got the sum back."""
    (entry,), follow_up = await moved(kari, 0)
    await taken(kari, follow_up, *minus(follow_up), description=f"Retting {follow_up['mark']}")

    await kari.in_conta(follow_up, "send")

    seen = await kari.get(f"invoice-drafts/{follow_up['id']}")
    assert (seen["became"].get("goneLines"), seen["problem"]) == (None, None)
    assert (await kari.hour(entry))["place"] == "free"


async def test_a_minus_line_that_nobody_can_know_waits_for_a_person(kari: Bookkeeper) -> None:
    """Text and sum changed: the hour is held and an alarm says so, until someone looked."""
    (entry, other), follow_up = await moved(kari, 0, 1)
    first, second = minus(follow_up)
    await taken(kari, follow_up, first, description=f"Retting {follow_up['mark']}", price=1)
    await kari.in_conta(follow_up, "send")
    seen = await kari.get(f"invoice-drafts/{follow_up['id']}")

    asleep = await release(kari, follow_up, lines=[first + 1])
    wrong = await release(kari, follow_up, lines=[99], lookedInConta=True)
    looked = await release(kari, follow_up, lines=[first + 1], lookedInConta=True)

    assert (seen["problem"], seen["became"]["unclearLines"]) == (
        "follow-up-line-unclear", [first + 1],
    )  # fmt: skip
    taken_off = {line["entryIds"][0]: number for number, line in enumerate(follow_up["lines"])}
    assert {taken_off[entry], taken_off[other]} == {first, second}
    assert asleep.json()["code"] == "draft-may-be-invoiced"
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/lines")
    assert (looked.status_code, looked.json()["problem"]) == (200, None)
    assert {(await kari.hour(one))["place"] for one in (entry, other)} == {"free"}
    again = await kari.post(f"invoice-drafts/{follow_up['id']}/look")
    assert again.json()["problem"] == "remote-total-differs"
    assert [e["what"] for e in again.json()["events"]].count("lines confirmed") == 1
