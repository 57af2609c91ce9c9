"""One name in several places, several records of one customer, and who stands in whose way."""

from typing import Any

from app.canonical import Address, Customer, CustomerKind, RecordId, Side
from app.records.matching import Fact, Index, match, match_one

STORGATA = Address("Storgata 12", None, "0155", "Oslo")
PARKVEIEN = Address("Parkveien 9", None, "0350", "Oslo")
BRYGGEN = Address("Bryggen 4", None, "5003", "Bergen")
FIRST, SECOND = "974760673", "988077917"


def company(name: str, **facts: Any) -> Customer:
    return Customer(RecordId(facts.pop("id", "1")), name, CustomerKind.COMPANY, **facts)


def person(name: str, **facts: Any) -> Customer:
    return Customer(RecordId(facts.pop("id", "1")), name, CustomerKind.PRIVATE, **facts)


def linked(time: list[Customer], books: list[Customer]) -> list[tuple[str, str, str]]:
    """Give what is linked without asking: both ids and the rule."""
    return sorted((p.time_id, p.books_id, p.rule) for p in match(time, books).certain)


def two_of(name: str, elsewhere: Address, **facts: Any) -> list[Customer]:
    """Give a firm in Oslo and its namesake, each with a mail of its own domain."""
    return [
        company(name, id="1", address=STORGATA, email="post@en.example", **facts),
        company(name, id="2", address=elsewhere, email="post@to.example"),
    ]


def test_namesakes_in_other_towns_do_not_make_a_firm_doubtful() -> None:
    """«Solberg Bygg AS» of Oslo is not in doubt because another of the name is in Bergen."""
    time = two_of("Solberg Bygg AS", BRYGGEN)
    books = [company("Solberg Bygg AS", address=STORGATA, organization_number=FIRST)]

    found = match(time, books)

    assert [(p.time_id, p.rule) for p in found.certain] == [("1", "name-and-street")]
    assert Fact.NAME_ALONE_HERE in found.certain[0].facts
    assert Fact.NAME_ALONE not in found.certain[0].facts


def test_a_namesake_in_the_same_town_or_of_no_known_place_does() -> None:
    """It may be the one that is meant: a firm and its successor, or one that has moved."""
    books = [company("Solberg Bygg AS", address=STORGATA, organization_number=FIRST)]

    assert not linked(two_of("Solberg Bygg AS", PARKVEIEN), books)
    assert not linked(two_of("Solberg Bygg AS", Address()), books)


def test_a_record_made_later_knows_its_namesakes_too() -> None:
    """What a whole reading links, a webhook links as well."""
    new, namesake = two_of("Solberg Bygg AS", BRYGGEN)
    near = two_of("Solberg Bygg AS", PARKVEIEN)[1]
    books = Index.of([company("Solberg Bygg AS", address=STORGATA, organization_number=FIRST)])

    assert match_one(new, Side.TIME, books, siblings=Index.of([namesake])).certain
    assert not match_one(new, Side.TIME, books, siblings=Index.of([near])).certain


def test_a_second_mail_domain_is_doubtful_only_where_no_namesake_is_seen() -> None:
    """The plain domain is the namesake's in Bergen; where none is seen, the first firm had it."""
    mail = "post@solbergbygg2.example"
    time = [company("Solberg Bygg AS", address=STORGATA, email=mail)]
    namesake = company("Solberg Bygg AS", id="2", address=BRYGGEN)
    books = [company("Solberg Bygg AS", address=STORGATA, organization_number=FIRST)]

    assert not linked(time, books)
    assert linked([*time, namesake], books) == [("1", "1", "name-and-street")]


def test_a_second_mail_domain_is_doubtful_also_where_no_form_is_written() -> None:
    """Neither side wrote «AS», so nobody knows that it is none."""
    mail = "post@solbergbygg2.example"
    books = [company("Solberg Bygg", address=STORGATA, organization_number=FIRST)]

    assert not linked([company("Solberg Bygg", address=STORGATA, email=mail)], books)
    assert linked([company("Solberg Bygg", address=STORGATA)], books)


def test_name_and_town_need_a_number_on_one_side() -> None:
    """Two firms of one name in one large town, and neither has shown a number."""
    time = [company("Kafé Torget", address=STORGATA)]
    books = [company("Kafé Torget", address=Address("Postboks 7", None, "0101", "Oslo"))]
    numbered = [company(books[0].name, address=books[0].address, organization_number=FIRST)]

    assert not linked(time, books)
    assert linked(time, numbered) == [("1", "1", "name-and-place")]


def test_a_rare_name_with_a_mail_domain_of_its_own_is_a_firms() -> None:
    """How many bear a name counts people, not firms."""
    time = [person("Torvald Grimseid", address=STORGATA)]
    parkveien = Address("Parkveien 9", None, "0155", "Oslo")
    books = [person("Torvald Grimseid", address=parkveien, email="post@grimseid.example")]
    private = [person("Torvald Grimseid", address=parkveien, email="torvald.g@gmail.com")]

    assert not linked(time, books)
    assert linked(time, private) == [("1", "1", "rare-name")]


def test_a_firm_of_its_owners_name_in_its_owners_house_is_asked() -> None:
    """The one with a mail domain of its own is the firm; the other may be the man."""
    time = [company("Ola Nordgard", address=STORGATA)]
    books = [company("Ola Nordgard", address=STORGATA, email="post@nordgardbygg.example")]

    assert not linked(time, books)
    assert linked(time, [company("Ola Nordgard", address=STORGATA)])


def test_a_phone_at_one_street_does_not_join_two_alike_names_of_firms() -> None:
    """The two firms of one owner share house and phone, and their names look alike."""
    time = [company("Arktbsagulv", phone="22000000", address=STORGATA)]
    books = [company("Arktiskgulv", phone="22000000", address=STORGATA)]

    assert not linked(time, books)


def test_a_branch_shares_number_and_mail_but_not_the_street() -> None:
    """«Son Graving AS Oslo» with the main unit's number and mail is asked, at one street linked."""
    mail = "post@songraving.example"
    branch = company("Son Graving AS Oslo", organization_number=FIRST, email=mail)
    main = company("Son Graving AS", organization_number=FIRST, email=mail)
    here = company("Son Graving AS", organization_number=FIRST, address=STORGATA)
    there = company("Son Graving AS Oslo", organization_number=FIRST, address=STORGATA)

    assert not linked([branch], [main])
    assert linked([there], [here])


def test_of_suspected_duplicates_the_better_is_linked() -> None:
    """One has the phone, the other the mail, both the house: one customer, written twice."""
    mail = "post@fjellblikk.example"
    time = [
        company("Fjell Blikk AS", id="1", phone="22000000", address=STORGATA),
        company("Fjell Blikk AS", id="2", email=mail, address=STORGATA),
    ]
    books = [company("Fjell Blikk AS", phone="22000000", email=mail, address=STORGATA)]

    found = match(time, books)

    assert len(found.certain) == 1
    assert [(d.first_id, d.second_id) for d in found.duplicates] == [("1", "2")]


def test_who_has_found_another_partner_stands_in_nobodys_way() -> None:
    """The firm in the books that has the mail is the other one's by its number."""
    mail = "post@fjellblikk.example"
    time = [
        company("Fjell Blikk", id="1", email=mail, address=STORGATA),
        company("Fjell Blikk", id="2", organization_number=FIRST, address=BRYGGEN),
    ]
    books = [
        company("Fjell Blikk", id="1", organization_number=SECOND, address=STORGATA),
        company("Fjell Blikk", id="2", organization_number=FIRST, email=mail),
    ]

    assert linked(time, books) == [("1", "1", "name-and-street"), ("2", "2", "number-and-name")]
    assert not linked(time[:1], books)


def test_a_person_is_not_in_doubt_for_a_likeness_that_would_not_link() -> None:
    """«Kari Moen» at the same house is another candidate for «Kari Moe», and the worse one."""
    time = [person("Kari Moe", address=STORGATA)]
    books = [
        person("Kari Moe", id="1", address=STORGATA),
        person("Kari Mo", id="2", address=Address("Storgata", None, "0155", "Oslo")),
    ]

    assert linked(time, books) == [("1", "1", "name-and-street")]


def test_one_name_and_one_mail_tell_a_slip_in_the_kind_where_neither_has_a_number() -> None:
    """A number or a form on one side may be his firm's."""
    mail = "ola.hansen.7@gmail.com"
    time = [person("Ola Hansen", id="1", email=mail), person("Ola Hansen", id="2")]
    firm = company("Ola Hansen", email=mail)
    numbered = company("Ola Hansen", email=mail, organization_number=FIRST)

    assert linked(time, [firm]) == [("1", "1", "name-and-contact")]
    assert not linked(time, [numbered])


def test_a_place_in_the_name_is_no_branch_behind_the_same_postal_code() -> None:
    """«Smart Møbler Oslo AS» in Storgata and «Smart Møbler AS» in a street beside it."""
    beside = Address("Kirkegata 3", None, "0155", "Oslo")
    time = [company("Smart Møbler AS", email="post@smart.example", address=STORGATA)]
    books = [company("Smart Møbler Oslo AS", email="post@smart.example", address=beside)]

    assert linked(time, books) == [("1", "1", "name-and-contact")]


def test_a_slip_in_name_and_street_behind_one_postal_code_is_a_slip() -> None:
    """And a house number that is missing is the same one."""
    time = [company("Arktisk Gulvservice", address=STORGATA)]
    slip = Address("Storgaten 12", None, "0155", "Oslo")
    bare = Address("Storgata", None, "0155", "Oslo")

    for address in (slip, bare):
        books = [company("Arktisk Gulvserivce", address=address, organization_number=FIRST)]
        assert linked(time, books) == [("1", "1", "close-name-and-street")]


def test_an_uncommon_name_and_another_phone_is_one_who_has_a_new_phone() -> None:
    """With another mail too, it may be the second of the ten."""
    mail, other = "tommy.furu.4596@gmail.com", "tommy.furu.9322@yahoo.no"
    time = [person("Tommy Furu", phone="41000001", email=mail)]

    assert linked(time, [person("Tommy Furu", phone="41000002", address=STORGATA)])
    assert not linked(time, [person("Tommy Furu", phone="41000002", email=other)])


def test_a_given_name_with_a_slip_and_one_phone_are_one_person() -> None:
    """«Sein» is no name; «Stein» is one, and may be the brother."""
    time = [person("Sein Olsen", phone="41000001")]

    assert linked(time, [person("Svein Olsen", phone="41000001")])
    assert not linked(
        [person("Stein Olsen", phone="41000001")], [person("Svein Olsen", phone="41000001")]
    )


def test_a_name_in_two_spellings_at_one_house_is_one_persons() -> None:
    """«Moe» and «Mo» are two names, and hardly two people of one given name in one house."""
    time, books = [person("Kari Moe", address=STORGATA)], [person("Kari Mo", address=STORGATA)]

    assert linked(time, books) == [("1", "1", "close-name-and-street")]
    assert not linked([person("Kari Moe", address=PARKVEIEN)], books)


def test_one_of_two_bearers_in_the_country_has_moved_and_has_a_new_phone() -> None:
    time = [person("Torvald Grimseid", phone="41000001", address=BRYGGEN)]

    assert linked(time, [person("Torvald Grimseid", phone="41000002", address=STORGATA)])
