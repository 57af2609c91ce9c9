"""
Hold the register's JSON in its own words (public documents and clients, facts of 2026-11).

Members may be missing; unknown ones are ignored. One of another type than documented makes its unit
unreadable, and no other: a guess could call a sound customer bankrupt.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Wire(BaseModel):
    """Be the parent of what the register sends."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class Form(Wire):
    """Hold a legal form; only its code is used."""

    kode: str | None = None


class Place(Wire):
    """Hold an address; the lines are a list."""

    adresse: tuple[str | None, ...] | None = None
    postnummer: str | None = None
    poststed: str | None = None
    landkode: str | None = None


class Unit(Wire):
    """Hold a main unit or a sub-unit; one that was struck off has little more than its number."""

    organisasjonsnummer: str = Field(pattern="^[0-9]{9}$")
    navn: str | None = None
    organisasjonsform: Form | None = None
    forretningsadresse: Place | None = None
    beliggenhetsadresse: Place | None = None
    postadresse: Place | None = None
    overordnet_enhet: str | None = Field(default=None, pattern="^[0-9]{9}$")
    konkurs: bool | None = None
    under_avvikling: bool | None = None
    under_tvangsavvikling_eller_tvangsopplosning: bool | None = None
    slettedato: str | None = None


class Units(Wire):
    """Hold the units of a list as they came; each is read by itself."""

    enheter: tuple[Any, ...] = ()


class Found(Wire):
    """Hold a list's answer; ``_embedded`` is missing when nothing was found."""

    embedded: Units | None = Field(default=None, alias="_embedded")
