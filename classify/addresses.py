"""Postal addresses: a street with its number, and the parts that follow it to the country.

Streets are written as English, French, German, Dutch, Spanish and Italian write them.
"""

import re
from collections.abc import Iterator
from typing import Final

from classify.spans import Kind
from classify.view import View

_UPPER: Final = r"[A-ZÀ-ÖØ-ÞŒ]"
_NAME: Final = rf"(?:St\. )?{_UPPER}[\w'-]{{0,30}}"
_SPELLED: Final = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety)"
    r"(?:[ -][a-z]{3,5})?)"
)
_STREETS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # 1600 Pennsylvania Avenue NW; Flat 3, 18 Albert Road; seventeen Maple Street
        rf"(?:(?:Flat|Apt\.?|Apartment|Unit|Suite"
        rf"|Floor) \w{{1,5}},? )?(?<![\w.-])(?:\d{{1,5}}[A-Za-z]?|{_SPELLED})"
        rf" (?:{_NAME} |\d{{1,3}}(?:st|nd|rd|th) ){{1,4}}?"
        r"(?:Street|Str?|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Terrace|Court|Ct"
        r"|Place|Pl|Square|Sq"
        r"|Way|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Row|Quay|Circle|Cir|Trail|Walk|Gardens"
        r"|Grove|Hill|Mews|Wharf)"
        r"\b\.?(?: (?:NW|NE|SW|SE|N|S|E|W|North|South|East|West)\b)?",
        # 8 bis avenue Victor Hugo
        r"(?<![\w.-])\d{1,4}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:[Rr]ue|[Aa]venue|[Aa]v\."
        r"|[Bb]oulevard|[Bb]d\.?|[Pp]lace"
        r"|[Cc]hemin|[Aa]llée|[Ii]mpasse|[Qq]uai|[Rr]oute|[Cc]ours|[Ss]quare|[Pp]assage)"
        rf"(?: (?:de|du|des|la|le|les|et|d'|l'|{_NAME}|d'{_NAME}|l'{_NAME})){{1,6}}",
        # Lindenstraße 45; Am Alten Markt 7; Industrieweg 12
        rf"(?<!\w){_UPPER}[\w'.-]{{1,30}}(?i:straße|strasse|str\.|weg|platz|allee|gasse|damm|ufer"
        r"|ring|markt|straat|laan|gracht|plein|kade|dreef)"
        r" \d{1,4}(?:[-/]\d{1,4})? ?[a-z]?\b(?!\.\d)",
        rf"(?<!\w)(?:{_NAME} ){{1,3}}(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Markt|Ring|Ufer"
        rf"|Damm|Gasse) \d{{1,4}} ?[a-z]?\b",
        # Calle Mayor 12; Via Garibaldi 24
        r"(?<!\w)(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Carrera|Camino|Rua|Via|Viale|Piazza"
        r"|Corso|Largo|Vicolo|Strada|Borgo|Contrada|Ronda|Glorieta|Pasaje|Travesía|C\.)"
        rf"(?: (?:de|del|la|las|los|el|da|do|dei|della|{_NAME})){{1,5}},? (?:n[°º.] ?)?\d{{1,4}}\b",
        r"(?i:(?<!\w)p\.? ?o\.? box|postfach|boîte postale|apartado) \d{1,6}\b",
    )
)
# Where no word says that it is a street, a number and a postcode with capitals between them do.
_POSTCODED: Final = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<![\w.-])(?:(?:Flat|Studio|Apt\.?|Apartment|Unit|Suite) )?\d{1,6}[A-Za-z]?"
        rf"(?:[ ,\n]{{1,2}}(?:{_NAME}\.?|\d{{1,5}}[A-Za-z]?)(?!\w)){{1,9}}"
        r"[ ,\n]{1,2}(?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})(?!\w)",
        rf"(?<!\w){_NAME}\.?"
        rf"(?:[ ,\n]{{1,3}}(?:{_NAME}\.?|de|del|la|di|da|\d{{1,5}}[a-z]?)(?!\w)){{0,7}}"
        rf"[ ,\n]{{1,2}}\d{{1,5}}(?:[-/]\d{{1,4}})?[a-z]?(?: {_NAME}\.? \w{{1,4}})? ?[,\n] ?"
        rf"\d{{5}},? {_NAME}(?:[ -]{_NAME}){{0,3}}(?: \([A-Z]{{2}}\))?",
        r"(?<!\w)(?:PSC|Unit|Box|US[A-Z]{1,3}) [\w]{1,20}(?:,? Box \d{1,6})?[,\n]"
        r" ?[ADF]PO,? A[AEP] \d{5}",
    )
)
_PART: Final = re.compile(
    rf"(?:\s?,\s?|\s-\s|\n| in (?=[A-Z]))"
    rf"(?:(?:Suite|Ste\.?|Apt\.?|Apartment|Unit|Floor|Flat|Building|Bldg\.?|Room|#) ?\w{{1,6}}"
    rf"|[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?"
    rf"|(?:[A-Z]{{1,2}}-)?\d{{4,6}}(?: [A-Z]{{2}})? {_NAME}(?:[ -]{_NAME}){{0,3}}"
    rf"|{_NAME}(?:[ -]{_NAME}){{0,2}} (?:[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}}"
    rf"|[A-Z]{{2}} \d{{5}}(?:-\d{{4}})?|\d{{3,5}}-?\d{{3,4}})"
    rf"|[A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}}|\d{{5}}(?:-\d{{4}})?\b"
    rf"|{_NAME}(?: {_NAME}){{0,2}}(?=\s?,|\s?[.;\n]|\s?$))"
)
_MAX_PARTS: Final = 5


def addresses(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Postal addresses from the street, or the box, to the last part that belongs to it."""
    text = view.text
    for pattern in _STREETS:
        for match in pattern.finditer(text):
            end = match.end()
            for _ in range(_MAX_PARTS):
                part = _PART.match(text, end)
                if part is None:
                    break
                end = part.end()
            yield match.start(), end, Kind.ADDRESS
    for pattern in _POSTCODED:
        for match in pattern.finditer(text):
            yield *match.span(), Kind.ADDRESS
