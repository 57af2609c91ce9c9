"""Spell out the signs that none of the paper's fonts has: nothing of a text is lost; pure."""

import re
from typing import Final

_HAVE: Final = (
    "20-7E A0-4FF 510-513 51A-51D 531-5F4 606-60C 615 61B 61F 621-63A 640-655 65A 660-66D 674"
    " 679-67B 67E-680 683-684 686-687 691 698 6A4 6A9 6AF 6BE 6CC 6F0-6F9 900-97F E3F E81-E84"
    " E87-E88 E8A E8D E94-E97 E99-E9F EA1-EA7 EAA-EAB EAD-EB9 EBB-EBC EC8-ECD 10D0-10FF 13A0-13FD"
    " 1AB0-1ACE 1D00-2027 2029 202F-2064 2070-2151 2153-2184 2189 2190-23FF 2422-2423 2460-262F"
    " 2638-268B 2690-269C 26A0-26A7 26AA-26B2 2701-2704 2706-2709 270C-2727 2729-274B 274D"
    " 274F-2752 2756 2758-275E 2761-277F 2794 2798-27AF 27B1-2BFF 2C60-2CFF 2E02-2E05 2E08-2E0A"
    " 2E17-2E18 2E1F 2E22-2E25 2E2E 3012 3016-3017 301A-301B 3030 3036 306E A46A-A46B A640-A641"
    " A648-A649 A656-A657 A708-A716 A71B-A727 A72D A730 A735 A765 A789-A78E A790-A791 A793 A7AA"
    " A7F8-A7F9 AB52 AB66 AB70-ABBF FB00-FB4F FE00-FE0F FFFD"
)
"""
What one of the fonts that typst 0.15 embeds has, read from their own tables; typst looks in all.

A sign that is beyond them is printed as an empty box, and missing in the text of the PDF.
"""


def _class(ranges: str) -> str:
    ends = (one.partition("-") for one in ranges.split())
    return "".join(rf"\u{int(a, 16):04x}-\u{int(z or a, 16):04x}" for a, _, z in ends)


_MISSING: Final = re.compile(f"[^{_class(_HAVE)}]")


def spelled(text: str) -> str:
    """Write each sign that no font has by its number in Unicode, ``[U+1F44D]``."""
    return _MISSING.sub(lambda sign: f"[U+{ord(sign[0]):04X}]", text)
