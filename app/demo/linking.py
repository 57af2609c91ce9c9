"""Tell how the accounts are connected and how the first sync is reviewed."""

import time
from typing import Any

from app.demo.people import KEY, ORGANIZATION, People, fresh_key, require, wait_for
from app.demo.screen import Screen
from app.demo.words import ANSWERS, CATEGORIES, OUTCOMES, fix_in_words


def tell_connecting(people: People, screen: Screen) -> None:
    """Connect from Conta's side: start, log in at Timerabbit, come back, save the key."""
    screen.step("Connect, from Conta's side")
    facts = people.hours()
    started = people.ask(
        "POST", "/v1/links",
        {
            "contaOrganizationId": ORGANIZATION, "name": facts["name"],
            "organizationNumber": facts["organizationNumber"],
            "returnUrl": f"{people.addresses.conta}/tilbake",
        },
        key=fresh_key(),
    )  # fmt: skip
    people.link_id = started["link"]["id"]
    screen.told(f"«{started['notice']}»")
    link = people.ask("POST", "/handover", people.log_in(started["handoverUrl"]))
    require(link["timerabbit"]["accountId"] == "cmp_1", "the log-in names the company")
    screen.true(f"logged in at Timerabbit as {link['timerabbit']['name']}")
    report = people.ask("PUT", "/conta-key", {"key": KEY})
    require(report["usable"], "the key can be used")
    screen.true(f"Conta's key tested and sealed; it was made by {report['keyOwner']}")
    told = wait_for("Timerabbit is told of the link", lambda: people.hours()["link"])
    require(told["status"] == "first_sync", "Timerabbit waits for the first sync")
    screen.true("Timerabbit shows the link, which waits for its first sync")


def tell_first_sync(people: People, screen: Screen) -> None:
    """Read both sides, repair what is not ready, review, confirm, and count."""
    screen.step("Readiness: what must be mended before anything is written")
    people.ask("POST", "/first-sync")
    _wait_for_plan(people)
    _mend(people, screen)
    people.ask("POST", "/first-sync")
    plan = _wait_for_plan(people)
    screen.step("Review: every line with its reasons, nothing written yet")
    _review(people, screen, plan)
    before = _customers(people)
    to_make = plan["deeds"]["customer"]
    screen.step("Confirm, and carry it out")
    _confirm(people, screen)
    after = _customers(people)
    screen.table(
        ("in the twins' own stores", ">before", ">after"),
        (("customers in Conta", before[0], after[0]),
         ("customers in Timerabbit", before[1], after[1])),
    )  # fmt: skip
    made = to_make.get("create-in-books", 0), to_make.get("create-in-time", 0)
    require(after == (before[0] + made[0], before[1] + made[1]), "what was planned was made")
    pairs = [p for p in people.all_pages("/pairs?limit=200") if p["kind"] == "customer"]
    marked = [c for c in _living(people) if (c.get("externalRefs") or {}).get("conta")]
    require(len(marked) == len(pairs), "each paired customer carries one mark")
    require(len({p["booksId"] for p in pairs}) == len(pairs), "no customer is linked twice")
    screen.true(f"{len(pairs)} customers linked, none twice, each marked in Timerabbit")


def _customers(people: People) -> tuple[int, int]:
    """Count the customers in Conta's and in Timerabbit's own store."""
    return len(people.books()["customers"]), len(_living(people))


def _living(people: People) -> list[dict[str, Any]]:
    return [c for c in people.hours()["customers"] if c["deletedAt"] is None]


def _wait_for_plan(people: People) -> Any:  # noqa: ANN401 - JSON

    def ready() -> Any:  # noqa: ANN401 - JSON
        plan = people.ask("GET", "/first-sync")
        return plan if plan["state"] == "open" else None

    return wait_for("both sides are read and matched", ready)


def _mend(people: People, screen: Screen) -> None:
    page = people.ask("GET", "/readiness?side=time&limit=200")
    score = page["score"]["time"]["customer"]
    screen.told(f"{score['ready']} of {score['total']} customers in Timerabbit ready")
    hindered = [item for item in page["items"] if not item["ready"]]
    screen.table(
        ("record", "what is missing", "repair"),
        [
            (f"{item['name']} ({item['kind']})", finding["text"], fix_in_words(finding["fix"]))
            for item in hindered
            for finding in item["findings"]
            if finding["blocking"]
        ],
    )
    by_fix: dict[str, list[str]] = {}
    for item in hindered:
        for finding in item["findings"]:
            by_fix.setdefault(finding["fix"] or "", []).append(item["recordId"])
    kinds, streets = by_fix.get("set-kind", []), by_fix.get("set-address", [])
    require(kinds and streets, "the demo's world has customers to mend")
    people.ask(
        "POST", "/readiness/fixes",
        {"fix": "set-kind", "side": "time", "recordIds": kinds, "kind": "company"},
    )  # fmt: skip
    address = {"line1": "Storgata 1", "postalCode": "0155", "city": "Oslo"}
    people.ask(
        "POST", "/readiness/fixes",
        {"fix": "set-address", "side": "time", "recordIds": streets[:1], "address": address},
    )  # fmt: skip
    own = {c["id"]: c for c in people.hours()["customers"]}
    require(all(own[one]["kind"] == "company" for one in kinds), "the kind is set in Timerabbit")
    require(own[streets[0]]["address"]["city"] == "Oslo", "the address is set in Timerabbit")
    after = people.ask("GET", "/readiness?side=time")["score"]["time"]["customer"]
    screen.true(
        f"mended in Timerabbit through the API: the kind of {len(kinds)} customers and one"
        f" address; now {after['ready']} of {after['total']} are ready"
    )
    screen.told("The rest is left on purpose: it waits, and hinders nothing else.")


def _review(people: People, screen: Screen, plan: Any) -> None:  # noqa: ANN401 - JSON
    untouched = _stores(people)
    counts = plan["categories"]
    require(set(counts) <= set(CATEGORIES), "each category has its words")
    screen.table(
        ("what the matching found", ">lines"),
        [(words, counts[code]) for code, words in CATEGORIES.items() if code in counts],
    )
    certain = people.ask("GET", "/first-sync/proposals?category=certain&kind=customer&limit=2")
    for line in certain["items"]:
        one = line["candidates"][0]
        screen.told(f"for instance {line['record']['name']}, the same since: {one['reasons']}")
    asked = list(people.all_pages("/first-sync/proposals?deed=ask"))
    for line in asked:
        link = bool(line["candidates"])
        body = {"answer": "link" if link else "leave_out"}
        if link:
            body["partnerId"] = line["candidates"][0]["id"]
        shown = people.ask(
            "PATCH", f"/first-sync/proposals/{line['id']}", body,
            If_Match=f'"{line["version"]}"',
        )  # fmt: skip
        why = line["candidates"][0]["reasons"] if link else "stands twice on its own side"
        screen.told(
            f"asked: {line['record']['name'].strip()} ({why}); answered: {ANSWERS[shown['answer']]}"
        )
    again = people.ask("GET", "/first-sync")
    require(again["missingAnswers"] == 0, "every question is answered")
    require(_stores(people) == untouched, "the review wrote nothing to either system")
    screen.true(f"{len(asked)} questions answered one by one; both stores are as before")


def _stores(people: People) -> tuple[Any, ...]:
    """Give every customer and project as both stores hold them now."""
    sides = people.books(), people.hours()
    return tuple(side[kind] for side in sides for kind in ("customers", "projects"))


def _confirm(people: People, screen: Screen) -> None:
    run = people.ask("POST", "/first-sync/confirm", key=fresh_key())
    with screen.progress() as progress:
        task = progress.add_task("carried out", total=run["total"])
        while run["state"] == "running":
            run = people.ask("GET", f"/first-sync/runs/{run['id']}")
            progress.update(task, completed=run["done"])
            time.sleep(0.05)
    require(run["state"] == "done", f"the run ended ({run['state']}, {run['problem']})")
    outcomes = ", ".join(
        f"{run['outcomes'][code]} {words}"
        for code, words in OUTCOMES.items() if code in run["outcomes"]
    )  # fmt: skip
    require(set(run["outcomes"]) <= set(OUTCOMES), "no line was refused")
    screen.true(f"all {run['total']} lines looked at: {outcomes}")
    for line in people.all_pages("/first-sync/proposals?outcome=later"):
        lacks = " ".join(one["text"] for one in line["findings"] if one["blocking"])
        screen.told(f"put off: {line['record']['name']}. {lacks}")
    link = people.ask("GET", f"/v1/links/{people.link_id}")
    require(link["state"] == "active", "the link is active")
