"""Drafts over the API on the real database, judged by the twins' own stores."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.invoicing.drafts.settle import settle_draft
from app.runtime import Runtime
from app.settings import Settings

Work = Callable[[], Awaitable[int]]
POINTS = [
    CommitPoint.DRAFT_INTENT, CommitPoint.DRAFT_RESERVED, CommitPoint.DRAFT_ATTEMPT,
    CommitPoint.DRAFT_BEFORE_POST, CommitPoint.DRAFT_AFTER_POST, CommitPoint.DRAFT_CREATED,
    CommitPoint.DRAFT_COMPLETED,
]  # fmt: skip


class Died(BaseException):
    """Play a death: nothing catches it, what was committed stays."""


async def busiest(client: httpx.AsyncClient, link: Any) -> str:
    """The customer with most billable hours."""
    found = (await client.get(f"{link.path}/billable-entries", headers=link.books)).json()
    counts = Counter(e["customerId"] for e in found["items"] if e["billable"])
    return str(counts.most_common(1)[0][0])


async def previewed(client: httpx.AsyncClient, link: Any, **more: Any) -> dict[str, Any]:
    customer = more.pop("customerId", None) or await busiest(client, link)
    answer = await client.post(
        f"{link.path}/invoice-drafts/preview",
        headers=link.books,
        json={"customerId": customer, **more},
    )
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def sent(
    client: httpx.AsyncClient, link: Any, preview: dict[str, Any], key: str = "key-1"
) -> httpx.Response:
    return await client.post(
        f"{link.path}/invoice-drafts",
        headers={**link.books, "Idempotency-Key": key},
        json={"previewId": preview["previewId"]},
    )


async def drafts_with(twins: Any, mark: str) -> list[dict[str, Any]]:
    return [
        d
        for d in (await twins.books())["drafts"]
        if any(mark in line["description"] for line in d["invoiceDraftLines"])
    ]


async def entries_of(twins: Any, ids: list[str]) -> list[dict[str, Any]]:
    own = {e["id"]: e for e in (await twins.time())["entries"]}
    return [own[one] for one in ids]


async def test_a_draft_is_its_preview_to_the_ore(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Lines and sums in Conta's own store are those of the preview; the hours are marked."""
    preview = await previewed(client, synced)

    answer = await sent(client, synced, preview)

    stored = await drafts_with(twins, preview["mark"])
    assert answer.status_code == 201
    assert answer.json()["state"] == "completed"
    assert len(stored) == 1
    assert [line["description"] for line in stored[0]["invoiceDraftLines"]] == [
        line["text"] for line in preview["lines"]
    ]
    assert round(float(stored[0]["sumNet"]) * 100) == preview["netOre"]
    assert round(float(stored[0]["sumTotal"]) * 100) == preview["totalOre"]
    ids = [e for line in preview["lines"] for e in line["entryIds"]]
    assert {e["invoiceStatus"] for e in await entries_of(twins, ids)} == {"invoiced"}
    assert {e["transfer"]["draftId"] for e in await entries_of(twins, ids)} == {
        str(stored[0]["id"])
    }


async def test_a_draft_that_was_made_is_counted(client: httpx.AsyncClient, synced: Any) -> None:
    """Once, also where the same POST comes again."""
    preview = await previewed(client, synced)
    for _ in range(2):
        await sent(client, synced, preview)

    page = (await client.get("/metrics")).text

    assert 'tc_drafts_total{outcome="created"} 1.0' in page


async def test_who_asked_is_kept_and_told(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Our own draft says which user and which employee; Timerabbit's transfer says the latter."""
    preview = await previewed(client, synced)

    answer = await client.post(
        f"{synced.path}/invoice-drafts",
        headers={**synced.books, "Idempotency-Key": "asked"},
        json={"previewId": preview["previewId"], "requestedByEmployeeId": "emp_2"},
    )

    draft = answer.json()
    assert (draft["requestedBy"], draft["requestedByEmployeeId"]) == ("kari@1001", "emp_2")
    told = [t["requestedByEmployeeId"] for t in (await twins.time())["transfers"]]
    assert told == ["emp_2"]


async def test_the_same_post_again_shows_the_same_draft(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """A repeat with the same key makes nothing and says that it is one."""
    preview = await previewed(client, synced)
    first = await sent(client, synced, preview)

    again = await sent(client, synced, preview)

    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_another_key_with_the_same_hours_is_told_which_draft_has_them(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Pressed twice with two keys: the second hears of the first's draft, and makes none."""
    preview = await previewed(client, synced)
    first = await sent(client, synced, preview)

    second = await sent(client, synced, preview, key="key-2")

    assert second.status_code == 409
    assert second.json()["code"] in {"hours-already-in-draft", "preview-outdated"}
    assert len(await drafts_with(twins, preview["mark"])) == 1
    assert first.json()["state"] == "completed"


async def test_many_at_once_make_one_draft(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Twelve presses at the same moment, each with its own key: each hour in at most one draft."""
    customer = await busiest(client, synced)
    previews = [await previewed(client, synced, customerId=customer) for _ in range(12)]

    answers = await asyncio.gather(
        *(sent(client, synced, one, key=f"key-{n}") for n, one in enumerate(previews))
    )

    codes = Counter(answer.status_code for answer in answers)
    assert codes[201] == 1
    assert codes[409] == 11
    drafts = (await twins.books())["drafts"]
    assert len(drafts) == 1
    losers = [a.json() for a in answers if a.status_code == 409]
    assert all(one["code"] in {"hours-already-in-draft", "preview-outdated"} for one in losers)


async def test_an_hour_changed_after_the_preview_outdates_it(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """What was not previewed is not sent: 409 names the changed hour, nothing is made."""
    preview = await previewed(client, synced)
    changed = preview["lines"][0]["entryIds"][0]
    await twins.control(
        "timerabbit", "PATCH", f"/companies/cmp_1/entries/{changed}", {"minutes": 30}
    )

    answer = await sent(client, synced, preview)

    assert answer.status_code == 409
    assert answer.json()["code"] == "preview-outdated"
    assert answer.json()["changed"] == [{"entryId": changed, "what": "changed"}]
    assert (await twins.books())["drafts"] == []
    retried = await sent(client, synced, await previewed(client, synced))
    assert retried.status_code == 201


async def test_an_old_preview_is_not_sent(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any
) -> None:
    """After an hour a new preview is needed."""
    preview = await previewed(client, synced)
    clock.advance(hours=1, seconds=1)
    synced.books["Authorization"] = f"Bearer {await twins.token('conta', '1001')}"

    answer = await sent(client, synced, preview)

    assert (answer.status_code, answer.json()["code"]) == (409, "preview-outdated")


async def test_a_refused_vat_code_frees_the_hours_and_is_warned_of(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Conta's no is final: nothing is made, the hours are free, the next preview warns."""
    await twins.control("conta", "POST", "/organizations/1001/vat-codes", {"codes": ["exempted"]})
    preview = await previewed(client, synced)

    answer = await sent(client, synced, preview)

    ids = [e for line in preview["lines"] for e in line["entryIds"]]
    assert answer.json()["state"] == "refused"
    assert (await twins.books())["drafts"] == []
    again = await previewed(client, synced)
    assert "vat-code-refused-before" in {p["code"] for p in again["problems"]}
    assert {e for line in again["lines"] for e in line["entryIds"]} >= set(ids) or not ids
    fixed = await previewed(client, synced, vatCode="exempted")
    assert (await sent(client, synced, fixed, key="key-2")).json()["state"] == "completed"


async def test_a_lost_answer_ends_in_one_adopted_draft(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The outcome is unknown, looked for after the settle time, found by its mark, adopted."""
    preview = await previewed(client, synced)
    await twins.control(
        "conta", "POST", "/faults",
        {"kind": "lost_answer", "method": "POST", "path": "invoice-drafts", "times": 1},
    )  # fmt: skip

    answer = await sent(client, synced, preview)
    assert (answer.status_code, answer.json()["state"]) == (202, "unconfirmed")
    clock.advance(seconds=121)
    await work()

    synced.books["Authorization"] = f"Bearer {await twins.token('conta', '1001')}"
    draft = (await client.get(answer.headers["location"], headers=synced.books)).json()
    stored = await drafts_with(twins, preview["mark"])
    assert draft["state"] == "completed"
    assert [str(one["id"]) for one in stored] == draft["contaDraftIds"]


async def test_a_draft_that_was_not_made_waits_for_a_person(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Three empty looks later a person is asked; «send again» makes exactly one."""
    preview = await previewed(client, synced)
    await twins.control(
        "conta", "POST", "/faults",
        {"kind": "status_before", "status": 500, "method": "POST", "path": "invoice-drafts",
         "times": 1},
    )  # fmt: skip
    answer = await sent(client, synced, preview)
    for _ in range(3):
        clock.advance(seconds=121)
        await work()
    synced.books["Authorization"] = f"Bearer {await twins.token('conta', '1001')}"
    waiting = (await client.get(answer.headers["location"], headers=synced.books)).json()

    again = await client.post(f"{answer.headers['location']}/resend", headers=synced.books)

    assert (waiting["state"], waiting["problem"]) == ("needs-person", "draft-not-found")
    assert again.json()["state"] == "completed"
    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_timerabbit_away_after_the_draft_is_completed_later(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The draft stands; the hours are marked when Timerabbit is back."""
    preview = await previewed(client, synced)
    fault = {"kind": "status_before", "status": 503, "path": "/complete"}
    await twins.control("timerabbit", "POST", "/faults", fault)
    answer = await sent(client, synced, preview)
    assert (answer.status_code, answer.json()["state"]) == (201, "created")
    await twins.control("timerabbit", "DELETE", "/faults")

    clock.advance(seconds=61)
    await work()

    ids = [e for line in preview["lines"] for e in line["entryIds"]]
    assert {e["invoiceStatus"] for e in await entries_of(twins, ids)} == {"invoiced"}
    assert len((await twins.books())["drafts"]) == 1


async def test_hours_are_released_only_when_conta_has_neither_draft_nor_invoice(
    client: httpx.AsyncClient, synced: Any, twins: Any, clock: Any
) -> None:
    """Refused while the draft stands and just after; a settle time later the hours are free."""
    preview = await previewed(client, synced)
    draft = (await sent(client, synced, preview)).json()
    path = f"{synced.path}/invoice-drafts/{draft['id']}/release"
    held = await client.post(path, headers=synced.books, json={"reason": "feil kunde"})
    number = draft["contaDraftIds"][0]
    await twins.control("conta", "POST", f"/organizations/1001/drafts/{number}/delete")
    gone = await client.post(path, headers=synced.books, json={"reason": "slettet i Conta"})
    clock.advance(seconds=120)

    freed = await client.post(path, headers=synced.books, json={"reason": "slettet i Conta"})

    ids = [e for line in preview["lines"] for e in line["entryIds"]]
    assert (held.status_code, held.json()["code"]) == (409, "draft-holds-hours")
    assert (gone.status_code, gone.json()["code"]) == (409, "draft-just-gone")
    assert freed.json()["state"] == "released"
    assert {e["invoiceStatus"] for e in await entries_of(twins, ids)} == {"to_invoice"}
    assert (await sent(client, synced, await previewed(client, synced), key="k2")).is_success


async def test_a_paused_link_makes_no_draft(client: httpx.AsyncClient, synced: Any) -> None:
    """A link that does not work refuses with its state."""
    await client.post(f"{synced.path}/pause", headers=synced.books)

    answer = await client.get(f"{synced.path}/billable-entries", headers=synced.books)

    assert (answer.status_code, answer.json()["code"]) == (409, "link-not-active")


async def test_hours_that_cannot_be_billed_say_why(client: httpx.AsyncClient, synced: Any) -> None:
    """Each hindered hour names its reasons in the caller's language."""
    headers = {**synced.books, "Accept-Language": "en"}

    found = (await client.get(f"{synced.path}/billable-entries", headers=headers)).json()

    reasons = {h["code"] for e in found["items"] for h in e["hindrances"]}
    assert {"not-marked", "no-rate", "no-customer"} <= reasons
    assert found["billableCount"] == sum(1 for e in found["items"] if e["billable"])
    texts = {h["text"] for e in found["items"] for h in e["hindrances"]}
    assert "The hour has no rate." in texts


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("point", POINTS, ids=[point.value for point in POINTS])
async def test_a_death_at_any_point_ends_in_one_draft(
    client: httpx.AsyncClient, app: Any, settings: Settings, runtime: Runtime, synced: Any,
    twins: Any, network: Any, work: Work, clock: Any, point: CommitPoint,
    when: Literal["before", "after"],
) -> None:  # fmt: skip
    """
    Whoever dies where: another process finishes, one draft at most, hours in one place.

    A death before the first commit leaves nothing at all.
    """
    preview = await previewed(client, synced)

    def die(passed: CommitPoint, moment: str) -> None:
        if (passed, moment) == (point, when):
            raise Died

    mortal = build_runtime(
        settings, clock=clock, hook=die, conta_transport=network, timerabbit_transport=network
    )
    app.state.runtime = mortal
    with pytest.raises(Died):
        await sent(client, synced, preview)
    app.state.runtime = runtime

    for _ in range(6):
        clock.advance(seconds=121)
        await work()

    stored = await drafts_with(twins, preview["mark"])
    ids = [e for line in preview["lines"] for e in line["entryIds"]]
    states = {e["invoiceStatus"] for e in await entries_of(twins, ids)}
    nothing = (point, when) == (CommitPoint.DRAFT_INTENT, "before")
    unsent = point is CommitPoint.DRAFT_BEFORE_POST or (point, when) == (
        CommitPoint.DRAFT_ATTEMPT, "after",
    )  # fmt: skip
    assert len(stored) == (0 if nothing or unsent else 1)
    assert states == ({"to_invoice"} if nothing or unsent else {"invoiced"})
    await mortal.database.close()


async def test_settling_a_finished_draft_changes_nothing(
    client: httpx.AsyncClient, runtime: Runtime, synced: Any, twins: Any
) -> None:
    """A job that comes late finds everything done."""
    draft = (await sent(client, synced, await previewed(client, synced))).json()

    await settle_draft(runtime, synced.link_id, draft_id=draft["id"])

    assert len((await twins.books())["drafts"]) == 1
