"""What the ledger may never say is found where it says it all the same, and told by its name."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest
from rich.console import Console
from sqlalchemy import text

from app.canonical import LinkId
from app.embedded import EmbeddedServer
from app.invoicing.invariants import read_suspects
from app.invoicing.invariants.check import ask_for_check, check_ledger, check_link, is_due
from app.invoicing.invariants.violations import Violation
from app.operating.commands import check, tell_status
from app.operating.overview import read_overview
from app.operating.show import show
from app.runtime import Runtime
from app.worker import forget
from tests.features.invoicing.bookkeeper import Bookkeeper, longer
from tests.features.invoicing.test_drafts import previewed
from tests.features.invoicing.test_preview import change
from tests.features.invoicing.test_protocol import fault, signed_in
from tests.features.invoicing.test_without_time import of_one_customer

Plant = Callable[..., int]


@pytest.fixture
def plant(server: EmbeddedServer, database_name: str) -> Plant:
    """Write as the superuser may, past the triggers; gives how many rows were changed."""

    def do(*statements: str, **values: Any) -> int:
        with psycopg.connect(server.url("postgres", database_name), autocommit=True) as admin:
            admin.execute("SET session_replication_role = replica")
            return [admin.execute(one, values).rowcount for one in statements][-1]

    return do


@pytest.fixture
def found(runtime: Runtime, kari: Bookkeeper) -> Callable[[], Any]:
    """Check the link; gives its violations."""

    async def do() -> tuple[Violation, ...]:
        return (await check_link(runtime, kari.link.link_id)).violations

    return do


TRIP = {"minutes": 0, "costs": [{"description": "Ferge", "amount": "450.00"}]}
COPY_DRAFT = """
    INSERT INTO drafts SELECT (jsonb_populate_record(d, jsonb_build_object(
      'draft_id', %(new)s::text, 'mark', 'TR-2222AAAA'))).* FROM drafts d LIMIT 1"""
COPY_HOUR = """
    INSERT INTO ledger SELECT (jsonb_populate_record(l, jsonb_build_object(
      'draft_id', %(new)s::text, 'time_company_id', %(company)s::text))).*
    FROM ledger l ORDER BY entry_id LIMIT 1"""


async def test_a_trip_without_time_breaks_nothing(
    client: httpx.AsyncClient, kari: Bookkeeper, twins: Any, found: Any
) -> None:
    """Its hour stands in the line of its expense, which has its own øre."""
    trip, hour = (await of_one_customer(kari))[:2]
    await change(twins, trip["id"], **TRIP)
    ids = {"customerId": trip["customerId"], "entryIds": [trip["id"], hour["id"]]}
    await kari.send(await previewed(client, kari.link, expenseVatCode="exempted", **ids))

    assert await found() == ()


async def test_a_clean_world_breaks_nothing(kari: Bookkeeper, found: Any) -> None:
    """Hours of several lines, a discount, increments and a follow-up, some edited, one deleted."""
    draft = await kari.bill(grouping="entry", discountPercent="12.5")
    await longer(kari, draft, 30)
    await kari.follow(await kari.look())
    await kari.in_conta(draft, "delete")
    await kari.release(draft)
    await kari.bill(rounding={"minutes": 30, "per": "line", "direction": "up"})

    assert await found() == ()


async def test_a_mark_on_two_drafts_is_named(kari: Bookkeeper, found: Any, plant: Plant) -> None:
    draft = await kari.bill()
    plant("""UPDATE drafts SET books_ids = books_ids || '["9999"]'""")

    (one,) = await found()

    assert (one.code, one.draft_ids, one.mark, one.told) == (
        "several-drafts-carry-mark", (UUID(draft["id"]),), draft["mark"], False
    )  # fmt: skip
    assert one.books_ids == (draft["contaDraftIds"][0], "9999")


async def test_an_hour_that_two_drafts_hold_is_named(
    kari: Bookkeeper, found: Any, plant: Plant
) -> None:
    """Past the index: under another company's id, or where it is damaged."""
    draft = await kari.bill()
    new = uuid4()
    plant(COPY_DRAFT, COPY_HOUR, new=new, company="other")
    plant("UPDATE drafts SET body = body || '{\"lines\": []}', net = 0, vat = 0"
          " WHERE draft_id = %(new)s", new=new)  # fmt: skip

    twice = [one for one in await found() if one.code == "hour-held-twice"]

    assert [(set(one.draft_ids), one.entry_ids) for one in twice] == [
        ({UUID(draft["id"]), new}, (min(e["entryId"] for e in draft["entries"]),))
    ]


async def test_an_hour_on_two_standing_lines_is_named(
    kari: Bookkeeper, found: Any, plant: Plant
) -> None:
    """It was freed by nobody's leave and is in another draft; a line that was released is none."""
    draft = await kari.bill()
    new, hour = uuid4(), min(e["entryId"] for e in draft["entries"])
    free = "UPDATE ledger SET active = false WHERE draft_id = %(old)s AND entry_id = %(hour)s"
    plant(COPY_DRAFT, COPY_HOUR, free, new=new, company="other", old=draft["id"], hour=hour)

    (one,) = [one for one in await found() if one.code == "hour-on-two-lines"]
    plant("UPDATE drafts SET facts = '{\"releasedLines\": [1]}'")
    released = {one.code for one in await found()}

    assert (one.draft_ids, one.entry_ids) == ((UUID(draft["id"]), new), (hour,))
    assert "hour-on-two-lines" not in released


async def on_its_way(kari: Bookkeeper, twins: Any) -> dict[str, Any]:
    """Let Conta be away, so that a draft waits with its hours."""
    preview = await previewed(kari.client, kari.link)
    await fault(
        twins, "conta", kind="status_before", status=429, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    return await kari.send(preview)


async def test_hours_that_wait_and_nobody_sees_why_are_named_after_half_an_hour(
    kari: Bookkeeper, twins: Any, found: Any, plant: Plant, runtime: Runtime
) -> None:
    """What says its problem is seen; so is a link's pause."""
    draft = await on_its_way(kari, twins)
    kari.clock.advance(minutes=31)
    shown = await found()
    plant("UPDATE drafts SET problem = NULL, not_before = NULL")
    (one,) = await found()
    plant("UPDATE draft_attempts SET started_at = %(now)s", now=runtime.clock())
    tried_lately = await found()
    plant("UPDATE draft_attempts SET started_at = '2020-01-01'")
    plant("UPDATE drafts SET updated_at = %(now)s", now=runtime.clock())
    moved_lately = await found()
    kari.clock.advance(minutes=31)
    await signed_in(twins, kari.link)
    await kari.post("pause")
    kari.clock.advance(minutes=31)
    paused = await found()

    assert draft["state"] == "reserved"
    assert (shown, tried_lately, moved_lately, paused) == ((), (), (), ())
    assert (one.code, one.state, one.hours) == ("hours-stuck", "reserved", len(draft["entries"]))
    assert one.entry_ids == tuple(sorted(e["entryId"] for e in draft["entries"]))[:20]


@pytest.mark.parametrize(
    "ended", ["UPDATE drafts SET state = 'released'", "DELETE FROM drafts"], ids=["state", "gone"]
)
async def test_hours_that_a_draft_holds_which_has_ended_are_named(
    kari: Bookkeeper, found: Any, plant: Plant, ended: str
) -> None:
    """Nobody could ever bill them."""
    draft = await kari.bill()
    plant(ended)

    (one,) = await found()

    assert (one.code, one.draft_ids) == ("hours-held-by-ended-draft", (UUID(draft["id"]),))
    assert one.hours == len(draft["entries"])


SUMS = {
    "own net": ("UPDATE drafts SET net = net + 1", {"lines-sum-differs", "ledger-sum-differs"}),
    "own vat": ("UPDATE drafts SET vat = vat + 1", {"lines-sum-differs"}),
    "a line": (
        "UPDATE drafts SET body = jsonb_set(body, '{lines,0,net}', '9')",
        {"lines-sum-differs", "ledger-sum-differs"},
    ),
    "all lines": (
        "UPDATE drafts SET body = jsonb_set(body, '{lines}', '[]')",
        {"lines-sum-differs", "ledger-sum-differs"},
    ),
    "a price": (
        "UPDATE drafts SET body = jsonb_set(body, '{lines,0,unitPrice}', '9')",
        {"ledger-sum-differs"},
    ),
    "minutes": ("UPDATE ledger SET minutes = minutes + 6", {"ledger-sum-differs"}),
    "a rate": (
        "UPDATE ledger SET rate = rate + 1 WHERE entry_id = (SELECT min(entry_id) FROM ledger)",
        {"ledger-sum-differs"},
    ),
    "another line's": ("UPDATE ledger SET line_no = line_no + 1", {"ledger-sum-differs"}),
    "an hour less": (
        "DELETE FROM ledger WHERE entry_id = (SELECT min(entry_id) FROM ledger)",
        {"ledger-sum-differs"},
    ),
}


@pytest.mark.parametrize(("altered", "codes"), SUMS.values(), ids=SUMS)
async def test_a_sum_that_another_does_not_come_to_is_named(
    kari: Bookkeeper, found: Any, plant: Plant, altered: str, codes: set[str]
) -> None:
    """By draft and mark, with both sums; of the ledger also the hours."""
    draft = await kari.bill(grouping="entry")
    assert plant(altered) > 0

    named = await found()

    assert {one.code for one in named} == codes
    assert {(*one.draft_ids, one.mark) for one in named} == {(UUID(draft["id"]), draft["mark"])}
    assert all(one.ours is not None and one.theirs is not None for one in named)


async def test_both_sums_are_told_to_the_oere(kari: Bookkeeper, found: Any, plant: Plant) -> None:
    draft = await kari.bill(grouping="entry")
    hour = draft["entries"][0]
    plant(
        "UPDATE ledger SET minutes = minutes + 60 WHERE entry_id = %(hour)s", hour=hour["entryId"]
    )

    (one,) = await found()

    assert (one.ours, one.theirs) == (draft["netOre"], draft["netOre"] + hour["rateOre"])
    assert (one.entry_ids, one.hours) == ((hour["entryId"],), 1)


async def test_a_difference_that_the_ledger_has_otherwise_is_named(
    kari: Bookkeeper, found: Any, plant: Plant
) -> None:
    """A follow-up has no hours of its own; what it bills stands beside them."""
    await longer(kari, await kari.bill(), 30)
    follow_up = await kari.follow(await kari.look())
    clean = await found()
    plant("UPDATE corrections SET net = net + 5 WHERE corrected_id <> draft_id")

    (one,) = await found()

    assert clean == ()
    assert (one.code, one.mark) == ("ledger-sum-differs", follow_up["mark"])
    assert (one.ours, one.theirs) == (follow_up["netOre"], follow_up["netOre"] + 5)


async def test_another_sum_in_conta_that_nobody_is_asked_about_is_named(
    kari: Bookkeeper, found: Any, plant: Plant
) -> None:
    """As it was last seen there; one that is about to be looked at anew is left to the look."""
    draft = await kari.bill()
    kari.clock.advance(minutes=20)
    await kari.work()
    kari.clock.advance(minutes=14)
    other = "UPDATE drafts SET updated_at = created_at, next_look = NULL, invoice = "
    net = "jsonb_set(invoice, '{netOre}', to_jsonb((invoice->>'netOre')::bigint - 7))"
    vat = "jsonb_set(invoice, '{vatOre}', to_jsonb((invoice->>'vatOre')::bigint - 70))"
    plant(f"{other}{vat}")
    (by_vat,) = await found()
    plant(f"{other}{net}")
    (by_net,) = await found()
    plant("UPDATE drafts SET next_look = %(at)s", at=kari.clock())
    due = await found()
    plant("UPDATE drafts SET next_look = NULL, problem = 'remote-total-differs'")
    told = await found()
    plant("UPDATE drafts SET problem = NULL, invoice = NULL, remote = '{\"net\": 5}'")
    (at_once,) = await found()

    assert {by_vat.code, by_net.code, at_once.code} == {"remote-sum-differs"}
    assert (by_vat.ours, by_vat.theirs) == (draft["totalOre"], draft["totalOre"] - 70)
    assert (by_net.ours, by_net.theirs) == (draft["netOre"], draft["netOre"] - 7)
    assert (at_once.ours, at_once.theirs) == (draft["netOre"], 5)
    assert (due, told) == ((), ())


async def test_what_was_erased_after_its_years_is_compared_no_more(
    kari: Bookkeeper, found: Any, plant: Plant
) -> None:
    await kari.bill()
    plant('UPDATE drafts SET body = \'{"lines": [], "erasedAt": "2032-01-01"}\'')

    assert await found() == ()


async def test_another_tenants_rows_are_not_seen(
    kari: Bookkeeper, found: Any, plant: Plant, runtime: Runtime
) -> None:
    """The walls are the database's: the statements of a link see that link only."""
    await kari.bill()
    other = uuid4()
    for table in ("drafts", "ledger"):
        plant(
            f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object("
            f" 'link_id', %(other)s::text, 'time_company_id', 'other'))).* FROM {table} t",
            other=other,
        )
    plant("UPDATE drafts SET net = net + 1 WHERE link_id = %(other)s", other=other)

    async with runtime.database.reading(kari.link.link_id) as session:
        rows = await session.scalar(text("SELECT count(*) FROM drafts"))

    assert (await found(), rows) == ((), 1)
    assert (await check_link(runtime, LinkId(other))).counts == {
        "lines-sum-differs": 1, "ledger-sum-differs": 1,
    }  # fmt: skip


async def test_only_so_many_are_named_and_the_rest_is_counted(
    kari: Bookkeeper, plant: Plant, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is wrong, little is read."""
    await kari.bill()
    for number in range(3):
        new = {"new": uuid4(), "mark": f"TR-2222AAA{number + 2}"}
        plant(COPY_DRAFT.replace("'TR-2222AAAA'", "%(mark)s::text"), **new)
    monkeypatch.setattr(read_suspects, "MOST", 2)

    checked = await check_link(runtime, kari.link.link_id)

    assert (len(checked.violations), checked.more) == (2, 1)


async def queued(runtime: Runtime) -> int:
    async with runtime.database.reading() as session:
        found = await session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'check_ledger'")
        )
    return int(found or 0)


async def told(runtime: Runtime, language: str = "en") -> str:
    paper = io.StringIO()
    show(await read_overview(runtime), Console(file=paper, width=240), language)
    return paper.getvalue()


async def test_each_night_a_link_is_checked_once_and_the_status_tells(
    kari: Bookkeeper, plant: Plant, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until it is mended: whoever mends it checks anew."""
    link_id = kari.link.link_id
    await kari.bill()
    plant("UPDATE drafts SET vat = vat + 1")
    before = await told(runtime)
    await forget(runtime)
    asked = await queued(runtime)
    await check_ledger(runtime, link_id)
    await check_ledger(runtime, link_id)
    plant("DELETE FROM procrastinate_jobs")
    await ask_for_check(runtime, link_id)
    again = await queued(runtime)
    shown = await told(runtime)
    capsys.readouterr()
    code = await tell_status(runtime, language="en", as_json=True)
    status = json.loads(capsys.readouterr().out)
    plant("UPDATE drafts SET vat = vat - 1")
    mended = await check(runtime, link_id, language="en", for_program=False)
    kari.clock.advance(hours=24)
    await ask_for_check(runtime, link_id)

    assert (asked, again, await queued(runtime)) == (1, 0, 1)
    assert "violations: 0, last checked never (links not checked: 1)" in before
    assert "violations of lines-sum-differs: 1" in shown
    assert f"timerabbit-conta check --link {link_id}" in shown
    assert (code, status["inNeed"][0]["violations"]) == (1, {"lines-sum-differs": 1})
    assert status["ledger"]["violations"] == 1
    assert status["ledger"]["oldest"] == status["inNeed"][0]["checkedAt"]
    assert mended == 0
    assert "violations of" not in await told(runtime)
    counted = runtime.metrics.registry.get_sample_value(
        "tc_ledger_violations_total", {"code": "lines-sum-differs"}
    )
    assert counted == 1


async def test_a_closed_link_is_checked_by_its_name_only(
    kari: Bookkeeper, plant: Plant, runtime: Runtime
) -> None:
    """Nothing moves there any more; who wants to know can ask."""
    await kari.bill()
    plant("UPDATE drafts SET vat = vat + 1")
    await kari.client.delete(kari.link.path, headers=kari.link.books)
    plant("DELETE FROM procrastinate_jobs")
    await ask_for_check(runtime, kari.link.link_id)

    codes = [
        await check(runtime, one, language="en", for_program=False)
        for one in (None, kari.link.link_id)
    ]

    assert (await queued(runtime), codes) == (0, [0, 1])


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
async def test_the_command_says_each_in_a_line_and_what_to_do(
    kari: Bookkeeper, plant: Plant, runtime: Runtime, capsys: pytest.CaptureFixture[str],
    language: str,
) -> None:  # fmt: skip
    """With what is needed to look: link, code, draft, mark, sums and hours."""
    draft = await kari.bill()
    capsys.readouterr()
    well = await check(runtime, None, language=language, for_program=False)
    calm = capsys.readouterr().out
    plant("UPDATE ledger SET rate = rate + 100")

    broken = await check(runtime, None, language=language, for_program=False)

    first, remedy, end = capsys.readouterr().out.splitlines()
    assert (well, broken, calm.count("\n")) == (0, 1, 1)
    assert first.startswith(f"{kari.link.link_id} ledger-sum-differs: ")
    for word in (draft["id"], draft["mark"], str(draft["netOre"]), draft["entries"][0]["entryId"]):
        assert word in first
    assert "–" not in first + remedy
    assert remedy.startswith("ledger-sum-differs: ")
    assert end.endswith(": 1")


async def test_the_command_says_the_same_to_a_program(
    kari: Bookkeeper, plant: Plant, runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = await kari.bill()
    plant("UPDATE drafts SET vat = vat + 1, problem = 'draft-unclear'")
    capsys.readouterr()

    code = await check(runtime, kari.link.link_id, language="en", for_program=True)
    said = json.loads(capsys.readouterr().out)
    await check(runtime, None, language="en", for_program=False)

    (one,) = said.pop("violations")
    assert (code, said) == (1, {"isWell": False, "links": 1, "more": 0})
    assert (one["code"], one["draftIds"], one["told"]) == ("lines-sum-differs", [draft["id"]], True)
    assert (one["oursOre"], one["theirsOre"]) == (draft["totalOre"] + 1, draft["totalOre"])
    assert "(someone of the organization is asked)" in capsys.readouterr().out


def oslo(day: int, hour: int) -> datetime:
    """Give an hour of a winter's day in Oslo."""
    return datetime(2026, 12, day, hour - 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("checked", "now", "due"),
    [
        (oslo(3, 2), oslo(3, 23), False),
        (oslo(3, 2), oslo(4, 1), False),
        (oslo(3, 2), oslo(4, 2), True),
        (oslo(3, 1), oslo(3, 2), True),
        (oslo(1, 12), oslo(3, 1), True),
    ],
)
def test_a_night_begins_at_two_in_oslo(checked: datetime, now: datetime, due: bool) -> None:
    """A night without a worker is made up for by day."""
    assert is_due(checked, now=now) == due
