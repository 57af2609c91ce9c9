"""
Propose which customers and projects of the two sides are the same; pure.

The answer depends on the arguments only, never on their order. What was measured stands in
``docs/matching.md``; reading registers, storing answers and creating records is left to others.
"""

from app.records.matching.explain import describe, explain
from app.records.matching.index import Index, Indexes
from app.records.matching.match import match
from app.records.matching.match_one import match_one
from app.records.matching.projects import match_projects
from app.records.matching.proposals import CHOSEN, Duplicate, Fact, Found, Matching, Proposal

__all__ = [
    "CHOSEN",
    "Duplicate",
    "Fact",
    "Found",
    "Index",
    "Indexes",
    "Matching",
    "Proposal",
    "describe",
    "explain",
    "match",
    "match_one",
    "match_projects",
]
