"""Play what a person does in Conta's own pages with drafts and invoices of ours."""

from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tests.simulation.passing import A_LOOK, A_SWEEP, pass_and_work
from tests.simulation.pieces import MARK, Piece, beside_in, living_invoices, names_in, pieces_of

if TYPE_CHECKING:
    from tests.simulation.drafts import DraftWorld

LAG = timedelta(seconds=20)
"""So long a person who just sent a draft needs to come back to our page."""


async def in_the_books(world: "DraftWorld") -> None:
    """Do what a person may do in Conta with one of this world's drafts and invoices."""
    standing = documents(world)
    if not standing:
        return
    kind, kept = world.random.choice(standing)
    if kind == "drafts" and world.random.random() < 0.6:
        await send_in_conta(world, [kept])
    else:
        await take_out(world, kind, kept)


async def send_in_conta(world: "DraftWorld", drafts: list[Any]) -> None:
    """Send drafts to their customer: each becomes an invoice."""
    for kept in drafts:
        world.happened["books-send"] += 1
        await world.stage.twins.control("conta", "POST", f"{path_of('drafts', kept.id)}/send")


async def take_out(world: "DraftWorld", kind: str, kept: Any) -> None:
    """Delete a draft or credit an invoice, and remember what stood there."""
    world.removed += pieces_of(kept)
    deed = "delete" if kind == "drafts" else "credit"
    world.happened[f"books-{deed}"] += 1
    await world.stage.twins.control("conta", "POST", f"{path_of(kind, kept.id)}/{deed}")


async def pay(world: "DraftWorld") -> None:
    """Register that a customer paid an invoice, or a part of it."""
    invoices = [kept for kind, kept in documents(world) if kind == "invoices"]
    owed = [kept for kept in invoices if kept.data["sumRemaining"] > 0]
    if owed:
        await pay_invoice(world, world.random.choice(owed))


async def pay_invoice(world: "DraftWorld", kept: Any) -> None:
    """Pay one invoice, a third of what remains or all."""
    part = round(kept.data["sumRemaining"] / 3, 2)
    whole = part <= 0 or world.random.random() < 0.5
    world.happened["books-paid" if whole else "books-part-paid"] += 1
    body = {"amount": None if whole else str(part)}
    await world.stage.twins.control("conta", "POST", f"/invoices/{kept.id}/pay", body)


async def take_line_out(world: "DraftWorld") -> None:
    """Take a line out of a draft in Conta, often send the draft, and release that line's hours."""
    drafts = [(kept, pieces_of(kept)) for kind, kept in documents(world) if kind == "drafts"]
    standing = [  # of a follow-up no line is released by itself, nor ever an expense
        (kept, pieces) for kept, pieces in drafts
        if any(p.names for p in pieces[1:]) and not any(piece.difference for piece in pieces)
    ]  # fmt: skip
    if not standing:
        return
    kept, pieces = world.random.choice(standing)
    place = world.random.choice(  # the first line has the mark
        [place for place, piece in enumerate(pieces) if place and piece.names]
    )
    lines = await _lines(world, kept)
    world.removed.append(pieces[place])
    await _edit(world, kept, [one for n, one in enumerate(lines) if n != place])
    if world.random.random() < 0.5:
        await send_in_conta(world, [kept])
    await pass_and_work(world, A_LOOK)
    draft = await _ours(world, kept)
    if draft is None:
        return
    body = {"reason": "Tatt ut i Conta", "lines": [place + 1]}
    answer = await world.call("POST", f"/invoice-drafts/{draft['id']}/release", body)
    world.happened[f"line-{answer.status_code}"] += 1
    if answer.status_code == 200:
        world.freed |= {world.names[name] for name in pieces[place].names}
        if world.random.random() < 0.5:
            await world.send()


async def merge(world: "DraftWorld") -> None:
    """
    Move the lines of a draft, mark and all, into a later one of the same customer; press release.

    Of hours of which nothing was followed up: what follows is told from its bill by their ages.
    """
    pairs = _mergeable(world)
    for _ in range(3):
        if not pairs:
            await world.send()
            pairs = _mergeable(world)
    if not pairs:
        return
    one, other = world.random.choice(pairs)
    moved = await _ours(world, one)
    await _edit(world, other, [*await _lines(world, other), *await _lines(world, one)])
    await world.stage.twins.control("conta", "POST", f"{path_of('drafts', one.id)}/delete")
    world.happened["merged"] += 1
    if world.random.random() < 0.5:
        await pass_and_work(world, A_SWEEP)
    if world.random.random() < 0.5:
        await send_in_conta(world, [other])
    for _ in range(2):
        await pass_and_work(world, A_SWEEP)
    for draft in (moved, await _ours(world, other)):
        await _release(world, draft, "merged")


def _mergeable(world: "DraftWorld") -> list[tuple[Any, Any]]:
    drafts = [kept for kind, kept in documents(world) if kind == "drafts"]
    return [
        (one, other)
        for one, other in combinations(drafts, 2)
        if one.data.get("customerId") == other.data.get("customerId")
        and not _followed(world, [*pieces_of(one), *pieces_of(other)])
    ]


def _followed(world: "DraftWorld", pieces: list[Piece]) -> bool:
    names = {name for piece in pieces for name in piece.names}
    ever = [*world.removed, *(piece for _, kept in documents(world) for piece in pieces_of(kept))]
    return any(piece.difference and piece.names & names for piece in ever)


async def rewrite(world: "DraftWorld") -> None:
    """
    Write texts and hours of a draft anew in Conta, mark and all, send it; then press release.

    The person bills less than we do, and says of no draft that it was looked for in Conta.
    """
    drafts = [
        kept for kind, kept in documents(world)
        if kind == "drafts" and not any(piece.difference for piece in pieces_of(kept))
        and any(piece.names for piece in pieces_of(kept))
    ]  # fmt: skip
    if not drafts:
        return
    kept = world.random.choice(drafts)
    lines = [
        one | {"description": f"Bistand til {' '.join(sorted(names_in(one)))}", "quantity": 0.1}
        if not beside_in(one)
        else one | {"description": MARK.sub("", one["description"])}
        for one in await _lines(world, kept)
    ]
    world.rewritten[kept.id] = max(p.born for _, one in documents(world) for p in pieces_of(one))
    world.left |= {world.names[name] for piece in pieces_of(kept) for name in piece.names}
    await _edit(world, kept, lines)
    if world.random.random() < 0.5:
        await pass_and_work(world, A_SWEEP)
    await send_in_conta(world, [kept])
    for _ in range(2):
        await pass_and_work(world, A_SWEEP)
    await _press_release(world, kept, "rewritten")


async def release_in_haste(world: "DraftWorld") -> None:
    """Send a draft in Conta, whose list of invoices lags, and press release at once."""
    drafts = [kept for kind, kept in documents(world) if kind == "drafts"]
    if not drafts:
        return
    kept = world.random.choice(drafts)
    fault = {"kind": "stale_list", "seconds": 60, "path": "/invoices"}
    await world.stage.twins.control("conta", "POST", "/faults", fault)
    await send_in_conta(world, [kept])
    world.stage.clock.instant += LAG
    draft = await _ours(world, kept)
    if draft is not None and world.random.random() < 0.5:
        for _ in range(2):
            await world.call("POST", f"/invoice-drafts/{draft['id']}/look")
    await _press_release(world, kept, "haste")


async def _press_release(world: "DraftWorld", kept: Any, how: str) -> None:
    """Release whatever the page shows of a draft; bill its hours again where that was done."""
    await _release(world, await _ours(world, kept), how)


async def _release(world: "DraftWorld", draft: dict[str, Any] | None, how: str) -> None:
    if draft is None:
        return
    body = {"reason": "Finnes ikke", "lookedInConta": False}
    answer = await world.call("POST", f"/invoice-drafts/{draft['id']}/release", body)
    world.happened[f"{how}-{answer.status_code}"] += 1
    if answer.status_code == 200:
        await world.send()


def documents(world: "DraftWorld") -> list[tuple[str, Any]]:
    """Give this world's drafts and living invoices, the oldest first."""
    books = world.stage.books()
    drafts = [("drafts", kept) for _, kept in sorted(books.drafts.items())]
    invoices = [("invoices", kept) for kept in sorted(living_invoices(books), key=lambda k: k.id)]
    return [(kind, kept) for kind, kept in (*drafts, *invoices) if pieces_of(kept)]


def standing_draft(world: "DraftWorld") -> Any:
    """Give the newest draft, or ``None``."""
    drafts = [kept for kind, kept in documents(world) if kind == "drafts"]
    return drafts[-1] if drafts else None


def path_of(kind: str, number: int) -> str:
    """Give the control path of a draft or an invoice."""
    return f"/organizations/1001/drafts/{number}" if kind == "drafts" else f"/invoices/{number}"


async def _ours(world: "DraftWorld", kept: Any) -> dict[str, Any] | None:
    """Give our draft that a draft in Conta was made as."""
    born = str(kept.hidden.get("fromDraftId", kept.id))
    return next((one for one in await world.drafts() if born in one["books_ids"]), None)


async def _lines(world: "DraftWorld", kept: Any) -> list[dict[str, Any]]:
    state = await world.stage.twins.books()
    (stored,) = [one for one in state["drafts"] if one["id"] == kept.id]
    lines: list[dict[str, Any]] = stored["invoiceDraftLines"]
    return lines


async def _edit(world: "DraftWorld", kept: Any, lines: list[dict[str, Any]]) -> None:
    await world.stage.twins.control(
        "conta", "POST", f"{path_of('drafts', kept.id)}/edit", {"lines": lines}
    )
