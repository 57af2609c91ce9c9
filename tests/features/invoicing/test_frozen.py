"""What a person was shown is what is sent and printed, or nothing is."""

from typing import Any

import psycopg
import pytest

from app.embedded import EmbeddedServer
from app.runtime import Runtime
from tests.features.conftest import forget_patience
from tests.features.invoicing.bookkeeper import Bookkeeper
from tests.features.invoicing.test_drafts import drafts_with, previewed
from tests.features.invoicing.test_protocol import fault, signed_in


@pytest.fixture
def rewrite(server: EmbeddedServer, database_name: str) -> Any:
    """Rewrite a draft's first line as the superuser may, past the triggers."""

    def do() -> None:
        with psycopg.connect(server.url("postgres", database_name), autocommit=True) as admin:
            admin.execute("SET session_replication_role = replica")
            changed = admin.execute(
                "UPDATE drafts SET body = jsonb_set(body, '{lines,0,unitPrice}', '9')"
            )
            assert changed.rowcount == 1

    return do


async def test_a_draft_that_was_altered_is_never_sent_and_a_person_is_told(
    kari: Bookkeeper, twins: Any, runtime: Runtime, rewrite: Any
) -> None:
    """Sending again helps as little; its hours can be set free and billed anew."""
    preview = await previewed(kari.client, kari.link)
    await fault(
        twins, "conta", kind="status_before", status=429, method="POST", path="invoice-drafts",
        times=1,
    )  # fmt: skip
    draft = await kari.send(preview)
    rewrite()
    forget_patience(runtime)
    for _ in range(2):
        kari.clock.advance(minutes=10)
        await kari.work()
    await signed_in(twins, kari.link)

    found = await kari.get(f"invoice-drafts/{draft['id']}")
    resent = (await kari.post(f"invoice-drafts/{draft['id']}/resend")).json()
    needs = (await kari.get("status"))["needs"]
    released = (await kari.release(draft)).json()
    billed = await kari.bill()

    assert draft["state"] == "reserved"
    assert (found["state"], found["problem"]) == ("needs-person", "draft-altered")
    assert (resent["state"], resent["problem"]) == ("needs-person", "draft-altered")
    assert needs[0]["why"]["facts"]["problems"] == {"draft-altered": 1}
    assert await drafts_with(twins, preview["mark"]) == []
    assert (released["state"], released["problem"]) == ("released", None)
    assert billed["netOre"] == preview["netOre"]


@pytest.mark.parametrize("kind", ["csv", "pdf"])
async def test_no_paper_is_made_of_a_draft_that_was_altered(
    kari: Bookkeeper, rewrite: Any, kind: str
) -> None:
    """One that was made before stays as it was: its bytes are kept."""
    draft = await kari.bill()
    other = "csv" if kind == "pdf" else "pdf"
    path = f"{kari.link.path}/invoice-drafts/{draft['id']}/specification"
    before = await kari.client.get(f"{path}.{other}", headers=kari.link.books)
    rewrite()

    refused = await kari.client.get(f"{path}.{kind}", headers=kari.link.books)
    kept = await kari.client.get(f"{path}.{other}", headers=kari.link.books)

    assert (refused.status_code, refused.json()["code"]) == (500, "internal-error")
    assert kept.content == before.content
