"""Play what people do once hours are billed: change them, follow up, delete, credit, release."""

from typing import TYPE_CHECKING, Any

from app.invoicing.papers.erase import erase_ended
from tests.simulation.in_conta import (
    documents,
    path_of,
    pay_invoice,
    send_in_conta,
    standing_draft,
    take_out,
)
from tests.simulation.passing import A_LOOK, A_SWEEP, mortally, pass_and_work
from tests.simulation.pieces import Version, pieces_of

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

RATES = ("950.50", "1000", "1200.25", "700")


async def change_hours(world: "DraftWorld") -> None:
    """Let people change an hour or two in Timerabbit, billed ones where some are."""
    hours = billed_hours(world) or world.hours
    for hour in world.random.sample(hours, min(len(hours), world.random.randint(1, 2))):
        await change_hour(world, hour)


def billed_hours(world: "DraftWorld") -> list[str]:
    """Give the hours that stand in Conta."""
    names = {name for _, kept in documents(world) for p in pieces_of(kept) for name in p.names}
    return [world.names[name] for name in sorted(names)]


async def change_hour(world: "DraftWorld", hour: str) -> None:
    """Edit, price, move or delete one hour; one that is deleted is restored."""
    draw = world.random
    if world.versions[hour][-1].customer is None:
        what = "restore"
    else:
        what = draw.choice(("minutes", "minutes", "minutes", "rate", "rate", "move", "delete"))
    fields = {
        "minutes": {"minutes": draw.randint(1, 200)}, "rate": {"hourlyRate": draw.choice(RATES)},
        "move": {"customerId": draw.choice(world.customers)}, "restore": {"deletedAt": None},
    }.get(what)  # fmt: skip
    await edit_hour(world, hour, what, fields)


async def edit_hour(world: "DraftWorld", hour: str, what: str, fields: object = None) -> None:
    """Change an hour in Timerabbit, and remember what it is from now on."""
    world.happened[f"hour-{what}"] += 1
    path = f"/companies/cmp_1/entries/{hour}"
    call = ("POST", f"{path}/delete", None) if what == "delete" else ("PATCH", path, fields)
    entry = await world.stage.twins.control("timerabbit", *call)
    world.versions[hour].append(version_of(entry))


def version_of(entry: dict[str, Any]) -> Version:
    """Read an hour as the twin has it."""
    kroner, _, rest = str(entry["hourlyRate"]).partition(".")
    rate = 100 * int(kroner) + int(rest.ljust(2, "0") or 0)
    gone = entry["deletedAt"] is not None
    return Version(entry["minutes"], rate, None if gone else entry["customerId"])


async def decide_changes(world: "DraftWorld") -> None:
    """Let hours change, look at what changed; leave some, or make a follow-up draft of some."""
    if world.random.random() < 0.6:
        await change_hours(world)
    await pass_and_work(world, A_SWEEP)
    changes = await read_changes(world)
    if not changes:
        return
    chosen = world.random.sample(changes, world.random.randint(1, len(changes)))
    choice = "leave" if world.random.random() < 0.2 else "follow-up"
    preview = await _choose(world, chosen, choice)
    if preview is not None and world.random.random() < 0.25:
        world.kept.append(preview)
    elif preview is not None:
        await mortally(world, lambda: world.post(preview))


async def take_back(world: "DraftWorld") -> None:
    """Take an hour off by a follow-up that bills more of another, send it; then restore it."""
    hours = billed_hours(world)
    if len(hours) < 2:
        return
    off, more = world.random.sample(hours, 2)
    what = world.random.choice(("move", "delete"))
    customer = world.customers[world.versions[off][-1].customer == world.customers[0]]
    await edit_hour(world, off, what, {"customerId": customer})
    await edit_hour(world, more, "minutes", {"minutes": world.versions[more][-1].minutes + 180})
    await pass_and_work(world, A_SWEEP)
    changes = await read_changes(world)
    preview = await _choose(world, changes, "follow-up") if changes else None
    if preview is not None:
        await mortally(world, lambda: world.post(preview))
        drafts = [kept for kind, kept in documents(world) if kind == "drafts"]
        await send_in_conta(world, drafts[-1:])  # the hour is free once it is an invoice
        await pass_and_work(world, A_LOOK)
    if what == "delete" and world.random.random() < 0.7:
        await edit_hour(world, off, "restore", {"deletedAt": None})


async def _choose(world: "DraftWorld", changes: list[dict[str, Any]], choice: str) -> str | None:
    """Choose what becomes of changes; gives the preview of a follow-up."""
    body = {"changeIds": [one["id"] for one in changes], "choice": choice}
    answer = await world.call("POST", "/changed-hours", body)
    world.happened[f"{choice}-{answer.status_code}"] += 1
    if answer.status_code != 200:
        return None
    if choice == "leave":
        world.left.update(one["entryId"] for one in changes)
        return None
    return str(answer.json()["preview"]["previewId"])


async def read_changes(world: "DraftWorld") -> list[dict[str, Any]]:
    """Open the page of changed hours, once the hours were read again."""
    found: list[dict[str, Any]] = (await read_changed(world))["items"]
    return sorted(found, key=lambda one: str(one["entryId"]))


async def read_changed(world: "DraftWorld") -> dict[str, Any]:
    """Give that page as it is: hours that changed, and expenses that came later."""
    await world.call("GET", "/money-on-the-table")
    await world.stage.work()
    answer = await world.call("GET", "/changed-hours")
    nothing: dict[str, Any] = {"items": [], "expensesAdded": []}
    return answer.json() if answer.status_code == 200 else nothing


async def send_late(world: "DraftWorld") -> None:
    """Send what was previewed a while ago."""
    if world.kept:
        answer = await world.post(world.kept.pop(0))
        world.happened[f"late-{answer.status_code}"] += 1


async def undo(world: "DraftWorld") -> None:
    """Delete a draft in Conta or credit an invoice; then release its hours, and bill them again."""
    standing = documents(world)
    if not standing:
        return
    kind, kept = world.random.choice(standing)
    mark = pieces_of(kept)[0].mark
    if kind == "drafts" and world.random.random() < 0.5:
        sent = await world.stage.twins.control("conta", "POST", f"{path_of(kind, kept.id)}/send")
        kind, kept = "invoices", world.stage.books().invoices[sent["id"]]
    await _undo(world, kind, kept, mark)


async def pay_and_credit(world: "DraftWorld") -> None:
    """Send a draft, have it paid, let that be seen; then credit it, and bill its hours again."""
    draft = standing_draft(world)
    if draft is None:
        return
    mark = pieces_of(draft)[0].mark
    sent = await world.stage.twins.control("conta", "POST", f"{path_of('drafts', draft.id)}/send")
    kept = world.stage.books().invoices[sent["id"]]
    if kept.data["sumRemaining"] > 0:
        await pay_invoice(world, kept)
    if world.random.random() < 0.7:
        await pass_and_work(world, A_LOOK)
    if world.random.random() < 0.7:
        world.happened["books-paid-credit"] += 1
        await _undo(world, "invoices", kept, mark)


async def _undo(world: "DraftWorld", kind: str, kept: Any, mark: str) -> None:
    await take_out(world, kind, kept)
    for _ in range(2):  # one look may meet a list that lags
        await pass_and_work(world, A_LOOK)
    draft = next((one for one in await world.drafts() if one["mark"] == mark), None)
    if draft is None:
        return
    if world.has_beside:  # who was paid is looked at by itself once a week
        await world.call("POST", f"/invoice-drafts/{draft['id']}/look")
    body = {"reason": "Slettet i Conta", "lookedInConta": world.random.random() < 0.5}
    answer = await world.call("POST", f"/invoice-drafts/{draft['id']}/release", body)
    world.happened[f"undo-{answer.status_code}"] += 1
    if answer.status_code == 200 and world.random.random() < 0.7:
        await world.send()


async def erase(world: "DraftWorld") -> None:
    """Let the years of all drafts be over, change the hours, and try to bill every hour again."""
    await world.stage.age()
    await erase_ended(world.stage.runtime, world.stage.link.link_id)
    world.happened["erased"] += 1
    await decide_changes(world)
    for customer in world.customers:
        preview = await world.preview(customer, world.hours)
        if preview is not None:
            await world.post(preview)
    await world.stage.work()
