"""
Hold the names of countries: Conta keeps a name, we keep ISO 3166-1 alpha-2; touches nothing.

Conta's data holds many spellings (facts of 2026-11), so names are read in Norwegian, English and
the country's own language, and written in Norwegian. A name we do not know stays a name.
"""

from collections.abc import Mapping
from types import MappingProxyType

_NAMES = """
AD Andorra
AE De forente arabiske emirater | United Arab Emirates | UAE | Emiratene
AR Argentina
AT Østerrike | Austria | Österreich
AU Australia
BA Bosnia-Hercegovina | Bosnia and Herzegovina
BE Belgia | Belgium | België | Belgique
BG Bulgaria
BR Brasil | Brazil
BY Belarus | Hviterussland
CA Canada | Kanada
CH Sveits | Switzerland | Schweiz | Suisse
CL Chile
CN Kina | China
CO Colombia
CY Kypros | Cyprus
CZ Tsjekkia | Czechia | Czech Republic
DE Tyskland | Germany | Deutschland
DK Danmark | Denmark
EE Estland | Estonia | Eesti
EG Egypt
ES Spania | Spain | España
FI Finland | Suomi
FO Færøyene | Faroe Islands | Føroyar
FR Frankrike | France
GB Storbritannia | United Kingdom | Great Britain | UK | England | Scotland | Skottland | Wales
GL Grønland | Greenland | Kalaallit Nunaat
GR Hellas | Greece
HK Hongkong | Hong Kong
HR Kroatia | Croatia | Hrvatska
HU Ungarn | Hungary | Magyarország
ID Indonesia
IE Irland | Ireland
IL Israel
IN India
IS Island | Iceland | Ísland
IT Italia | Italy
JP Japan
KE Kenya
KR Sør-Korea | South Korea | Korea
LI Liechtenstein
LT Litauen | Lithuania | Lietuva
LU Luxembourg | Luxemburg
LV Latvia | Latvija
MA Marokko | Morocco
MC Monaco
ME Montenegro
MK Nord-Makedonia | North Macedonia | Makedonia
MT Malta
MX Mexico
MY Malaysia
NG Nigeria
NL Nederland | Netherlands | The Netherlands | Holland
NO Norge | Norway | Noreg | Nor | Norga | Norwegen
NZ New Zealand
PH Filippinene | Philippines
PK Pakistan
PL Polen | Poland | Polska
PT Portugal
RO Romania | România
RS Serbia
RU Russland | Russia
SA Saudi-Arabia | Saudi Arabia
SE Sverige | Sweden
SG Singapore
SI Slovenia | Slovenija
SJ Svalbard og Jan Mayen | Svalbard | Svalbard and Jan Mayen
SK Slovakia | Slovensko
SM San Marino
TH Thailand
TN Tunisia
TR Tyrkia | Turkey | Türkiye
TW Taiwan
UA Ukraina | Ukraine
US USA | United States | United States of America | De forente stater | Amerika
VN Vietnam
ZA Sør-Afrika | South Africa
"""

_ALL: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        line[:2]: tuple(name.strip() for name in line[3:].split("|"))
        for line in _NAMES.strip().splitlines()
    }
)
_CODE_BY_NAME: Mapping[str, str] = MappingProxyType(
    {name.casefold(): code for code, names in _ALL.items() for name in (code, *names)}
)


def country_code(name: str | None) -> str | None:
    """Give the ISO code of a country's name (or code) in any known spelling; else the name."""
    if name is None:
        return None
    return _CODE_BY_NAME.get(name.casefold(), name)


def country_name(code: str | None) -> str | None:
    """Give the Norwegian name that Conta is told; a code without a known name stays as it is."""
    if code is None:
        return None
    names = _ALL.get(code)
    return names[0] if names else code
