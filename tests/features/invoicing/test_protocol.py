"""Try to break the draft protocol: what changes, lapses, refuses or pauses between its steps."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Literal

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.links.pairs import Pair
from app.runtime import Runtime
from app.settings import Settings
from tests.features.conftest import forget_patience
from tests.features.invoicing.test_drafts import (
    Died,
    drafts_with,
    entries_of,
    previewed,
    sent,
)

Work = Callable[[], Awaitable[int]]


Mortal = Callable[..., Awaitable[None]]


@pytest.fixture
async def mortal(
    app: FastAPI, settings: Settings, network: Any, runtime: Runtime, clock: Any
) -> AsyncIterator[Mortal]:
    """Make one call in a process that dies at a commit point, if not said right after it."""
    opened: list[Runtime] = []

    async def run(point: CommitPoint, call: Awaitable[httpx.Response], when: str = "after") -> None:
        def die(passed: CommitPoint, at: Literal["before", "after"]) -> None:
            if (passed, at) == (point, when):
                raise Died

        opened.append(
            build_runtime(
                settings, clock=clock, hook=die, conta_transport=network,
                timerabbit_transport=network,
            )
        )  # fmt: skip
        app.state.runtime = opened[-1]
        with pytest.raises(Died):
            await call
        app.state.runtime = runtime

    yield run
    for dead in opened:
        await dead.database.close()


async def fault(twins: Any, system: str, **what: Any) -> None:
    await twins.control(system, "POST", "/faults", what)


async def signed_in(twins: Any, link: Any) -> None:
    """Time was moved: the person signs in again."""
    link.books["Authorization"] = f"Bearer {await twins.token('conta', '1001')}"


def ids_of(preview: dict[str, Any]) -> list[str]:
    return [e for line in preview["lines"] for e in line["entryIds"]]


async def read(client: httpx.AsyncClient, link: Any, answer: httpx.Response) -> dict[str, Any]:
    shown: dict[str, Any] = (
        await client.get(answer.headers["location"], headers=link.books)
    ).json()
    return shown


@pytest.mark.parametrize("how", ["repointed", "dissolved"])
async def test_a_customer_with_another_partner_outdates_the_preview(
    client: httpx.AsyncClient, synced: Any, twins: Any, runtime: Runtime, how: str
) -> None:
    """What was previewed for one customer in Conta is never sent to another one."""
    preview = await previewed(client, synced)
    own = next(iter(ids_of(preview)))
    customer = (await entries_of(twins, [own]))[0]["customerId"]
    async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
        mine = (Pair.link_id == synced.link_id, Pair.time_id == customer)
        if how == "repointed":
            await session.execute(update(Pair).where(*mine).values(books_id="999999"))
        else:
            await session.execute(delete(Pair).where(*mine))

    answer = await sent(client, synced, preview)

    assert (answer.status_code, answer.json()["code"]) == (409, "preview-outdated")
    assert answer.json()["changed"][0]["what"] == "customer"
    assert (await twins.books())["drafts"] == []


@pytest.mark.parametrize("what", ["deleted", "rate", "customer", "mark"])
async def test_each_way_an_hour_changes_outdates_the_preview(
    client: httpx.AsyncClient, synced: Any, twins: Any, what: str
) -> None:
    """Deleted, re-priced, moved or unmarked: 409 names the hour and nothing is made."""
    preview = await previewed(client, synced)
    entry = ids_of(preview)[0]
    path = f"/companies/cmp_1/entries/{entry}"
    if what == "deleted":
        await twins.control("timerabbit", "POST", f"{path}/delete")
    else:
        change = {
            "rate": {"hourlyRate": "1"}, "customer": {"customerId": None},
            "mark": {"invoiceStatus": "not_billable"},
        }[what]  # fmt: skip
        await twins.control("timerabbit", "PATCH", path, change)

    answer = await sent(client, synced, preview)

    assert (answer.status_code, answer.json()["code"]) == (409, "preview-outdated")
    assert [c["entryId"] for c in answer.json()["changed"]] == [entry]
    assert (await twins.books())["drafts"] == []


async def test_the_same_key_with_another_preview_is_refused(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """A key names one deed: another body with it is 422 and harms nothing."""
    first, second = await previewed(client, synced), await previewed(client, synced)
    await sent(client, synced, first)

    answer = await sent(client, synced, second)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert len((await twins.books())["drafts"]) == 1


async def test_a_missing_customer_in_timerabbit_refuses_and_frees(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """Whatever Timerabbit refuses at the reservation ends in «refused», not in a stuck draft."""
    preview = await previewed(client, synced)
    await fault(
        twins, "timerabbit", kind="status_before", status=422, method="POST",
        path="/invoice-transfers", times=1,
    )  # fmt: skip

    answer = await sent(client, synced, preview)

    assert answer.json()["state"] == "refused"
    assert (await twins.books())["drafts"] == []
    assert (await sent(client, synced, await previewed(client, synced), key="k2")).is_success


async def test_timerabbit_away_at_the_reservation_waits_and_goes_on(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Nothing is sent before the hours are held; when Timerabbit is back the draft is made."""
    preview = await previewed(client, synced)
    await fault(twins, "timerabbit", kind="status_before", status=503, path="/invoice-transfers")
    answer = await sent(client, synced, preview)
    assert (answer.status_code, answer.json()["state"]) == (202, "taken")
    assert (await twins.books())["drafts"] == []
    await twins.control("timerabbit", "DELETE", "/faults")

    clock.advance(seconds=61)
    await work()

    await signed_in(twins, synced)
    assert (await read(client, synced, answer))["state"] == "completed"
    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_a_lost_answer_of_the_reservation_holds_once(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The reservation's key makes its repetition harmless."""
    preview = await previewed(client, synced)
    await fault(
        twins, "timerabbit", kind="lost_answer", method="POST", path="/invoice-transfers", times=1
    )

    answer = await sent(client, synced, preview)
    clock.advance(seconds=61)
    await work()

    await signed_in(twins, synced)
    assert (await read(client, synced, answer))["state"] == "completed"
    transfers = (await twins.time())["transfers"]
    assert Counter(t["state"] for t in transfers) == {"completed": 1}


@pytest.mark.parametrize("edited", [False, True])
async def test_a_hold_that_lapsed_is_made_anew_only_for_unchanged_hours(
    client: httpx.AsyncClient, mortal: Mortal, synced: Any, twins: Any, work: Work, clock: Any,
    edited: bool,
) -> None:  # fmt: skip
    """
    The process dies with the hours held and nothing runs for two hours: the hold lapses.

    Unchanged hours are held again and sent; an hour edited after the lapse refuses the draft.
    """
    preview = await previewed(client, synced)
    await mortal(CommitPoint.DRAFT_RESERVED, sent(client, synced, preview))
    clock.advance(seconds=7300)
    if edited:
        path = f"/companies/cmp_1/entries/{ids_of(preview)[0]}"
        await twins.control("timerabbit", "PATCH", path, {"minutes": 3})

    await work()

    assert len(await drafts_with(twins, preview["mark"])) == (0 if edited else 1)
    states = {e["invoiceStatus"] for e in await entries_of(twins, ids_of(preview))}
    assert states == ({"to_invoice"} if edited else {"invoiced"})


async def test_sending_again_days_later_does_not_bill_an_hour_edited_since(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """«Send again» holds the hours anew and refuses where one is not what was shown."""
    preview = await previewed(client, synced)
    await fault(
        twins, "conta", kind="status_before", status=500, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    answer = await sent(client, synced, preview)
    for _ in range(3):
        clock.advance(seconds=121)
        await work()
    clock.advance(days=2)
    path = f"/companies/cmp_1/entries/{ids_of(preview)[0]}"
    await twins.control("timerabbit", "PATCH", path, {"hourlyRate": "2000"})
    await signed_in(twins, synced)

    again = await client.post(f"{answer.headers['location']}/resend", headers=synced.books)

    assert again.json()["state"] == "refused"
    assert (await twins.books())["drafts"] == []


async def test_a_customer_unknown_to_conta_refuses_at_once(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """A 404 at the POST made nothing: refused, hours free, no search for what cannot be there."""
    preview = await previewed(client, synced)
    await fault(
        twins, "conta", kind="status_before", status=404, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip

    answer = await sent(client, synced, preview)

    assert answer.json()["state"] == "refused"
    assert (await twins.books())["drafts"] == []


async def test_a_link_paused_in_the_middle_sends_nothing_until_resumed(
    client: httpx.AsyncClient, mortal: Mortal, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """Died with the hours held, paused, resumed: the draft is made after the resume only."""
    preview = await previewed(client, synced)
    await mortal(CommitPoint.DRAFT_RESERVED, sent(client, synced, preview))
    await client.post(f"{synced.path}/pause", headers=synced.books)
    clock.advance(seconds=61)
    await work()
    assert (await twins.books())["drafts"] == []

    await client.post(f"{synced.path}/resume", headers=synced.books)
    clock.advance(seconds=61)
    await work()

    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_timerabbit_refusing_to_complete_shows_both_views(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The draft stands in Conta, an hour was taken meanwhile: the rest is marked, that one told."""
    preview = await previewed(client, synced)
    await fault(twins, "timerabbit", kind="status_before", status=503, path="/complete")
    answer = await sent(client, synced, preview)
    await twins.control("timerabbit", "DELETE", "/faults")
    clock.advance(seconds=3700)  # the hold lapses
    taken = ids_of(preview)[0]
    path = f"/companies/cmp_1/entries/{taken}"
    await twins.control("timerabbit", "PATCH", path, {"invoiceStatus": "invoiced"})

    await work()

    await signed_in(twins, synced)
    draft = await read(client, synced, answer)
    assert (draft["state"], draft["problem"]) == ("completed", "entries-taken-later")
    assert [c["entryId"] for c in draft["conflicts"]] == [taken]
    assert {e["invoiceStatus"] for e in await entries_of(twins, ids_of(preview))} == {"invoiced"}
    own = {e["id"]: e["transfer"] for e in (await twins.time())["entries"]}
    assert [one for one in ids_of(preview) if own[one] is None] == [taken]
    assert len((await twins.books())["drafts"]) == 1


async def test_release_is_refused_while_the_draft_lives_and_while_it_is_on_its_way(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """An unknown outcome cannot be released: the draft may stand in Conta."""
    preview = await previewed(client, synced)
    await fault(twins, "conta", kind="lost_answer", method="POST", path="invoice-drafts", times=1)
    answer = await sent(client, synced, preview)

    freed = await client.post(
        f"{answer.headers['location']}/release", headers=synced.books, json={"reason": "nå"}
    )

    assert (freed.status_code, freed.json()["code"]) == (409, "draft-state")
    assert len(await drafts_with(twins, preview["mark"])) == 1


async def test_a_lost_answer_of_a_renewed_hold_is_settled_by_asking_again(
    client: httpx.AsyncClient, synced: Any, twins: Any, work: Work, clock: Any
) -> None:
    """The hold that was made unseen is found by its key: the draft goes on, no hour stays held."""
    await fault(twins, "conta", kind="status_before", status=503, method="POST", times=1,
                path="invoice-drafts")  # fmt: skip
    preview = await previewed(client, synced)
    draft = (await sent(client, synced, preview)).json()
    assert draft["state"] == "unconfirmed"
    for _ in range(3):
        clock.advance(seconds=125)
        await work()
    clock.advance(hours=2)
    await signed_in(twins, synced)
    await fault(twins, "timerabbit", kind="lost_answer", path="/invoice-transfers", method="POST",
                skip=1, times=1)  # fmt: skip
    path = f"{synced.path}/invoice-drafts/{draft['id']}"
    again = await client.post(f"{path}/resend", headers=synced.books)
    held = {e["id"]: e["transfer"] for e in (await twins.time())["entries"]}
    assert again.json()["state"] == "reserved"
    assert all(held[one]["state"] == "reserved" for one in ids_of(preview))

    clock.advance(minutes=20)
    await work()

    await signed_in(twins, synced)
    shown = (await client.get(path, headers=synced.books)).json()
    assert shown["state"] == "completed", shown["problem"]
    assert len(await drafts_with(twins, draft["mark"])) == 1
    states = Counter(t["state"] for t in (await twins.time())["transfers"])
    assert states["reserved"] == 0


async def test_hours_held_unseen_are_freed_with_their_draft(
    client: httpx.AsyncClient, synced: Any, twins: Any
) -> None:
    """A first hold whose answer was lost, and a person who gives the draft up: nothing is held."""
    await fault(twins, "timerabbit", kind="lost_answer", path="/invoice-transfers", times=1)
    preview = await previewed(client, synced)
    draft = (await sent(client, synced, preview)).json()
    assert draft["state"] == "taken"

    freed = await client.post(
        f"{synced.path}/invoice-drafts/{draft['id']}/release", headers=synced.books,
        json={"reason": "angret", "lookedInConta": False},
    )  # fmt: skip

    assert freed.json()["state"] == "released", freed.text
    own = {e["id"]: e for e in (await twins.time())["entries"]}
    assert {(own[one]["transfer"], own[one]["invoiceStatus"]) for one in ids_of(preview)} == {
        (None, "to_invoice")
    }


@pytest.mark.parametrize("status", [401, 429])
async def test_an_answer_that_refuses_the_caller_proves_that_nothing_was_made(
    client: httpx.AsyncClient,
    synced: Any,
    twins: Any,
    clock: Any,
    work: Work,
    runtime: Runtime,
    status: int,
) -> None:
    """The hours stay held, nobody has to send again, and there is one draft in the end."""
    preview = await previewed(client, synced)
    await fault(
        twins, "conta", kind="status_before", status=status, method="POST",
        path="invoice-drafts", times=1,
    )  # fmt: skip

    answer = await sent(client, synced, preview)
    waiting = await read(client, synced, answer)
    made_before = (await twins.books())["drafts"]
    forget_patience(runtime)
    await client.post(f"{synced.path}/resume", headers=synced.books)  # a refused key pauses
    clock.advance(minutes=10)
    await signed_in(twins, synced)
    await work()

    settled = await read(client, synced, answer)
    assert (waiting["state"], made_before) == ("reserved", [])
    assert settled["state"] == "completed"
    assert len(await drafts_with(twins, settled["mark"])) == 1


class Editing(httpx.AsyncBaseTransport):
    """Let a person edit an hour as soon as its hold was let go."""

    def __init__(self, twins: Any, network: Any, entry: str) -> None:
        self._twins, self._time, self._entry = twins, network._timerabbit, entry

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer: httpx.Response = await self._time.handle_async_request(request)
        if request.url.path.endswith("/release"):
            path = f"/companies/cmp_1/entries/{self._entry}"
            await self._twins.control("timerabbit", "PATCH", path, {"minutes": 3})
        return answer


async def test_an_hour_edited_while_its_hold_is_made_anew_refuses_the_draft(
    client: httpx.AsyncClient, mortal: Mortal, synced: Any, twins: Any, work: Work, clock: Any,
    network: Any,
) -> None:  # fmt: skip
    """Between letting go and holding anew an hour is nobody's: what is held is what was shown."""
    preview = await previewed(client, synced)
    await mortal(CommitPoint.DRAFT_RESERVED, sent(client, synced, preview))
    clock.advance(seconds=7300)
    entry = ids_of(preview)[0]

    network._timerabbit = Editing(twins, network, entry)
    await work()

    assert await drafts_with(twins, preview["mark"]) == []
    states = {e["invoiceStatus"] for e in await entries_of(twins, ids_of(preview))}
    assert states == {"to_invoice"}
