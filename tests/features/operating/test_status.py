"""The operator's two commands: what is wrong over all links, and mending it."""

import io
import json
import re
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from rich.console import Console
from sqlalchemy import text

from app.bootstrap import build_runtime
from app.canonical import LinkId, RecordId, RecordKind, Side
from app.changes.store import note
from app.database import CommitPoint
from app.embedded import EmbeddedServer
from app.operating.check import NotChecked
from app.operating.commands import check, retry, tell_status
from app.operating.overview import read_overview
from app.operating.retry import NotRetried, retry_parked
from app.operating.show import show
from app.runtime import Runtime
from app.settings import Settings
from app.systems.ports import ChangeNotice
from tests.conftest import SetClock
from tests.features.conftest import Linked


async def a_worker_lives(runtime: Runtime) -> None:
    async with runtime.database.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now())")
        )


async def park(runtime: Runtime, link_id: LinkId, code: str, clock: SetClock) -> None:
    notice = ChangeNotice(RecordKind.CUSTOMER, RecordId("cus_1"))
    async with runtime.database.transaction(CommitPoint.PLAIN, link_id) as session:
        await note(session, link_id, Side.TIME, [notice], now=clock())
        await session.execute(
            text("UPDATE changes SET state = 'parked', code = :code"), {"code": code}
        )
        await session.execute(text("UPDATE link_directory SET parked = 1, next_due = NULL"))


async def told(runtime: Runtime, language: str = "en") -> str:
    paper = io.StringIO()
    show(await read_overview(runtime), Console(file=paper, width=200), language)
    return paper.getvalue()


async def test_all_is_well_where_a_worker_lives_and_no_link_needs_anybody(
    linked: Linked, runtime: Runtime
) -> None:
    """Silence is told as such, so that it is not taken for a fault."""
    await a_worker_lives(runtime)

    overview = await read_overview(runtime)

    assert overview.is_well
    assert "No link needs the operator." in await told(runtime)


async def test_without_a_worker_nothing_is_well(linked: Linked, runtime: Runtime) -> None:
    """The most frequent reason at night comes first."""
    overview = await read_overview(runtime)

    assert not overview.is_well
    assert "No worker is alive" in await told(runtime)


async def test_a_paused_link_is_told_with_its_reason_and_remedy(
    client: httpx.AsyncClient, linked: Linked, runtime: Runtime
) -> None:
    """Who can mend it stands beside it."""
    await client.post(f"{linked.path}/pause", headers=linked.books)

    overview = await read_overview(runtime)

    assert [(one.link_id, one.pause_reason) for one in overview.in_need] == [
        (linked.link_id, "person-asked")
    ]
    assert str(linked.link_id) in await told(runtime)


async def test_parked_changes_are_counted_by_reason_and_looked_at_again(
    linked: Linked, runtime: Runtime, clock: SetClock
) -> None:
    """One command mends what was parked for one reason, and leaves the others alone."""
    await park(runtime, linked.link_id, "other-system-refused", clock)

    parked = (await read_overview(runtime)).in_need[0].parked
    other = await retry_parked(runtime, None, code="record-gone")
    counted = await retry_parked(runtime, None, dry_run=True)
    unharmed = (await read_overview(runtime)).in_need[0].parked
    mended = await retry_parked(runtime, linked.link_id, code="other-system-refused")

    assert parked == unharmed == {"other-system-refused": 1}
    assert (other, counted, mended) == (0, 1, 1)
    assert (await read_overview(runtime)).in_need == []


async def test_work_that_nobody_takes_up_is_told_as_late(
    linked: Linked, runtime: Runtime, clock: SetClock
) -> None:
    """A worker that is stuck looks like none: the links say so."""
    notice = ChangeNotice(RecordKind.CUSTOMER, RecordId("cus_1"))
    async with runtime.database.transaction(CommitPoint.PLAIN, linked.link_id) as session:
        await note(session, linked.link_id, Side.TIME, [notice], now=clock())
        await session.execute(
            text("UPDATE link_directory SET next_due = :now, pending = 1"), {"now": clock()}
        )
    clock.advance(hours=2)

    overview = await read_overview(runtime)

    assert overview.in_need[0].late.total_seconds() == 7200
    assert "changes waiting: 1, late by 2 h 0 min" in await told(runtime)


async def test_the_whole_view_speaks_the_language_that_was_asked_for(
    linked: Linked, runtime: Runtime, clock: SetClock
) -> None:
    """The frame too: no English word is left between a remedy's Norwegian ones."""
    await a_worker_lives(runtime)
    calm = {language: await told(runtime, language) for language in ("nb", "nn")}
    await park(runtime, linked.link_id, "record-gone", clock)

    needed = {language: await told(runtime, language) for language in ("nb", "nn")}

    assert "Ingen kobling trenger driften." in calm["nb"]
    assert "Inga kopling treng drifta." in calm["nn"]
    assert "1 venter på et menneske: record-gone" in needed["nb"]
    assert "1 ventar på eit menneske: record-gone" in needed["nn"]
    for shown in (*calm.values(), *needed.values()):
        assert not re.search(r"\b(workers|alive|jobs|links|link|state|what|active)\b", shown)


async def test_a_program_reads_the_same(
    linked: Linked, runtime: Runtime, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --json a monitor gets every fact, and the exit code says whether somebody is needed."""
    await a_worker_lives(runtime)
    well = await tell_status(runtime, language="en", as_json=True)
    quiet = json.loads(capsys.readouterr().out)
    await park(runtime, linked.link_id, "record-gone", clock)

    needed = await tell_status(runtime, language="en", as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert (well, quiet["isWell"], quiet["inNeed"]) == (0, True, [])
    assert (needed, told["isWell"], told["links"]) == (1, False, {"active": 1})
    assert told["inNeed"][0]["linkId"] == str(linked.link_id)
    assert told["inNeed"][0]["parked"] == {"record-gone": 1}


async def test_what_is_sealed_with_which_key_is_counted(
    client: httpx.AsyncClient, linked: Linked, runtime: Runtime, clock: SetClock,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """An old key may go when nothing in use is sealed with it; what nobody opens is not counted."""
    before = (await read_overview(runtime)).sealed
    async with runtime.database.transaction(CommitPoint.PLAIN, linked.link_id) as session:
        for table, column in (
            ("credentials", "sealed"), ("webhook_secrets", "sealed"),
            ("oauth_states", "sealed_verifier"),
        ):  # fmt: skip
            await session.execute(text(f"UPDATE {table} SET {column} = '\\x6f6c643aff'"))
    after = await read_overview(runtime)
    shown = await told(runtime)
    async with runtime.database.transaction(CommitPoint.PLAIN) as session:
        await session.execute(
            text("UPDATE oauth_states SET used_at = NULL, expires_at = :late"),
            {"late": clock() + timedelta(minutes=5)},
        )
    logging_in = (await read_overview(runtime)).sealed.in_use
    clock.advance(minutes=6)
    await client.delete(linked.path, headers=linked.books)
    closed = (await read_overview(runtime)).sealed

    assert list(before.in_use) == [runtime.settings.keyring.get_secret_value().partition(":")[0]]
    assert after.sealed.in_use == {"old": sum(before.in_use.values())}
    assert logging_in == {"old": after.sealed.in_use["old"] + 1}
    assert f"sealed with  old: {after.sealed.in_use['old']}\n" in shown
    assert (closed.in_use, list(closed.of_closed)) == ({}, ["old"])
    assert f"in closed links: old: {closed.of_closed['old']}" in await told(runtime)
    await tell_status(runtime, language="en", as_json=True)
    assert json.loads(capsys.readouterr().out)["sealed"] == {
        "inUse": {}, "ofClosed": {"old": closed.of_closed["old"]},
    }  # fmt: skip


async def test_a_database_without_tables_is_told_by_both_commands_in_one_sentence(
    settings: Settings, server: EmbeddedServer
) -> None:
    """Who forgot `migrate` reads that, and no traceback."""
    bare = server.url("tc_service", "postgres")
    runtime = build_runtime(settings.model_copy(update={"database_url": bare}))
    try:
        with pytest.raises(NotRetried) as refused:
            await retry_parked(runtime, None, dry_run=True)

        with pytest.raises(NotChecked, match=str(refused.value)):
            await check(runtime, None, language="en", for_program=False)

        assert str(refused.value) == "database not migrated: run timerabbit-conta migrate"
        assert str(refused.value) in await told(runtime)
    finally:
        await runtime.close()


async def test_a_link_or_code_that_does_not_exist_is_refused(
    linked: Linked, runtime: Runtime
) -> None:
    """A slip of the pen must not look as if nothing were parked."""
    stranger = LinkId(UUID(int=7))

    with pytest.raises(NotRetried, match="no code nosuch"):
        await retry_parked(runtime, None, code="nosuch")
    with pytest.raises(NotRetried, match=f"no link {stranger}"):
        await retry_parked(runtime, stranger, dry_run=True)
    with pytest.raises(NotChecked, match=f"no link {stranger}"):
        await check(runtime, stranger, language="en", for_program=False)


async def test_one_parked_change_is_told_as_one(
    linked: Linked, runtime: Runtime, clock: SetClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counted first, then looked at; after that there is none."""
    await park(runtime, linked.link_id, "other-system-refused", clock)

    codes = [
        await retry(runtime, linked.link_id, code=None, dry_run=dry) for dry in (True, False, False)
    ]

    assert codes == [0, 0, 0]
    assert capsys.readouterr().out.splitlines() == [
        "1 parked change would be looked at again",
        "1 parked change is looked at again",
        "0 parked changes are looked at again",
    ]
