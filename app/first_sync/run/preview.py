"""Say exactly what a confirmation would do before it does it: deeds by side, and what is left."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId, Side
from app.first_sync.plan.deeds import ANCHOR, DEED, LEFT_OUT, UNPAIRED, Deed
from app.first_sync.plan.search import at_once
from app.first_sync.store import PARTNER, Plan, PlanState
from app.records.fixed import is_any_fixed

_SAMPLES: Final = 5

_GROUPS: Final = text(f"""
SELECT kind, side, deed, COALESCE(finding ->> 'code', reason) AS reason, count(*) AS lines,
       md5(string_agg(CAST(proposal_id AS text), ' ' ORDER BY proposal_id)) AS which,
       (array_agg(finding))[1] AS finding,
       (array_agg(jsonb_build_object('id', anchor_id, 'name', name, 'partner', partner)
                  ORDER BY name, anchor_id))
         [1:{_SAMPLES}] AS samples
FROM (
  SELECT p.kind, p.anchor_side AS side, p.anchor_id, p.proposal_id, p.name, {DEED} AS deed,
         {PARTNER} AS partner, CASE
    WHEN {LEFT_OUT} THEN 'left-out'
    WHEN {DEED} IN ('ask', 'leave-out') THEN p.category
    END AS reason, CASE WHEN {DEED} = 'wait' THEN (
      SELECT f.value FROM jsonb_array_elements(r.findings) f
      WHERE CAST(f.value ->> 'blocking' AS boolean) LIMIT 1)
    END AS finding
  FROM proposals p {ANCHOR}
  WHERE p.link_id = :link_id AND p.plan_id = :plan_id AND NOT p.dormant AND {UNPAIRED}
) line GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
""")  # noqa: S608 - constants of ours

# Only the few that are shown are named: a join over the whole plan would name thousands.
_NAMES: Final = text("""
SELECT kind, record_id, name FROM records
WHERE link_id = :link_id AND side = 'books' AND record_id = ANY(CAST(:ids AS text[]))
""")

# Calls that one line costs, by deed: to the time side, to the books side. Both records are read
# again before anything is written; the time side carries our mark. (Measured against the twins.)
_CALLS: Final[Mapping[str, tuple[int, int]]] = {
    Deed.LINK: (3, 1),
    Deed.CREATE_IN_BOOKS: (3, 1),
    Deed.CREATE_IN_TIME: (1, 1),
}


@dataclass(frozen=True, slots=True)
class Part:
    """
    Hold lines of one kind that come to the same.

    Args:
        side: Where the lines' own records stand.
        reason: Why nothing is done with them: a category, a finding's code, or ``left-out``.
        finding: The finding itself, where it is one.
        which: A short word for the very lines that are meant.

    """

    kind: str
    side: str
    deed: str
    reason: str | None
    finding: Mapping[str, Any] | None
    lines: int
    which: str
    samples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Preview:
    """
    Hold what a confirmation of this very version of the plan would do.

    Args:
        hindered_by: The code of what a confirmation would answer now, or ``None``.

    """

    version: int
    hindered_by: str | None
    parts: Sequence[Part]

    @property
    def tag(self) -> str:
        """
        Give a word that differs as soon as anything of the plan would be done otherwise.

        The version alone rises with answers, not when a record stops being ready or is left out.
        """
        said = [(one.kind, one.side, one.deed, one.reason, one.which) for one in self.parts]
        digest = hashlib.sha256(json.dumps(said).encode()).hexdigest()
        return f"{self.version}-{digest[:16]}"

    @property
    def done(self) -> list[Part]:
        """Give what is written."""
        return [one for one in self.parts if one.deed in _CALLS]

    @property
    def left(self) -> list[Part]:
        """Give what is left as it is, and why."""
        return [one for one in self.parts if one.deed not in _CALLS]

    def calls(self, side: Side) -> int:
        """Estimate the calls to a side."""
        place = 0 if side is Side.TIME else 1
        return sum(one.lines * _CALLS[one.deed][place] for one in self.done)


async def preview_of(session: AsyncSession, plan: Plan) -> Preview:
    """Count the plan's lines by what becomes of them."""
    await at_once(session)
    named = {"link_id": plan.link_id, "plan_id": plan.plan_id}
    parts = [Part(**row) for row in (await session.execute(_GROUPS, named)).mappings()]
    await at_once(session, over=True)
    parts = await _with_names(session, plan, parts)
    stale = plan.projects_stale or await is_any_fixed(session, LinkId(plan.link_id))
    return Preview(plan.version, _hindrance(plan, parts, stale=stale), parts)


def _hindrance(plan: Plan, parts: Sequence[Part], *, stale: bool) -> str | None:
    if plan.state != PlanState.OPEN or stale:
        return "first-sync-not-open"
    return "answers-missing" if any(one.deed == Deed.ASK for one in parts) else None


async def _with_names(session: AsyncSession, plan: Plan, parts: Sequence[Part]) -> list[Part]:
    """Name the partners of the samples; a line that links is of the time side."""
    ids = {sample["partner"] for one in parts for sample in one.samples} - {None}
    rows = await session.execute(_NAMES, {"link_id": plan.link_id, "ids": list(ids)})
    names = {(kind, record_id): name for kind, record_id, name in rows}
    return [
        replace(one, samples=[_named(sample, one.kind, names) for sample in one.samples])
        for one in parts
    ]


def _named(
    sample: Mapping[str, Any], kind: str, names: Mapping[tuple[str, str], str]
) -> Mapping[str, Any]:
    partner, name = sample["partner"], names.get((kind, sample["partner"]))
    return {**sample, "partner": None if name is None else {"id": partner, "name": name}}
