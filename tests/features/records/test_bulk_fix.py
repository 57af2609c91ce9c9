"""Fixes by filter: counted first, a bounded number a call, and made again after a cut."""

from collections import Counter
from typing import Any

import httpx
import pytest

from app.canonical import RecordId, RecordKind, Side
from app.database import CommitPoint
from app.links.pairs import make_pair
from app.records import fix as fixing
from app.records import fix_choice
from app.records.judge_due import judge_due
from app.records.store import recall
from app.runtime import Runtime
from tests.features.conftest import Switch, Twins, Vanishing


@pytest.fixture
async def unset(hands: Any, runtime: Runtime) -> list[str]:
    """Nine customers without kind; six have an organization number."""
    numbers = ["860001381", "860001462", "860001543", "860001624", "860001705", "860001896"]
    ids = []
    for position in range(9):
        more = {"organizationNumber": numbers[position]} if position < 6 else {}
        made = await hands.in_time(f"Nr {position} AS", kind="unset", **more)
        ids.append(made.id)
    await judge_due(runtime, hands.linked.link_id)
    return ids


async def fix(
    client: httpx.AsyncClient, hands: Any, *, language: str = "nb", **body: Any
) -> httpx.Response:
    return await client.post(
        f"{hands.linked.path}/readiness/fixes",
        headers={**hands.linked.books, "Accept-Language": language},
        json={"side": "time", "fix": "set-kind", "kind": "company", **body},
    )


async def kinds(twins: Any) -> Counter[str]:
    return Counter(c["kind"] for c in (await twins.time())["customers"])


async def test_all_with_an_organization_number_become_companies(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str]
) -> None:
    """«Set Bedrift on all six that have a number»: six said, six written, three left alone."""
    told: dict[str, Any] = {"filter": {"finding": "kind-not-set", "hasOrganizationNumber": True}}

    dry = (await fix(client, hands, **told, dryRun=True)).json()
    untouched = await kinds(twins)
    done = (await fix(client, hands, **told)).json()

    assert (dry["matched"], dry["dryRun"], untouched["unset"]) == (6, True, 9)
    assert (done["matched"], done["next"]) == (6, None)
    assert {one["result"] for one in done["items"]} == {"fixed"}
    assert await kinds(twins) == {"company": 6, "unset": 3}


async def test_a_call_takes_a_bounded_number_and_the_next_goes_on(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """`next` leads through all of them, each once, whatever was refused on the way."""
    monkeypatch.setattr(fix_choice, "MOST_AT_ONCE", 4)
    await twins.control(
        "timerabbit", "POST", "/faults",
        {"kind": "status_before", "method": "PATCH", "times": 1, "status": 422},
    )  # fmt: skip

    answers: list[dict[str, Any]] = []
    after = None
    while not answers or after is not None:
        answer = (await fix(client, hands, filter={"finding": "kind-not-set"}, after=after)).json()
        answers.append(answer)
        after = answer["next"]

    results = [one for answer in answers for one in answer["items"]]
    assert [len(answer["items"]) for answer in answers] == [4, 4, 1]
    assert sorted(one["recordId"] for one in results) == sorted(unset)
    assert Counter(one["result"] for one in results) == {"fixed": 8, "refused": 1}
    assert (await kinds(twins))["unset"] == 1


async def test_a_call_that_runs_out_of_time_says_where_it_stopped(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A slow system never holds a caller for ever; named records go on where they stopped too."""
    monkeypatch.setattr(fixing, "LONGEST_SECONDS", 0.0)

    first = (await fix(client, hands, recordIds=unset)).json()
    rest = (await fix(client, hands, recordIds=unset, after=first["next"])).json()

    assert len(first["items"]) == fixing.SIDE_BY_SIDE
    assert first["next"] == first["items"][-1]["recordId"]
    assert [one["recordId"] for one in rest["items"]] == unset[4:8]


async def test_a_record_that_is_named_thrice_is_fixed_once(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str]
) -> None:
    """Nothing is written side by side with itself, and each is counted once."""
    named = [unset[0], unset[1], unset[0], unset[0]]

    done = (await fix(client, hands, recordIds=named)).json()

    versions = {c["id"]: c["version"] for c in (await twins.time())["customers"]}
    assert done["matched"] == 2
    assert [one["recordId"] for one in done["items"]] == unset[:2]
    assert [versions[one] for one in unset[:3]] == [2, 2, 1]


async def test_what_a_person_set_meanwhile_is_not_written_over(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str]
) -> None:
    """A bulk fix reads each record: one that lacks nothing any more stays as the person wants."""
    path = f"/companies/cmp_1/customers/{unset[0]}"
    await twins.control("timerabbit", "PATCH", path, {"kind": "private"})

    done = (await fix(client, hands, filter={"finding": "kind-not-set"})).json()

    results = {one["recordId"]: one["result"] for one in done["items"]}
    assert results[unset[0]] == "not-needed"
    assert await kinds(twins) == {"private": 1, "company": 8}


async def test_a_system_that_fails_in_the_middle_leaves_the_rest_to_the_next_call(
    client: httpx.AsyncClient, hands: Any, twins: Any, unset: list[str]
) -> None:
    """What was fixed stays fixed; the same call again fixes what is left, nothing twice."""
    fault = {"kind": "status_before", "method": "PATCH", "skip": 4, "status": 503}
    await twins.control("timerabbit", "POST", "/faults", fault)
    failed = await fix(client, hands, filter={"finding": "kind-not-set"})
    halfway = await kinds(twins)
    await twins.control("timerabbit", "DELETE", "/faults")

    done = (await fix(client, hands, filter={"finding": "kind-not-set"})).json()

    versions = [c["version"] for c in (await twins.time())["customers"]]
    assert (failed.status_code, failed.json()["code"]) == (503, "system-unreachable")
    assert halfway == {"company": 4, "unset": 5}
    assert done["matched"] == 5
    assert await kinds(twins) == {"company": 9}
    assert set(versions) == {2}


async def test_a_record_in_a_pair_is_not_left_out(
    client: httpx.AsyncClient, hands: Any, runtime: Runtime
) -> None:
    """The sync would still write it: the fix says so, and nobody is offered what does nothing."""
    first, second = [
        (await hands.in_time(name, organizationNumber="860001381")).id for name in ("En", "To")
    ]
    partner = (await hands.in_books("En")).id
    await pair_up_rows(runtime, hands, first, partner)
    await judge_due(runtime, hands.linked.link_id)
    twice = {"finding": "organization-number-twice"}
    told: dict[str, Any] = {"fix": "leave-out", "kind": None, "filter": twice}

    listed = await client.get(f"{hands.linked.path}/readiness", headers=hands.linked.books)
    dry = (await fix(client, hands, **told, dryRun=True)).json()
    done = (await fix(client, hands, language="en", **told)).json()

    items = {item["recordId"]: item for item in listed.json()["items"]}
    assert [item["result"] for item in dry["items"]] == ["refused", "would-fix"]
    assert [items[one]["findings"][0]["fix"] for one in (first, second)] == [None, "leave-out"]
    assert {one["recordId"]: one["result"] for one in done["items"]} == {
        first: "refused", second: "fixed",
    }  # fmt: skip
    (reason,) = next(one["reasons"] for one in done["items"] if one["recordId"] == first)
    assert (reason["code"], reason["text"]) == (
        "record-is-paired", "Part the pair first; both then stay on their own side.",
    )  # fmt: skip
    assert await left_out(runtime, hands) == {second}


async def pair_up_rows(runtime: Runtime, hands: Any, time_id: RecordId, books_id: RecordId) -> None:
    link_id = hands.linked.link_id
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await make_pair(
            session, link_id, RecordKind.CUSTOMER, time_id=time_id, books_id=books_id, base={},
            origin="matched", now=runtime.clock(),
        )  # fmt: skip


async def left_out(runtime: Runtime, hands: Any) -> set[str]:
    link_id = hands.linked.link_id
    async with runtime.database.reading(link_id) as session:
        rows = await recall(session, link_id, Side.TIME, RecordKind.CUSTOMER)
    return {row.record_id for row in rows if row.left_out}


@pytest.mark.parametrize(
    "body",
    [
        {"fix": "set-name"},
        {"fix": "set-name", "name": "\u200b", "recordIds": ["a"]},
        {"fix": "set-name", "name": "Ett navn"},
        {"fix": "set-name", "name": "Ett navn", "recordIds": ["a", "b"]},
        {"fix": "set-organization-number", "organizationNumber": "860001381"},
        {"fix": "set-address"},
        {"fix": "set-kind", "kind": None},
    ],
)
async def test_one_value_is_never_written_to_many(
    client: httpx.AsyncClient, hands: Any, body: dict[str, Any]
) -> None:
    """A name or a number belongs to one record; a fix without its value is none."""
    answer = await fix(client, hands, **body)

    assert (answer.status_code, answer.json()["code"]) == (422, "fix-refused")


async def test_a_name_is_corrected_in_its_own_system(
    client: httpx.AsyncClient, hands: Any, twins: Any
) -> None:
    """The name alone changes; in the books the rest of the whole-record PUT is as it was."""
    made = await hands.in_books("<b></b>")
    before = (await twins.books())["customers"][0]

    done = await fix(client, hands, side="books", fix="set-name", name=" Bakken AS ",
                     recordIds=[made.id])  # fmt: skip

    after = (await twins.books())["customers"][0]
    assert done.json()["items"] == [{"recordId": made.id, "result": "fixed", "reasons": []}]
    assert {n: v for n, v in after.items() if n != "modifiedAt"} == {
        n: v for n, v in before.items() if n != "modifiedAt"
    } | {"name": "Bakken AS"}


async def test_a_projects_name_is_made_short_enough(
    client: httpx.AsyncClient, hands: Any, runtime: Runtime, twins: Any
) -> None:
    """The fix that a too long name of a project offers is one that the API carries out."""
    customer = await hands.in_time("Alfa AS", organizationNumber="860001381")
    path = "/companies/cmp_1/projects"
    body = {"name": "x" * 150, "customerId": customer.id}
    made = await twins.control("timerabbit", "POST", path, body)
    await hands.read(Side.TIME, str(made["id"]), RecordKind.PROJECT)
    shown = await client.get(f"{hands.linked.path}/readiness", headers=hands.linked.books)
    [finding] = [f for i in shown.json()["items"] if i["kind"] == "project" for f in i["findings"]]

    done = await fix(
        client, hands, fix=finding["fix"], recordKind="project", name="Kort", recordIds=[made["id"]]
    )

    assert (finding["code"], finding["fix"]) == ("too-long", "set-name")
    assert done.json()["items"] == [{"recordId": made["id"], "result": "fixed", "reasons": []}]
    assert [p["name"] for p in (await twins.time())["projects"]] == ["Kort"]


async def test_a_record_that_vanishes_under_a_fix_is_gone_and_lacks_nothing(
    client: httpx.AsyncClient, hands: Any, runtime: Runtime, twins: Twins, network: Switch
) -> None:
    """Deleted at that very moment: the others are fixed, and no system is told to be away."""
    gone, other = await hands.in_books("<b></b>"), await hands.in_books("<i></i>")
    await judge_due(runtime, hands.linked.link_id)
    vanishing: Any = Vanishing(twins, network, gone.id)
    network._conta = vanishing

    first = await fix(client, hands, side="books", fix="set-name", name="A", recordIds=[gone.id])
    second = await fix(client, hands, side="books", fix="set-name", name="B", recordIds=[other.id])

    shown = await client.get(f"{hands.linked.path}/readiness", headers=hands.linked.books)
    results = [one["result"] for got in (first, second) for one in got.json()["items"]]
    assert results == ["not-found", "fixed"]
    assert gone.id not in {one["recordId"] for one in shown.json()["items"]}


async def test_a_call_names_no_more_records_than_it_takes(
    client: httpx.AsyncClient, hands: Any
) -> None:
    """What is promised of a call holds for named records too."""
    ids = [f"cus_{number}" for number in range(fix_choice.MOST_AT_ONCE + 1)]

    many = await fix(client, hands, recordIds=ids)
    most = await fix(client, hands, recordIds=ids[1:])

    assert (many.status_code, most.status_code) == (422, 200)


async def test_a_record_that_nobody_knows_is_not_left_out(
    client: httpx.AsyncClient, hands: Any
) -> None:
    """An id of a caller's own making is told as not found."""
    answer = await fix(client, hands, fix="leave-out", kind=None, recordIds=["cus_nobody"])

    assert [one["result"] for one in answer.json()["items"]] == ["not-found"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("nb", ["Oversettelse mangler.", "Posten ble endret mens den ble lest."]),
        ("en", ["Translation not found.", "The record changed while it was read."]),
    ],
)
async def test_a_refused_fix_says_why(
    client: httpx.AsyncClient, hands: Any, twins: Any, language: str, said: list[str]
) -> None:
    """By code and field, and in words where there are any: the system's own, or ours."""
    company = await hands.in_books(orgNo="860001381")
    long = await hands.in_time("Kort AS")
    busy = await hands.in_time("Ivrig AS")
    told: dict[str, Any] = {}

    asked: dict[str, dict[str, Any]] = {
        "refused": {"side": "books", "kind": "private", "recordIds": [company.id]},
        "long": {"fix": "set-name", "name": "x" * 255, "recordIds": [long.id]},
        "busy": {"recordIds": [busy.id]},
    }
    for name, body in asked.items():
        if name == "busy":
            fault = {"kind": "status_before", "method": "PATCH", "times": 2, "status": 412}
            await twins.control("timerabbit", "POST", "/faults", fault)
        answer = await fix(client, hands, language=language, **body)
        (told[name],) = answer.json()["items"]

    assert {one["result"] for one in told.values()} == {"refused"}
    assert {name: one["reasons"] for name, one in told.items()} == {
        "refused": [{
            "code": "typeOfInformationForbiddenForIndividuals", "field": "organizationNumber",
            "text": said[0],
        }],
        "long": [{"code": "too-long", "field": "name", "text": None}],
        "busy": [{"code": "record-changed-meanwhile", "field": None, "text": said[1]}],
    }  # fmt: skip
