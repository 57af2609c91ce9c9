"""Say how a link stands: in step or not, and what needs a person."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.canonical import LinkId
from app.changes.store import Change, ChangeState
from app.changes.store import counts as count_changes
from app.changes.why import explain, needs_person
from app.links.pairs import Pair
from app.links.store import LinkState, directory_entry, read_link
from app.problems import Problem, say
from app.runtime import Asked
from app.sync.conflicts import count_open
from app.sync.status_shown import Need, StatusAnswer

_NAMES: Final = frozenset({"Conta"})
"""What stands first in the title of a pause and is a name."""

_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "in-step": {
        "nb": "Alt stemmer på begge sider.",
        "nn": "Alt stemmer på begge sider.",
        "en": "Everything is in step on both sides.",
    },
    "in-step-asked": {
        "nb": "Alt stemmer på begge sider. Noe venter på deg.",
        "nn": "Alt stemmer på begge sider. Noko ventar på deg.",
        "en": "Everything is in step on both sides. Something waits for you.",
    },
    "waiting": {
        "nb": "Poster som oppdateres: {pending}.",
        "nn": "Postar som vert oppdaterte: {pending}.",
        "en": "Records being brought in step: {pending}.",
    },
    "needs-one": {
        "nb": "Én sak trenger deg.",
        "nn": "Éi sak treng deg.",
        "en": "One thing needs you.",
    },
    "needs": {
        "nb": "{needs} saker trenger deg.",
        "nn": "{needs} saker treng deg.",
        "en": "{needs} things need you.",
    },
    "lacks-one": {
        "nb": "Én post mangler noe.",
        "nn": "Éin post manglar noko.",
        "en": "One record lacks something.",
    },
    "lacks": {
        "nb": "{lacking} poster mangler noe.",
        "nn": "{lacking} postar manglar noko.",
        "en": "{lacking} records lack something.",
    },
    "connecting": {
        "nb": "Koblingen er ikke ferdig satt opp.",
        "nn": "Koplinga er ikkje ferdig sett opp.",
        "en": "The link is not set up yet.",
    },
    "reviewing": {
        "nb": "Første synkronisering venter på gjennomgang.",
        "nn": "Første synkronisering ventar på gjennomgang.",
        "en": "The first sync waits for your review.",
    },
    "paused": {
        "nb": "Koblingen er satt på pause: {reason}. Arbeidet venter.",
        "nn": "Koplinga er sett på pause: {reason}. Arbeidet ventar.",
        "en": "The link is paused: {reason}. Its work waits.",
    },
    "closed": {
        "nb": "Koblingen er avsluttet.",
        "nn": "Koplinga er avslutta.",
        "en": "The link is closed.",
    },
}


async def read_status(
    session: AsyncSession, link_id: LinkId, *, language: str, asked: Sequence[Asked] = ()
) -> StatusAnswer:
    """
    Read how a link stands, as of now.

    Args:
        asked: What is asked of people beside records: by drafts and hours.

    Raises:
        Problem: ``not-found`` when there is no such link.

    """
    entry = await directory_entry(session, link_id)
    link = await read_link(session, link_id)
    if entry is None or link is None:
        raise Problem("not-found")
    found = await count_changes(session, link_id)
    conflicts = await count_open(session, link_id)
    pairs = await session.scalar(
        select(func.count()).select_from(Pair).where(Pair.link_id == link_id)
    )
    needs = await _grouped(session, link_id, ChangeState.PARKED, language=language)
    if conflicts:
        href = f"/v1/links/{link_id}/conflicts"
        why = explain("conflict", {}, language=language)
        needs.append(Need(count=conflicts, href=href, why=why))
    needs += [_need(link_id, one, language) for one in asked]
    waiting = await _grouped(session, link_id, ChangeState.PENDING, language=language)
    lacking = [need for need in waiting if needs_person(need.why.code)]
    things = found.parked + conflicts + sum(one.count for one in asked if not one.in_step)
    lacks = sum(need.count for need in lacking)
    pause = None
    if link.pause_reason is not None:
        pause = explain(link.pause_reason, link.pause_detail, language=language)
    in_step = not (found.pending or things)
    facts = {
        "pending": str(found.pending),
        "needs": str(things + lacks),
        "asked": str(len(asked)),
        "lacking": str(lacks if not things else 0),
        "reason": _in_a_sentence(pause.title) if pause is not None else "",
    }
    return StatusAnswer(
        state=LinkState(entry.state).value,
        in_step=in_step and entry.state == LinkState.ACTIVE,
        text=say(_TEXTS[_headline(entry.state, facts)], language, facts),
        pending=found.pending,
        parked=found.parked,
        open_conflicts=conflicts,
        pairs=pairs or 0,
        last_sweep_at=link.last_sweep_at,
        next_sweep_at=entry.next_sweep,
        pause=pause,
        needs=[*needs, *lacking],
        waiting=waiting,
    )


def _need(link_id: LinkId, asked: Asked, language: str) -> Need:
    href = f"/v1/links/{link_id}/{asked.path}"
    why = explain(asked.code, asked.facts, language=language)
    return Need(count=asked.count, href=href, why=why)


def _headline(state: str, facts: Mapping[str, str]) -> str:
    if state != LinkState.ACTIVE:
        return state
    if facts["lacking"] != "0":
        return "lacks-one" if facts["lacking"] == "1" else "lacks"
    if facts["needs"] != "0":
        return "needs-one" if facts["needs"] == "1" else "needs"
    if facts["pending"] != "0":
        return "waiting"
    return "in-step" if facts["asked"] == "0" else "in-step-asked"


def _in_a_sentence(title: str) -> str:
    """Begin a title in small letters, unless it begins with a name."""
    first = title.partition(" ")[0]
    return title if first in _NAMES else title[0].lower() + title[1:]


async def _grouped(
    session: AsyncSession, link_id: LinkId, state: ChangeState, *, language: str
) -> list[Need]:
    """Group changes by what hinders them; facts are told where all of a group have the same."""
    facts = cast(Change.facts, String)
    rows = await session.execute(
        select(Change.code, func.count(), func.min(facts), func.max(facts))
        .where(Change.link_id == link_id, Change.state == state, Change.code.is_not(None))
        .group_by(Change.code)
        .order_by(Change.code)
    )
    href = f"/v1/links/{link_id}/changes?state={state.value}"
    found = []
    for code, count, least, most in rows:
        told: Mapping[str, Any] = json.loads(least) if least == most else {}
        why = explain(code or "unexpected-failure", told, language=language)
        found.append(Need(count=count, href=href, why=why))
    return found
