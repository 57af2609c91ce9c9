"""Count what a confirmation would do, and confirm: from then on both systems are written to."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.canonical import LinkId
from app.first_sync.plan.deeds import ANCHOR, DEED, SHOWN_CATEGORY, UNPAIRED, Deed
from app.first_sync.plan.search import at_once
from app.first_sync.reading.again import WORKING
from app.first_sync.store import Plan, PlanState, Run, RunState, current_plan, run_of
from app.links.states import LinkState
from app.problems import Problem
from app.queue import Job, defer
from app.records.fixed import is_any_fixed

_COUNT: Final = text(f"""
SELECT p.kind, {SHOWN_CATEGORY} AS category, {DEED} AS deed, {UNPAIRED} AS undone, count(*)
FROM proposals p {ANCHOR}
WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant
GROUP BY 1, 2, 3, 4
""")  # noqa: S608 - a constant of ours


_TAKE_IN: Final = text("""
WITH wanted AS (
  SELECT kind, anchor_side AS side, anchor_id AS id FROM proposals
  WHERE link_id = :link_id AND plan_id = :plan_id AND NOT dormant AND answer IN ('link', 'create')
  UNION
  SELECT kind, 'books', partner_id FROM proposals
  WHERE link_id = :link_id AND plan_id = :plan_id AND NOT dormant AND answer = 'link'
)
UPDATE records r SET left_out = false, revision = r.revision + 1 FROM wanted n
WHERE r.link_id = :link_id AND r.left_out
  AND r.kind = n.kind AND r.side = n.side AND r.record_id = n.id
""")


_LINKED_TWICE: Final = text(f"""
SELECT count(*) FROM (
  SELECT FROM proposals p {ANCHOR}
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant AND {DEED} = 'link'
  GROUP BY p.kind, COALESCE(p.partner_id, p.candidates -> 0 ->> 'id') HAVING count(*) > 1
) twice
""")  # noqa: S608 - constants of ours


@dataclass(frozen=True, slots=True)
class Tally:
    """
    Hold how many lines come to each deed, by kind, and how many are of each category.

    Args:
        settled: Lines of records that are in a pair by now; nothing is left to be done with them.

    """

    by_kind: Mapping[str, Mapping[str, int]]
    by_category: Mapping[str, int]
    settled: int = 0

    @property
    def missing(self) -> int:
        """Give how many lines a person must still answer."""
        return sum(deeds.get(Deed.ASK, 0) for deeds in self.by_kind.values())

    @property
    def total(self) -> int:
        """Give how many lines there are."""
        return self.settled + sum(sum(deeds.values()) for deeds in self.by_kind.values())


async def tally(session: AsyncSession, plan: Plan) -> Tally:
    """Count the lines by what they come to."""
    await at_once(session)
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    rows = (await session.execute(_COUNT, named)).all()
    await at_once(session, over=True)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    categories: Counter[str] = Counter()
    settled = 0
    for kind, category, deed, undone, count in rows:
        if not undone:
            settled += count
            continue
        found[kind][deed] += count
        categories[category] += count
    return Tally(found, categories, settled)


async def confirm(
    session: AsyncSession, link_id: LinkId, *, state: LinkState, by: str, now: datetime
) -> Run:
    """
    Start the one run of the plan; a plan that was confirmed before gives its run.

    Raises:
        Problem: ``first-sync-not-now`` while the link rests, ``first-sync-not-open`` while there is
            nothing to confirm, ``answers-missing`` with how many lines must still be answered,
            ``partner-linked-twice`` with how many records two lines would link.

    """
    plan = await current_plan(session, link_id, lock=True)
    if plan is None:
        raise Problem("first-sync-not-open", state="none")
    run = await run_of(session, plan)
    if run is not None:
        return run
    if state not in WORKING:
        raise Problem("first-sync-not-now", state=state.value)
    if plan.state != PlanState.OPEN:
        raise Problem("first-sync-not-open", state=plan.state)
    if plan.projects_stale or await is_any_fixed(session, link_id):
        raise Problem("first-sync-not-open", state=PlanState.MATCHING.value)
    counted = await tally(session, plan)
    if counted.missing:
        raise Problem("answers-missing", count=counted.missing)
    twice = await session.scalar(_LINKED_TWICE, {"link_id": link_id, "plan_id": plan.plan_id})
    if twice:
        raise Problem("partner-linked-twice", count=twice)
    run = Run(
        link_id=link_id, run_id=uuid7(), plan_id=plan.plan_id, state=RunState.RUNNING.value,
        total=counted.total, working=0, resumed_at=now, pause_code=None, confirmed_by=by,
        started_at=now, ended_at=None, version=1, checked_at=None,
        undo_state=None, undo_by=None, undo_started_at=None, undo_ended_at=None,
    )  # fmt: skip
    session.add(run)
    # Who says link or create takes in what was left out before; the run asks nobody again.
    await session.execute(_TAKE_IN, {"link_id": link_id, "plan_id": plan.plan_id})
    plan.state, plan.updated_at = PlanState.RUNNING.value, now
    plan.version += 1
    await session.flush()
    await defer(session, Job.RUN_FIRST_SYNC, link_id)
    return run


def pause_run(run: Run, plan: Plan, *, now: datetime) -> None:
    """Let a run rest after the lines under way; pausing twice changes nothing."""
    if run.state != RunState.RUNNING:
        return
    run.state, run.pause_code = RunState.PAUSED.value, "person-asked"
    run.working += round((now - run.resumed_at).total_seconds() * 1000)
    run.version += 1
    plan.state, plan.updated_at = PlanState.PAUSED.value, now
    plan.version += 1


async def resume_run(session: AsyncSession, run: Run, plan: Plan, *, now: datetime) -> None:
    """Let a run go on where it was, at once; also one that waits for a system."""
    if run.state == RunState.DONE:
        return
    if run.state == RunState.PAUSED:
        run.state, run.pause_code, run.resumed_at = RunState.RUNNING.value, None, now
        run.checked_at = None
        run.version += 1
        plan.state, plan.problem, plan.updated_at = PlanState.RUNNING.value, None, now
        plan.version += 1
    await defer(session, Job.RUN_FIRST_SYNC, LinkId(run.link_id))
