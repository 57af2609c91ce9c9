"""
Play what hours have beside time: expenses and kilometres, billed or left out, changed, come late.

An expense's text says whose it is; kilometres of the n-th hour are a digit at the n-th place, so
that a sum of them says of which hours it is.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.simulation.afterwards import edit_hour
from tests.simulation.in_conta import send_in_conta, standing_draft
from tests.simulation.passing import A_SWEEP, mortally, pass_and_work

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

EXPENSE_VAT: Final = "exempted"
KILOMETRE_VAT: Final = "low"
KILOMETRE_RATE: Final = 353
LETTERS: Final = "abcdefgh"
EVERYTHING: Final[Mapping[str, Any]] = {
    "expenseVatCode": EXPENSE_VAT,
    "kilometres": {"rateOre": KILOMETRE_RATE, "vatCode": KILOMETRE_VAT},
}


class Beside(NamedTuple):
    """Hold what an hour has beside time: expenses by text and øre, and a digit of kilometres."""

    expenses: tuple[tuple[str, int], ...] = ()
    kilometres: int = 0


def wish_beside(world: "DraftWorld") -> dict[str, Any]:
    """Choose what of it a draft bills: all, one kind or nothing."""
    if not world.has_beside:
        return {}
    kinds = world.random.choice(((), ("expenseVatCode",), ("kilometres",), tuple(EVERYTHING)))
    return {kind: EVERYTHING[kind] for kind in kinds}


def beside_now(world: "DraftWorld", hour: str) -> Beside:
    """Give what an hour has by now."""
    return world.had_beside[hour][-1]


async def change_beside(world: "DraftWorld") -> None:
    """Let people add, price, take out or double expenses of hours, or drive; billed or not."""
    for hour in world.random.sample(world.hours, world.random.randint(1, 2)):
        await _change(world, hour)


async def _change(world: "DraftWorld", hour: str) -> None:
    draw, was = world.random, beside_now(world, hour)
    expenses, driven = list(was.expenses), was.kilometres
    what = draw.choice(("add", "add", "add", "alike", "price", "take-out", "drive", "no-time"))
    if what == "no-time":  # an hour of no minutes is billed for what it has beside alone
        await edit_hour(world, hour, "minutes", {"minutes": 0})
    elif what == "drive":
        driven = draw.randint(1, 9)
    elif what == "add" or not expenses:
        expenses.append((_new_text(world, hour), draw.randint(100, 99_999)))
    else:
        place = draw.randrange(len(expenses))
        text, _ = expenses[place]
        if what == "alike":
            expenses.append(expenses[place])
        elif what == "price":
            expenses[place] = (text, draw.randint(100, 99_999))
        else:
            del expenses[place]
    world.happened[f"beside-{what}"] += 1
    await keep_beside(world, hour, Beside(tuple(expenses), driven))


def _new_text(world: "DraftWorld", hour: str) -> str:
    used = {text for one in world.had_beside[hour] for text, _ in one.expenses}
    number = world.hours.index(hour)
    free = (f"Utlegg {number}{letter}" for letter in LETTERS)
    return next((text for text in free if text not in used), f"Utlegg {number}a")


async def keep_beside(world: "DraftWorld", hour: str, now: Beside) -> None:
    """Write an hour's expenses and kilometres in Timerabbit."""
    body = {
        "costs": [
            {"description": text, "amount": f"{ore // 100}.{ore % 100:02}"}
            for text, ore in now.expenses
        ],
        "kilometers": str(now.kilometres * 10 ** world.hours.index(hour))
        if now.kilometres
        else None,
    }
    path = f"/companies/cmp_1/entries/{hour}"
    await world.stage.twins.control("timerabbit", "PATCH", path, body)
    world.had_beside.setdefault(hour, []).append(now)


async def begin_beside(world: "DraftWorld") -> None:
    """Give some hours an expense, some kilometres and some no time, before anything is billed."""
    for number, hour in enumerate(world.hours):
        expenses = ((f"Utlegg {number}a", world.random.randint(100, 99_999)),)
        driven = world.random.choice((0, 0, world.random.randint(1, 9)))
        await keep_beside(
            world, hour, Beside(expenses if world.random.random() < 0.5 else (), driven)
        )
        if world.random.random() < 0.2:
            await edit_hour(world, hour, "minutes", {"minutes": 0})


async def bill_left_out(world: "DraftWorld") -> None:
    """Bill what a draft left out or what came to its hours later; at once, late or to a death."""
    if world.random.random() < 0.5:
        await change_beside(world)
        await pass_and_work(world, A_SWEEP)
    mine = await world.drafts()
    if not mine:
        return
    draft = world.random.choice(mine)
    answer = await left_out_of(world, draft["id"], wish_beside(world))
    world.happened[f"left-out-{answer.status_code}"] += 1
    if answer.status_code != 201:
        return
    preview = str(answer.json()["previewId"])
    if world.random.random() < 0.2:
        world.kept.append(preview)
        return
    await mortally(world, lambda: world.post(preview))
    newest = standing_draft(world)
    if newest is not None and world.random.random() < 0.3:
        await send_in_conta(world, [newest])


async def left_out_of(world: "DraftWorld", draft_id: str, wish: Mapping[str, Any]) -> Any:
    """Ask for a preview of what nothing bills of a draft's hours."""
    return await world.call("POST", f"/invoice-drafts/{draft_id}/left-out", dict(wish))
