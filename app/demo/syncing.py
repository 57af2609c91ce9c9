"""Tell how both sides are kept equal: a webhook, a sweep, and a conflict that a person decides."""

from typing import Any

from app.demo.people import COMPANY, ORGANIZATION, People, require, stopwatch, wait_for
from app.demo.screen import Screen


def tell_sync(people: People, screen: Screen) -> None:
    """Edit on each side, then on both."""
    screen.step("Live sync: both sides stay equal")
    wait_for("our own first writes have come back and changed nothing", lambda: _calm(people))
    pair = next(  # only now, since what differs is asked about after the first sync
        p for p in people.all_pages("/pairs?limit=200")
        if p["kind"] == "customer" and p["state"] == "in-step"
    )  # fmt: skip
    _edit_in_timerabbit(people, screen, pair)
    _edit_in_conta(people, screen, pair)
    _edit_on_both(people, screen, pair)


def _calm(people: People) -> bool:
    """Say that nothing is under way; what waits for a person names its reason."""
    return all(
        change["why"] is not None for change in people.all_pages("/changes?state=pending&limit=200")
    )


def _edit_in_timerabbit(people: People, screen: Screen, pair: dict[str, Any]) -> None:
    path = f"/companies/{COMPANY}/customers/{pair['timeId']}"
    took: list[float] = []
    with stopwatch(took.append):
        people.timerabbit("PATCH", path, {"phone": "22334455"})
        wait_for(
            "the new phone number stands in Conta",
            lambda: people.customer_in_books(pair["booksId"]).get("phoneNo") == "22334455",
            every=0.005,
        )
    screen.true(
        f"{pair['name']}: the phone number edited in Timerabbit stands in Conta after"
        f" {took[0]:.0f} ms (webhook)"
    )


def _edit_in_conta(people: People, screen: Screen, pair: dict[str, Any]) -> None:
    path = f"/organizations/{ORGANIZATION}/customers/{pair['booksId']}"
    people.conta("PATCH", path, {"emailAddress": "ny@kunde.example"})
    people.ask("POST", "/sweep")
    wait_for(
        "the new e-mail stands in Timerabbit",
        lambda: people.customer_in_hours(pair["timeId"])["email"] == "ny@kunde.example",
    )
    books = people.customer_in_books(pair["booksId"])
    require(books.get("phoneNo") == "22334455", "the phone number stayed as it was")
    screen.true(
        "the e-mail address edited in Conta stands in Timerabbit, found by «sync now» (Conta sends"
        " no webhooks)"
    )


def _edit_on_both(people: People, screen: Screen, pair: dict[str, Any]) -> None:
    people.timerabbit("POST", f"/companies/{COMPANY}/webhooks", {"mode": "off"})
    people.timerabbit(
        "PATCH", f"/companies/{COMPANY}/customers/{pair['timeId']}", {"phone": "11111111"}
    )
    people.conta(
        "PATCH", f"/organizations/{ORGANIZATION}/customers/{pair['booksId']}",
        {"phoneNo": "99999999"},
    )  # fmt: skip
    people.timerabbit("POST", f"/companies/{COMPANY}/webhooks", {"mode": "normal"})
    people.ask("POST", "/sweep")

    def asked() -> Any:  # noqa: ANN401 - JSON
        found = [
            c for c in people.all_pages("/conflicts")
            if c["pairId"] == pair["id"] and c["field"] == "phone" and c["state"] == "open"
        ]  # fmt: skip
        return found[0] if found else None

    conflict = wait_for("the conflict is asked about", asked)
    screen.table(
        ("field", "agreed before", "Timerabbit", "Conta"),
        ((conflict["field"], conflict["base"], conflict["time"], conflict["books"]),),
    )
    require(
        people.customer_in_books(pair["booksId"])["phoneNo"] == "99999999", "nobody was overruled"
    )
    people.ask(
        "POST", f"/conflicts/{conflict['id']}/decision", {"side": "time"},
        If_Match=f'"{conflict["version"]}"',
    )  # fmt: skip
    wait_for(
        "the decision is carried out",
        lambda: people.customer_in_books(pair["booksId"]).get("phoneNo") == "11111111",
    )
    require(
        people.customer_in_hours(pair["timeId"])["phone"] == "11111111",
        "Timerabbit keeps the value that was chosen",
    )
    screen.true(
        "the same field changed on both sides: a person decided, and Timerabbit's value stands"
    )
    wait_for("every change is looked at", lambda: _calm(people))
    others = sum(1 for one in people.all_pages("/conflicts") if one["state"] == "open")
    screen.told(
        f"{others} fields differed already when their records were linked. Nobody knows which value"
        " is right, so neither is written over: they wait for an answer like this one."
    )
