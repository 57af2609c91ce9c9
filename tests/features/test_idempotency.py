"""A creating POST may be repeated: the key remembers what the first call made, and no secret."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from sqlalchemy import text

from app.database import CommitPoint, Database
from app.idempotency import (
    Fresh,
    KeyedCall,
    LostLease,
    Repeat,
    canonical,
    claim,
    finish,
    forget_expired,
    free,
    keyed_call,
)
from app.problems import Problem
from tests.conftest import SetClock
from tests.features.conftest import RETURN_URL, Switch, Twins, bearer

BODY = {"name": "Regnskapsføreren", "account": "1001", "scopes": ["links:read"]}
Post = Callable[..., Awaitable[httpx.Response]]


async def asked(
    key: str = "k", *, caller: str = "kari", path: str = "/v1/tokens", body: bytes = b"{}",
    method: str = "POST",
) -> KeyedCall:  # fmt: skip
    """Read the key of a request written by hand."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"idempotency-key", key.encode()), (b"host", b"link.test")]
    scope = {"type": "http", "method": method, "path": path, "headers": headers,
             "query_string": b"", "server": ("link.test", 80), "scheme": "http"}  # fmt: skip
    return await keyed_call(Request(scope, receive), caller)


async def take(database: Database, clock: SetClock, call: KeyedCall) -> Fresh | Repeat:
    """Claim and commit, as a deed does that calls another system."""
    async with database.transaction(CommitPoint.PLAIN) as session:
        return await claim(session, call, link_id=None, now=clock())


async def end(database: Database, call: KeyedCall, fresh: Fresh | Repeat, made: str) -> None:
    assert isinstance(fresh, Fresh)
    async with database.transaction(CommitPoint.PLAIN) as session:
        await finish(session, call, fresh, resource_id=made)


async def rows(database: Database, table: str) -> list[str]:
    async with database.reading() as session:
        found = await session.scalars(text(f"SELECT {table}::text FROM {table}"))
        return list(found)


@pytest.fixture
async def post(client: httpx.AsyncClient, twins: Twins) -> Post:
    """Ask for an API token as Conta's administrator, with the headers and body given."""
    signed_in = await bearer(twins, "conta", "1001")

    async def send(
        key: str | None = "key-1", *, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx.Response:
        named = {} if key is None else {"Idempotency-Key": key}
        return await client.post(
            "/v1/tokens", headers={**signed_in, **(headers or {}), **named}, json={**BODY, **body}
        )

    return send


async def test_a_repeat_shows_what_the_first_call_made(post: Post, database: Database) -> None:
    """The same key and body: the same resource, the mark of a repeat, one effect."""
    first = await post()
    again = await post()

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json()["id"] == first.json()["id"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert len(await rows(database, "api_tokens")) == 1


async def test_a_repeat_and_its_row_hold_no_secret(post: Post, database: Database) -> None:
    """What is shown once is neither shown again nor kept beside the key."""
    token = (await post()).json()["token"]

    again = await post()

    assert again.json()["token"] is None
    assert token not in again.text
    assert token.removeprefix("tct_") not in "".join(await rows(database, "idempotency_keys"))


async def test_a_key_with_another_body_is_refused(post: Post, database: Database) -> None:
    """422, and the first call's result is unharmed."""
    first = await post()

    other = await post(name="En annen")

    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")
    assert (await post()).json()["id"] == first.json()["id"]
    assert len(await rows(database, "api_tokens")) == 1


async def test_an_id_in_capitals_names_the_same_link() -> None:
    """However a caller spells the link's id, the key is the same; another link's is another."""
    link_id = "0199f3a0-0000-7000-8000-00000000abcd"
    paths = [link_id, link_id.upper(), link_id.replace("-", ""), link_id.replace("d", "e")]

    scopes = [(await asked(path=f"/v1/links/{one}/invoice-drafts")).scope for one in paths]

    assert scopes[0] == scopes[1] == scopes[2] != scopes[3]


async def test_order_and_space_of_a_body_do_not_matter(
    post: Post, client: httpx.AsyncClient, twins: Twins
) -> None:
    """Bodies that say the same are the same call."""
    first = await post()
    written = json.dumps(dict(reversed(BODY.items())), indent=3)
    headers = {
        **await bearer(twins, "conta", "1001"), "Idempotency-Key": "key-1",
        "Content-Type": "application/json",
    }  # fmt: skip

    again = await client.post("/v1/tokens", headers=headers, content=written)

    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"", b"1" * 5000, b'"\\ud800"', b"NaN"],
)
def test_any_body_has_a_form(body: bytes) -> None:
    """What is no JSON, or too deep or too large for it, is compared as it stands."""
    assert isinstance(canonical(body), bytes)


async def test_many_at_once_make_one(post: Post, database: Database) -> None:
    """Of ten equal calls side by side one runs; the others replay it or are told to wait."""
    answers = await asyncio.gather(*(post() for _ in range(10)))

    made = [answer for answer in answers if answer.status_code == 201]
    told = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(told) == 10
    assert sum(answer.json()["token"] is not None for answer in made) == 1
    assert len({answer.json()["id"] for answer in made}) == 1
    assert len(await rows(database, "api_tokens")) == 1


async def test_while_the_first_runs_the_second_waits(database: Database, clock: SetClock) -> None:
    """409 with Retry-After; after the end a third call replays."""
    call = await asked()
    first = await take(database, clock, call)

    with pytest.raises(Problem) as told:
        await take(database, clock, call)
    await end(database, call, first, "made-1")

    assert (told.value.type.code, told.value.type.status) == ("idempotency-key-in-progress", 409)
    assert int(told.value.headers["Retry-After"]) >= 1
    assert await take(database, clock, call) == Repeat("made-1")


async def test_callers_paths_methods_and_keys_are_kept_apart() -> None:
    """The same key is another call for another caller, path or method."""
    calls = [
        await asked(), await asked("k2"), await asked(caller="ola"), await asked(path="/v1/links"),
        await asked(method="PUT"),
    ]  # fmt: skip

    assert len({call.scope for call in calls}) == len(calls)


async def test_two_callers_may_use_one_key(
    post: Post, client: httpx.AsyncClient, twins: Twins, database: Database
) -> None:
    """A stranger's equal key neither replays ours nor hinders it."""
    await post()
    headers = {**await bearer(twins, "conta", "2002"), "Idempotency-Key": "key-1"}

    answer = await client.post("/v1/tokens", headers=headers, json={**BODY, "account": "2002"})

    assert (answer.status_code, answer.json()["account"]) == (201, "2002")
    assert len(await rows(database, "api_tokens")) == 2


@pytest.mark.parametrize(
    ("wrong", "status"), [({"scopes": []}, 422), ({"account": "2002"}, 403)], ids=["form", "rule"]
)
async def test_a_refused_call_leaves_its_key_free(
    post: Post, database: Database, wrong: dict[str, Any], status: int
) -> None:
    """Nothing is stored of a call that changed nothing; the corrected one may use its key."""
    refused = await post(**wrong)
    left = await rows(database, "idempotency_keys")

    answer = await post()

    assert (refused.status_code, left, answer.status_code) == (status, [], 201)


async def test_a_call_that_failed_before_its_commit_leaves_its_key_free(
    database: Database, clock: SetClock
) -> None:
    """A claim made in the deed's own transaction goes with it."""
    call = await asked()
    async with database.reading() as session:  # ends as a failure does: rolled back
        await claim(session, call, link_id=None, now=clock())

    assert await take(database, clock, call) == Fresh(1)


async def test_a_key_given_back_is_free_at_once(database: Database, clock: SetClock) -> None:
    """A deed that changed nothing frees the key that it claimed before."""
    call = await asked()
    fresh = await take(database, clock, call)
    assert isinstance(fresh, Fresh)
    async with database.transaction(CommitPoint.PLAIN) as session:
        await free(session, call, fresh)

    assert await take(database, clock, call) == Fresh(1)


async def test_a_key_that_made_something_is_not_given_back(
    database: Database, clock: SetClock
) -> None:
    """An error after the effect must not let it happen again."""
    call = await asked()
    fresh = await take(database, clock, call)
    assert isinstance(fresh, Fresh)
    await end(database, call, fresh, "made-1")
    async with database.transaction(CommitPoint.PLAIN) as session:
        await free(session, call, fresh)

    assert await take(database, clock, call) == Repeat("made-1")


@pytest.mark.parametrize(("seconds", "taken"), [(29.9, False), (30, True)])
async def test_a_dead_calls_key_is_taken_over_after_its_lease(
    database: Database, clock: SetClock, seconds: float, taken: bool
) -> None:
    """A process that died keeps its key for thirty seconds, not for ever."""
    call = await asked()
    await take(database, clock, call)
    clock.advance(seconds=seconds)

    try:
        answer: Fresh | Repeat | None = await take(database, clock, call)
    except Problem:
        answer = None

    assert answer == (Fresh(2) if taken else None)


async def test_who_comes_back_late_may_neither_commit_nor_free(
    database: Database, clock: SetClock
) -> None:
    """After a take-over only the newer call can finish; the older one's effect is rolled back."""
    call, other = await asked(), await asked("effect")
    slow = await take(database, clock, call)
    assert isinstance(slow, Fresh)
    clock.advance(seconds=31)
    newer = await take(database, clock, call)

    async def come_late() -> None:
        async with database.transaction(CommitPoint.PLAIN) as session:
            await claim(session, other, link_id=None, now=clock())  # stands for the late effect
            await finish(session, call, slow, resource_id="late")

    with pytest.raises(LostLease):
        await come_late()
    async with database.transaction(CommitPoint.PLAIN) as session:
        await free(session, call, slow)
    await end(database, call, newer, "newer")

    assert await take(database, clock, call) == Repeat("newer")
    assert len(await rows(database, "idempotency_keys")) == 1


class Held(Switch):
    """Hold back the first call that asks Timerabbit for a log-in page."""

    def __init__(self, twins: Twins) -> None:
        super().__init__(twins)
        self.reached, self.release, self.held = asyncio.Event(), asyncio.Event(), False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/handovers") and not self.held:
            self.held = True
            self.reached.set()
            await self.release.wait()
        return await super().handle_async_request(request)


@pytest.fixture
def network(twins: Twins) -> Held:
    return Held(twins)


async def test_a_call_that_outlives_its_lease_is_told_to_look_again(
    app: FastAPI, client: httpx.AsyncClient, twins: Twins, clock: SetClock, network: Held,
    database: Database,
) -> None:  # fmt: skip
    """The late one of two answers 409 instead of an error of ours; there is one link."""
    headers = {**await bearer(twins, "conta", "1001"), "Idempotency-Key": "start"}
    body = {"contaOrganizationId": "1001", "organizationNumber": "923609016",
            "returnUrl": RETURN_URL}  # fmt: skip
    slow = asyncio.create_task(client.post("/v1/links", headers=headers, json=body))
    await network.reached.wait()
    clock.advance(seconds=31)
    newer = await client.post("/v1/links", headers=headers, json=body)
    network.release.set()

    late = await slow

    assert newer.status_code in (200, 201)
    assert (late.status_code, late.json()["code"]) == (409, "idempotency-key-in-progress")
    assert late.headers["retry-after"] == "1"
    assert len(await rows(database, "link_directory")) == 1


@pytest.mark.parametrize(
    "key",
    [None, "", " ", '""', "x" * 256, '"' + "x" * 256 + '"', "a b", "a\tb", "a\x00b", "a\x7fb"],
    ids=repr,
)
async def test_a_key_is_needed_and_has_a_form(
    client: httpx.AsyncClient, twins: Twins, key: str | None
) -> None:
    """Missing, empty, over 255 signs or with control signs or spaces: 400, nothing made."""
    headers = await bearer(twins, "conta", "1001")
    if key is not None:
        headers["Idempotency-Key"] = key

    answer = await client.post("/v1/tokens", headers=headers, json=BODY)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


async def test_two_keys_are_no_key(client: httpx.AsyncClient, twins: Twins) -> None:
    """Which of two headers counts must not be guessed."""
    signed_in = await bearer(twins, "conta", "1001")
    headers = [*signed_in.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]

    answer = await client.post("/v1/tokens", headers=headers, json=BODY)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-missing")


async def test_quoted_and_bare_name_the_same_key(post: Post) -> None:
    """The draft standard quotes the key, many clients do not."""
    first = await post('"abc"')

    again = await post("abc")

    assert again.json()["id"] == first.json()["id"]


async def test_a_key_on_a_read_is_ignored(
    client: httpx.AsyncClient, twins: Twins, database: Database
) -> None:
    """GET is safe to repeat as it is; not even a malformed key matters."""
    headers = {**await bearer(twins, "conta", "1001"), "Idempotency-Key": "a b"}

    answer = await client.get("/v1/links", headers=headers)

    assert answer.status_code == 200
    assert await rows(database, "idempotency_keys") == []


async def test_a_key_is_kept_seven_days(database: Database, clock: SetClock) -> None:
    """A second before its end it replays, at its end the call runs anew."""
    call = await asked()
    await end(database, call, await take(database, clock, call), "made-1")
    clock.advance(days=7, seconds=-1)
    before = await take(database, clock, call)
    clock.advance(seconds=1)

    after = await take(database, clock, call)

    assert (before, after) == (Repeat("made-1"), Fresh(1))


async def test_a_repeat_asks_for_todays_rights(
    post: Post, client: httpx.AsyncClient, twins: Twins
) -> None:
    """Who lost the account or the role meanwhile gets 403, not what was made once."""
    await post()
    answers = []
    for changed in ({"accounts": ["2002"]}, {"role": "user"}):
        body = {"subject": "kari@1001", "accounts": ["1001"], "role": "administrator", **changed}
        token = (await twins.control("conta", "POST", "/tokens", body))["token"]
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "key-1"}
        answers.append(await client.post("/v1/tokens", headers=headers, json=BODY))

    assert [answer.json()["code"] for answer in answers] == ["account-not-yours", "scope-missing"]
    assert {answer.status_code for answer in answers} == {403}


async def test_forgetting_takes_old_keys_and_no_running_one(
    database: Database, clock: SetClock
) -> None:
    """Past seven days a key goes, unless its call was taken over and may still be running."""
    done, running, young = await asked("done"), await asked("running"), await asked("young")
    await end(database, done, await take(database, clock, done), "made-1")
    await take(database, clock, running)
    clock.advance(days=7, seconds=-1)
    await take(database, clock, running)
    await end(database, young, await take(database, clock, young), "made-2")
    clock.advance(seconds=2)

    async with database.transaction(CommitPoint.PLAIN) as session:
        gone = await forget_expired(session, now=clock())

    assert gone == 1
    assert await take(database, clock, young) == Repeat("made-2")
    with pytest.raises(Problem, match="idempotency-key-in-progress"):
        await take(database, clock, running)


async def test_forgetting_goes_bite_by_bite(database: Database, clock: SetClock) -> None:
    """However many keys are old, one transaction takes a bounded number."""
    for number in range(5):
        call = await asked(f"key-{number}")
        await end(database, call, await take(database, clock, call), "made")
    clock.advance(days=8)
    gone = []
    for _ in range(4):
        async with database.transaction(CommitPoint.PLAIN) as session:
            gone.append(await forget_expired(session, now=clock(), most=2))

    assert gone == [2, 2, 1, 0]
