"""Tell how hours become an invoice draft.

Each hour once, to the øre, also when an answer is lost.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app.demo.people import People, fresh_key, require, wait_for
from app.demo.screen import Screen, kroner

SHOWN: Final = 6
"""How many customers the table names; the others are one row."""

_GROUPED: Final = {
    "person": "a line for each person", "week": "a line for each week", "sum": "one sum",
}  # fmt: skip


def tell_drafts(people: People, screen: Screen, *, folder: Path) -> None:
    """
    Choose, preview, send, send the same again, and lose an answer on purpose.

    Args:
        folder: Where the time specification is put, so that it outlives the service.

    """
    screen.step("Hours to bill")
    entries = people.ask("GET", "/billable-entries")
    screen.told(
        f"{entries['count']} entries of hours read, {entries['billableCount']} of them billable:"
        f" {kroner(entries['billableOre'])} without VAT"
    )
    names = {c["id"]: c["name"] for c in people.hours()["customers"]}
    rows = by_customer(entries["items"], names)
    require(rows[-1][-1] == kroner(entries["billableOre"]), "the customers sum up to the total")
    screen.table(("customer", ">entries", ">hours", ">amount"), rows)
    reasons = Counter(h["text"] for e in entries["items"] for h in e["hindrances"])
    screen.table(("why the others cannot be billed", ">entries"), reasons.most_common())
    customers = Counter(e["customerId"] for e in entries["items"] if e["billable"])
    (first, _), (second, _) = customers.most_common(2)
    _refused_line(people, screen, first)
    draft = _draft(people, screen, first)
    _marked(people, screen, draft)
    _specification(people, screen, draft, folder / "specification.pdf")
    _lost_answer(people, screen, second)
    _table(
        people, screen, {h["code"]: h["text"] for e in entries["items"] for h in e["hindrances"]}
    )


def by_customer(
    entries: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> list[tuple[str, int, str, str]]:
    """Give entries, hours and kroner of the six largest customers, of all others and in all."""
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry["billable"]:
            found[entry["customerId"]].append(entry)
    ordered = sorted(found.items(), key=lambda item: -sum(e["amountOre"] for e in item[1]))
    rows = [_row(names[customer], own) for customer, own in ordered[:SHOWN]]
    rest = [entry for _, own in ordered[SHOWN:] for entry in own]
    if rest:
        rows.append(_row(f"{len(ordered) - SHOWN} others", rest))
    return [*rows, _row("in all", [entry for own in found.values() for entry in own])]


def _row(name: str, entries: Sequence[Mapping[str, Any]]) -> tuple[str, int, str, str]:
    ore = sum(entry["amountOre"] for entry in entries)
    return name, len(entries), _hours(entries), kroner(ore)


def _hours(entries: Sequence[Mapping[str, Any]]) -> str:
    """Add minutes and give them as hours."""
    return f"{sum(entry['minutes'] for entry in entries) / 60:.2f}".replace(".", ",")


def _refused_line(people: People, screen: Screen, customer: str) -> None:
    screen.step("A line that Conta would refuse, and three ways to group")
    wrong = people.ask(
        "POST", "/invoice-drafts/preview",
        {"customerId": customer, "grouping": "week", "texts": {"1": "<b></b>"},
         "discountPercent": 10},
    )  # fmt: skip
    refused = people.call(
        "POST", "/invoice-drafts", {"previewId": wrong["previewId"]}, key=fresh_key()
    )
    require(refused.status_code == 409, "a blocked preview is not sent")
    require(not _drafts_with(people, wrong["mark"]), "nothing of it is in Conta")
    for problem in wrong["problems"]:
        if problem["blocking"]:
            screen.told(f"! {problem['text']}")
    screen.true("refused before it was sent; nothing is in Conta")
    for grouping in _GROUPED:
        shown = people.ask(
            "POST", "/invoice-drafts/preview", {"customerId": customer, "grouping": grouping}
        )
        screen.told(f"{_GROUPED[grouping]}: {len(shown['lines'])} lines, {kroner(shown['netOre'])}")
    screen.told("(never fewer lines than rates: one line has one rate)")


def _table(people: People, screen: Screen, reasons: Mapping[str, str]) -> None:
    screen.step("Money on the table")

    def read() -> Any:  # noqa: ANN401 - JSON
        found = people.ask("GET", "/money-on-the-table")
        return found if found["asOf"] is not None else None

    found = wait_for("the hours are read", read, every=0.1)
    total = found["total"]
    ages = total["byAge"]
    screen.table(("worked and in no draft or invoice", ">amount"), on_the_table(total))
    for code, sums in total["byHindrance"].items():
        screen.told(
            f"not billable yet: {sums['entryCount']} of the entries, {kroner(sums['ore'])}."
            f" {reasons.get(code, code)}"
        )
    require(sum(ages.values()) == total["ore"], "the ages sum up to the total")


def on_the_table(total: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give the unbilled kroner by age, and below them all, and what of them is hindered."""
    ages = total["byAge"]
    hindered = sum(sums["ore"] for sums in total["byHindrance"].values())
    return [
        ("less than 24 days old", kroner(ages["fresh"])),
        ("from 24 days to a month old: close to the limit", kroner(ages["close-to-limit"])),
        (
            "older: past it (bookkeeping regulation § 5-2-2)",
            kroner(ages["past-limit"] + ages["old"]),
        ),
        ("in all", kroner(total["ore"])),
        ("of it billable today", kroner(total["ore"] - hindered)),
    ]


def _specification(people: People, screen: Screen, draft: dict[str, Any], file: Path) -> None:
    path = f"/invoice-drafts/{draft['id']}/specification.pdf"
    paper = people.call("GET", path)
    require(paper.content.startswith(b"%PDF-"), "the specification is a PDF")
    require(people.call("GET", path).content == paper.content, "its bytes never change")
    file.write_bytes(paper.content)
    screen.true(f"its time specification (PDF, always the same bytes) lies in {file}")


def _draft(people: People, screen: Screen, customer: str) -> dict[str, Any]:
    screen.step("Preview, then the draft in Conta")
    preview = people.ask(
        "POST", "/invoice-drafts/preview", {"customerId": customer, "grouping": "project"}
    )
    _show(screen, preview)
    key = fresh_key()
    draft: dict[str, Any] = people.ask(
        "POST", "/invoice-drafts", {"previewId": preview["previewId"]}, key=key
    )
    stored = _drafts_with(people, preview["mark"])
    require(len(stored) == 1, "one draft carries the mark in Conta")
    require(_ore(stored[0]["sumNet"]) == preview["netOre"], "the net is equal to the øre")
    require(_ore(stored[0]["sumTotal"]) == preview["totalOre"], "the total is equal to the øre")
    texts = [line["description"] for line in stored[0]["invoiceDraftLines"]]
    require(
        texts == [line["text"] for line in preview["lines"]], "the lines are the previewed ones"
    )
    screen.true(
        f"draft {draft['contaDraftIds'][0]} in Conta, lines and sums as previewed, to the øre"
    )
    again = people.call("POST", "/invoice-drafts", {"previewId": preview["previewId"]}, key=key)
    require(again.headers.get("idempotent-replayed") == "true", "the repeat is known")
    require(again.json()["id"] == draft["id"], "the same draft is answered")
    require(len(_drafts_with(people, preview["mark"])) == 1, "still one draft")
    screen.true("the same call again: the same draft, still one in Conta")
    return draft


def _show(screen: Screen, preview: dict[str, Any]) -> None:
    rows = [
        (line["text"][:70], line["hours"].replace(".", ","), kroner(line["unitPriceOre"]),
         f"{line['vatPercent']} %", kroner(line["netOre"]))
        for line in preview["lines"]
    ]  # fmt: skip
    screen.table(("line", ">hours", ">price", ">VAT", ">net"), rows)
    screen.told(
        f"net {kroner(preview['netOre'])} + VAT {kroner(preview['vatOre'])}"
        f" = {kroner(preview['totalOre'])} (VAT is rounded line by line, as Conta does)"
    )
    screen.told(f"mark {preview['mark']}: by it the draft is found again in Conta")
    for problem in preview["problems"]:
        screen.told(f"! {problem['text']}")


def _lost_answer(people: People, screen: Screen, customer: str) -> None:
    screen.step("Conta's answer is lost on purpose")
    preview = people.ask(
        "POST", "/invoice-drafts/preview", {"customerId": customer, "grouping": "entry"}
    )
    people.conta(
        "POST", "/faults",
        {"kind": "lost_answer", "method": "POST", "path": "invoice-drafts", "times": 1},
    )  # fmt: skip
    answer = people.call(
        "POST", "/invoice-drafts", {"previewId": preview["previewId"]}, key=fresh_key()
    )
    draft = answer.json()
    require(answer.status_code == 202 and draft["state"] == "unconfirmed", "the outcome is unknown")
    screen.told(f"answered 202: {draft['problemText']}")

    def settled() -> Any:  # noqa: ANN401 - JSON
        now = people.ask("GET", f"/invoice-drafts/{draft['id']}")
        return now if now["state"] == "completed" else None

    found = wait_for("the draft is found and adopted", settled, every=0.1)
    stored = _drafts_with(people, preview["mark"])
    require(len(stored) == 1, "one draft in Conta, although its answer was lost")
    require(str(stored[0]["id"]) == found["contaDraftIds"][0], "it is the adopted one")
    screen.true(f"found by its mark and adopted as {found['contaDraftIds'][0]}: still one draft")
    _marked(people, screen, found)


def _marked(people: People, screen: Screen, draft: dict[str, Any]) -> None:
    held = {entry["entryId"] for entry in draft["entries"]}

    def marked() -> bool:
        own = {e["id"]: e for e in people.hours()["entries"]}
        return all(
            own[one]["invoiceStatus"] == "invoiced"
            and own[one]["transfer"]["draftId"] == draft["contaDraftIds"][0]
            for one in held
        )

    wait_for("the hours are marked in Timerabbit", marked)
    covered = Counter(
        entry["entryId"]
        for shown in people.all_pages("/invoice-drafts")
        for entry in shown["entries"]
        if entry["held"]
    )
    require(max(covered.values()) == 1, "no hour is in two drafts")
    screen.true(
        f"{len(held)} entries ({_hours(draft['entries'])} hours) marked as invoiced in Timerabbit,"
        " each in one draft"
    )


def _drafts_with(people: People, mark: str) -> list[dict[str, Any]]:
    return [
        draft
        for draft in people.books()["drafts"]
        if any(mark in line["description"] for line in draft["invoiceDraftLines"])
    ]


def _ore(amount: float | str) -> int:
    """Read an amount of Conta's store; two decimals at most."""
    whole, _, rest = str(amount).partition(".")
    return int(whole) * 100 + int((rest + "00")[:2])
