"""Names of persons and organisations that no dictionary holds, by the words around them.

Salutations and titles, signatures, "Name <mail>", labelled fields and introductions give a
person away; a legal form or a trade's noun at its end an organisation. It is a net for what
the workspace's dictionary and a language model leave: alone it finds two thirds of the names in
mails and notes, and a fifth of those in sentences that give nothing away.
"""

import re
from collections.abc import Iterator
from typing import Final

from classify.spans import Kind
from classify.view import View
from classify.vocabulary import words

_UPPER: Final = r"[A-ZÀ-ÖØ-ÞŒŠŽĀĆČĐĘŁŃŚŻ]"
_CAPITAL: Final = rf"{_UPPER}[^\W\d_]{{1,20}}(?:['-]{_UPPER}?[^\W\d_]{{1,20}}){{0,2}}"
_PARTICLE: Final = r"(?:de|van|von|der|den|da|di|del|della|dos|la|le|bin|al|el|ten|ter|zu)"
_FULL: Final = rf"{_CAPITAL}(?: {_UPPER}\.)?(?: (?:{_PARTICLE} ){{0,2}}{_CAPITAL}){{1,2}}"
_PERSON: Final = rf"(?:{_FULL}|{_UPPER}\. ?{_CAPITAL}|{_CAPITAL})"

_PERSONS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # Mr. Okonkwo; Frau Dr. Neumann
        r"(?<!\w)(?:Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Dame|Capt|Madame|Mme|Mlle|Monsieur|M|Maître"
        r"|Herrn?|Frau|Sr|Sra|Srta"
        r"|Señora?|Don|Doña|Signora?|Dott|Mevrouw|Meneer)\.? "
        rf"(?:(?:Dr|Prof)\.? ){{0,2}}({_PERSON})",
        # Hi Sarah,
        r"(?<!\w)(?:[Hh]i|[Hh]ello|[Hh]ey|[Dd]ear|[Bb]onjour|[Ss]alut|[Cc]her|[Cc]hère|[Hh]ola"
        r"|[Ee]stimad[oa]|[Qq]uerid[oa]"
        r"|[Hh]allo|[Ll]iebe[rs]?|[Gg]uten (?:Tag|Morgen)|[Tt]hanks|[Tt]hank you|[Mm]erci"
        r"|[Gg]racias|[Cc]iao),? "
        rf"({_PERSON})(?=\s?[,!.:\n]|\s?$| [-])",
        # Kind regards,\nIngrid Johansen
        r"(?i:regards|best|sincerely|cheers|thanks|thank you|cordialement|bien à vous|grüße"
        r"|grüßen|gruß|saludos|atentamente"
        rf"|un saludo|yours|signed)[,!.]?[ \n]{{1,3}}(?:-{{1,2}} ?)?({_FULL}|{_CAPITAL}(?=\s*$"
        rf"|\n))",
        # Jane Doe <jane@example.com>
        rf"(?<!\w)({_PERSON}) ?<(?=[\w.+-]{{1,64}}@)",
        # name: Jane Doe
        r"(?i:(?<!\w)(?:(?:full |first |last |contact |customer |client )?name|contact"
        r"|contact person|attn|attention|from|to|cc|owner"
        r"|attendees?|present|signed(?: by)?|beneficiary|titulaire|begünstigter|plaintiff"
        r"|champion|blocker|fn))"
        rf"[\"']?(?: ?[:=>,] ?|> ?)[\"']?({_PERSON})",
        # spoke to Liam O'Connor; this is Patrick Doyle; Tom Avery (VP Sales
        r"(?i:(?<!\w)(?:spoke (?:to|with)|talked (?:to|with)|met(?: with)?|meeting with"
        r"|ask(?:ed)?|cc|call(?:ed)? back|loop in"
        r"|this is|i am|i'm|my name is|je suis|je m'appelle|ich bin|soy|introduced|told|per|with"
        r"|to|from|owner|driver|and"
        rf"|avec|mit|con|contact|counsel,?|hire)) ({_FULL})",
        rf"(?<!\w)({_FULL}) ?(?=\((?:VP|CEO|CFO|CTO|COO|Head|Director|Sales|sister|brother"
        rf"|manager|Manager)|, (?:our|CEO|CFO|CTO|COO|VP"
        r"|Head|Director|General|President|Partner)\b|\n(?:Head|Account|Director|VP|CEO|Manager"
        r"|Senior|Sales))",
        rf"(?<!\w)({_CAPITAL}) from (?=(?:legal|finance|sales|procurement|marketing|support|IT"
        rf"|HR|{_UPPER}))",
    )
)
_LEGAL: Final = (
    r"GmbH(?: & Co\.? KG)?|AG|KG|UG|OHG|Ltd\.?|LTD|Limited|LLC|L\.L\.C\.|Inc\.?|INC|Corp\.?"
    r"|Corporation|Co\.(?:,? Ltd\.?)?"
    r"|PLC|plc|LLP|LP|SAS|SASU|SARL|EURL|SA|S\.A\.S?\.?|S\.A\.R\.L\.|B\.V\.|BV|N\.V\.|NV"
    r"|S\.L\.U?\.?|SL|S\.p\.A\.|SpA"
    r"|S\.r\.l\.|Srl|AB|AS|ASA|A/S|ApS|Oyj?|OÜ|K\.K\.|KK|Pty(?: Ltd)?|e\.V\.|Sp\. z o\.o\."
    r"|d\.o\.o\.|s\.r\.o\."
)
_TRADE: Final = (
    r"Group|Holdings?|Partners|Industries|Systems|Bank|Analytics|Logistics|Capital|Clinics?"
    r"|University|Foods|Software"
    r"|Labs?|Media|Insurance|Couriers|Traders|Trading|Health|Healthcare|Robotics|Dynamics|Energy"
    r"|Consulting|Solutions"
    r"|Technologies|Services|Ventures|Pharma|Motors|Airlines|Hotels|Shipping|Freight|Lines"
    r"|Textiles?|Electronics|Networks"
    r"|Studios?|Securities|Realty|Properties|Brewing|Hospital|College|Institute|Foundation"
    r"|Associates|Enterprises"
    r"|Instruments|Telecom|Steel|Chemicals|Farms|Stores|Supply|Manufacturing|Engineering"
    r"|Construction|Pictures"
)
_LEAD: Final = (
    rf"{_UPPER}[\w'&.-]{{0,30}}(?: (?:&|and|e|et|und|y|of|de|{_UPPER}[\w'&-]{{0,30}})){{0,4}}"
)
_SHOUTED: Final = re.compile(r"(?<![\w-])[A-Z]{2,30}(?: [A-Z]{2,30}){1,4}(?![\w-])")
_ORGANISATIONS: Final = (
    re.compile(rf"(?<!\w)({_LEAD},? (?:{_LEGAL}))(?!\w)"),
    re.compile(rf"(?<!\w)((?:{_UPPER}[\w'-]{{1,30}} ){{1,3}}(?:{_TRADE}))(?!\w)"),
    re.compile(rf"(?<!\w)({_UPPER}[\w'-]{{1,30}} & {_UPPER}[\w'-]{{1,30}})(?!\w)"),
    re.compile(
        r"(?i:(?<!\w)(?:company|société|firma|empresa|organisation|organization"
        r"|org)[\"']?(?: ?[:=>] ?|> ?| )[\"']?)"
        rf"({_UPPER}[\w'&-]{{1,30}}(?: {_UPPER}[\w'&-]{{1,30}}){{0,3}})"
    ),
)
# Words with a capital that begin a sentence or a field, and are nobody's name.
NOT_NAMES: Final = words(
    """
    the a an and or but if then our your my we you i he she it they this that these those please
    thanks thank dear hi hello hey best kind regards sincerely cheers team all everyone sir
    madam customer customers service support sales legal finance marketing monday tuesday
    wednesday thursday friday saturday sunday january february march april may june july august
    september october november december subject from to cc bcc re fwd date sent call email mail
    phone tel address name company account amount invoice order ticket customer client speaker
    agent rep user admin welcome good great yes no ok okay sure next step new old first last
    none note notes regarding here there when where what who how why which is are was were be
    bonjour merci cordialement madame monsieur hallo guten tag morgen hola gracias messieurs
    mesdames damen herren api key token password data table section version release total price
    budget part see let also as at by for in of on salary bonus price driver merge livraison
    montant numéro angebot anschrift konto betrag besuchen livrer sr mr mrs ms dr mme iban bic
    ssn dob ni po pin sla nps arr api url sql id ref vat tva ust total shipping delivery billing
    support error warning head director manager vp ceo cfo cto president it hr us uk eu
    """
)


def recased(text: str) -> str:
    """`text` with runs of capitalised words as Title Case, so that a shouted name is seen."""
    return _SHOUTED.sub(lambda match: match[0].title(), text)


def context_names(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Names that their surroundings give away."""
    text = recased(view.text)
    for pattern in _PERSONS:
        for match in pattern.finditer(text):
            if not NOT_NAMES & set(match[1].lower().split()):
                yield *match.span(1), Kind.PERSON
    for pattern in _ORGANISATIONS:
        for match in pattern.finditer(text):
            words = match[1].split()
            start = match.start(1)
            while words and words[0].lower() in NOT_NAMES:
                start += len(words.pop(0)) + 1
            if len(words) > 1:
                yield start, match.end(1), Kind.ORGANISATION
