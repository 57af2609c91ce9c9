"""Readiness over the API: what records lack, and fixes in the system that owns them."""

from typing import Any

import httpx
import pytest

from app.canonical import Side
from app.sandbox.seeds import SeedWorld, demo
from tests.features.conftest import Linked, Twins
from tests.features.first_sync.conftest import Review, Work
from tests.worlds import BEGIN


@pytest.fixture
def world() -> SeedWorld:
    return demo(BEGIN.date())


@pytest.fixture
async def review(reviewing: Linked, client: httpx.AsyncClient, work: Work) -> Review:
    opened = Review(client, reviewing)
    await opened.start()
    await work()
    return opened


async def readiness(client: httpx.AsyncClient, linked: Linked, **query: str) -> dict[str, Any]:
    answer = await client.get(f"{linked.path}/readiness", headers=linked.books, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def fix(client: httpx.AsyncClient, linked: Linked, **body: Any) -> httpx.Response:
    return await client.post(
        f"{linked.path}/readiness/fixes", headers=linked.books, json={"side": "time", **body}
    )


def lacking(found: dict[str, Any], code: str) -> list[str]:
    return [
        item["recordId"]
        for item in found["items"]
        if code in {finding["code"] for finding in item["findings"]}
    ]


async def test_the_score_counts_what_is_ready(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Of forty customers in the time system five lack something that hinders."""
    found = await readiness(client, reviewing, side="time", limit="200")

    score = found["score"]["time"]["customer"]
    blocked = [one for one in found["items"] if not one["ready"] and one["kind"] == "customer"]
    assert (score["total"], score["total"] - score["ready"]) == (40, len(blocked))
    assert len(blocked) == 5


async def test_what_is_left_out_is_counted_apart(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """The score is full once all that is not ready was left out, and says how many that were."""
    found = await readiness(client, reviewing, side="time", limit="200")
    unready = [
        one["recordId"]
        for one in found["items"]
        if (one["ready"], one["kind"]) == (False, "customer")
    ]

    await fix(client, reviewing, fix="leave-out", recordIds=unready)

    score = (await readiness(client, reviewing))["score"]["time"]["customer"]
    assert found["score"]["time"]["customer"] == {"ready": 35, "total": 40, "leftOut": 0}
    assert score == {"ready": 35, "total": 35, "leftOut": 5}


async def test_the_list_is_narrowed_and_counted_by_finding(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """Each count is how many records a filter by that finding lists; what is left out is apart."""
    whole = await readiness(client, reviewing, side="time", kind="customer", limit="200")
    (left_out, *_) = lacking(whole, "kind-not-set")
    await fix(client, reviewing, fix="leave-out", recordIds=[left_out])

    narrowed = {
        code: await readiness(client, reviewing, side="time", kind="customer", finding=code)
        for code in whole["findings"]
    }
    told = {"finding": "kind-not-set", "side": "time", "limit": "1"}
    out = await readiness(client, reviewing, leftOut="true", **told)
    rest = await readiness(client, reviewing, leftOut="false", **told)
    projects = await readiness(client, reviewing, kind="project")

    codes = {finding["code"] for item in whole["items"] for finding in item["findings"]}
    assert set(whole["findings"]) == codes
    assert {code: len(page["items"]) for code, page in narrowed.items()} == whole["findings"]
    assert all(lacking(page, code) for code, page in narrowed.items())
    assert [item["recordId"] for item in out["items"]] == [left_out]
    assert left_out not in {item["recordId"] for item in rest["items"]}
    assert (out["findings"]["kind-not-set"], rest["findings"]["kind-not-set"]) == (1, 1)
    assert {item["kind"] for item in projects["items"]} <= {"project"}


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_findings_are_said_in_the_callers_language(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, language: str
) -> None:
    """Each finding has a stable code, a text and a remedy in nb, nn and en."""
    headers = {**reviewing.books, "Accept-Language": language}
    answer = await client.get(f"{reviewing.path}/readiness", headers=headers)

    texts = {f["text"] for item in answer.json()["items"] for f in item["findings"]}
    expected = {
        "nb": "Det er ikke valgt om kunden er Bedrift eller Privat.",
        "nn": "Det er ikkje valt om kunden er Bedrift eller Privat.",
        "en": "It is not chosen whether the customer is a company or a person.",
    }
    assert expected[language] in texts


async def test_a_kind_is_set_where_the_record_lives(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins, work: Work
) -> None:
    """All that lack a kind get it in the time system, count as ready and are created by the run."""
    ids = lacking(await readiness(client, reviewing, limit="200"), "kind-not-set")
    dry = await fix(client, reviewing, fix="set-kind", kind="company", dryRun=True)
    before = (await twins.time())["customers"]
    done = await fix(client, reviewing, fix="set-kind", kind="company")
    lines = [one for one in await review.lines() if one["record"]["id"] in ids]
    await review.answer_all()
    await review.confirm()

    await work()

    after = {c["id"]: c for c in (await twins.time())["customers"]}
    assert dry.json()["matched"] == len(ids) == 2
    assert {c["kind"] for c in before if c["id"] in ids} == {"unset"}
    assert {item["result"] for item in done.json()["items"]} == {"fixed"}
    assert {after[one]["kind"] for one in ids} == {"company"}
    assert {one["deed"] for one in lines} == {"create-in-books"}
    made = {c["name"] for c in (await twins.books())["customers"]}
    assert {one["record"]["name"] for one in lines} <= made


async def test_a_fix_keeps_everything_else(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """A whole-record PUT of the books side changes the fixed field only."""
    (record_id,) = lacking(
        await readiness(client, reviewing, side="books", limit="200"), "organization-number-invalid"
    )
    before = {str(c["id"]): c for c in (await twins.books())["customers"]}[record_id]

    done = await fix(
        client, reviewing, side="books", fix="set-organization-number",
        recordIds=[record_id], organizationNumber="860001381",
    )  # fmt: skip

    after = {str(c["id"]): c for c in (await twins.books())["customers"]}[record_id]
    assert done.json()["items"] == [{"recordId": record_id, "result": "fixed", "reasons": []}]
    assert after == {**before, "orgNo": "860001381"}


async def test_a_number_that_fails_its_check_is_refused(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """A fix never writes an organization number that fails modulus 11."""
    refused = await fix(
        client, reviewing, fix="set-organization-number", recordIds=["cus_37"],
        organizationNumber="860001382",
    )  # fmt: skip

    assert (refused.status_code, refused.json()["code"]) == (422, "fix-refused")


async def test_a_record_that_is_left_out_is_not_written_anywhere(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Twins
) -> None:
    """Leaving out is remembered by us, is seen in the plan and touches neither system."""
    before = (await twins.time())["customers"]
    (record_id, *_) = lacking(await readiness(client, reviewing, limit="200"), "address-missing")

    done = await fix(client, reviewing, fix="leave-out", recordIds=[record_id])

    found = await readiness(client, reviewing, limit="200")
    (item,) = [one for one in found["items"] if one["recordId"] == record_id]
    assert done.json()["items"] == [{"recordId": record_id, "result": "fixed", "reasons": []}]
    (line,) = [one for one in await review.lines() if one["record"]["id"] == record_id]
    assert item["leftOut"]
    assert (line["category"], line["deed"]) == ("left_out", "leave-out")
    assert (await twins.time())["customers"] == before
    assert Side.TIME.value == item["side"]


@pytest.mark.parametrize(
    "body",
    [
        {"fix": "set-organization-number", "organizationNumber": "974760673"},
        {
            "fix": "set-organization-number", "organizationNumber": "974760673",
            "recordIds": ["cus_1", "cus_2"],
        },
        {
            "fix": "set-address",
            "address": {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo"},
        },
        {
            "fix": "set-kind", "kind": "company", "recordKind": "project",
            "recordIds": ["prj_1"],
        },
    ],
)  # fmt: skip
async def test_one_value_is_never_laid_over_records_that_were_not_named(
    review: Review, client: httpx.AsyncClient, reviewing: Linked, twins: Any,
    body: dict[str, Any],
) -> None:  # fmt: skip
    """One organization number for all customers that lack one would merge them all later."""
    before = await twins.time()

    answer = await fix(client, reviewing, **body)

    assert (answer.status_code, answer.json()["code"]) == (422, "fix-refused")
    assert await twins.time() == before


async def test_an_id_that_was_never_read_is_not_found_and_asks_nobody(
    review: Review, client: httpx.AsyncClient, reviewing: Linked
) -> None:
    """An id of the other side's making would be a call that is untrue to the contract."""
    answer = await fix(
        client, reviewing, side="books", fix="set-kind", kind="company", recordIds=["cus_31"]
    )

    assert answer.status_code == 200
    assert answer.json()["items"] == [{"recordId": "cus_31", "result": "not-found", "reasons": []}]
