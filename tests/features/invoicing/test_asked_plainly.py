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
