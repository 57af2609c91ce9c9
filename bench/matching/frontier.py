"""
Tabulate by cells what links and questions are worth: how many are one customer, how many not.

    python -m bench.matching.frontier --draws 12 --first-seed 18001 --by name-once-on-each-side
    python -m bench.matching.frontier --asked --rule not-enough --by postal-code-same phone-same

A cell is the rule (or the reason of a question) and which of the named facts hold. A frequent cell
of questions that are all one customer is a rule that links too little; a cell of links with many
strangers for each true pair is one that should ask. A rule still needs a reason beside its figures:
a cell may be pure only because the draws never make the bad case.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.records.matching import Fact, Proposal, match
from bench.matching.measure import sides_of, tables_of
from bench.matching.scoring import Truth, truth_of


@dataclass
class Cell:
    """Count the pairs of a cell: one customer, and by kind those that are not."""

    same: int = 0
    strangers: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Count all pairs."""
        return self.same + self.strangers.total()

    @property
    def false_per_10000(self) -> float:
        """Say how many of 10,000 such pairs are not one customer."""
        return 10_000 * self.strangers.total() / max(1, self.size)


Cells = dict[tuple[str, ...], Cell]


def tabulate(
    proposals: Iterable[Proposal], truth: Truth, facts: tuple[Fact, ...], cells: Cells
) -> None:
    """Count proposals into their cells."""
    for one in proposals:
        held = tuple(fact if fact in one.facts else "-" for fact in facts)
        cell = cells[one.rule, *held]
        pair = one.time_id, one.books_id
        row = truth.pairs.get(pair)
        if row is not None and row["label"] == "same":
            cell.same += 1
        else:
            kind = "doubtful" if row is not None else truth.lookalikes.get(pair, "chance")
            cell.strangers[kind] += 1


def main() -> int:
    """Draw, match and print the largest cells."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=4)
    parser.add_argument("--size", type=int, default=3000)
    parser.add_argument("--first-seed", type=int, default=18001)
    parser.add_argument("--asked", action="store_true", help="questions in place of links")
    parser.add_argument("--rule", help="this rule or reason only")
    parser.add_argument("--by", type=Fact, nargs="*", default=[], help="facts that part the cells")
    parser.add_argument("--most", type=int, default=40)
    told = parser.parse_args()
    cells: Cells = defaultdict(Cell)
    for seed in range(told.first_seed, told.first_seed + told.draws):
        tables = tables_of(told.size, seed)
        found = match(*sides_of(tables))
        proposals = found.asked if told.asked else found.certain
        chosen = (p for p in proposals if told.rule in {None, p.rule})
        tabulate(chosen, truth_of(tables), tuple(told.by), cells)
    for key, cell in sorted(cells.items(), key=lambda one: (-one[1].size, one[0]))[: told.most]:
        figures = f"{cell.same:6} {cell.strangers.total():5} {cell.false_per_10000:8.1f}"
        print(figures, " ".join(key), dict(cell.strangers.most_common()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
