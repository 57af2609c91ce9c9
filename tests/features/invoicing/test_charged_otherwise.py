"""Follow-ups upon lines that a person wrote over or took out in Conta."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import drafts_with
from tests.features.invoicing.test_followed import person
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
