"""Turn the register's units into ours; touches nothing."""

from app.canonical import Address
from app.systems.enhetsregisteret import wire
from app.systems.reading import text_or_none
from app.systems.register import Business


def business_from(seen: wire.Unit) -> Business:
    """Read a unit; where it does business comes before where it takes mail."""
    form = seen.organisasjonsform
    places = (seen.forretningsadresse, seen.beliggenhetsadresse, seen.postadresse)
    addresses = (_address(place) for place in places if place is not None)
    return Business(
        number=seen.organisasjonsnummer,
        name=(seen.navn or "").strip(),
        form=text_or_none(form.kode) if form else None,
        address=next((one for one in addresses if one is not None), None),
        main_unit=seen.overordnet_enhet,
        bankrupt=seen.konkurs is True,
        liquidating=seen.under_avvikling is True
        or seen.under_tvangsavvikling_eller_tvangsopplosning is True,
        struck_off=text_or_none(seen.slettedato) is not None,
    )


def struck_off(number: str) -> Business:
    """Give a business of which the register only says that it is gone."""
    return Business(number, struck_off=True)


def _address(place: wire.Place) -> Address | None:
    """Read an address that is whole; half a one is no help to anybody."""
    lines = [text for line in place.adresse or () if (text := text_or_none(line)) is not None]
    code, city = text_or_none(place.postnummer), text_or_none(place.poststed)
    if not lines or code is None or city is None:
        return None
    rest = ", ".join(lines[1:]) or None
    return Address(lines[0], rest, code, city, text_or_none(place.landkode) or "NO")
