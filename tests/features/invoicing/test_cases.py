"""
The cases that drafts must stand, by their numbers in the fault plan, and where each is tested.

| Case | What is seen |
|---|---|
| 85-90 | time-outs, late lists, 5xx, broken answers, deaths: one draft, hours in one state |
| 91-92 | buttons pressed twice, overlapping selections, repeated keys |
| 93-97 | deleted, sent, mark edited away, credited, two with one mark |
| 98-99 | hours and rates changed after drafting |
| 100-104 | rounding, limits, VAT refused, currency, a total that differs |
| 105 | 5,000 hours at once |
"""

import ast
import tracemalloc
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from sqlalchemy import event

from app.bootstrap import build_runtime
from app.database import CommitPoint
from app.sandbox.timerabbit.control import NEW_ENTRY
from app.sandbox.timerabbit.store import USER
from tests.features.invoicing.test_drafts import previewed, sent

TESTS = Path(__file__).parents[2]
_DRAFTS, _OUTCOMES = "features/invoicing/test_drafts.py", "features/invoicing/test_outcomes.py"
_FOLLOWED, _PROTOCOL = "features/invoicing/test_followed.py", "features/invoicing/test_protocol.py"
_PREVIEW, _TABLE = "features/invoicing/test_preview.py", "features/invoicing/test_table.py"
CASES: Final[dict[int, tuple[tuple[str, str], ...]]] = {
    85: ((_OUTCOMES, "test_an_effect_without_an_answer_is_adopted"),
         (_DRAFTS, "test_a_lost_answer_ends_in_one_adopted_draft")),
    86: ((_DRAFTS, "test_a_draft_that_was_not_made_waits_for_a_person"),),
    87: ((_OUTCOMES, "test_a_draft_that_shows_late_in_the_lists_is_still_one"),),
    88: ((_OUTCOMES, "test_an_effect_without_an_answer_is_adopted"),
         (_DRAFTS, "test_a_refused_vat_code_frees_the_hours_and_is_warned_of"),
         (_PROTOCOL, "test_a_customer_unknown_to_conta_refuses_at_once")),
    89: ((_OUTCOMES, "test_an_effect_without_an_answer_is_adopted"),
         (_OUTCOMES, "test_no_effect_and_no_clear_answer_asks_a_person")),
    90: (("stories/test_draft_deaths.py", "test_a_draft_survives_a_death_at_every_point"),
         (_DRAFTS, "test_a_death_at_any_point_ends_in_one_draft")),
    91: ((_DRAFTS, "test_many_at_once_make_one_draft"),
         (_FOLLOWED, "test_the_loser_of_overlapping_selections_is_told_which_hours")),
    92: ((_DRAFTS, "test_the_same_post_again_shows_the_same_draft"),
         (_DRAFTS, "test_another_key_with_the_same_hours_is_told_which_draft_has_them")),
    93: ((_FOLLOWED, "test_a_draft_deleted_in_conta_offers_its_hours_once"),),
    94: ((_FOLLOWED, "test_sent_part_paid_paid_are_followed"),),
    95: ((_FOLLOWED, "test_an_invoice_without_the_mark_is_known_by_its_lines"),
         (_FOLLOWED, "test_an_unclear_invoice_is_a_persons_decision")),
    96: ((_FOLLOWED, "test_credited_hours_are_offered_once_and_can_be_billed_again"),),
    97: ((_FOLLOWED, "test_a_late_first_post_is_noticed_and_both_are_shown"),
         (_OUTCOMES, "test_a_draft_that_lands_after_a_release_raises_an_alarm")),
    98: ((_TABLE, "test_a_change_after_billing_is_listed_with_old_and_new"),),
    99: ((_TABLE, "test_a_change_after_billing_is_listed_with_old_and_new"),
         (_TABLE, "test_history_only_grows"),
         (_PREVIEW, "test_foreign_hours_and_unknown_ones_are_left_out_by_name")),
    100: (("rules/test_lines.py", "test_three_times_twenty_minutes_is_one_hour"),
          ("rules/test_lines.py", "test_half_an_ore_rounds_up"),
          ("rules/test_lines.py", "test_a_thousand_random_hours_add_up_in_exact_fractions")),
    101: (("rules/test_objections.py", "test_all_faults_of_all_lines_at_once"),
          ("rules/test_objections.py", "test_too_many_lines_and_a_negative_total"),
          (_PREVIEW, "test_every_problem_is_named_at_once")),
    102: ((_OUTCOMES, "test_a_refused_vat_code_is_never_tried_again"),),
    103: ((_PREVIEW, "test_only_kroner_can_be_billed"),),
    104: ((_FOLLOWED, "test_a_draft_edited_in_conta_is_shown_with_the_lines_that_differ"),),
    105: (("features/invoicing/test_cases.py", "test_five_thousand_hours_are_one_transaction"),),
}  # fmt: skip
"""96: Conta credits whole invoices only, so a draft's hours are offered together."""

HOURS: Final = 5000


def test_every_case_has_its_test() -> None:
    """Each case of the plan names tests that are there."""
    defined = {
        (path, node.name)
        for path in {where for tests in CASES.values() for where, _ in tests}
        for node in ast.walk(ast.parse((TESTS / path).read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert sorted(CASES) == list(range(85, 106))
    assert {test for tests in CASES.values() for test in tests} <= defined


async def test_five_thousand_hours_are_one_transaction(
    client: httpx.AsyncClient, app: FastAPI, settings: Any, network: Any, synced: Any, twins: Any,
    clock: Any,
) -> None:  # fmt: skip
    """Case 105: the ledger in one statement of one transaction, one POST, and bounded memory."""
    store = twins.timerabbit.state.twin
    own = store.companies["cmp_1"]
    customer = min(synced.more["customers"])
    day = (clock() - timedelta(days=1)).date().isoformat()
    for number in range(HOURS):
        more = {"date": day, "customerId": customer, "minutes": 15 + number % 90}
        store.keep(own.entries, "entries", {**NEW_ENTRY, **more}, USER)
    passed: list[CommitPoint] = []
    taken: list[str] = []

    def hook(point: CommitPoint, moment: str) -> None:
        if moment == "after":
            passed.append(point)

    def note(*seen: Any) -> None:
        if "INSERT INTO ledger" in seen[2]:
            taken.append(seen[2])

    counted = build_runtime(
        settings, clock=clock, hook=hook, conta_transport=network, timerabbit_transport=network
    )
    event.listen(counted.database.engine.sync_engine, "before_cursor_execute", note)
    app.state.runtime = counted
    preview = await previewed(client, synced, customerId=customer, grouping="week")
    tracemalloc.start()
    answer = await sent(client, synced, preview)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    event.remove(counted.database.engine.sync_engine, "before_cursor_execute", note)
    await counted.close()

    draft = answer.json()
    assert (answer.status_code, draft["state"]) == (201, "completed"), draft["problem"]
    assert len(draft["entries"]) >= HOURS
    assert (len(taken), passed.count(CommitPoint.DRAFT_INTENT)) == (1, 1)
    assert passed.count(CommitPoint.DRAFT_BEFORE_POST) == 1
    assert peak < 100_000_000
