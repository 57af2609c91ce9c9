"""The organization's key: tested whole, kept sealed, replaced, shared."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.canonical import LinkId
from app.database import CommitPoint
from app.links.change_state import pause
from app.links.key import pause_sharers
from app.links.lifecycle import PauseReason
from app.runtime import Runtime
from tests.features.conftest import Linked, Twins, connect
from tests.features.links.conftest import Person, shown

Work = Callable[[], Awaitable[int]]


async def put_key(client: httpx.AsyncClient, link: Linked, key: str, **headers: str) -> Any:
    return await client.put(
        f"{link.path}/conta-key", headers={**link.books, **headers}, json={"key": key}
    )


async def sealed(runtime: Runtime, link: Linked) -> bytes | None:
    async with runtime.database.reading(link.link_id) as session:
        found = await session.scalar(text("SELECT sealed FROM credentials WHERE side = 'books'"))
    return None if found is None else bytes(found)


async def refuse(runtime: Runtime, link: Linked) -> None:
    async with runtime.database.transaction(CommitPoint.PLAIN, link.link_id) as session:
        await pause(session, link.link_id, reason=PauseReason.KEY_REFUSED, now=runtime.clock())


async def test_a_good_key_shows_its_owner_and_never_itself(
    reviewing: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """The key is stored sealed; what is shown is whose it is."""
    link = await shown(client, reviewing)

    kept = await sealed(runtime, reviewing)

    assert link["conta"]["hasKey"] is True
    assert link["conta"]["keyOwner"]
    assert "projects" in link["features"]
    assert kept is not None
    assert b"conta-demo-key" not in kept
    assert "conta-demo-key" not in str(link)


async def test_all_findings_come_at_once_with_remedies(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins
) -> None:
    """A blocked organization without the plan hears both, each with text and remedy."""
    await twins.control("conta", "POST", "/organizations/1001/plan", {"features": []})
    blocked = {"status": "BLOCKED"}
    await twins.control("conta", "POST", "/organizations/1001/blocked", blocked)

    answer = await client.post(
        f"{reviewing.path}/conta-key/test", headers={**reviewing.books, "Accept-Language": "en"}
    )

    found = {finding["code"]: finding for finding in answer.json()["findings"]}
    assert (answer.status_code, answer.json()["usable"]) == (200, False)
    assert found["conta-organization-blocked"]["blocking"] is True
    assert all(finding["text"] and finding["remedy"] for finding in found.values())
    assert not any(finding["text"] == code for code, finding in found.items())


@pytest.mark.parametrize(
    ("language", "text_"),
    [("nb", "godtar ikke"), ("nn", "godtek ikkje"), ("en", "does not accept")],
)
async def test_an_unusable_key_stores_nothing(
    reviewing: Linked, client: httpx.AsyncClient, runtime: Runtime, language: str, text_: str
) -> None:
    """A wrong key is refused with what is wrong; the one before stays."""
    before = await sealed(runtime, reviewing)

    answer = await put_key(client, reviewing, "wrong-key", **{"Accept-Language": language})

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "conta-key-unusable")
    assert text_ in problem["findings"][0]["text"]
    assert "wrong-key" not in answer.text
    assert await sealed(runtime, reviewing) == before


async def test_a_key_of_another_organization_is_not_usable(
    reviewing: Linked, client: httpx.AsyncClient
) -> None:
    """A living key whose user does not see the organization opens nothing."""
    answer = await put_key(client, reviewing, "conta-foreign-key")

    codes = [finding["code"] for finding in answer.json()["findings"]]
    assert (answer.status_code, codes) == (422, ["conta-organization-not-visible"])


async def test_without_the_plan_customers_sync_and_projects_wait(
    reviewing: Linked, client: httpx.AsyncClient, twins: Twins
) -> None:
    """A plan that lacks projects hinders nothing else; the link remembers what it may."""
    plan = {"features": ["ALLOW_BOOKKEEPING"]}
    await twins.control("conta", "POST", "/organizations/1001/plan", plan)

    answer = await put_key(client, reviewing, "conta-demo-key")

    assert (answer.status_code, answer.json()["usable"]) == (200, True)
    assert [f["code"] for f in answer.json()["findings"]] == ["conta-projects-need-smart"]
    assert (await shown(client, reviewing))["features"] == ["ALLOW_BOOKKEEPING"]


async def test_a_test_without_a_key_says_so(kari: Person, client: httpx.AsyncClient) -> None:
    """«Test tilkobling» before a key is saved is a state, not a fault."""
    started = await kari.start()
    path = f"/v1/links/{started.json()['link']['id']}/conta-key/test"

    answer = await client.post(path, headers=kari.headers)

    assert (answer.status_code, answer.json()["code"]) == (409, "conta-key-missing")


async def test_a_replaced_key_lets_a_link_go_on_without_a_new_first_sync(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins
) -> None:
    """The link paused for its key resumes where it was; the new owner is shown."""
    await refuse(runtime, linked)
    key = {"key": "new-key", "user": "ola@fjordogfjell.example", "organizations": [1001]}
    await twins.control("conta", "POST", "/keys", key)

    answer = await put_key(client, linked, "new-key")

    link = await shown(client, linked)
    assert answer.status_code == 200
    assert (link["state"], link["pauseReason"]) == ("active", None)
    assert link["conta"]["keyOwner"] == answer.json()["keyOwner"]


async def test_a_new_key_takes_the_place_of_one_our_ring_cannot_open(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """The unreadable key cannot be tried; a new one is kept without it, and the link goes on."""
    async with runtime.database.transaction(CommitPoint.PLAIN, linked.link_id) as session:
        await session.execute(
            text("UPDATE credentials SET sealed = 'lost:unreadable' WHERE side = 'books'")
        )
        await pause(session, linked.link_id, reason=PauseReason.KEY_UNREADABLE, now=runtime.clock())

    tried = await client.post(f"{linked.path}/conta-key/test", headers=linked.books)
    answer = await put_key(client, linked, "conta-demo-key")

    link = await shown(client, linked)
    assert (tried.status_code, tried.json()["code"]) == (409, "conta-key-missing")
    assert answer.status_code == 200
    assert (link["state"], link["pauseReason"]) == ("active", None)


async def test_a_new_key_does_not_lift_a_persons_pause(
    linked: Linked, client: httpx.AsyncClient
) -> None:
    """Only what the key mends is mended by it."""
    await client.post(f"{linked.path}/pause", headers=linked.books)

    await put_key(client, linked, "conta-demo-key")

    assert (await shown(client, linked))["state"] == "paused"


async def test_a_closed_link_takes_no_key(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime, work: Work
) -> None:
    """Unlinking erased the key; a live one is not kept before the couple is linked again."""
    await client.delete(linked.path, headers=linked.books)
    await work()

    answer = await put_key(client, linked, "conta-demo-key")

    assert (answer.status_code, answer.json()["code"]) == (409, "link-closed")
    assert await sealed(runtime, linked) is None


async def test_a_link_closed_while_its_key_is_tested_keeps_none(
    linked: Linked, client: httpx.AsyncClient, runtime: Runtime
) -> None:
    """Between the test and the keeping somebody may unlink."""
    opened = runtime.systems.books.open

    def open_and_close(*args: Any, **kwargs: Any) -> Any:
        books = opened(*args, **kwargs)
        check = books.check

        async def close_meanwhile() -> Any:
            report = await check()
            await client.delete(linked.path, headers=linked.books)
            return report

        books.check = close_meanwhile  # type: ignore[method-assign]
        return books

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.systems.books, "open", open_and_close)
        answer = await put_key(client, linked, "conta-demo-key")

    assert (answer.status_code, answer.json()["code"]) == (409, "link-closed")
    assert await sealed(runtime, linked) is None


async def test_a_closed_link_cannot_be_resumed(linked: Linked, client: httpx.AsyncClient) -> None:
    """Only linking the couple again opens it, and the caller hears so."""
    await client.delete(linked.path, headers=linked.books)

    answer = await client.post(f"{linked.path}/resume", headers=linked.books)

    assert (answer.status_code, answer.json()["code"]) == (409, "link-closed")


@pytest.fixture
async def shared(linked: Linked, client: httpx.AsyncClient, twins: Twins) -> Linked:
    """A second link whose key is the same as the first one's."""
    other = await connect(
        client, twins, organization="2002", company="cmp_2", key="conta-foreign-key"
    )
    key = {"key": "shared", "user": "acc@accountant.example", "organizations": [1001, 2002]}
    await twins.control("conta", "POST", "/keys", key)
    for link in (linked, other):
        assert (await put_key(client, link, "shared")).status_code == 200
    return other


async def test_a_refused_key_pauses_all_who_share_it_once(
    linked: Linked, shared: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins,
    work: Work,
) -> None:  # fmt: skip
    """One refusal is enough: each link with the key is paused, with the same reason."""
    await work()
    await twins.control("conta", "DELETE", "/keys/shared")

    await refuse(runtime, linked)
    await work()
    again = await pause_sharers(runtime, linked.link_id)

    other = await shown(client, shared)
    assert (other["state"], other["pauseReason"]) == ("paused", "key-refused")
    assert again == []


async def test_a_link_whose_own_organization_still_sees_the_key_works_on(
    linked: Linked, shared: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins
) -> None:
    """A user removed from one organization only pauses that one."""
    key = {"key": "shared", "user": "acc@accountant.example", "organizations": [2002]}
    await twins.control("conta", "POST", "/keys", key)
    await refuse(runtime, linked)

    paused = await pause_sharers(runtime, linked.link_id)

    assert paused == []
    assert (await shown(client, shared))["state"] == "reviewing"


async def test_a_silent_conta_proves_nothing_about_a_key(
    linked: Linked, shared: Linked, client: httpx.AsyncClient, runtime: Runtime, twins: Twins
) -> None:
    """An outage while the sharers are tested pauses nobody."""
    await refuse(runtime, linked)
    await twins.control(
        "conta", "POST", "/faults", {"kind": "status_before", "status": 503, "path": "/"}
    )

    paused = await pause_sharers(runtime, linked.link_id)

    assert paused == []


async def test_a_link_without_a_key_has_no_sharers(kari: Person, runtime: Runtime) -> None:
    """No key, nobody to test."""
    started = await kari.start()

    paused = await pause_sharers(runtime, LinkId(UUID(started.json()["link"]["id"])))

    assert paused == []
