"""Say how often people do what to a customer's fields, and what they type instead."""

from dataclasses import dataclass, fields
from random import Random

PLACEHOLDERS = ("-", ".", "x", "Ukjent", "Ikke oppgitt", "Mangler adresse", "ukjent adresse")
NOISE = (
    " (ny)",
    " (kontant)",
    " (privat)",
    " (hytta)",
    " - faktura pr e-post",
    " - fast kunde",
    " *",
    " (gml)",
    " - kontant",
    " att: {}",
    " v/ {}",
    " v/{}",
    " ATT {}",
    " (ring først)",
    " c/o {}",
)
KEYS = {
    "a": "sq",
    "e": "wr",
    "i": "uo",
    "o": "ip",
    "s": "ad",
    "t": "ry",
    "n": "bm",
    "r": "et",
    "l": "kø",
    "d": "sf",
    "g": "fh",
}
SHORT = (
    ("rørlegger", "rørl."),
    ("eiendomsforvaltning", "eiendomsforv."),
    ("kommune", "komm."),
    ("sameiet", "sam."),
    ("service", "serv."),
    ("restaurant", "rest."),
    ("borettslaget", "brl."),
    ("regnskap", "regnsk."),
    ("maskin", "mask."),
    ("transport", "transp."),
)


@dataclass(frozen=True)
class Rates:
    """Hold how often each thing happens on one side; a draw varies them."""

    no_number: float
    no_address: float
    no_mail: float
    no_phone: float
    no_kind: float
    wrong_kind: float
    no_form: float
    typo: float
    street_typo: float
    moved: float
    box: float
    noise: float
    trade_name: float
    place: float
    swap: float
    middle: float
    joined: float
    upper: float
    lower: float
    short: float
    folded: float
    broken: float
    ampersand: float
    placeholder: float
    bad_code: float
    bad_number: float
    other_number: float
    other_mail: float
    other_phone: float
    no_house: float


TIME = Rates(
    no_number=0.38,
    no_address=0.18,
    no_mail=0.47,
    no_phone=0.36,
    no_kind=0.03,
    wrong_kind=0.02,
    no_form=0.32,
    typo=0.12,
    street_typo=0.05,
    moved=0.12,
    box=0.04,
    noise=0.06,
    trade_name=0.5,
    place=0.05,
    swap=0.15,
    middle=0.5,
    joined=0.02,
    upper=0.04,
    lower=0.02,
    short=0.15,
    folded=0.02,
    broken=0.003,
    ampersand=0.35,
    placeholder=0.005,
    bad_code=0.01,
    bad_number=0.008,
    other_number=0.012,
    other_mail=0.22,
    other_phone=0.2,
    no_house=0.05,
)
BOOKS = Rates(
    no_number=0.08,
    no_address=0.0,
    no_mail=0.30,
    no_phone=0.47,
    no_kind=0.0,
    wrong_kind=0.01,
    no_form=0.06,
    typo=0.03,
    street_typo=0.01,
    moved=0.02,
    box=0.13,
    noise=0.02,
    trade_name=0.03,
    place=0.01,
    swap=0.04,
    middle=0.1,
    joined=0.0,
    upper=0.42,
    lower=0.0,
    short=0.05,
    folded=0.005,
    broken=0.0,
    ampersand=0.2,
    placeholder=0.02,
    bad_code=0.008,
    bad_number=0.006,
    other_number=0.0,
    other_mail=0.0,
    other_phone=0.0,
    no_house=0.0,
)


def varied(rates: Rates, rng: Random, spread: float = 0.5) -> Rates:
    """Vary each rate by up to the spread, up or down."""
    return Rates(
        **{
            f.name: min(0.9, getattr(rates, f.name) * rng.uniform(1 - spread, 1 + spread))
            for f in fields(Rates)
        }
    )
