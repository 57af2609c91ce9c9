"""
Reckon what a follow-up draft bills: each line as it is now, less what was billed of it; pure.

A line is reckoned whole both times, by its own rounding, price and discount, so that the hours of
what was billed and of all that followed are together those of the line as it is today. Each line is
its own printed hours times price, so that the kroner may differ by half an øre a line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from app.canonical import EntryId, Ore
from app.invoicing.lines.lines import Line, hours, line_net, priced
from app.invoicing.lines.rounding import Rounding, Worked, billed_minutes

Frozen = Mapping[str, Any]
"""An hour as ``snapshot.freeze_entry`` wrote it."""

_WORD: Final = {"nb": "Korreksjon", "nn": "Korreksjon", "en": "Correction"}


@dataclass(frozen=True, slots=True)
class Changed:
    """Hold one changed hour; ``now`` is ``None`` where it is gone or another customer's."""

    change_id: str
    entry_id: str
    now: Frozen | None


@dataclass(frozen=True, slots=True)
class Correction:
    """
    Hold what a follow-up bills of one changed hour.

    Args:
        before: The hour as it counts in what was billed until now; ``None`` where it did not.
        lines: One line at one rate, two where the rate changed (the old off, the new on), none
            where the increments swallow the difference.

    """

    change: Changed
    before: Frozen | None
    lines: tuple[Line, ...]


def stays(hour: Frozen | None, customer_id: str) -> bool:
    """Say whether an hour is still there and this customer's."""
    return bool(hour) and (hour or {}).get("customerId", customer_id) == customer_id


def worth(hour: Frozen | None, customer_id: str) -> int:
    """Give what an hour is worth to a customer alone, in øre: nothing without a rate, or gone."""
    if not hour or not stays(hour, customer_id) or _rate(hour) is None:
        return 0
    return line_net(hours(hour["minutes"]), Ore(hour["rate"]))


def last_line(correction: Mapping[str, Any]) -> int:
    """Give the follow-up's line that bills a change, of two the later; 0 where there is none."""
    return max(correction["lines"], default=0)


def agreed_base(states: Sequence[Frozen], now: Frozen | None, customer_id: str) -> Frozen:
    """
    Give what an hour as it is now is compared with.

    Args:
        states: As it was last billed, then as a person left it since, in order; empty where gone.
            What was left agrees to all that lies between: an hour of 120 minutes that was left
            at 60 and is 120 again is no difference, one of 130 is ten minutes, of 50 too. One that
            goes is compared with what was billed, whatever was left: it may be billed anew.

    """
    if not stays(now, customer_id) and all(stays(state, customer_id) for state in states):
        return states[0]
    amounts = [worth(state, customer_id) for state in states]
    amount = worth(now, customer_id)
    if len(states) > 1 and min(amounts) <= amount <= max(amounts):
        last = states[-1]
        money = {name: now[name] for name in ("minutes", "rate", "customerId")} if now else {}
        return {**last, **money} if now and last else dict(now or last)
    return min(states, key=lambda state: abs(worth(state, customer_id) - amount))


def corrections(
    line: Mapping[str, Any],
    billed: Mapping[str, Frozen],
    changes: Sequence[Changed],
    *,
    language: str,
) -> list[Correction]:
    """
    Reckon the changes of one line, one after another; what they bill adds up to the whole.

    Args:
        line: The line of the first draft, as ``shapes.line_to_json`` wrote it.
        billed: Its hours as they count by now: as first billed, or as last followed up or left.
        changes: At most one an hour.

    """
    rounding = Rounding.from_json(line.get("rounding"))
    state = dict(billed)
    found = []
    for change in changes:
        before = dict(state)
        old = state.pop(change.entry_id, None)
        if change.now is not None:
            state[change.entry_id] = change.now
        rates = dict.fromkeys(_rate(hour) for hour in (old, change.now) if hour)
        made = (
            _line(change, old or change.now or {}, rate, (before, state), rounding, line, language)
            for rate in rates
            if rate is not None
        )
        found.append(Correction(change, old, tuple(one for one in made if one.net)))
    return found


def _line(
    change: Changed,
    hour: Frozen,
    rate: int,
    states: tuple[Mapping[str, Frozen], Mapping[str, Frozen]],
    rounding: Rounding | None,
    line: Mapping[str, Any],
    language: str,
) -> Line:
    (was, was_billed), (now, now_billed) = (_minutes(state, rate, rounding) for state in states)
    year, month, day = hour["day"].split("-")
    place = ": ".join(p for p in (hour["employeeName"], hour.get("project") or "") if p)
    return priced(
        Line(
            text=f"{_WORD[language]} {day}.{month}.{year} {place}", minutes=now - was,
            billed=now_billed - was_billed, quantity=hours(now_billed) - hours(was_billed),
            unit_price=Ore(rate), vat_code=line["vatCode"], net=Ore(0), vat=Ore(0),
            entry_ids=(EntryId(change.entry_id),),
            key=f"{change.change_id}-{rate}", discount=Decimal(line.get("discount", "0")),
            rounding=rounding,
        )
    )  # fmt: skip


def _minutes(state: Mapping[str, Frozen], rate: int, rounding: Rounding | None) -> tuple[int, int]:
    """Give the worked and the billed minutes of a line's hours at one rate."""
    at_rate = [
        Worked(entry_id, date.fromisoformat(hour["day"]), hour["employeeId"], hour["minutes"])
        for entry_id, hour in state.items()
        if _rate(hour) == rate
    ]
    return sum(one.minutes for one in at_rate), billed_minutes(at_rate, rounding)


def _rate(hour: Frozen) -> int | None:
    rate: int | None = hour.get("rate")
    return rate
