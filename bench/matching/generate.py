"""
Draw labelled registers of made-up customers, in the files of the public benchmark.

python -m bench.matching.generate OUT_DIR --size 3000 --seed 7
"""

import argparse
import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from random import Random

from bench.matching.families import FAMILIES
from bench.matching.rates import BOOKS, PLACEHOLDERS, TIME, varied
from bench.matching.stock import pool
from bench.matching.typing_slips import Typist
from bench.matching.world import Entity, World

CUSTOMER = (
    *("id", "customer_number", "type", "name", "org_number", "address", "postal_code"),
    *("city", "email", "phone", "contact_person"),
)
TRUTH = ("timerabbit_id", "conta_id", "label", "has_duplicate", "type", "tags")
SIDES = ("timerabbit", "conta")
Table = list[tuple[str, ...]]
TRADING = 0.02
SUB_UNITS = 0.7
"""Of companies with two numbers, how many have the sub-unit's in the books."""


@dataclass
class Written:
    """Hold an entity as it was typed on one side."""

    row: dict[str, str]
    tags: set[str]
    id: str = ""


@dataclass
class Registers:
    """Hold both sides' rows by the entity they stand for."""

    world: World
    held: dict[str, defaultdict[int, list[Written]]] = field(
        default_factory=lambda: {side: defaultdict(list) for side in SIDES}
    )

    def rows(self, side: str) -> list[Written]:
        """List a side's rows by their ids."""
        return sorted((w for group in self.held[side].values() for w in group), key=lambda w: w.id)


def draw(size: int, seed: int) -> dict[str, Table]:
    """Draw one labelled pair of registers of about ``size`` a side; a seed gives one draw."""
    rng = Random(seed)
    registers = Registers(_world(size, rng))
    _type_down(registers, rng)
    for side, start in zip(SIDES, ("TR", "CO"), strict=True):
        rows = registers.rows(side)
        rng.shuffle(rows)
        for count, written in enumerate(rows):
            written.id = f"{start}{count + 1:05d}"
            written.row["customer_number"] = str(1001 + count) if start == "TR" else ""
    return {
        **{f"customers_{side}": _customers(registers, side) for side in SIDES},
        "truth": [TRUTH, *_pairs(registers)],
        "truth_duplicates": [("side", "id_a", "id_b"), *_duplicates(registers)],
        "truth_invalid": [("side", "id", "reason"), *_invalid(registers)],
        "hard_negatives": [("timerabbit_id", "conta_id", "kind"), *_lookalikes(registers)],
    }


def _world(size: int, rng: Random) -> World:
    """Draw entities until both sides will hold about ``size`` customers."""
    world = World(rng)
    share = rng.uniform(0.25, 0.45)
    families, weights = zip(*FAMILIES, strict=True)
    while len(world.entities) < size * 1.42:
        left = rng.random()
        if left < 0.14:
            rng.choices(families, weights)[0](world)
        elif left < 0.14 + share:
            world.entities.append(_person(world, rng))
        else:
            world.entities.append(_company(world, rng))
    return world


def _person(world: World, rng: Random) -> Entity:
    """Draw a person; one in fifty trades under the own name and is a firm with a number (ENK)."""
    one = world.person()
    if rng.random() >= TRADING:
        return one
    mail = world.company_mail(replace(one, contact=one.name))
    return replace(one, number=world.number(), mail=rng.choice((one.mail, mail)))


def _company(world: World, rng: Random) -> Entity:
    """Draw a company: plain, public, with a trade name or with two numbers."""
    one = world.company()
    left = rng.random()
    if left < 0.04:
        name = rng.choice(pool().public)
        return replace(one, name=name, form="", mail=world.company_mail(replace(one, name=name)))
    if left < 0.15:
        name = f"{one.name.split(' ')[0][:3].upper()} Drift"
        if rng.random() < 0.6:
            family = world.person().surname.split(" ")[-1]
            name = f"{family} {rng.choice(('Drift', 'Invest', 'Restaurantdrift'))}"
        return replace(one, trade_name=one.name, name=name, form="AS")
    if left < 0.25:
        ask = rng.random() < SUB_UNITS
        return replace(one, second_number=world.number(), ask=ask)
    return one


def _type_down(registers: Registers, rng: Random) -> None:
    """Write each entity down on one side or both, some of them twice."""
    typists = {
        SIDES[0]: Typist(varied(TIME, rng), rng, books=False),
        SIDES[1]: Typist(varied(BOOKS, rng), rng, books=True),
    }
    doubles, both = rng.uniform(0.03, 0.06), rng.uniform(0.34, 0.42)
    for place, entity in enumerate(registers.world.entities):
        left = rng.random()
        one_side = (SIDES[0],) if left < both + (1 - both) / 2 else (SIDES[1],)
        for side in SIDES if left < both else one_side:
            typist = typists[side]
            for _ in range(2 if rng.random() < doubles else 1):
                row = typist.write(entity, sub_unit=entity.ask and side == SIDES[1])
                registers.held[side][place].append(Written(row, set(typist.tags)))


def _customers(registers: Registers, side: str) -> Table:
    """Write a side's register."""
    rows = registers.rows(side)
    return [CUSTOMER, *(tuple((w.row | {"id": w.id})[c] for c in CUSTOMER) for w in rows)]


def _pairs(registers: Registers) -> Iterator[tuple[str, ...]]:
    """List the true pairs with what was done to them."""
    for place, entity in enumerate(registers.world.entities):
        left, right = (registers.held[side].get(place, []) for side in SIDES)
        double = str(int(len(left) > 1 or len(right) > 1))
        for one in left:
            for other in right:
                label = "ask" if _is_doubtful(entity, one, other) else "same"
                tags = " ".join(sorted(one.tags | other.tags))
                yield one.id, other.id, label, double, entity.kind, tags


def _is_doubtful(entity: Entity, one: Written, other: Written) -> bool:
    """Say whether the two rows show the main unit's and the sub-unit's number."""
    numbers = {re.sub(r"\D", "", written.row["org_number"]) for written in (one, other)}
    return entity.ask and numbers == {entity.number, entity.second_number}


def _duplicates(registers: Registers) -> Iterator[tuple[str, ...]]:
    """List what one side holds twice."""
    for side in SIDES:
        for group in registers.held[side].values():
            for pair in combinations(sorted(written.id for written in group), 2):
                yield side, *pair


def _invalid(registers: Registers) -> Iterator[tuple[str, ...]]:
    """List what cannot be created on the other side, and why."""
    for side in SIDES:
        for written in registers.rows(side):
            yield from ((side, written.id, reason) for reason in reasons(written.row))


def _lookalikes(registers: Registers) -> Iterator[tuple[str, ...]]:
    """List the pairs that look alike and are different."""
    for one, other, kind in registers.world.lookalikes:
        for left in registers.held[SIDES[0]].get(one, []):
            for right in registers.held[SIDES[1]].get(other, []):
                yield left.id, right.id, kind


def reasons(row: dict[str, str]) -> list[str]:
    """Say what is wrong with a row, from the row alone."""
    found = [] if row["type"] else ["no_type"]
    if not row["address"] or row["address"] in PLACEHOLDERS or not row["postal_code"]:
        found.append("no_address")
    elif row["postal_code"] not in pool().codes_in_use:
        found.append("bad_postal_code")
    digits = re.sub(r"\D", "", row["org_number"])
    if digits and not _is_number(digits):
        found.append("bad_org_number")
    return found


def _is_number(digits: str) -> bool:
    weights = (3, 2, 7, 6, 5, 4, 3, 2, 1)
    checked = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False))
    return len(digits) == 9 and checked % 11 == 0


def save(files: dict[str, Table], folder: Path) -> None:
    """Write a draw's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--size", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    save(draw(told.size, told.seed), told.out)
    sys.exit(0)
