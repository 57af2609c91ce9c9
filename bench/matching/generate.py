"""
Draw labelled registers of made-up customers, in the files of the public benchmark.

    python bench/matching/generate.py OUT_DIR --size 3000 --seed 7
"""

import argparse
import csv
import re
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

from families import FAMILIES
from typing_slips import BOOKS, PLACEHOLDERS, TIME, Typist, varied
from world import Entity, World

HEAD = (
    "id",
    "customer_number",
    "type",
    "name",
    "org_number",
    "address",
    "postal_code",
    "city",
    "email",
    "phone",
    "contact_person",
)
SIDES = ("timerabbit", "conta")


def draw(size: int, seed: int) -> dict[str, list[tuple[str, ...]]]:
    """Draw one labelled pair of registers of about ``size`` a side; the same seed gives the same draw."""
    rng = Random(seed)
    world = _world(size, rng)
    typists = (
        Typist(varied(TIME, rng), rng, books=False),
        Typist(varied(BOOKS, rng), rng, books=True),
    )
    doubles = rng.uniform(0.03, 0.06)
    rows: dict[str, list[dict[str, str]]] = {side: [] for side in SIDES}
    held: dict[str, dict[int, list[tuple[str, set[str]]]]] = {
        side: defaultdict(list) for side in SIDES
    }
    both = rng.uniform(0.34, 0.42)
    for place, entity in enumerate(world.entities):
        left = rng.random()
        wanted = (
            SIDES if left < both else (SIDES[0],) if left < both + (1 - both) / 2 else (SIDES[1],)
        )
        for side in wanted:
            typist = typists[SIDES.index(side)]
            for _ in range(2 if rng.random() < doubles else 1):
                row = typist.write(entity, sub_unit=entity.ask and side == SIDES[1])
                rows[side].append(row | {"place": str(place)})
                held[side][place].append((str(len(rows[side]) - 1), set(typist.tags)))
    return _files(world, rows, held, rng)


def _world(size: int, rng: Random) -> World:
    """Draw entities until both sides will hold about ``size`` customers."""
    world = World(rng)
    share = rng.uniform(0.25, 0.45)
    weights = [weight for _, weight in FAMILIES]
    while len(world.entities) < size * 1.42:
        left = rng.random()
        if left < 0.14:
            rng.choices([family for family, _ in FAMILIES], weights)[0](world)
        elif left < 0.14 + share:
            world.entities.append(world.person())
        else:
            world.entities.append(_company(world, rng))
    return world


def _company(world: World, rng: Random) -> Entity:
    """Draw a company: plain, public, with a trade name, with two numbers, or one person's firm."""
    one = world.company()
    left = rng.random()
    if left < 0.04:
        from pool import pool

        name = rng.choice(pool().public)
        return replace(one, name=name, form="", mail=world.company_mail(replace(one, name=name)))
    if left < 0.10:
        trade = replace(
            one, trade_name=one.name, name=f"{one.name.split(' ')[0][:3].upper()} Drift", form="AS"
        )
        if rng.random() < 0.6:
            trade = replace(
                trade,
                name=f"{world.person().surname.split(' ')[-1]} {rng.choice(('Drift', 'Invest', 'Restaurantdrift'))}",
            )
        return trade
    if left < 0.125:
        return replace(one, second_number=world.number(), ask=rng.random() < 0.7)
    if left < 0.2:
        return replace(one, second_number=world.number())
    return one


def _files(world, rows, held, rng) -> dict[str, list[tuple[str, ...]]]:  # noqa: ANN001
    """Number the rows in a drawn order and write out the truth."""
    ids: dict[str, dict[str, str]] = {}
    files: dict[str, list[tuple[str, ...]]] = {
        "truth_invalid": [("side", "id", "reason")],
        "truth_duplicates": [("side", "id_a", "id_b")],
    }
    for side, start in zip(SIDES, ("TR", "CO"), strict=True):
        order = list(range(len(rows[side])))
        rng.shuffle(order)
        ids[side] = {str(row): f"{start}{count + 1:05d}" for count, row in enumerate(order)}
        table = [HEAD]
        for count, row in enumerate(order):
            line = rows[side][row] | {
                "id": f"{start}{count + 1:05d}",
                "customer_number": str(1001 + count) if start == "TR" else "",
            }
            table.append(tuple(line[name] for name in HEAD))
            files["truth_invalid"] += [(side, line["id"], reason) for reason in reasons(line)]
        files[f"customers_{side}"] = table
        for entries in held[side].values():
            for at, (one, _) in enumerate(entries):
                files["truth_duplicates"] += [
                    (side, *sorted((ids[side][one], ids[side][other])))
                    for other, _ in entries[at + 1 :]
                ]
    files["truth"] = [("timerabbit_id", "conta_id", "label", "has_duplicate", "type", "tags")]
    for place, entity in enumerate(world.entities):
        left, right = held[SIDES[0]].get(place, []), held[SIDES[1]].get(place, [])
        double = "1" if len(left) > 1 or len(right) > 1 else "0"
        for one, tags in left:
            for other, more in right:
                pair = ids[SIDES[0]][one], ids[SIDES[1]][other]
                numbers = [
                    re.sub(r"\D", "", rows[side][int(row)]["org_number"])
                    for side, row in zip(SIDES, (one, other), strict=True)
                ]
                ask = entity.ask and set(numbers) == {entity.number, entity.second_number}
                files["truth"].append(
                    (
                        *pair,
                        "ask" if ask else "same",
                        double,
                        entity.kind,
                        " ".join(sorted(tags | more)),
                    )
                )
    files["hard_negatives"] = [("timerabbit_id", "conta_id", "kind")]
    for one, other, kind in world.lookalikes:
        for left, _ in held[SIDES[0]].get(one, []):
            for right, _ in held[SIDES[1]].get(other, []):
                files["hard_negatives"].append((ids[SIDES[0]][left], ids[SIDES[1]][right], kind))
    return files


def reasons(row: dict[str, str]) -> list[str]:
    """Say what is wrong with a row, from the row alone."""
    from pool import pool

    found = [] if row["type"] else ["no_type"]
    codes = {code for code, _ in pool().codes} | {
        code for codes in pool().box_codes.values() for code in codes
    }
    if not row["address"] or row["address"] in PLACEHOLDERS or not row["postal_code"]:
        found.append("no_address")
    elif row["postal_code"] not in codes:
        found.append("bad_postal_code")
    digits = re.sub(r"\D", "", row["org_number"])
    if digits and not _is_number(digits):
        found.append("bad_org_number")
    return found


def _is_number(digits: str) -> bool:
    weights = (3, 2, 7, 6, 5, 4, 3, 2, 1)
    return (
        len(digits) == 9 and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0
    )


def save(files: dict[str, list[tuple[str, ...]]], folder: Path) -> None:
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
    given = parser.parse_args()
    save(draw(given.size, given.seed), given.out)
    sys.exit(0)
