"""What is never linked without asking, each with the case that taught it; and what is linked."""

from dataclasses import replace
from typing import Any

import pytest

from app.canonical import Address, Customer, CustomerKind, RecordId, Side
from app.records.matching import Fact, Index, match, match_one

STORGATA = Address("Storgata 12", None, "0155", "Oslo")
BRYGGEN = Address("Bryggen 4", None, "5003", "Bergen")
FIRST, SECOND, INVALID = "974760673", "988077917", "974760674"


def company(name: str, **facts: Any) -> Customer:
    return Customer(RecordId(facts.pop("id", "1")), name, CustomerKind.COMPANY, **facts)


def person(name: str, **facts: Any) -> Customer:
    return Customer(RecordId(facts.pop("id", "1")), name, CustomerKind.PRIVATE, **facts)


def verdict(one: Customer, other: Customer) -> tuple[str, str]:
    """Give what becomes of two records alone on their sides, and the rule."""
    found = match([one], [other])
    if found.certain:
        return "certain", found.certain[0].rule
    return ("asked", found.asked[0].rule) if found.asked else ("nothing", "")


VETOES = {
    "two valid numbers may be main unit and sub-unit": (
        company("Oslo Blikk AS", organization_number=FIRST, address=STORGATA),
        company("Oslo Blikk AS", organization_number=SECOND, address=STORGATA),
        "number-different",
    ),
    "two valid numbers on one unique name, moved since": (
        company(
            "Jobb For Livet",
            organization_number=FIRST,
            address=STORGATA,
            phone="22000001",
            email="post@jobb.example",
        ),
        company(
            "Jobb For Livet",
            organization_number=SECOND,
            address=BRYGGEN,
            phone="22000002",
            email="post@livet.example",
        ),
        "number-different",
    ),
    "a firm risen again under its old name, with another phone": (
        company("Bygde Elektriske AS", address=STORGATA, phone="22000001"),
        company(
            "Bygde Elektriske AS", organization_number=FIRST, address=STORGATA, phone="22000002"
        ),
        "not-enough",
    ),
    "a firm whose mail domain is its name with a number, so the plain one is another's": (
        company("Starbo Kafe", address=STORGATA, phone="22000001"),
        company(
            "Starbo Kafe AS",
            organization_number=FIRST,
            address=STORGATA,
            phone="22000001",
            email="post@starbokafe50.example",
        ),
        "not-enough",
    ),
    "a firm risen again in another street, with its number on one side": (
        company("Hedalen Snekkeri AS", address=STORGATA, phone="22000001"),
        company(
            "Hedalen Snekkeri AS",
            organization_number=FIRST,
            address=Address("Revet 65", None, "0155", "Oslo"),
        ),
        "not-enough",
    ),
    "a firm of limited liability of which name and address alone are known": (
        company("Reitan Trafikkskole AS", address=STORGATA),
        company("Reitan Trafikkskole AS", organization_number=FIRST, address=STORGATA),
        "not-enough",
    ),
    "the same, its name with a slip": (
        company(
            "Sørsol Skjermng AS",
            organization_number=FIRST,
            address=STORGATA,
            email="post@s.example",
        ),
        company("Sørsol Skjerming", address=STORGATA, phone="22000001"),
        "not-enough",
    ),
    "the same, its legal form with a slip": (
        company("Lillehammer Lås", address=STORGATA),
        company("Lillehammer Lås SS", organization_number=FIRST, address=STORGATA),
        "not-enough",
    ),
    "a phone that stayed at the place, and the mail of another": (
        company("Kyst Arkitekter AS", address=STORGATA, phone="22000001", email="a@gmail.com"),
        company(
            "Kyst Arkitekter AS",
            organization_number=FIRST,
            address=STORGATA,
            phone="22000001",
            email="post@kystarkitekter.example",
        ),
        "not-enough",
    ),
    "a mail domain that is the name with «og» and a number": (
        company("Larsen og Bakke Glass AS", address=STORGATA, phone="22000001"),
        company(
            "Larsen & Bakke Glass AS",
            organization_number=FIRST,
            address=STORGATA,
            email="post@larsenogbakkeglass73.example",
        ),
        "not-enough",
    ),
    "a mail domain that is the name with «ii» behind": (
        company("DL Autosenter", address=STORGATA, phone="22000001"),
        company(
            "DL Autosenter AS",
            organization_number=FIRST,
            address=STORGATA,
            email="faktura@dlautosenterii.example",
        ),
        "not-enough",
    ),
    "a mail domain that is the name with «nye» in front": (
        company("DL Autosenter", address=STORGATA, phone="22000001"),
        company(
            "DL Autosenter AS",
            organization_number=FIRST,
            address=STORGATA,
            email="faktura@nyedlautosenter.example",
        ),
        "not-enough",
    ),
    "two persons of one name behind one postal code, of whom Vegard is no farm": (
        person("Vegard Eide", address=Address("Parkveien 9", None, "0155", "Oslo")),
        person("Vegard Eide", address=STORGATA),
        "not-enough",
    ),
    "two valid numbers, a name a letter apart, another town and phone": (
        company("Olav Gulv AS", organization_number=FIRST, address=STORGATA, phone="22000001"),
        company("Olas Gulv AS", organization_number=SECOND, address=BRYGGEN, phone="22000002"),
        "",
    ),
    "two firms of one name at one door, both phones known and no number": (
        company("Soknedal Bakeri AS", address=STORGATA, phone="22000001"),
        company("Soknedal Bakeri AS", address=STORGATA, phone="22000002"),
        "not-enough",
    ),
    "a common name, and nothing but the postal code": (
        person("Ola Hansen", address=Address(None, None, "0155", None)),
        person("Ola Hansen", address=STORGATA),
        "not-enough",
    ),
    "an uncommon name in another town": (
        person("Ruth Aardal", address=STORGATA),
        person("Ruth Aardal", address=BRYGGEN),
        "place-different",
    ),
    "an uncommon name with a slip and no address: another family may be a letter away": (
        person("Anne Børstad"),
        person("Anne Berstad", address=STORGATA),
        "not-enough",
    ),
    "an uncommon name, and other contacts without a place": (
        person("Tommy Furu", email="tommy.furu.4596@gmail.com", phone="41000001"),
        person("Tommy Furu", email="tommy.furu.9322@yahoo.no", phone="41000002", address=STORGATA),
        "not-enough",
    ),
    "a person and an owner's firm of that rare name, kind not set": (
        replace(person("Torvald Grimseid", email="post@grimseid.example"), kind=None),
        person("Grimseid, Torvald", address=STORGATA),
        "not-enough",
    ),
    "a namesake with a double given name and a common family name": (
        person("Kim-Andre Solberg", address=STORGATA),
        person("Kim-Andre Solberg", address=BRYGGEN),
        "place-different",
    ),
    "an invalid number far from the other": (
        company("Viking Regnskap AS", organization_number="608369111", address=STORGATA),
        company("Viking Regnskap AS", organization_number=FIRST, address=STORGATA),
        "number-far",
    ),
    "neighbouring companies told apart by a number": (
        company("Storgata 52 AS", email="post@fjellbakken.example", address=STORGATA),
        company("Storgata 53 AS", email="post@fjellbakken.example", address=STORGATA),
        "count-different",
    ),
    "housing cooperatives told apart by a Roman numeral": (
        company("Borettslaget Rosehagen I", phone="22000000", address=STORGATA),
        company("Borettslaget Rosehagen II", phone="22000000", address=STORGATA),
        "count-different",
    ),
    "a successor called Nye": (
        company("Nye Førsund Restaurantdrift AS", email="post@forsund.example"),
        company("Førsund Restaurantdrift AS", email="post@forsund.example"),
        "",
    ),
    "father and son": (
        person("Erik Indahl", phone="41000001", address=STORGATA),
        person("Eirik Indahl", phone="41000001", address=STORGATA),
        "given-different",
    ),
    "two sisters with double names": (
        person("Anne-Britt Lone", phone="41000001", address=STORGATA),
        person("Anne-Grete Lone", phone="41000001", address=STORGATA),
        "given-different",
    ),
    "a couple and one of them": (
        person("Arne og Vilde Salih", email="a.salih.1@gmail.com", address=STORGATA),
        person("Arne Salih", email="a.salih.1@gmail.com", address=STORGATA),
        "couple",
    ),
    "a person and his firm, which has a number that is mistyped": (
        person("Grete Pedersen", email="grete.1@gmail.com", address=STORGATA),
        company("Grete Pedersen", organization_number=INVALID, address=STORGATA),
        "kind",
    ),
    "a person and his firm, which has a mail domain of its own": (
        person("Grete Pedersen", address=STORGATA),
        company("Grete Pedersen", email="post@gretepedersen.example", address=STORGATA),
        "kind",
    ),
    "a person and his firm, which has another phone": (
        person("Grete Pedersen", address=STORGATA, phone="41000001"),
        company("Grete Pedersen", address=STORGATA, phone="41000002"),
        "kind",
    ),
    "a person called a company elsewhere, and nothing but a phone": (
        person("Grete Pedersen", address=STORGATA, phone="41000001"),
        company("Grete Pedersen", phone="41000001"),
        "kind",
    ),
    "an accountant and a firm that has his house, mail and phone": (
        company("Fjell Regnskap AS", address=STORGATA, email="post@fjellregnskap.example"),
        company(
            "Havna Drift AS",
            address=STORGATA,
            email="post@fjellregnskap.example",
            organization_number=FIRST,
        ),
        "not-enough",
    ),
    "two names of a firm and another phone": (
        company("Kafé Solvang", address=STORGATA, phone="22000001"),
        company(
            "Havna Drift AS",
            address=STORGATA,
            phone="22000002",
            email="post@kafesolvang.example",
            organization_number=FIRST,
        ),
        "not-enough",
    ),
    "the owner and his company": (
        company("Randi Johannessen", address=STORGATA, phone="41000001"),
        company("Randi Johannessen AS", address=STORGATA, phone="41000001"),
        "person-or-company",
    ),
    "the owner and his firm, kind not set": (
        replace(person("Ola Hansen", address=STORGATA, phone="41000001"), kind=None),
        company("Ola Hansen", address=STORGATA, phone="41000001", organization_number=FIRST),
        "person-or-company",
    ),
    "a department on one side": (
        company("Bøhler Fysioterapi", organization_number=FIRST, email="post@bohler.example"),
        company("Bøhler Fysioterapi avd", organization_number=FIRST, email="post@bohler.example"),
        "department",
    ),
    "two branches of one number": (
        company("Son Graving AS Tønsberg", organization_number=FIRST, phone="22000000"),
        company("Son Graving AS Bergen", organization_number=FIRST, phone="22000000"),
        "place-in-name",
    ),
    "a branch in another town than the main unit": (
        company("Son Graving AS Tønsberg", organization_number=FIRST, phone="22000000"),
        company("Son Graving AS", organization_number=FIRST, phone="22000000", address=BRYGGEN),
        "place-in-name",
    ),
    "a branch beside a main unit of unknown place": (
        company("Simonsen Ventilasjon AS", email="post@simonsen.example"),
        company("Simonsen Ventilasjon - Skien AS", email="post@simonsen.example"),
        "place-in-name",
    ),
    "a branch in the town of its main unit": (
        company("Smart Møbler AS", email="post@smart.example", address=STORGATA),
        company(
            "Smart Møbler Oslo AS",
            email="post@smart.example",
            address=Address("Parkveien 9", None, "0350", "Oslo"),
        ),
        "place-in-name",
    ),
    "another town with one further agreement": (
        company("Bryggen Restaurant", phone="22000000", address=STORGATA),
        company("Bryggen Restaurant", phone="22000000", address=BRYGGEN),
        "place-different",
    ),
    "two legal forms": (
        company("Fjell Blikk AS", address=STORGATA),
        company("Fjell Blikk DA", address=STORGATA),
        "form",
    ),
    "two companies' own mail domains": (
        company("Oslo Dekk AS", email="post@olsenmedia.example"),
        company("Oslo Dekk AS", email="post@oslodekk.example"),
        "domain",
    ),
    "one archived, one in use": (
        company("Fjell Blikk AS", organization_number=FIRST, active=False),
        company("Fjell Blikk AS", organization_number=FIRST),
        "activity",
    ),
}


@pytest.mark.parametrize("case", VETOES)
def test_a_veto_asks_or_leaves_alone_but_never_links(case: str) -> None:
    """What contradicts is never linked without asking; where no rule is named, not even asked."""
    one, other, rule = VETOES[case]

    assert verdict(one, other) == ("asked" if rule else "nothing", rule)


def test_a_name_twice_on_a_side_is_never_linked_by_the_name_alone() -> None:
    """Two Brit Moen in the books: a bare name says nothing of which."""
    time = [person("Brit Moen", id="1")]
    books = [person("Brit Moen", id="1", address=STORGATA), person("Moen, Brit", id="2")]

    assert not match(time, books).certain


def test_the_best_for_one_must_be_the_best_for_the_other() -> None:
    """Two firms fit one record in the books about as well: both are asked."""
    mail = "post@fjellblikk.example"
    one, other = {"organization_number": FIRST}, {"organization_number": SECOND}
    time = [
        company("Fjell Blikk AS", id="1", phone="22000000", address=STORGATA, **one),
        company("Fjell Blikk AS", id="2", email=mail, address=STORGATA, **other),
    ]
    books = [company("Fjell Blikk AS", phone="22000000", email=mail, address=STORGATA)]

    found = match(time, books)

    assert not found.certain
    assert [p.rule for p in found.asked] == ["rival", "rival"]
    assert Fact.RIVAL in found.asked[0].facts


def test_of_sure_duplicates_the_better_is_linked_and_the_other_is_shown() -> None:
    """A record written twice does not stop its link; the second one is flagged, not created."""
    time = [company("Fjell Blikk AS", organization_number=FIRST, address=STORGATA)]
    books = [
        company("Fjell Blikk AS", id="1", organization_number=FIRST, address=STORGATA),
        company("FJELL BLIKK A/S", id="2", organization_number=FIRST),
    ]

    found = match(time, books)

    assert [(p.time_id, p.books_id) for p in found.certain] == [("1", "1")]
    assert [(d.side, d.first_id, d.second_id) for d in found.duplicates] == [(Side.BOOKS, "1", "2")]
    assert found.only_books == ("2",)


LINKS = {
    "number-and-name": (
        company("Fjell Blikk a.s.", organization_number="NO 974 760 673 MVA"),
        company("FJELL BLIKK", organization_number=FIRST),
    ),
    "number-and-contained-name": (
        company("Fjell Blikk og Fasade", organization_number=FIRST, address=STORGATA),
        company("Fjell Blikk", organization_number=FIRST, address=STORGATA),
    ),
    "number-and-contact": (
        company("Sakarias Mat", organization_number=FIRST, phone="41000001"),
        company("Hattum Drift AS", organization_number=FIRST, phone="0047 41 00 00 01"),
    ),
    "trade-name-and-mail": (
        company("Kafé Solvang", email="post@kafesolvang.example", address=STORGATA),
        company(
            "Havna Drift AS",
            email="post@kafesolvang.example",
            address=Address("Postboks 7", None, "0101", "Oslo"),
            organization_number=FIRST,
        ),
    ),
    "trade-name-and-street": (
        company("Kafé Solvang", organization_number=FIRST, address=STORGATA, phone="22000001"),
        company("Havna Drift AS", email="faktura@kafesolvang.example", address=STORGATA),
    ),
    "name-and-close-number": (
        company("Fjell Blikk AS", organization_number=FIRST),
        company("Fjell Blikk AS", organization_number=INVALID),
    ),
    "name-and-contact": (
        person("Ola Hansen", phone="41000001"),
        person("Hansen Ola", phone="+47 41000001"),
    ),
    "name-and-street": (
        person("Ola Hansen", address=Address("Storgt. 12", None, None, "Oslo")),
        person("Ola Hansen", address=STORGATA),
    ),
    "name-and-domain": (
        company("Solea Trykk", email="jon@soleatrykk.example"),
        company("Solea Trykk", email="post@soleatrykk.example"),
    ),
    "name-and-postal-code": (
        company("Blomsterbua", address=Address("Torget 1", None, "1400", "Ski")),
        company("Blomsterbua", address=Address(None, None, "1400", None)),
    ),
    "name-and-place": (
        company(
            "Hilstad & Sønn",
            address=Address("Torget 1", None, "1400", "Ski"),
            email="post@hilstad.example",
        ),
        company(
            "Hilstad og Sønn AS",
            address=Address("Postboks 7", None, "1401", "Ski"),
            organization_number=FIRST,
        ),
    ),
    "full-company-name": (
        company("Fjell Blikk AS"),
        company("AS Fjell Blikk", address=STORGATA, email="post@fjellblikk.example"),
    ),
    "rare-name": (person("Torvald Grimseid"), person("GRIMSEID, TORVALD", address=STORGATA)),
    "close-rare-name": (
        person("Torvald Grimseid"),
        person("Torvald Grimseidd", address=STORGATA),
    ),
    "close-name-and-close-number": (
        company("Fjel Blikk AS", organization_number=FIRST),
        company("Fjell Blikk AS", organization_number=INVALID),
    ),
    "close-name-and-domain": (
        company("Arktisk Gulvservice", email="post@arktiskgulv.example"),
        company("Arktisk Gulvserivce", email="kari@arktiskgulv.example", address=STORGATA),
    ),
    "close-name-and-contact": (
        person("Karina Dahl", phone="91138388"),
        person("Karina Dahll", phone="91138388"),
    ),
    "close-name-and-street": (
        person("Karina Dahl", address=STORGATA),
        person("Karina Dahll", address=STORGATA),
    ),
    "alike-name-street-and-contact": (
        company("Arktbsagulv", email="arktisk@online.no", address=STORGATA),
        company("Arktiskgulv", email="arktisk@online.no", address=STORGATA),
    ),
    "alike-name-and-street": (
        person("Stein Nilse", address=STORGATA),
        person("Stein Zhang Nilsen", address=STORGATA),
    ),
}


MORE_LINKS = [
    (  # neither a number, a form nor a mail domain: a slip in the kind, not the owner's firm
        person("Grete Pedersen", email="grete.1@gmail.com", address=STORGATA),
        company(
            "Grete Pedersen", email="grete.1@gmail.com", address=Address(None, None, None, "Oslo")
        ),
        "name-and-contact",
    ),
    (
        person("Grete Pedersen", address=STORGATA),
        company("Pedersen, Grete", address=STORGATA),
        "name-and-street",
    ),
    (  # only a company of limited liability rises again under its name
        company("Blomsterbua", address=STORGATA, phone="22000001"),
        company("Blomsterbua", address=STORGATA, phone="22000002", organization_number=FIRST),
        "name-and-street",
    ),
    (  # its owner answers for a sole trader's debts, so he does not rise again
        company("Hansen Bygg ENK", address=STORGATA, phone="22000001"),
        company("Hansen Bygg ENK", address=STORGATA, phone="22000002", organization_number=FIRST),
        "name-and-street",
    ),
    (
        company("Nordre Gulv AS", address=STORGATA),
        company(
            "Nordre Gulv AS",
            address=Address("Parkveien 9", None, "0155", "Oslo"),
            email="post@nordregulv.example",
            organization_number=FIRST,
        ),
        "name-and-postal-code",
    ),
    (
        company("Sydinga46 AS", phone="22000000"),
        company("Sydinga 46 AS", phone="22000000"),
        "name-and-contact",
    ),
    (  # V is an initial, not five
        person("Vestby, Odd V.", address=STORGATA),
        person("Odd Vidar Vestby", address=STORGATA),
        "close-name-and-street",
    ),
    (  # some seventeen in the country bear it, and two of them hardly behind one postal code
        person("Bjørn Aardal", address=Address("Parkveien 9", None, "0155", "Oslo")),
        person("Bjørn Aardal", address=STORGATA),
        "rare-name",
    ),
    (
        person("Solveig Lie Aardal", address=STORGATA),
        person("Solveig Aardal"),
        "close-rare-name",
    ),
    (
        person("Sein Olsen", address=STORGATA),
        person("Svein Olsen", address=STORGATA),
        "close-name-and-street",
    ),
    (
        company("Enger Trafikkskole", address=STORGATA, email="post@enger.example"),
        replace(company("Enger Trafikkskole AS", address=STORGATA), kind=CustomerKind.PRIVATE),
        "name-and-street",
    ),
    (
        company("Kafé Solvang", address=STORGATA, email="post@solvang.example"),
        company("Kafé Solvang", address=BRYGGEN, email="post@solvang.example"),
        "name-and-contact",
    ),
    (
        company("Gerda Bratlie", address=STORGATA, email="post@bratlie.example"),
        company("Gerda Bratlie AS", organization_number=FIRST, email="post@bratlie.example"),
        "name-and-contact",
    ),
    (
        person("Torvald Grimseid", address=STORGATA, phone="41000001"),
        person(
            "Torvald Grimseidd",
            address=Address("Revet 65", None, "0155", "Oslo"),
            phone="41000002",
        ),
        "close-rare-name",
    ),
    (
        person("Beri Bkke", email="berit.bakke@gmail.com", address=STORGATA),
        person("Berit Bakke", email="berit.bakke@gmail.com"),
        "alike-name-and-mail",
    ),
    (
        company("Benja Siam Syd as", phone="22000000"),
        company("BENJA SIAM SYD AAS", phone="22000000", organization_number=FIRST),
        "close-name-and-contact",
    ),
    (
        person("Torvald Grimseid", address=BRYGGEN),
        person("GRIMSEID, TORVALD", address=STORGATA),
        "rare-name",
    ),
    (
        person("Torvald Fosse", address=Address("Parkveien 9", None, "0155", "Oslo")),
        person("Torvald Fosse", address=STORGATA),
        "rare-name",
    ),
    (
        person("Ola Hansen", email="ola.hansen.7@gmail.com", address=BRYGGEN),
        person("Hansen Ola", email="ola.hansen.7@gmail.com", address=STORGATA),
        "name-and-contact",
    ),
    (
        person("Gundersen, Kjetil", address=STORGATA),
        person("Gundersen Kjetli", address=STORGATA),
        "close-name-and-street",
    ),
    (
        person("Anbe Norheim", address=STORGATA),
        person("Anne Norheim", address=STORGATA),
        "close-name-and-street",
    ),
    (
        company("Fjell Blikk Oslo AS", address=STORGATA),
        company("Fjell BlikkOslo AS", address=STORGATA, email="post@fjellblikk.example"),
        "name-and-street",
    ),
    (
        company("Sushi Huset Fornebu", phone="22000000"),
        company("Sushi Huset Fornwbu", phone="22000000"),
        "close-name-and-contact",
    ),
    (
        company("Mikkelsen Eiendomsforv", phone="22000000"),
        company("Mikkelsen Eiendomsforvaltning", phone="22000000"),
        "close-name-and-contact",
    ),
    (
        company("Saastad Blikk, Oslo", phone="22000000"),
        company("Saastad Blikk", phone="22000000", address=STORGATA),
        "name-and-contact",
    ),
]


@pytest.mark.parametrize(("one", "other", "rule"), MORE_LINKS)
def test_names_typed_otherwise_are_linked_by_what_agrees_beside(
    one: Customer, other: Customer, rule: str
) -> None:
    """A place run into the name, a slip in it, a shortened word: the second agreement decides."""
    assert verdict(one, other) == ("certain", rule)


@pytest.mark.parametrize("rule", LINKS)
def test_each_rule_links_its_own_case(rule: str) -> None:
    """Nothing contradicts, and something independent of the name agrees."""
    one, other = LINKS[rule]

    assert verdict(one, other) == ("certain", rule)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (company("Fjell Blikk AS", phone="22000000"), company("Nordre Gulv DA", phone="22000000")),
        (
            person("Sein Olsen", address=STORGATA, phone="41000001"),
            person("Svein Olsen", address=STORGATA, phone="41000002"),
        ),
        (
            replace(person("Erk Olsen", address=STORGATA), kind=None),
            person("Erik Olsen", address=STORGATA),
        ),
        (person("Siein Olsen", address=STORGATA), person("Stien Olsen", address=STORGATA)),
        (
            company("RP Gartneri AS", address=STORGATA),
            company("RJ Gartneri AS", address=Address("Storgata 37", None, "0155", "Oslo")),
        ),
        (person("Ola Hansen", address=STORGATA), person("Ola Berg Lien Hansen", address=STORGATA)),
        (person("Oal Hansen", address=STORGATA), person("Ola Berg Lien Hansen", address=STORGATA)),
        (company("-", phone="22000000"), company("???", phone="22000000")),
        (company("Moe Transport AS"), company("Mo Transport AS")),
        (company("Fjel Blikk AS"), company("Fjell Blikk AS")),
        (company("Arktbsagulv"), company("Arktiskgulv")),
        (person("Ola Hansen"), person("Ola Hansen", address=STORGATA)),
        (company("Blomsterbua"), company("Blomsterbua", address=STORGATA)),
        (
            replace(person("Karina Dahl", address=STORGATA), kind=None),
            person("Karina Dahll", address=STORGATA),
        ),
    ],
)
def test_too_little_is_never_linked(one: Customer, other: Customer) -> None:
    """A name that only resembles, or stands alone, is a question at most."""
    assert verdict(one, other)[0] != "certain"


def test_records_that_are_gone_or_merged_take_no_part() -> None:
    """A tombstone is neither linked nor reported."""
    gone = company("Fjell Blikk AS", organization_number=FIRST, gone=True)
    merged = replace(gone, gone=False, merged_into=RecordId("9"), id=RecordId("2"))

    found = match([gone, merged], [company("Fjell Blikk AS", organization_number=FIRST)])

    assert (found.certain, found.only_time, found.only_books) == ((), (), ("1",))


def test_a_partner_that_is_taken_becomes_a_question() -> None:
    """A record made later that looks like a linked one is likely a duplicate of it."""
    books = Index.of([company("Fjell Blikk AS", id="7", organization_number=FIRST)])
    new = company("Fjell Blikk AS", organization_number=FIRST)

    free = match_one(new, Side.TIME, books)
    taken = match_one(new, Side.TIME, books, taken={RecordId("7")})

    assert free.certain is not None
    assert (taken.certain, taken.asked[0].rule) == (None, "partner-taken")
    assert not taken.nothing


def test_a_sibling_that_fits_as_well_makes_the_pair_a_question() -> None:
    """With its siblings given, a record made later competes with them, on the books side too."""
    known = {"phone": "22000000", "address": STORGATA}
    theirs = Index.of([company("Fjell Blikk AS", id="7", **known)])
    new = company("Fjell Blikk AS", id="2", **known)
    siblings = Index.of([new, company("Fjell Blikk AS", id="1", **known)])

    found = match_one(new, Side.BOOKS, theirs, siblings=siblings)

    assert found.certain is None
    assert [(p.time_id, p.books_id, p.rule) for p in found.asked] == [("7", "2", "rival")]


def test_a_refused_candidate_is_not_found_again() -> None:
    """A no given on a pair holds for the record alone too, whichever side it is on."""
    theirs = Index.of([company("Fjell Blikk AS", id="7", phone="22000000")])
    new = company("Fjell Blikk AS", id="2", phone="22000000")
    pair = (RecordId("7"), RecordId("2"))

    assert match_one(new, Side.BOOKS, theirs, refused={pair}).nothing
    assert not match_one(new, Side.TIME, theirs, refused={pair}).nothing


def test_a_sibling_that_fits_better_leaves_the_record_alone_with_a_question() -> None:
    """The better sibling would be linked; the record itself is only asked about."""
    theirs = Index.of([company("Fjell Blikk AS", id="7", phone="22000000", address=STORGATA)])
    new = company("Fjel Blikk AS", id="2", phone="22000000")
    better = company("Fjell Blikk AS", id="1", phone="22000000", address=STORGATA)

    found = match_one(new, Side.TIME, theirs, siblings=Index.of([better]))

    assert found.certain is None
    assert [(p.time_id, p.books_id) for p in found.asked] == [("2", "7")]


def test_a_doubt_about_two_numbers_spreads_to_a_duplicate_without_number() -> None:
    """Main unit or sub-unit: the record without a number may be either, so nothing is linked."""
    time = [company("Oslo Blikk AS", organization_number=FIRST, address=STORGATA)]
    books = [
        company("Oslo Blikk AS", id="1", organization_number=SECOND, address=STORGATA),
        company("OSLO BLIKK AS", id="2", address=STORGATA),
    ]

    found = match(time, books)

    assert not found.certain
    assert {p.books_id for p in found.asked} == {"1", "2"}


def test_an_equal_number_settles_what_another_number_would_leave_in_doubt() -> None:
    """Beside the main unit stands the sub-unit: the equal number decides, both are not asked."""
    time = [company("Oslo Blikk AS", organization_number=FIRST, address=STORGATA)]
    books = [
        company("Oslo Blikk AS", id="1", organization_number=SECOND, address=STORGATA),
        company("Oslo Blikk AS", id="2", organization_number=FIRST, address=STORGATA),
    ]

    found = match(time, books)

    assert [p.books_id for p in found.certain] == ["2"]


def test_a_firms_name_twice_on_a_side_without_numbers_is_asked() -> None:
    """A firm and its successor in one town: the street alone does not say which of the two."""
    moved = Address("Parkveien 9", None, "0350", "Oslo")
    time = [
        company("Viken Tømrerservice AS", id="1", address=STORGATA),
        company("Viken Tømrerservice AS", id="2", email="post@viken.example", address=moved),
    ]
    books = [company("Viken Tømrerservice AS", address=STORGATA, email="post@vt.example")]

    assert not match(time, books).certain
    assert match(time[:1], books).certain


def test_a_firms_name_twice_on_a_side_is_asked_where_one_side_has_the_number() -> None:
    """The first firm and its successor stand beside each other; no contact says which it is."""
    time = [
        company("Rydland Kafedrift AS", id="1", address=STORGATA),
        company("Rydland Kafedrift AS", id="2", address=STORGATA, organization_number=SECOND),
    ]
    books = [company("Rydland Kafedrift AS", address=STORGATA, organization_number=FIRST)]
    taken_over = [replace(one, email="post@rydland.example", phone="22000001") for one in time[:1]]
    known = [replace(books[0], email="post@rydland.example", phone="22000002")]

    assert not match(time, books).certain
    assert not match([*taken_over, *time[1:]], known).certain
    assert match(time[:1], [replace(books[0], email="post@rydland.example")]).certain


def test_a_person_typed_twice_is_linked_by_a_rare_name() -> None:
    """Two records of one rare name on a side are one customer's; the fuller one is linked."""
    time = [
        person("Torvald Grimseid", id="1", address=STORGATA),
        person("Torvald Grimseid", id="2"),
    ]
    books = [person("Grimseid, Torvald", address=Address(None, None, "0155", "Oslo"))]

    found = match(time, books)

    assert [p.time_id for p in found.certain] == ["1"]


def test_what_the_same_partner_would_take_is_shown_as_a_duplicate() -> None:
    """One has the partner's mail and the other its street: nothing else says they are one."""
    time = [
        company("Nord Møbler", id="1", email="post@nordmobler.example", phone="22000001"),
        company("Nord Mølber", id="2", address=STORGATA),
    ]
    books = [
        company(
            "Nord Møbler",
            organization_number=FIRST,
            address=STORGATA,
            email="post@nordmobler.example",
            phone="22000001",
        )
    ]

    found = match(time, books)

    assert [p.time_id for p in found.certain] == ["1"]
    assert [(d.first_id, d.second_id) for d in found.duplicates] == [("1", "2")]


def test_two_numbers_behind_one_partner_are_two_firms() -> None:
    """The number that the partner lacks tells them apart: no duplicate is suspected."""
    shared: dict[str, Any] = {"email": "post@nordmobler.example", "phone": "22000001"}
    time = [
        company("Nord Møbler AS", id="1", organization_number=FIRST, address=STORGATA, **shared),
        company("Nord Mølber AS", id="2", organization_number=SECOND, address=STORGATA),
    ]
    books = [company("Nord Møbler AS", address=STORGATA, **shared)]

    found = match(time, books)

    assert [p.time_id for p in found.certain] == ["1"]
    assert not found.duplicates


def test_branches_with_their_own_numbers_are_no_doubt() -> None:
    """Another place in the name and another number: the main unit's doubt is not theirs."""
    main = company("Reed Ventilasjon AS", id="2")
    found = match(
        [
            company("Reed Ventilasjon Namsos AS", organization_number=FIRST, address=STORGATA),
            main,
        ],
        [company("Reed Ventilasjon Sandnes AS", organization_number=SECOND, address=BRYGGEN)],
    )

    assert "number-different" not in {p.rule for p in found.asked}


def test_two_letters_swapped_in_a_short_name_are_found() -> None:
    """Neither the beginning nor the end of the name is left whole by the slip."""
    found = match(
        [company("FREMRA AS", organization_number=FIRST)],
        [company("FRERMA", organization_number=SECOND, address=STORGATA)],
    )

    assert [p.rule for p in found.asked] == ["number-different"]


DOUBTS = {
    "the holding company beside it": company(
        "Hassel Møbler Invest AS", id="2", organization_number=SECOND, address=STORGATA
    ),
    "a firm with a like name elsewhere": company(
        "Hasel Møbler AS", id="2", organization_number=SECOND, address=BRYGGEN
    ),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_a_doubt_about_two_numbers_does_not_spread_to_another_firm(case: str) -> None:
    """A longer name, or nothing but a like name in common, makes no sub-unit."""
    time = [company("Hassel Møbler AS", id="1", phone="22000001", address=STORGATA), DOUBTS[case]]
    books = [
        company("Hassel Møbler AS", organization_number=FIRST, phone="22000001", address=STORGATA)
    ]

    assert [(p.time_id, p.rule) for p in match(time, books).certain] == [("1", "name-and-contact")]


def test_an_equal_number_and_name_yields_to_nobody_without_the_number() -> None:
    """The firm moved; what stands at its new address without a number is a successor or a copy."""
    time = [
        company("Holmen Fjordhotell", id="1", organization_number=FIRST, address=BRYGGEN),
        company("Holmen Fjordhotell", id="2", address=STORGATA),
    ]
    books = [company("Holmen Fjordhotell", organization_number=FIRST, address=STORGATA)]

    assert [(p.time_id, p.rule) for p in match(time, books).certain] == [("1", "number-and-name")]


@pytest.mark.parametrize("other", ["Киев AAS", "Киев AS", "Nordbygg AS"])
def test_names_in_other_letters_are_read_by_their_letters(other: str) -> None:
    """Folded to nothing, one of them ended the whole plan, and any two of a street were linked."""
    one = company("Москва AAS", phone="22113344", address=STORGATA)

    assert verdict(one, replace(one, id=RecordId("2"), name=other))[0] != "certain"
    assert verdict(one, replace(one, id=RecordId("2"), name="МОСКВА AS"))[0] == "certain"
