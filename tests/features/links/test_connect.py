"""The handshake from Conta's side against both twins: what connects, and what links nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.database import CommitPoint, Database
from app.main import service_document
from app.runtime import Runtime
from tests.conftest import SetClock
from tests.features.conftest import RETURN_URL, Linked, Twins, bearer
from tests.features.links.conftest import Person, shown

Work = Callable[[], Awaitable[int]]


async def test_a_started_link_says_where_to_go_and_what_a_trial_costs(kari: Person) -> None:
    """The answer that carries the address carries the notice, in the caller's language."""
    kari.headers["Accept-Language"] = "en"

    started = await kari.start()

    body = started.json()
    assert started.status_code == 201
    assert started.headers["location"] == f"/v1/links/{body['link']['id']}"
    assert body["link"]["state"] == "connecting"
    assert body["handoverUrl"].startswith("http://timerabbit.test/handover/")
    assert "12-month subscription" in body["notice"]


async def test_the_handshake_puts_the_link_under_review(kari: Person, twins: Twins) -> None:
    """Code, state and iss, brought back by the one who started, join the two accounts."""
    started = await kari.start()

    answer = await kari.hand_over(started, await kari.log_in(started))

    link = answer.json()
    assert (answer.status_code, link["state"]) == (200, "reviewing")
    assert link["timerabbit"]["accountId"] == "cmp_1"
    assert link["timerabbit"]["organizationNumber"] == link["conta"]["organizationNumber"]
    (subscription,) = (await twins.time())["subscriptions"]
    assert subscription["url"] == f"http://link.test/v1/webhooks/timerabbit/{link['id']}"


async def test_timerabbit_is_told_of_the_link(linked: Linked, twins: Twins, work: Work) -> None:
    """After connecting and the first sync the other side's page shows an active link."""
    await work()

    told = (await twins.time())["link"]

    assert told["status"] == "active"
    assert told["projectSync"] is True


async def test_a_trial_is_registered_where_no_account_exists(kari: Person, twins: Twins) -> None:
    """Who has no account registers on the way; the link is to the new company."""
    started = await kari.start()

    answer = await kari.hand_over(started, await kari.log_in(started, "register"))

    company = answer.json()["timerabbit"]["accountId"]
    assert answer.status_code == 200
    assert (await twins.time(company))["subscription"]["status"] == "trial"


@pytest.mark.parametrize(
    "wrong",
    [{"state": "x" * 43}, {"iss": "http://evil.test"}, {"iss": "http://timerabbit.test/"},
     {"code": "made-up"}],
    ids=["state", "issuer", "issuer-with-slash", "code"],
)  # fmt: skip
async def test_a_wrong_part_links_nothing(kari: Person, wrong: dict[str, str]) -> None:
    """A callback whose state, iss or code is not ours is refused; the link goes on connecting."""
    started = await kari.start()
    brought = await kari.log_in(started)

    answer = await kari.hand_over(started, brought | wrong)

    assert (answer.status_code, answer.json()["code"]) == (400, "handover-refused")
    link = await kari.read(started)
    assert (link["state"], link["timerabbit"]["accountId"]) == ("connecting", None)


@pytest.mark.parametrize(
    "wrong",
    [{"confirmDifferentNumbers": "yes"}, {"confirmDifferentNumbers": 1}, {"code": ""},
     {"state": None}, {"iss": ["http://timerabbit.test"]}],
    ids=str,
)  # fmt: skip
async def test_a_malformed_callback_is_refused_and_may_be_sent_again(
    kari: Person, wrong: dict[str, Any]
) -> None:
    """A confirmation is true or false, nothing that looks like it; the state is not used up."""
    started = await kari.start()
    brought = await kari.log_in(started)

    refused = await kari.hand_over(started, brought | wrong)
    again = await kari.hand_over(started, brought)

    assert (refused.status_code, again.status_code) == (422, 200)


async def test_a_state_is_good_once(kari: Person) -> None:
    """The same callback brought twice is refused the second time."""
    started = await kari.start()
    brought = await kari.log_in(started)
    await kari.hand_over(started, brought)

    again = await kari.hand_over(started, brought)

    assert (again.status_code, again.json()["code"]) == (400, "handover-refused")


async def test_a_state_brought_many_times_at_once_links_once(kari: Person) -> None:
    """Of callers side by side with one state exactly one is let through."""
    started = await kari.start()
    brought = await kari.log_in(started)

    answers = await asyncio.gather(*(kari.hand_over(started, brought) for _ in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5


async def test_a_state_is_good_for_ten_minutes(kari: Person, clock: SetClock) -> None:
    """Who comes back later must start again."""
    started = await kari.start()
    brought = await kari.log_in(started)
    clock.advance(minutes=10)

    answer = await kari.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (400, "handover-refused")


async def test_started_log_ins_are_not_kept_for_ever(
    kari: Person, clock: SetClock, runtime: Runtime
) -> None:
    """A state that is over is erased when the next log-in begins."""
    await kari.start()
    clock.advance(minutes=10)
    await kari.start(key="later")

    async with runtime.database.reading() as session:
        assert await session.scalar(text("SELECT count(*) FROM oauth_states")) == 1


async def test_another_persons_state_links_nothing(kari: Person, twins: Twins) -> None:
    """A state is bound to who started: a colleague with the same rights cannot bring it."""
    started = await kari.start()
    brought = await kari.log_in(started)
    body = {"subject": "ola", "accounts": ["1001"], "role": "administrator"}
    token = (await twins.control("conta", "POST", "/tokens", body))["token"]
    ola = Person(kari.client, twins, {"Authorization": f"Bearer {token}"}, "1001")

    answer = await ola.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (400, "handover-refused")
    assert (await kari.read(started))["state"] == "connecting"


async def test_a_state_of_one_link_is_no_good_for_another(kari: Person, twins: Twins) -> None:
    """The state names its link: one person with two organizations cannot mix them up."""
    body = {"subject": "kari@1001", "accounts": ["1001", "2002"], "role": "administrator"}
    token = (await twins.control("conta", "POST", "/tokens", body))["token"]
    kari.headers = {"Authorization": f"Bearer {token}"}
    one = await kari.start()
    kari.organization = "2002"
    other = await kari.start(key="start-2")

    answer = await kari.hand_over(other, await kari.log_in(one))

    assert (answer.status_code, answer.json()["code"]) == (400, "handover-refused")


@pytest.mark.parametrize(
    "url",
    ["http://evil.test/tilbake", "http://conta.test.evil.test/", "http://conta.test@evil.test/",
     "http://conta.test/../../evil", "http://conta.test:8080/tilbake", "HTTP://CONTA.TEST/tilbake",
     "http://conta.test/\\evil.test", "javascript:alert(1)//http://conta.test/",
     "http://conta.test/%2e%2e/evil", "http://conta.test/\n/tilbake", "http://conta.test"],
)  # fmt: skip
async def test_only_a_page_of_conta_may_be_returned_to(kari: Person, url: str) -> None:
    """An address outside the allowed prefixes, by host, port, case or trick, is refused."""
    answer = await kari.start(returnUrl=url)

    assert (answer.status_code, answer.json()["code"]) == (422, "return-url-refused")


@pytest.mark.parametrize("number", ["999888777", "111111111", "000000000", "92360901", "92360901x"])
async def test_a_number_that_nobody_can_have_is_refused(kari: Person, number: str) -> None:
    """Nine digits that fail modulus 11 are a slip of the finger, not an organization."""
    answer = await kari.start(organizationNumber=number)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/organizationNumber"]


async def test_the_answer_says_until_when_the_log_in_must_be_back(
    kari: Person, clock: SetClock
) -> None:
    """The page may last longer, but what it brings back is taken for ten minutes."""
    started = await kari.start()

    ends = datetime.fromisoformat(started.json()["expiresAt"])

    assert ends == clock() + timedelta(minutes=10)


async def test_a_corrected_call_may_use_the_key_of_a_refused_one(kari: Person) -> None:
    """A refusal that changed nothing gives the Idempotency-Key back."""
    await kari.start(returnUrl="http://evil.test/tilbake")

    answer = await kari.start(returnUrl=RETURN_URL)

    assert answer.status_code == 201


async def test_different_organization_numbers_are_for_a_person(kari: Person) -> None:
    """Nothing is linked until somebody says that both are the same business."""
    started = await kari.start(organizationNumber="999888771")

    answer = await kari.hand_over(started, await kari.log_in(started))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "organization-numbers-differ")
    assert problem["facts"]["books"] == "999888771"
    assert (await kari.read(started))["state"] == "connecting"


async def test_a_confirmed_difference_links(kari: Person) -> None:
    """After a new log-in with the confirmation the accounts are joined."""
    started = await kari.start(organizationNumber="999888771")
    await kari.hand_over(started, await kari.log_in(started))
    again = await kari.start(key="start-2", organizationNumber="999888771")
    brought: dict[str, Any] = await kari.log_in(again)

    answer = await kari.hand_over(again, brought | {"confirmDifferentNumbers": True})

    assert (answer.status_code, answer.json()["state"]) == (200, "reviewing")


async def test_a_company_is_in_one_open_link(reviewing: Linked, nils: Person, twins: Twins) -> None:
    """A company that is linked already is refused, and nothing is left behind there."""
    before = len((await twins.time())["subscriptions"])
    started = await nils.start()

    answer = await nils.hand_over(started, await nils.log_in(started, "cmp_1"))

    assert (answer.status_code, answer.json()["code"]) == (409, "account-already-linked")
    assert (await nils.read(started))["state"] == "connecting"
    assert len((await twins.time())["subscriptions"]) == before


async def test_an_open_link_gets_a_fresh_log_in(reviewing: Linked, kari: Person) -> None:
    """Starting again on a linked organization makes no second link."""
    started = await kari.start(key="start-again")

    assert started.status_code == 200
    assert started.json()["link"]["id"] == str(reviewing.link_id)
    assert started.json()["link"]["state"] == "reviewing"
    assert {"200", "201"} <= set(service_document()["paths"]["/v1/links"]["post"]["responses"])


async def test_a_new_log_in_replaces_the_old_one(
    reviewing: Linked, kari: Person, twins: Twins, runtime: Runtime
) -> None:
    """One log-in, one subscription, one secret: what the old log-in made is gone."""
    started = await kari.start(key="start-again")

    answer = await kari.hand_over(started, await kari.log_in(started))

    assert answer.status_code == 200
    assert len((await twins.time())["subscriptions"]) == 1
    async with runtime.database.reading(reviewing.link_id) as session:
        count = await session.scalar(
            text("SELECT count(*) FROM webhook_secrets WHERE side = 'time'")
        )
    assert count == 1


async def test_a_link_keeps_its_company(reviewing: Linked, kari: Person, twins: Twins) -> None:
    """A log-in to another company on an open link is refused; the couple is for ever."""
    started = await kari.start(key="start-again")

    answer = await kari.hand_over(started, await kari.log_in(started, "cmp_2"))

    assert (answer.status_code, answer.json()["code"]) == (409, "another-company-linked")
    assert answer.json()["facts"]["linked"] == (await twins.time())["name"]
    assert (await kari.read(started))["timerabbit"]["accountId"] == "cmp_1"


async def test_two_starts_at_once_make_one_link(kari: Person) -> None:
    """Two tabs get the same link, each with a log-in page of its own."""
    answers = await asyncio.gather(*(kari.start(key=f"tab-{n}") for n in range(4)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["link"]["id"] for answer in answers}) == 1
    assert len({answer.json()["handoverUrl"] for answer in answers}) == 4


async def test_a_repeated_start_shows_the_same_link(kari: Person) -> None:
    """The same key gives the link as it is now, marked as a repeat."""
    first = await kari.start()

    again = await kari.start()

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["link"]["id"] == first.json()["link"]["id"]


async def test_only_an_administrator_of_the_organization_starts(
    kari: Person, client: httpx.AsyncClient, twins: Twins
) -> None:
    """A foreign organization, and a caller of the time side, are refused; nothing is made."""
    kari.organization = "2002"
    foreign = await kari.start()
    kari.headers = await bearer(twins, "timerabbit", "1001")
    time_side = await kari.start(key="start-2")

    assert (foreign.status_code, foreign.json()["code"]) == (403, "account-not-yours")
    assert (time_side.status_code, time_side.json()["code"]) == (403, "account-not-yours")
    listed = await client.get("/v1/links", headers=await bearer(twins, "conta", "2002"))
    assert listed.json()["items"] == []


async def test_an_unreachable_timerabbit_starts_nothing_and_frees_the_key(
    kari: Person, twins: Twins
) -> None:
    """503 says try again, and trying again with the same key works."""
    fault = {"kind": "status_before", "status": 503, "path": "/integration/v1/handovers"}
    await twins.control("timerabbit", "POST", "/faults", fault)

    refused = await kari.start()
    await twins.control("timerabbit", "DELETE", "/faults")
    again = await kari.start()

    assert (refused.status_code, refused.json()["code"]) == (503, "system-unreachable")
    assert "retry-after" in refused.headers
    assert again.status_code in (200, 201)


async def test_a_wrong_client_secret_is_named_and_leaves_no_link(
    kari: Person, client: httpx.AsyncClient, twins: Twins
) -> None:
    """It is no outage of Timerabbit's: who operates the service hears what to mend."""
    refused_by = {"kind": "status_before", "status": 401, "path": "/oauth/token"}
    await twins.control("timerabbit", "POST", "/faults", refused_by)
    kari.headers["Accept-Language"] = "en"

    refused = await kari.start()

    assert (refused.status_code, refused.json()["code"]) == (503, "own-access-refused")
    assert "TC_TIMERABBIT_CLIENT_SECRET" in refused.json()["remedy"]["text"]
    assert (await client.get("/v1/links", headers=kari.headers)).json()["items"] == []
    await twins.control("timerabbit", "DELETE", "/faults")
    assert (await kari.start()).status_code == 201  # the key was given back


async def test_an_unreachable_timerabbit_at_the_handover_links_nothing(
    kari: Person, twins: Twins
) -> None:
    """When the token call gets no answer the person is told to try again."""
    started = await kari.start()
    brought = await kari.log_in(started)
    await twins.control(
        "timerabbit",
        "POST",
        "/faults",
        {"kind": "status_before", "status": 502, "path": "/oauth/token"},
    )

    answer = await kari.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (503, "system-unreachable")
    assert (await kari.read(started))["state"] == "connecting"


async def test_a_company_without_a_subscription_is_named_as_such(
    kari: Person, twins: Twins
) -> None:
    """The person hears what hinders, not only that something does."""
    started = await kari.start()
    brought = await kari.log_in(started)
    ended = {"status": "ended"}
    await twins.control("timerabbit", "POST", "/companies/cmp_1/subscription", ended)

    answer = await kari.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (409, "system-refused")
    assert answer.json()["facts"] == {"reasons": "timerabbit-subscription-ended"}


async def test_a_company_that_cannot_be_read_is_not_linked(kari: Person, twins: Twins) -> None:
    """Whose the log-in is must be known; an outage in between asks for another try."""
    started = await kari.start()
    brought = await kari.log_in(started)
    fault = {"kind": "status_before", "status": 500, "path": "/integration/v1/"}
    await twins.control("timerabbit", "POST", "/faults", fault)

    answer = await kari.hand_over(started, brought)

    assert (answer.status_code, answer.json()["code"]) == (503, "system-unreachable")
    assert answer.headers["retry-after"] == "10"


async def test_a_fault_of_ours_at_the_last_step_leaves_no_subscription_behind(
    kari: Person, twins: Twins, app: FastAPI, runtime: Runtime
) -> None:
    """What was asked of Timerabbit for a link that did not come about is taken back."""
    started = await kari.start()
    brought = await kari.log_in(started)
    commits: list[str] = []

    def die_at_the_second(point: CommitPoint, when: str) -> None:
        commits.append(when)
        if commits == ["before", "after", "before"]:
            raise RuntimeError

    broken = Database(runtime.database.engine, hook=die_at_the_second)
    app.state.runtime = replace(runtime, database=broken)

    answer = await kari.hand_over(started, brought)

    assert answer.status_code == 500
    assert (await twins.time())["subscriptions"] == []


async def test_links_are_listed_page_by_page_the_newest_first(
    client: httpx.AsyncClient, kari: Person, twins: Twins
) -> None:
    """An accountant sees each link of theirs once; an altered cursor is refused."""
    body = {"subject": "acc", "accounts": ["1001", "2002", "3003"], "role": "administrator"}
    token = (await twins.control("conta", "POST", "/tokens", body))["token"]
    kari.headers = {"Authorization": f"Bearer {token}"}
    made = []
    for number in ("1001", "2002", "3003"):
        kari.organization = number
        made.append((await kari.start(key=f"s-{number}")).json()["link"]["id"])

    first = (await client.get("/v1/links?limit=2", headers=kari.headers)).json()
    query = {"limit": "2", "cursor": first["nextCursor"]}
    second = (await client.get("/v1/links", params=query, headers=kari.headers)).json()
    altered = await client.get("/v1/links?cursor=AAAA", headers=kari.headers)

    seen = [item["id"] for item in (*first["items"], *second["items"])]
    assert seen == sorted(made, reverse=True)
    assert second["nextCursor"] is None
    assert (altered.status_code, altered.json()["code"]) == (400, "invalid-cursor")


async def test_both_sides_see_the_link(reviewing: Linked, client: httpx.AsyncClient) -> None:
    """The link belongs to the organization, not to who made it: the time side reads it too."""
    link = await shown(client, reviewing)

    answer = await client.get(reviewing.path, headers=reviewing.time)

    assert answer.json() == link
    assert answer.headers["etag"] == f'"{link["version"]}"'
