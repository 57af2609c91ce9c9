"""What callers ask for in odd words is taken plainly, or refused where it stands."""

from typing import Any

import pytest

from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import busiest, drafts_with


@pytest.mark.parametrize(
    ("asked", "shown"), [("1E+1", "10"), ("0.5E1", "5"), ("-0.0", "0"), ("12.5", "12.5")]
)
async def test_a_discount_is_written_plainly(
    kari: Bookkeeper, twins: Any, asked: str, shown: str
) -> None:
    """In the preview, the draft, what is remembered, in Conta and on the paper."""
    customer = await busiest(kari.client, kari.link)

    answer = await kari.post("invoice-drafts/preview", customerId=customer, discountPercent=asked)
    draft = await kari.send(answer.json())
    chosen = await kari.client.put(
        f"{kari.link.path}/billing-choices/customer:{customer}", headers=kari.link.books,
        json={"discountPercent": asked},
    )  # fmt: skip
    paper = await kari.client.get(
        f"{kari.link.path}/invoice-drafts/{draft['id']}/specification.csv", headers=kari.link.books
    )

    (books,) = await drafts_with(twins, draft["mark"])
    assert answer.json()["style"]["discount"] == shown
    assert {line["discountPercent"] for line in draft["lines"]} == {shown}
    assert {str(line["discount"]) for line in books["invoiceDraftLines"]} <= {shown, f"{shown}.0"}
    assert chosen.json()["choice"]["discount"] == shown
    assert "E+" not in paper.text
    assert (f";{shown} %;".replace(".", ",") in paper.text) == (shown != "0")


async def test_a_period_that_ends_before_it_begins_is_refused_where_it_stands(
    kari: Bookkeeper,
) -> None:
    """Neither asked of Timerabbit, nor taken for one without hours; also where half was kept."""
    customer = await busiest(kari.client, kari.link)
    odd = {"firstDay": "2026-12-01", "lastDay": "2026-01-01"}
    path = f"{kari.link.path}/billable-entries"
    first = await kari.post("invoice-drafts/preview", customerId=customer, lastDay="2026-11-30")
    based = {"basedOn": first.json()["previewId"], "firstDay": "2026-12-01"}

    answers = [
        await kari.client.get(path, headers=kari.link.books, params=odd),
        await kari.post("invoice-drafts/preview", customerId=customer, **odd),
        await kari.post("invoice-drafts/preview", **based),
        await kari.post("invoice-drafts/previews", customerIds=[customer], **odd),
    ]

    told = [(one.status_code, one.json()["code"]) for one in answers]
    assert told == [(422, "invalid-request")] * 4
    places = [error["pointer"] for one in answers for error in one.json()["errors"]]
    assert places == ["#query/lastDay", *["/lastDay"] * 3]
