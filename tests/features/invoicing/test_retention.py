"""What goes once its time is over: nothing a day too early, and the ledger never."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.database import CommitPoint
from app.embedded import EmbeddedServer
from app.invoicing.papers import erase
from app.invoicing.papers.erase import erase_ended
from app.runtime import Runtime
from tests.features.invoicing.test_drafts import previewed, sent

TABLES = {
    "papers": "SELECT count(*) FROM specifications",
    "texts": "SELECT count(*) FROM drafts WHERE body->'lines' <> '[]'",
    "snapshots": "SELECT count(*) FROM ledger WHERE snapshot <> '{}'",
    "hours": "SELECT count(*) FROM ledger",
}


@pytest.fixture
def admin(server: EmbeddedServer, database_name: str) -> Iterator[psycopg.Connection[Any]]:
    """The superuser, who may do what the triggers refuse: make rows older than they are."""
    with psycopg.connect(server.url("postgres", database_name), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


async def papered(client: httpx.AsyncClient, link: Any) -> UUID:
    """Make a draft with its paper; gives its id."""
    draft = (await sent(client, link, await previewed(client, link))).json()
    paper = await client.get(
        f"{link.path}/invoice-drafts/{draft['id']}/specification.csv", headers=link.books
    )
    assert paper.status_code == 200, paper.text
    return UUID(draft["id"])


def as_of(admin: psycopg.Connection[Any], draft: UUID, made: datetime, touched: datetime) -> None:
    """Let a draft, its hours and its paper be of a day, and last touched on another."""
    times = {"draft": draft, "made": made, "touched": touched, "until": f"{made.year + 5}-12-31"}
    for statement in (
        "UPDATE drafts SET created_at = %(made)s, updated_at = %(touched)s",
        "UPDATE ledger SET created_at = %(made)s",
        "UPDATE specifications SET made_at = %(made)s, keep_until = %(until)s",
    ):
        admin.execute(f"{statement} WHERE draft_id = %(draft)s", times)


def counted(admin: psycopg.Connection[Any]) -> dict[str, int]:
    found = {}
    for name, query in TABLES.items():
        row = admin.execute(query).fetchone()
        assert row is not None
        found[name] = int(row[0])
    return found


def _at(*moment: int) -> datetime:
    year, month, day, *time = moment
    hour, minute = time or (0, 0)
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


CASES = {
    "last minute of the year in Oslo": (_at(2020, 12, 31, 22, 59), _at(2020, 12, 31, 22, 59), True),
    "first minute of the next": (_at(2020, 12, 31, 23, 1), _at(2020, 12, 31, 23, 1), False),
    "paid a year later": (_at(2020, 6, 1), _at(2021, 2, 1), False),
    "old": (_at(2016, 6, 1), _at(2016, 6, 1), True),
}


@pytest.mark.parametrize(("made", "touched", "goes"), CASES.values(), ids=CASES)
async def test_papers_and_texts_go_after_the_fifth_year_and_the_ledger_stays(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, clock: Any,
    admin: psycopg.Connection[Any], made: datetime, touched: datetime, goes: bool,
) -> None:  # fmt: skip
    """In 2026 what was over with 2020 goes; the hour, its minutes and øre stay for ever."""
    draft = await papered(client, synced)
    as_of(admin, draft, made, touched)
    before = counted(admin)

    await erase_ended(runtime, synced.link_id)
    await erase_ended(runtime, synced.link_id)

    gone = {"papers": 0, "texts": 0, "snapshots": 0} if goes else {}
    assert counted(admin) == before | gone
    shown = await client.get(f"{synced.path}/invoice-drafts/{draft}", headers=synced.books)
    assert shown.status_code == 200
    assert (shown.json()["lines"] == []) is goes
    assert {e["minutes"] for e in shown.json()["entries"]} != set()
    hour = shown.json()["entries"][0]["entryId"]
    ledger = await client.get(
        f"{synced.path}/ledger", headers=synced.books, params={"entryId": hour}
    )
    assert ledger.status_code == 200, ledger.text
    assert (ledger.json()["items"][0]["history"][0]["text"] == "") is goes


async def test_an_erased_draft_has_no_paper_and_is_looked_at_no_more(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, admin: psycopg.Connection[Any]
) -> None:
    """A paper made anew would be another paper; a look would call every line different."""
    draft = await papered(client, synced)
    as_of(admin, draft, datetime(2019, 5, 1, tzinfo=UTC), datetime(2019, 5, 1, tzinfo=UTC))

    await erase_ended(runtime, synced.link_id)

    path = f"{synced.path}/invoice-drafts/{draft}/specification.csv"
    assert (await client.get(path, headers=synced.books)).status_code == 409
    due = admin.execute("SELECT next_look, not_before, requested_by FROM drafts").fetchone()
    assert due == (None, None, "")


async def test_of_an_erased_draft_nothing_that_was_left_out_is_billed(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, admin: psycopg.Connection[Any]
) -> None:
    """Neither its lines nor what it left out are known any more."""
    draft = await papered(client, synced)
    as_of(admin, draft, datetime(2019, 5, 1, tzinfo=UTC), datetime(2019, 5, 1, tzinfo=UTC))
    await erase_ended(runtime, synced.link_id)

    path = f"{synced.path}/invoice-drafts/{draft}/left-out"
    answer = await client.post(
        path, headers=synced.books, json={"kilometres": {"rateOre": 500, "vatCode": "high"}}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-bill")


async def test_a_longer_wish_keeps_longer(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, admin: psycopg.Connection[Any]
) -> None:
    """Building projects are kept ten years: the setting is the operator's."""
    draft = await papered(client, synced)
    as_of(admin, draft, datetime(2018, 5, 1, tzinfo=UTC), datetime(2018, 5, 1, tzinfo=UTC))
    before = counted(admin)
    object.__setattr__(runtime.settings, "papers_kept_years", 10)

    await erase_ended(runtime, synced.link_id)

    assert counted(admin) == before


async def test_the_database_refuses_to_lose_a_paper_early(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime
) -> None:
    """Whatever our code believes the date to be."""
    await papered(client, synced)

    for statement in ("DELETE FROM specifications", "UPDATE ledger SET snapshot = '{}'"):
        with pytest.raises(ProgrammingError, match="only ever added"):
            async with runtime.database.transaction(CommitPoint.PLAIN, synced.link_id) as session:
                await session.execute(text(statement))


async def test_a_bite_is_bounded_and_the_end_is_told(
    client: httpx.AsyncClient, synced: Any, runtime: Runtime, admin: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch, clock: Any,
) -> None:  # fmt: skip
    """Several short transactions do what one would; the metrics say how much of what went."""
    monkeypatch.setattr(erase, "ERASED_AT_ONCE", 1)
    old = datetime(2015, 5, 1, tzinfo=UTC)
    as_of(admin, await papered(client, synced), old, old)
    admin.execute(
        "INSERT INTO drafts SELECT (jsonb_populate_record(d, jsonb_build_object('draft_id',"
        " gen_random_uuid(), 'mark', 'TR-ABCDEFGH'))).* FROM drafts d"
    )
    clock.advance(days=2)

    await erase_ended(runtime, synced.link_id)

    erased = {
        sample.labels["what"]: sample.value
        for metric in runtime.metrics.erased.collect()
        for sample in metric.samples
        if sample.name.endswith("_total")
    }
    assert (erased["drafts"], erased["papers"], erased["previews"]) == (2, 1, 1)
    assert counted(admin)["texts"] == 0
