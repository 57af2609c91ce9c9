"""What Conta reckons of the body we send is what the preview showed, to the øre, for any hours."""

import json
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.canonical import Ore, TimeEntry
from app.invoicing.lines.lines import Edit, Grouping, Line, Lines, Style, build_lines, line_net
from app.invoicing.lines.rounding import Direction, Per, Rounding
from app.invoicing.lines.shapes import freeze, line_to_json, order_of
from app.invoicing.lines.vat import PERCENT, expected_vat
from app.sandbox.conta.money import reckoned, totals
from app.sandbox.values import read_json
from app.systems.calls import json_body
from app.systems.conta.bodies import draft_body
from tests.rules.test_lines import ENTRIES, GROUPINGS, MARK, NAMES, a_thousand, thousands

CODES = st.sampled_from(sorted(PERCENT))
PERCENTS = st.decimals(0, 100, places=2)
ROUNDINGS = st.none() | st.builds(
    Rounding, st.sampled_from([15, 30, 60]), st.sampled_from(Direction), st.sampled_from(Per)
)
EDITS = st.lists(st.tuples(st.none() | CODES, st.none() | PERCENTS), max_size=5)


def sent(lines: list[Line]) -> list[dict[str, Any]]:
    """Freeze lines and send them as our client does; gives the lines as the twin reads them."""
    body, _ = freeze(
        [line_to_json(line) for line in lines], customer_id="10001", project_id=None, minutes={},
        entries={}, about={},
    )  # fmt: skip
    kept = json.loads(json.dumps(body))
    written = json_body(draft_body(order_of(kept), registration_source="TIMERABBIT"))
    read: list[dict[str, Any]] = read_json(written)["invoiceDraftLines"]
    return read


def ore(kroner: Decimal) -> int:
    exact = kroner * 100
    assert exact == int(exact)
    return int(exact)


def same_to_the_ore(made: Lines, theirs: list[dict[str, Any]]) -> None:
    """Each line's net, and net, VAT and total of the whole."""
    sums = totals(theirs)
    assert [ore(line["sumNet"]) for line in theirs] == [line.net for line in made.lines]
    assert ore(sums["sumNet"]) == made.net
    assert ore(sums["sumVAT"]) == made.vat
    assert ore(sums["sumTotal"]) == made.total


@given(ENTRIES, GROUPINGS, CODES, PERCENTS, ROUNDINGS, EDITS)
def test_conta_reckons_what_the_preview_shows(
    entries: list[TimeEntry], grouping: Grouping, code: str, discount: Decimal,
    rounding: Rounding | None, edits: list[tuple[str | None, Decimal | None]],
) -> None:  # fmt: skip
    """Any hours, grouping, discount, increments and edited lines: equal to the øre, VAT too."""
    plain = Style(grouping=grouping, vat_code=code, discount=discount, rounding=rounding)
    keys = [
        one.key for one in build_lines(entries, style=plain, mark=MARK, project_names=NAMES).lines
    ]
    style = Style(
        grouping=grouping, vat_code=code, discount=discount, rounding=rounding,
        edits={key: Edit(None, *one) for key, one in zip(keys, edits, strict=False)},
    )  # fmt: skip

    made = build_lines(entries, style=style, mark=MARK, project_names=NAMES)

    same_to_the_ore(made, [reckoned(line) for line in sent(list(made.lines))])


@pytest.mark.parametrize("seed", thousands(5))
def test_conta_reckons_a_thousand_random_hours_alike(seed: int) -> None:
    """Half of the lines have a VAT code and a discount of their own; 2,000 times in a night."""
    entries, plain = a_thousand(seed)
    random = Random(seed)
    lines = build_lines(entries, style=plain, mark=MARK, project_names=NAMES).lines
    edits = {
        one.key: Edit(
            None, random.choice(sorted(PERCENT)), Decimal(random.randint(0, 10_000)) / 100
        )
        for one in lines
        if random.random() < 0.5
    }

    made = build_lines(entries, style=replace(plain, edits=edits), mark=MARK, project_names=NAMES)

    same_to_the_ore(made, [reckoned(line) for line in sent(list(made.lines))])


@given(
    st.lists(
        st.tuples(
            st.decimals(-100_000, 100_000, places=2), st.integers(-10**7, 10**7), PERCENTS, CODES
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_conta_reckons_a_follow_ups_lines_alike(
    drawn: list[tuple[Decimal, int, Decimal, str]],
) -> None:
    """Lines below zero too: a half øre goes away from zero in both."""
    lines = []
    for quantity, price, discount, code in drawn:
        net = line_net(quantity, Ore(price), discount)
        vat = expected_vat(net, code)
        lines.append(Line("Timer", 60, quantity, Ore(price), code, net, vat, (), discount=discount))
    nets, vats = sum(line.net for line in lines), sum(line.vat for line in lines)
    made = Lines(tuple(lines), Ore(nets), Ore(vats), Ore(nets + vats))

    same_to_the_ore(made, [reckoned(line) for line in sent(lines)])
