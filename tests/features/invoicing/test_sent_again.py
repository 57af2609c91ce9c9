"""No second POST without a look: what an earlier one made is found first, however late it is."""

from typing import Any

import pytest

from tests.features.conftest import forget_patience
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_followed import person, post_late
from tests.features.invoicing.test_gone import pass_hours, read
from tests.features.invoicing.test_protocol import fault

LOST = {"kind": "lost_answer", "method": "POST", "path": "invoice-drafts", "times": 1}


async def resend(kari: Bookkeeper, draft: dict[str, Any]) -> Any:
    return await kari.post(f"invoice-drafts/{draft['id']}/resend")


@pytest.fixture
async def unseen(kari: Bookkeeper) -> dict[str, Any]:
    """A draft that stands in Conta, its answer lost, and that no list showed in three days."""
    preview = await previewed(kari.client, kari.link)
    await fault(kari.twins, "conta", **LOST)
    await fault(kari.twins, "conta", kind="stale_list", path="/invoice-drafts", seconds=3600)
    draft = await kari.send(preview)
    await pass_hours(kari, 3, seconds=121)
    asked = await read(kari, draft)
    assert (asked["state"], asked["problem"]) == ("needs-person", "draft-not-found")
    kari.clock.advance(hours=73)
    return await read(kari, draft)


async def test_sending_again_looks_first_however_late_it_is(
    kari: Bookkeeper, unseen: dict[str, Any]
) -> None:
    """After the 72 hours of watching too: what is there is taken, one draft in the end."""
    again = await resend(kari, unseen)

    assert again.json()["state"] == "completed", again.text
    assert len(await drafts_with(kari.twins, unseen["mark"])) == 1


async def test_sending_again_watches_anew(kari: Bookkeeper, unseen: dict[str, Any]) -> None:
    """A list that hides the first draft from that look too: both are shown once it names it."""
    await kari.twins.control("conta", "DELETE", "/faults")
    await fault(kari.twins, "conta", kind="stale_list", path="/invoice-drafts", seconds=900_000)
    again = await resend(kari, unseen)
    await kari.twins.control("conta", "DELETE", "/faults")

    await pass_hours(kari, 3, minutes=30)

    assert again.status_code == 200, again.text
    told = await read(kari, unseen)
    assert again.json()["state"] == "completed", again.text
    assert (told["problem"], len(told["contaDraftIds"])) == ("duplicate-draft", 2)


@pytest.fixture
async def two(kari: Bookkeeper, network: Any) -> dict[str, Any]:
    """Two drafts found with one mark, after which 73 hours pass."""
    preview = await previewed(kari.client, kari.link)
    await fault(kari.twins, "conta", **LOST)
    draft = await kari.send(preview)
    (first,) = await drafts_with(kari.twins, preview["mark"])
    await post_late(network, first)
    await pass_hours(kari, 1, seconds=121)
    kari.clock.advance(hours=73)
    await kari.work()
    shown = await read(kari, draft)
    assert (shown["state"], shown["problem"]) == ("needs-person", "duplicate-draft")
    assert len(shown["contaDraftIds"]) == 2
    return shown


@pytest.mark.parametrize("by", ["sweep", "look", "resend"])
async def test_of_two_drafts_the_one_left_is_taken_however_late(
    kari: Bookkeeper, two: dict[str, Any], by: str
) -> None:
    """A person deleted one days later: the other is the draft, and its hours are marked."""
    gone, kept = two["contaDraftIds"]
    held = await resend(kari, two)
    await person(kari.twins, f"drafts/{gone}/delete")

    if by == "sweep":
        await pass_hours(kari, 1, hours=13)
    else:
        await kari.post(f"invoice-drafts/{two['id']}/{by}")
    await pass_hours(kari, 1, minutes=1)

    left = await read(kari, two)
    assert (held.status_code, held.json()["code"]) == (409, "draft-state")
    assert (left["state"], left["problem"]) == ("completed", None)
    assert left["contaDraftIds"] == [kept]


async def test_of_two_drafts_both_gone_neither_is_taken_for_deleted_at_once(
    kari: Bookkeeper, two: dict[str, Any]
) -> None:
    """One may have been sent, and its invoice not be listed yet: three looks, then a person."""
    for one in two["contaDraftIds"]:
        await person(kari.twins, f"drafts/{one}/delete")

    held = await kari.release(two)
    await pass_hours(kari, 3, seconds=121)

    asked = await read(kari, two)
    freed = await kari.release(two)
    assert (held.status_code, held.json()["code"]) == (409, "draft-state")
    assert (asked["state"], asked["problem"]) == ("needs-person", "draft-not-found")
    assert freed.json()["state"] == "released"


@pytest.mark.parametrize("status", [401, 403, 429])
@pytest.mark.parametrize("made", [True, False])
async def test_a_post_whose_caller_was_refused_is_looked_for_before_the_next(
    kari: Bookkeeper, runtime: Any, status: int, made: bool
) -> None:
    """Whether it lied or not: one draft in the end, nobody asked, no hour freed meanwhile."""
    preview = await previewed(kari.client, kari.link)
    kind = "status_after" if made else "status_before"
    await fault(kari.twins, "conta", **{**LOST, "kind": kind, "status": status})
    await fault(kari.twins, "conta", kind="stale_list", path="/invoice-drafts", seconds=90)

    draft = await kari.send(preview)
    forget_patience(runtime)
    await kari.post("resume")  # a refused key pauses
    early = await kari.release(draft)
    await pass_hours(kari, 12, seconds=31)
    forget_patience(runtime)
    await pass_hours(kari, 2, seconds=31)

    settled = await read(kari, draft)
    assert draft["state"] == "reserved"
    assert early.json()["code"] == "draft-state"
    assert (settled["state"], settled["problem"]) == ("completed", None)
    assert len(await drafts_with(kari.twins, preview["mark"])) == 1
