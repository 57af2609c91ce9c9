"""Lines that a person took out of a draft in Conta: their hours are set free, and no others."""

from typing import Any

import httpx
import pytest

from app.canonical import Ore
from app.invoicing.ledger.fate import taken_out
from app.systems.documents import RemoteLine
from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import drafts_with, entries_of, previewed
from tests.features.invoicing.test_followed import person
from tests.features.invoicing.test_merged import two


async def taken(kari: Bookkeeper, draft: dict[str, Any], place: int, **more: Any) -> None:
    """Take a line out of the draft in Conta, or write over it."""
    lines = (await drafts_with(kari.twins, draft["mark"]))[0]["invoiceDraftLines"]
    if more:
        lines[place] |= more
    else:
        del lines[place]
    await person(kari.twins, f"drafts/{draft['contaDraftIds'][0]}/edit", lines=lines)


async def release(kari: Bookkeeper, draft: dict[str, Any], **more: Any) -> httpx.Response:
    return await kari.post(f"invoice-drafts/{draft['id']}/release", reason="tatt ut", **more)


@pytest.mark.parametrize("sent", [False, True])
async def test_the_hours_of_a_line_taken_out_can_be_billed_again(
    kari: Bookkeeper, twins: Any, sent: bool
) -> None:
    """From the draft, or from the invoice it became: that line's hours, once, and no others."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1)
    if sent:
        await kari.in_conta(draft, "send")
    entry = draft["lines"][1]["entryIds"][0]

    answer = await release(kari, draft, lines=[2])

    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert (after["state"], [e["entryId"] for e in after["entries"] if not e["held"]]) == (
        "completed", [entry],
    )  # fmt: skip
    assert (await entries_of(twins, [entry]))[0]["invoiceStatus"] == "to_invoice"
    again = await release(kari, draft, lines=[2])
    assert again.status_code == 200
    told = [e for e in again.json()["events"] if e["what"] == "lines released"]
    assert told[0]["facts"]["lines"] == [2]
    shown = await previewed(kari.client, kari.link, customerId=draft["customerId"])
    anew = await kari.send(shown)
    assert [line["entryIds"] for line in anew["lines"]] == [[entry]]
    places = {h["draftId"]: h["place"] for h in (await kari.hour(entry))["history"]}
    assert places == {draft["id"]: "free", anew["id"]: "in-draft"}


@pytest.mark.parametrize("sent", [False, True])
async def test_a_draft_whose_line_was_released_differs_no_more(
    kari: Bookkeeper, sent: bool
) -> None:
    """What a person has settled is no problem any longer; what they do next is one."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1)
    if sent:
        await kari.in_conta(draft, "send")
    path = f"invoice-drafts/{draft['id']}"
    before = (await kari.post(f"{path}/look")).json()
    await release(kari, draft, lines=[2])

    await kari.work()

    after = await kari.get(path)
    assert (before["problem"], after["problem"]) == ("remote-total-differs", None)
    assert ([one["line"] for one in before["differs"]], after["differs"]) == ([2], [])
    if not sent:
        await taken(kari, draft, 1)
        again = (await kari.post(f"{path}/look")).json()
        assert again["problem"] == "remote-total-differs"
        assert [one["line"] for one in again["differs"]] == [3]


async def test_a_line_that_stands_or_may_stand_is_not_released(kari: Bookkeeper) -> None:
    """As it was, or written over: a person must have looked before its hours go."""
    draft = await kari.bill(grouping="entry")
    await taken(kari, draft, 1, description="Noe annet", price=123)

    stands = await release(kari, draft, lines=[1])
    may = await release(kari, draft, lines=[2])
    looked = await release(kari, draft, lines=[2], lookedInConta=True)
    unknown = await release(kari, draft, lines=[999])

    assert (stands.status_code, stands.json()["code"]) == (409, "draft-holds-hours")
    assert may.json()["code"] == "draft-may-be-invoiced"
    assert [one["text"] for one in may.json()["candidates"]] == ["Noe annet"]
    assert [e["held"] for e in looked.json()["entries"]].count(False) == 1
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/lines")


async def test_a_line_pasted_into_another_draft_is_held_there(kari: Bookkeeper) -> None:
    """It has no mark there; once it is taken out of both, its hours are free."""
    one, other = await two(kari)
    (stored,) = await drafts_with(kari.twins, one["mark"])
    await taken(kari, one, 1)
    (into,) = await drafts_with(kari.twins, other["mark"])
    own = into["invoiceDraftLines"]
    pasted = [*own, stored["invoiceDraftLines"][1]]
    await person(kari.twins, f"drafts/{into['id']}/edit", lines=pasted)

    held = await release(kari, one, lines=[2])
    await person(kari.twins, f"drafts/{into['id']}/edit", lines=own)
    freed = await release(kari, one, lines=[2])

    assert (held.status_code, held.json()["code"]) == (409, "draft-holds-hours")
    assert str(into["id"]) in held.json()["detail"]
    assert [e["entryId"] for e in freed.json()["entries"] if not e["held"]] == (
        one["lines"][1]["entryIds"]
    )


async def test_lines_are_released_only_of_what_lives_and_is_followed_by_nothing(
    kari: Bookkeeper, twins: Any
) -> None:
    """Deleted: all of it is released. Followed up: the follow-up first. A follow-up: whole."""
    draft = await kari.bill(grouping="entry")
    entry = await longer(kari, draft, 30)
    follow_up = await kari.follow(await kari.look())
    place = next(n for n, line in enumerate(draft["lines"]) if entry in line["entryIds"])
    await taken(kari, draft, place)

    followed = await release(kari, draft, lines=[place + 1])
    of_follow_up = await release(kari, follow_up, lines=[1])
    await person(twins, f"drafts/{draft['contaDraftIds'][0]}/delete")
    gone = await release(kari, draft, lines=[place + 1])

    assert followed.json()["code"] == "follow-up-holds-hours"
    assert of_follow_up.json()["code"] == gone.json()["code"] == "draft-state"
    assert (await entries_of(twins, [entry]))[0]["invoiceStatus"] == "invoiced"


@pytest.mark.parametrize(
    ("theirs", "gone", "others"),
    [
        ([("A (spes. TR-7K3QF9M2)", 100), ("B", 200)], set(), []),
        ([("B", 200), ("A", 100)], set(), []),
        ([("A", 100)], {2}, []),
        ([("A", 100), ("B", 201)], {2}, ["B"]),
        ([("A", 100), ("A", 100)], {2}, ["A"]),
        ([("A", None), ("B", None)], set(), []),
        ([], {1, 2}, []),
    ],
)
def test_which_lines_were_taken_out(
    theirs: list[tuple[str, int | None]], gone: set[int], others: list[str]
) -> None:
    """By text and net, whatever the order and wherever the mark stands."""
    ours = [{"text": "A (spes. TR-7K3QF9M2)", "net": 100}, {"text": "B", "net": 200}]

    found, left = taken_out(
        ours, [RemoteLine(text=text, net=None if net is None else Ore(net)) for text, net in theirs]
    )

    assert (set(found), [line.text for line in left]) == (gone, others)
