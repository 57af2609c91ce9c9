"""Reading names, addresses and identifiers as people type them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.no import orgnr

from app.canonical import Address, Customer, CustomerKind, RecordId, is_organization_number
from app.records.matching.addresses import is_placeholder, postal_code, read_address
from app.records.matching.block import blocks, pairs_across, places_of
from app.records.matching.identifiers import (
    labels,
    organization_digits,
    phone_digits,
    read_mail,
)
from app.records.matching.lexicon import fold
from app.records.matching.names import read_name
from app.records.matching.normalise import read_card, read_side


@given(st.text("0123456789", min_size=9, max_size=9).filter(lambda digits: len(set(digits)) > 1))
def test_an_organization_number_is_checked_as_the_register_does(digits: str) -> None:
    """Modulus 11 agrees with an independent implementation on every nine digits."""
    assert is_organization_number(digits) == orgnr.is_valid(digits)


@pytest.mark.parametrize(
    "typed",
    [
        "974760673",
        "974 760 673",
        "NO 974 760 673 MVA",
        "Org.nr 974.760.673",
        "974\u00a0760\u00a0673",
    ],
)
def test_an_organization_number_is_read_however_it_is_typed(typed: str) -> None:
    """VAT form, dots and hard blanks are the same number."""
    assert organization_digits(typed) == "974760673"


@pytest.mark.parametrize("digits", ["", "97476067", "000000000", "97476067x", "222222222"])
def test_what_is_no_number_is_none(digits: str) -> None:
    """Short rows, letters and a repeated digit are no organization numbers."""
    assert not is_organization_number(digits)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("+47 410 00 001", "41000001"),
        ("0047 41000001", "41000001"),
        ("4100 0001", "41000001"),
        ("410000", ""),
        ("12345678", ""),
        ("40000000", ""),
        (None, ""),
    ],
)
def test_a_phone_number_is_eight_digits_or_nothing(typed: str | None, read: str) -> None:
    """Country codes and blanks go; made-up rows are no evidence."""
    assert phone_digits(typed) == read


@pytest.mark.parametrize(
    ("typed", "address", "domain", "label", "numbered"),
    [
        (
            "Post@FjellBlikk.example",
            "post@fjellblikk.example",
            "fjellblikk.example",
            "fjellblikk",
            False,
        ),
        ("ola.1@gmail.com; b@x.no", "ola.1@gmail.com", "", "", False),
        (
            "mailto:post@sjømat24.example",
            "post@sjømat24.example",
            "sjømat24.example",
            "sjomat",
            True,
        ),
        ("ola", "", "", "", False),
        ("@x.no", "", "", "", False),
        (None, "", "", "", False),
    ],
)
def test_a_mail_address_gives_its_domain_unless_a_provider_owns_it(
    typed: str | None, address: str, domain: str, label: str, *, numbered: bool
) -> None:
    """A provider's domain says nothing of the customer."""
    assert tuple(read_mail(typed)) == (address, domain, label, numbered)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Storgata 12", "STORGT. 12"),
        ("Kilvikveien 13", "Kilvikv. 13"),
        ("Nesttunvegen 54", "Nesttunveien 54"),
        ("Olav Tryggvasons gate 2", "Olav Tryggvasons g. 2"),
        ("Sofies gate 20 c", "Sofies gate 20C"),
        ("c/o Vestbo, Storgata 12", "Storgata 12, 2. etg"),
    ],
)
def test_both_spellings_of_a_street_are_one(one: str, other: str) -> None:
    """Vei is veg and v., gate is gata and gt.; case, blanks and c/o do not count."""
    assert read_address(Address(one))[:3] == read_address(Address(other))[:3]


def test_an_address_is_read_from_both_lines() -> None:
    """A box in one line and a street in the other are both seen; the code gives the place."""
    spot = read_address(Address("Postboks 1947", "Bryggen 4B", "5003", None))

    assert (spot.box, spot.street, spot.house, spot.letter) == ("1947", "bryggen", 4, "b")
    assert spot.place == "bergen"


def test_a_street_without_number_and_a_second_street_are_no_trouble() -> None:
    """The first street wins; a missing number is zero."""
    spot = read_address(Address("Storgata", "Bryggen 4", "0155", "Oslo"))

    assert (spot.street, spot.house) == ("storgata", 0)


@pytest.mark.parametrize("line", ["-", "x", ".", "Ukjent", "Ikke oppgitt", "Mangler adresse", ""])
def test_a_placeholder_is_no_address(line: str) -> None:
    """What was typed because the field demanded it is no evidence, nor is the code beside it."""
    spot = read_address(Address(line, None, "0001", "-"))

    assert is_placeholder(line)
    assert spot.street == ""
    assert spot.code == "" or not line


@pytest.mark.parametrize(
    ("typed", "read"),
    [("0155", "0155"), ("155", "0155"), ("N-0155", "0155"), ("0000", ""), ("9999", ""), (None, "")],
)
def test_a_postal_code_is_repaired_or_refused(typed: str | None, read: str) -> None:
    """A lost zero is put back; a code that is not in use is none."""
    assert postal_code(typed) == read


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fjell Blikk AS", "AS FJELL BLIKK"),
        ("Nord Bygg A/S", "Nord-Bygg a.s."),
        ("Tellefsen & Sønn AS", "Tellefsen og Sønn AS"),
        ("Bjørkheim Barnehage (kontant)", "Bjorkheim Barnehage"),
        ("Berg VVS - faktura pr e-post", "Berg VVS *"),
        ("Lund komm. v/Kjell", "LUND KOMMUNE"),
        ("Norsk Rørl.service AS", "Norsk Rørleggerservice AS"),
        ("Dalregnsk.", "Dalregnskap"),
        ("Håkon Paulsen", "Haakon Paulsen"),
        ("BÃ¸hler Foto", "Bøhler Foto"),
        ("Langedala Låsservice att: David", "Langedala Låsservice"),
        ("Olsen Tømrer SA - Stavanger", "Olsen Tømrer SA, Stavanger"),
    ],
)
def test_names_typed_apart_are_read_alike(one: str, other: str) -> None:
    """Form, case, signs, noise, contacts, shortened words and broken letters do not count."""
    kind = CustomerKind.COMPANY

    assert read_name(one, kind).joined == read_name(other, kind).joined


def test_broken_letters_that_cannot_be_mended_stay() -> None:
    """A name with a real à is left as it is."""
    assert read_name("ÃŸÃ Kafe", None).words[-1] == "kafe"


@pytest.mark.parametrize(
    ("name", "mention"),
    [
        ("Saastad Blikk, Trondheim", "trondheim"),
        ("Rognan Møbler (Bø i Telemark)", "bo i telemark"),
        ("Olsen SA Stavanger", "stavanger"),
        ("Hansen & Berg AS", ""),
        ("Oslo", ""),
        ("Tom Sandstad AS", ""),
        ("Bergen Sjømat AS", ""),
    ],
)
def test_a_place_at_the_end_of_a_name_is_told_from_the_name(name: str, mention: str) -> None:
    """It is a place unless it follows «og», is the whole name or somebody's family name."""
    assert read_name(name, CustomerKind.COMPANY).mention == mention


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("Storgata 52 AS", ("52",)),
        ("Borettslaget Rosehagen I", ("i",)),
        ("Utvikling II AS", ("ii",)),
        ("Mo i Rana Bygg", ()),
        ("Nye Fjell Blikk", ("nye",)),
        ("Kafé (2. etasje)", ("2",)),
    ],
)
def test_numbers_in_a_name_are_identity(name: str, counts: tuple[str, ...]) -> None:
    """Digits, Roman numerals and «Nye» tell neighbours and successors apart."""
    assert read_name(name, None).counts == counts


@pytest.mark.parametrize(
    ("name", "kind", "given", "guess"),
    [
        ("Hansen, Ola", CustomerKind.PRIVATE, "ola", "ola"),
        ("Ola Hansen", None, "ola", "ola"),
        ("Liillian Marek Aabø", CustomerKind.PRIVATE, "", "lillian"),
        ("Marthibsen Ingrid", CustomerKind.PRIVATE, "ingrid", "ingrid"),
        ("Sein Olsen", CustomerKind.PRIVATE, "", ""),
        ("Xu Olsen", CustomerKind.PRIVATE, "", ""),
        ("Hansen Ol Bakken", CustomerKind.PRIVATE, "", ""),
        ("Wilhelm Hansen", CustomerKind.PRIVATE, "wilhelm", "wilhelm"),
    ],
)
def test_the_given_name_is_found_in_either_order(
    name: str, kind: CustomerKind | None, given: str, guess: str
) -> None:
    """A slip is guessed only where one given name explains it."""
    read = read_name(name, kind)

    assert (read.personal, read.given, read.guess) == (True, given, guess)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Fjell", CustomerKind.PRIVATE),
        ("Melhus Kommune", CustomerKind.PRIVATE),
        ("Ola Hansen Foto", None),
        ("Grand Mekk", None),
        ("Ola Hansen AS", CustomerKind.PRIVATE),
    ],
)
def test_a_company_is_not_taken_for_a_person(name: str, kind: CustomerKind | None) -> None:
    """One word, a trade, an unknown word or a form is no person's name."""
    assert not read_name(name, kind).personal


def test_a_common_family_name_is_never_rare() -> None:
    """Two words with a common family name say nothing, however rare the given name."""
    assert read_name("Erna Dahl", CustomerKind.PRIVATE).bearers == 0
    assert 0 < read_name("Torvald Grimseid", CustomerKind.PRIVATE).bearers < 2
    assert 0 < read_name("Unni Amdal Olsen", CustomerKind.PRIVATE).bearers < 50
    assert read_name("Ola X", CustomerKind.PRIVATE).bearers == 0


def test_a_name_that_is_only_a_form_keeps_it() -> None:
    """Nothing is left to compare otherwise."""
    assert read_name("AS", None).words == ("as",)
    assert read_name("AS ENK", None).words == ("as", "enk")


def test_folding_makes_norwegian_letters_one() -> None:
    """æ, ø and å fold as they are typed on foreign keyboards."""
    assert fold("Ærø Aaland Ångström") == fold("Aero Åland Aangstroem")
    assert fold("Ỳ") == "y"


def test_what_many_share_is_seen_on_the_cards() -> None:
    """A mail held by three records of a side is nobody's own."""
    rows = [
        Customer(RecordId(str(at)), f"Kunde {at}", email="post@x.example", phone="41000001")
        for at in range(3)
    ]

    assert all(card.mail_shared and card.phone_shared for card in read_side(rows))
    assert not read_card(rows[0]).mail_shared


def test_a_common_key_says_too_little() -> None:
    """A key that too many share is not compared; an unknown key holds nobody."""
    many = blocks(
        read_side(
            [
                Customer(RecordId(str(at)), f"Nordre {at:04d}x Kafe", email=f"{at}@x.no")
                for at in range(60)
            ]
        )
    )
    one = blocks(read_side([Customer(RecordId("1"), "Kafe Nordre")]))

    assert pairs_across(many, one) == set()
    assert places_of(one, "unknown") == ()


def test_a_single_letter_is_a_slip_of_no_given_name() -> None:
    """«Ø» is one letter from too many names to be any of them."""
    assert read_name("Ø Hansen", CustomerKind.PRIVATE).guess == ""


def test_a_short_domain_is_nobodys_name() -> None:
    """Four letters are borne by too many firms to tell one by its mail domain."""
    assert not labels("bygg", "bygg")
    assert labels("bakken", "bakken")
