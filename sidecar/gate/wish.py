"""What the rep asked for, read from the declared intent: the values it names, and its verbs.

The intent is the one text that is trusted as a whole, since the rep signed it. Its bounds
(`effects`, `destinations`, `objects`) are exact where they are given. Its words are read
with a small lexicon of families of action, never by a model: a reading that can be argued
with must be the same each time.
"""

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from msgspec import Struct

from schemas.leases import Intent
from schemas.tools import Effect, Tool
from sidecar.gate.normal import COMMON, fold, spaced, stem, words
from sidecar.gate.values import in_order, tokens


class Family(Enum):
    """Kinds of action that people have many verbs for."""

    TELL = "tell"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"
    PAY = "pay"
    ADMIT = "admit"
    KEEP = "keep"


_VERBS: Final = {
    Family.TELL: """send email mail e-mail message write tell reply respond answer forward notify
        inform contact dm ping post publish announce share remind text cc submit upload export
        broadcast tweet comment deliver return ask inquire request thank congratulate confirm
        brief update page alert ring phone apologise apologize chase warn
        envía enviar envíe manda mandar escribe escribir responde avisa envoie envoyer envoyez écris
        réponds préviens sende senden schicke schick schicken schreib schreibe antworte informiere
        benachrichtige frag frage invia inviare scrivi rispondi envie enviar escreva responda""",
    Family.MAKE: """create add make set schedule book reserve reservation arrange put register open
        append write save insert note log draft plan compose prepare generate start place order
        copy record attach duplicate build new invite file document produce capture issue
        store upload block launch provision install setup trigger run
        crea crear añade agrega programa reserva crée créer ajoute réserve planifie erstelle anlegen
        lege trag trage eintragen füge buche reserviere vereinbare aggiungi prenota crie adicione
        agende""",
    Family.CHANGE: """update change modify edit adjust reschedule move rename correct fix set mark
        close switch replace amend revise extend shorten increase decrease raise lower reset assign
        push postpone delay shift swap bump promote label tag archive complete convert adapt
        append add merge deploy commit release
        approve reject accept decline advance escalate transition rotate enable disable resolve
        reopen hire sign apply restart reboot relaunch resume pause stop scale scaleup scaledown
        rollback upgrade downgrade migrate patch configure reconfigure tune retry rerun unblock
        unlock lock mute pin unpin
        actualiza cambia modifica mueve change modifie déplace ändere aktualisiere
        verschiebe setze aggiorna sposta atualize altere""",
    Family.REMOVE: """delete remove cancel clear drop unshare revoke kick erase discard purge trash
        terminate kill uninstall shutdown teardown
        unsubscribe uninvite expel ban deactivate withdraw void forget clean prune elimina borra
        cancela quita supprime annule efface lösche lösch storniere entferne cancella rimuovi
        exclua""",
    Family.PAY: """pay transfer refund reimburse wire tip buy purchase order donate send settle
        remit repay checkout schedule subscribe paga transfiere reembolsa paie paye vire rembourse
        überweise bezahle zahle erstatte trasferisci rimborsa pague transfira""",
    Family.ADMIT: """invite add grant share allow permit include admit enroll give subscribe cc
        welcome onboard invita comparte partage lade teile convida""",
    Family.KEEP: "remember retain memorise memorize keep store save note",
}
VERBS: Final = {
    family: frozenset(stem(verb) for verb in said.split()) for family, said in _VERBS.items()
}
_READING: Final = frozenset(
    stem(w)
    for w in """what which who whom whose when where why how tell show find list summarize summarise
    check read look search recommend suggest give get see know remind explain count compare
    describe analyze analyse review many much research investigate study figure learn identify
    determine verify confirm translate extract calculate estimate evaluate assess rank
    browse""".split()  # noqa: SIM905
)
_DELEGATES: Final = re.compile(
    r"\b(?:do|does|perform|execute|complete|follow|carry out|take care of|handle|act on|process|"
    r"implement|address|finish|work through|run through|deal with)\b[^.!?]{0,60}"
    r"(?<!following )\b(?:tasks?|actions?|instructions?|to-?dos?|steps?|items?|requests?|chores|"
    r"errands|asks?|"
    r"what (?:it|he|she|they) (?:says?|asks?))\b"
    r"|\baccordingly\b|\bas (?:instructed|requested|described|specified|asked) (?:in|by)\b",
    re.IGNORECASE,
)
_RUN_ON: Final = re.compile(r"(?<=[a-z0-9])\.(?=[A-Z][a-z]{2,}\s)")
_IN_TWO_WORDS: Final = re.compile(
    r"\bcheck(?:ing)? out"
    r"(?= (?:to|with|using|and|now)\b| (?:my|the) (?:cart|basket|order)\b|[.,;!]|$)"
    r"|\b(?:roll back|shut down|tear down|set up|scale (?:up|down))\b",
    re.IGNORECASE,
)
"""Verbs in two words, as the tools that do it write them in one. To check out a page is to read."""
_NAME: Final = re.compile(r"(?<=[a-z,'\u2019(] )[A-Z][A-Za-z0-9]{2,}")
_NAMED_FIRST: Final = re.compile(
    r"(?:^|(?<=[.!?] ))[A-Z][a-z]{2,}(?=['\u2019]s\b| (?:has|is|was|will|cannot|can't|forgot|lost|"
    r"left|leaves|joins|joined|starts|needs|needed|wants|wanted|asks|asked|says|said|wrote|sent)\b)"
)
"""A sentence's first word that does something: each begins with a capital, few are names."""
_NO_NAMES: Final = frozenset(
    stem(w)
    for w in """january february march april may june july august september october november
    december monday tuesday wednesday thursday friday saturday sunday crm pdf csv usd eur gbp the
    slack teams gmail outlook email""".split()  # noqa: SIM905
)
_CHANNEL: Final = re.compile(r"\b(?:in|to|on|into) #\w")
_REMINDER: Final = re.compile(r"\bremind (?:me|us)\b|\breminders?\b")
_NOT_FORGET: Final = re.compile(
    r"\b(?:do not|don['\u2019]?t|never|not|without) forget(?:ting)?\b(?: to\b)?", re.IGNORECASE
)
_HAPPENED: Final = re.compile(
    r"\b(?:said|wrote|written|posted|discussed|happened|asked|mentioned|going on|messages?|news|"
    r"discussions?|posts|questions?)\b[^.!?]{0,30}? in #\w+"
)
_INTO: Final = re.compile(
    r"\b(?:in|into|as) an? (?:new )?(?:note|comment|file|document|doc|draft|event|ticket|task|"
    r"issue|page|message|sheet)\b"
)
_LET_KNOW: Final = re.compile(r"\blet (?:[^\s,;]+ ){1,4}know\b")
_MONEY_BACK: Final = re.compile(r"\bmoney back\b|\b(?:give|send|pay)s? [^.!?]{1,40} back\b")
_IMPERATIVE: Final = re.compile(
    r"(?:^|[.!?;:,\n]|\bplease|\band|\bthen|\bto|\byou|\balso|\bnow|\d\.)\s*([^\W\d_]{3,20})\b"
)
_SENTENCE: Final = re.compile(r"[.!?;:\n]+")
_DETERMINERS: Final = frozenset(
    """a an the my your his her its our their this that these those any all some no of unread recent
    received last next new each every which what whose is are was were been be in from at by
    following first second third s still""".split()  # noqa: SIM905
)
_BEFORE_GERUND: Final = frozenset(
    ("mind", "by", "about", "try", "start", "keep", "consider", "please")
)
_NOUNS_TOO: Final = frozenset(
    """mail email message post note order plan book record text copy report issue release change
    update file document place start share store comment offer answer reply brief block push draft
    schedule transfer refund tip wire purchase label tag archive merge build commit sign request
    return contact notice invite page alert ring phone pin lock patch scale run pause resume stop
    trigger launch install setup rollback upgrade checkout""".split()  # noqa: SIM905
)
_BEFORE_VERB: Final = frozenset(
    """please and then to you also now we i can could would should must will let let's just or but
    kindly them it first next finally afterwards so""".split()  # noqa: SIM905
)
_TO_ME: Final = frozenset(
    ("tell", "give", "send", "show", "write", "get", "forward", "read", "remind")
)
_QUOTED: Final = re.compile(r"'([^'\n]{1,300})'|\"([^\"\n]{1,300})\"|“([^”\n]{1,300})”|`([^`\n]+)`")
_CARRIES: Final = re.compile(
    r"\b(summar\w*|recap|minutes|agenda|forward|share|include|attach|copy|paste|quote|relay|export|"
    r"report|send|post|e?mail(?! address)|give|tell|message|write|based on|according to|"
    r"details? (?:of|about|from)|information (?:about|on|from))\b",
    re.IGNORECASE,
)
_CARRIED_STOPS: Final = re.compile(
    r"\b(?:that|which|who|in|from|at|on|to|with|via|by|for|where|and then|then)\b|[.!?;]"
)
_GENERIC: Final = frozenset(
    stem(w)
    for w in """content contents summary text body information info detail details list copy report
    note notes recap overview following everything all each every some any message it them this
    that me him her us""".split()  # noqa: SIM905
)
_MANY: Final = re.compile(
    r"\b(?:all|every|each|both|any|several|multiple|two|three|four|five|six|seven|eight|nine|ten|"
    r"\d{1,3} (?:\w+ )?(?:files|emails|events|records|items|messages|users|deals|contacts)|"
    r"those|these|everything|everyone|everybody)\b",
    re.IGNORECASE,
)


class Wish(Struct, frozen=True, kw_only=True):
    """An intent, read. `text` is its words between blanks; `tokens` its typed values.

    `stems` are its telling words, `quoted` what stands in quotation marks (as words between
    blanks), `families` the kinds of action it has a verb for, `verbs` those verbs. `delegated`
    says that it hands on instructions found elsewhere, `asking` that it wants to know
    something, `many` that it speaks of more than one thing. `carried` are the things whose
    content it asks to carry somewhere, `names` stems of the proper names in it,
    `acts` stems of the words that stand where an order would.
    """

    intent: Intent
    text: str
    tokens: frozenset[str]
    stems: frozenset[str]
    quoted: frozenset[str]
    families: frozenset[Family]
    verbs: frozenset[str]
    delegated: bool
    asking: bool
    many: bool
    carries: bool
    carried: frozenset[str]
    names: frozenset[str]
    acts: frozenset[str]


class Asked(Enum):
    """How far an intent asks for a tool: by verb and object, by verb, or not at all."""

    YES = "verb and object"
    VERB = "verb"
    NO = "no"


@lru_cache(maxsize=256)
def read(intent: Intent) -> Wish:
    """Read an intent. Equal intents give equal readings."""
    summary = _RUN_ON.sub(". ", _NOT_FORGET.sub(" ", intent.summary))
    ordered = _IN_TWO_WORDS.sub(lambda match: match[0].replace("ing", "").replace(" ", ""), summary)
    said = "\n".join((summary, *intent.destinations, *intent.objects))
    present = frozenset(stem(word) for word in words(ordered))
    verbs = _requested(ordered)
    families = frozenset(family for family, known in VERBS.items() if verbs & known)
    folded = fold(summary)
    if _CHANNEL.search(_HAPPENED.sub(" ", folded)):
        families |= {Family.TELL}
    if _REMINDER.search(folded) or _INTO.search(folded):
        families |= {Family.MAKE}
    if _LET_KNOW.search(folded):
        families |= {Family.TELL}
    if _MONEY_BACK.search(folded):
        families |= {Family.PAY}
    return Wish(
        intent=intent,
        text=spaced(said),
        tokens=tokens(said),
        stems=frozenset(s for s in present if s not in COMMON),
        quoted=frozenset(spaced(next(filter(None, m.groups()))) for m in _QUOTED.finditer(said)),
        families=families,
        verbs=verbs,
        delegated=_DELEGATES.search(folded) is not None,
        asking=bool(present & _READING) or "?" in summary,
        many=_MANY.search(summary) is not None,
        carries=_CARRIES.search(summary) is not None,
        carried=_carried(summary),
        acts=frozenset(stem(match[1]) for match in _IMPERATIVE.finditer(fold(ordered))),
        names=_names(summary),
    )


def asked(wish: Wish, tool: Tool) -> Asked:
    """How far `wish` asks for `tool`, by the words of the tool's declaration."""
    if any(phrase in wish.text for phrase in _requests(tool.asked_by)):
        return Asked.YES
    if own_verb(tool) in wish.acts:
        return Asked.YES
    if not families_of(tool) & wish.families:
        return Asked.NO
    return Asked.YES if nouns_of(tool) & wish.stems else Asked.VERB


def families_of(tool: Tool) -> frozenset[Family]:
    """The kinds of action that a tool's name, summary and effect speak of."""
    return _families(tool.name, tool.summary, tool.effect, bool(tool.destinations))


def own_verb(tool: Tool) -> str:
    """The stem of the word that a tool's name begins with: `merge` of `code.merge_request`."""
    return _own_verb(tool.name)


@lru_cache(maxsize=4096)
def _own_verb(name: str) -> str:
    said = in_order(name.rpartition(".")[2])
    return stem(said[0]) if said else ""


def nouns_of(tool: Tool) -> frozenset[str]:
    """Stems of what a tool is about: the words of its name that are no verbs, and `asked_by`."""
    return _nouns(tool.name, tool.asked_by)


@lru_cache(maxsize=4096)
def _requests(asked_by: tuple[str, ...]) -> tuple[str, ...]:
    """The phrases that ask by themselves: a verb and more. Others are nouns."""
    verbs = frozenset[str]().union(*VERBS.values())
    return tuple(
        spaced(said)
        for said in asked_by
        if len(words(said)) > 1 and any(stem(word) in verbs for word in words(said))
    )


@lru_cache(maxsize=4096)
def _families(name: str, summary: str, effect: Effect, leads: bool) -> frozenset[Family]:
    named = [stem(word) for word in in_order(name.rpartition(".")[2])]
    said = [stem(word) for word in words(summary)[:6]]
    found = _first_verb(named) or _first_verb(said)
    if effect is Effect.PAYMENT:
        found &= {Family.CHANGE, Family.REMOVE}
        found = found or {Family.PAY}
    elif effect is Effect.COMMUNICATION and not found:
        found = {Family.TELL}
    if not leads:
        found -= {Family.ADMIT}
    if not leads and effect is Effect.MUTATION and found != {Family.TELL}:
        # `update_address` changes something; only where it leads to somebody is that telling.
        found -= {Family.TELL}
    return frozenset(found)


def _first_verb(stems: list[str]) -> set[Family]:
    """The families of the first verb; a verb of removal anywhere is the one that counts."""
    if any(one in VERBS[Family.REMOVE] for one in stems):
        return {Family.REMOVE}
    for one in stems:
        found = {family for family, verbs in VERBS.items() if one in verbs}
        if found:
            return found
    return set()


@lru_cache(maxsize=4096)
def _nouns(name: str, asked_by: tuple[str, ...]) -> frozenset[str]:
    verbs = frozenset[str]().union(_READING, *VERBS.values())
    named = [stem(word) for word in in_order(name.replace(".", " "))]
    if named and named[0] in verbs:
        named = named[1:]
    said = [stem(word) for phrase in asked_by for word in words(phrase)]
    return frozenset(s for s in named + said if s not in COMMON and len(s) > 2)


def _requested(summary: str) -> frozenset[str]:
    """Stems of the verbs that ask for something: no nouns (`my email`), no past (`was sent`),
    and nothing that is only to be told or given to the rep (`tell me`).
    """
    found: set[str] = set()
    for sentence in _SENTENCE.split(fold(summary)):
        said = words(sentence)
        for before, word, after in zip(["", *said], said, [*said[1:], ""], strict=False):
            past = word.endswith("ed")
            other_form = word.endswith("s") and not word.endswith("ss")
            gerund = word.endswith("ing") and before not in _BEFORE_GERUND
            if before in _DETERMINERS or past or other_form or gerund:
                continue
            if after in ("me", "us") and word in _TO_ME:
                continue
            if word in _NOUNS_TOO and before and before not in _BEFORE_VERB:
                continue
            if any(stem(word) in verbs for verbs in VERBS.values()):
                found.add(stem(word))
    return frozenset(found)


def _names(summary: str) -> frozenset[str]:
    found = {fold(match[0]) for match in _NAME.finditer(summary)}
    found |= {fold(match[0]) for match in _NAMED_FIRST.finditer(summary)} - COMMON - _DETERMINERS
    return frozenset(map(stem, found)) - _NO_NAMES


def _carried(summary: str) -> frozenset[str]:
    """The head words of what the intent asks to carry: `a summary of the file X` gives file, x."""
    found: set[str] = set()
    for match in _CARRIES.finditer(summary):
        rest = summary[match.end() : match.end() + 120]
        said = words(_CARRIED_STOPS.split(rest)[0])
        found |= {stem(w) for w in said if w not in COMMON and stem(w) not in _GENERIC}
    return frozenset(found)
