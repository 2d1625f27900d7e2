"""Frames that pose as something above the text: fake tags, chat templates, role labels, lures.

`framed` finds them in folded text. A frame that has its own end (a tag's block, a comment) is a
span; one that has not is a point, and covers what it stands in.
"""

import re
from collections.abc import Iterator, Set
from typing import Final

from sidecar.gate.wording import DO

_NAMES: Final = (
    b"information important system sys instruction instructions inst admin administrator "
    b"assistant override prompt systemprompt tool function secret ai llm agent directive command "
    b"hidden priority urgent policy developer user human".split()
)
_NAME: Final = (
    rf"(?:[a-z]{{2,12}}[-_ ])?(?:{b'|'.join(_NAMES).decode()})(?:[-_ ][a-z]{{2,12}}){{0,2}}"
)
_OPENER: Final = re.compile(
    rf"[<\[{{]{{1,3}}[|/$ ]?({_NAME})(?:[ :_-][^<>\]\n]{{0,60}})?[| ]?[>\]}}]{{1,3}}"
)
_CLOSERS: Final = ("</", "[/", "{/")
_TEMPLATE: Final = re.compile(
    r"<\|?(?:im_start|im_end|endoftext|eot_id|start_header_id|start_of_turn|begin_of_text|"
    r"end_of_turn)\|?>|<\|(?:system|user|assistant)\|>|\[/?inst\]|<</?sys>>"
    r"|#{2,6} ?\(?(?:system_message|system message|system prompt|system override|new instructions?)"
    r"|(?m:^#{2,6} ?(?:instruction|system|human|assistant|user) ?:)"
)
_BANNER: Final = re.compile(
    r"(?:[-=*#>~_]{2,8} ?|\()(?:begin |start of |new |urgent )?"
    r"(?:system|admin|ai|assistant|agent|developer|operator|security) "
    r"(?:prompt |policy )?(?:message|notice|alert|prompt|instructions?|override|update|notes?)"
)
_SPEAKS: Final = re.compile(
    r"\b(?:you|the user|must|should|shall|ignore|disregard|no longer need)\b"
    rf"|(?:^|[.:!>\n]|\d\.)\s{{0,4}}(?:please |now |always |then )?{DO}\b"
)
_LABEL: Final = re.compile(
    r"(?:^|\n|[.!?] )([>*_\[( ]{0,4}"
    r"(?:system|admin|administrator|developer|root|operator|ai|assistant|agent)"
    r"(?: (?:message|prompt|override|note|notice|instructions?|update|alert|command))?"
    r"[\])*_ ]{0,3}:)\Z"
)
_ORDER: Final = re.compile(
    r"\b(?:you (?:are|must|should|will|need|have)|ignore|disregard|the user|override|"
    r"(?:prior|previous|earlier) (?:task|request) is|new task|i will now|"
    r"the (?:agent|assistant|bot) (?:must|should|has)|your (?:task|new|instructions|next|final|"
    rf"response|answer|goal))\b|^[*_\s]*(?:immediately |now )?{DO} "
    r"(?:all|the|this|my|your|any|every|a|an|to|it)\b"
)
_DIALOGUE: Final = re.compile(r"(?m:^(?:human|user) ?:[^\n]{0,400}\n{1,3}(?:assistant|ai) ?:)")
_MESSAGE: Final = re.compile(
    r"[\"']?role[\"']? ?: ?[\"']?(?:system|developer)[\"']?\s?[,\n]\s?[\"']?content[\"']? ?: ?"
)
_LONGEST: Final = 4000
_TO_READER: Final = re.compile(
    r"\b(?:ai|llms?|assistants?|agents?|bots?|language models?|chatgpt|system prompt|the user|"
    r"you must|ignore|disregard)\b"
)
_TAG: Final = re.compile(r"<[^<>]{0,400}>")
_UNSEEN: Final = re.compile(
    r"<([a-z]{1,8})\b[^<>]{0,200}(?:display ?: ?none|visibility ?: ?hidden|font-size ?: "
    r"?[01](?!\d)|"
    r"opacity ?: ?0(?![.\d])|color[:=\" ]{1,3}(?:#fff|white|transparent)|[\"' ]hidden\b)"
    r"[^<>]{0,200}>((?s:.){8,2000}?)(?:</\1>|\Z)"
)
_CLOSED: Final = re.compile(
    r"</(document|untrusted|data|context|input|results?|content|article|e-?mail|page|tool_result|"
    r"search_results|user_data|external)>"
)
_TURN: Final = re.compile(r"(?m:^\s{0,4}<?(?:system|user|human|developer|assistant)\b)")
_TODO: Final = re.compile(rf"(?m:(?:^|(?<=[.!?>] )|(?<=-- )) ?(?:todo|to-do|to do) ?: ?(?={DO} ))")
_TODO_VALUE: Final = re.compile(r"@|https?:|www\.|\d{3}|['\"$\u20ac]")
_LURE: Final = re.compile(
    r"!?\[[^\]\n]{0,200}\]\(https?:[^)\s]{0,400}[?&](?:[a-z_]{0,12}(?:data|secret|payload|leak|"
    r"exfil|convers|history|chat|context|content|prompt|summary|password|token|stolen|info|"
    r"private|email_?body|messages?|text)=(?:\))?|(?:q|d|p|s|x|c|msg|b64)=)(?:[^)\w]|$|[a-z_]*"
    r"(?:your|insert|user|secret|convers|data|base64|here|summary|password|contents?)[^)]{0,200}"
    r"\)|(?<==\)))"
)
_IMG_TAG: Final = re.compile(
    r"<img[^>\n]{0,300}src=[\"']?https?:[^\"'> \n]{0,400}[?&][a-z_]{1,20}=(?:[{\[<$%(]|your|insert)"
)

RUN_ON: Final = (
    "ignoreallprevious",
    "ignorepreviousinstruc",
    "ignoreyourprevious",
    "ignoretheprevious",
    "ignoreallprior",
    "ignoreprior",
    "ignoreallinstruc",
    "ignoreyourinstruc",
    "ignoreallyour",
    "ignoretheabove",
    "ignoreeverything",
    "disregardallprevious",
    "disregardprevious",
    "disregardall",
    "disregardyour",
    "disregardtheabove",
    "forgetallprevious",
    "forgeteverything",
    "forgetyourinstruc",
    "previousinstructions",
    "priorinstructions",
    "systemprompt",
    "newinstructions",
    "donottelltheuser",
    "donttelltheuser",
    "withouttellingtheuser",
    "withoutaskingtheuser",
    "messagefromme",
    "dothefollowingfirst",
    "aiassistant",
    "languagemodel",
)
"""What gives an instruction away where the blanks between its words are lost."""


def framed(folded: str, words: Set[bytes]) -> Iterator[tuple[int, int, str]]:
    """The frames in a text: (start, end, reason). `words` are its telling ones, in UTF-8."""
    if not words.isdisjoint(_TAG_WORDS):
        yield from _tags(folded, words)
    if "<" in folded:
        yield from _markup(folded)
    if ":" in folded and not words.isdisjoint(_LABEL_WORDS):
        yield from _labels(folded)
        if not words.isdisjoint(_ASKS) and not words.isdisjoint(_REPLIES):
            for one in _DIALOGUE.finditer(folded):
                yield one.start(), one.end(), "a dialogue that never was"
                yield one.end(), one.end(), "a dialogue that never was"
        if b"role" in words and b"content" in words:
            for one in _MESSAGE.finditer(folded):
                if _SPEAKS.search(folded[one.end() : one.end() + 300].lstrip("\"' ")):
                    yield one.start(), one.end(), "a role's label"
                    yield one.end(), one.end(), "a role's label"
    if b"todo" in words or (b"to" in words and "to do:" in folded):
        for one in _TODO.finditer(folded):
            line = folded[one.end() : one.end() + 300].partition("\n")[0]
            if _TODO_VALUE.search(line):
                yield one.start(), one.start(), "a task for whoever reads"
    if "](" in folded:
        for one in _LURE.finditer(folded):
            yield one.start(), one.start(), "a link that carries data out"


def _tags(folded: str, words: Set[bytes]) -> Iterator[tuple[int, int, str]]:
    if "<" in folded or "[" in folded or "{" in folded:
        yield from _blocks(folded)
    if "<|" in folded or "##" in folded or not words.isdisjoint(_TEMPLATE_WORDS):
        for one in _TEMPLATE.finditer(folded):
            yield one.start(), one.start(), "a chat template"
    if not words.isdisjoint(_NOTICES) and any(rule in folded for rule in _RULES):
        for one in _BANNER.finditer(folded):
            if _SPEAKS.search(folded[one.end() : one.end() + 300]):
                yield one.start(), one.start(), "a false notice"


def _labels(folded: str) -> Iterator[tuple[int, int, str]]:
    """Names of roles before a colon at a line's or sentence's beginning, with an order behind."""
    colon = folded.find(":")
    while colon >= 0:
        start = max(0, colon - 45)
        one = _LABEL.search(folded[start : colon + 1])
        if one is not None:
            line = folded[colon + 1 : colon + 300].lstrip(" \n")
            at = start + one.start(1)
            if (one.start() > 0 or start == 0) and _ORDER.search(line):
                yield at, at, "a role's label"
        colon = folded.find(":", colon + 1)


def _markup(folded: str) -> Iterator[tuple[int, int, str]]:
    """Comments, text that a browser does not show, and images that carry data out."""
    yield from _comments(folded)
    for one in _UNSEEN.finditer(folded):
        if _SPEAKS.search(_TAG.sub(" ", one[2])):
            yield one.start(), one.end(), "hidden text"
    opened: dict[str, int] = {}
    for one in _CLOSED.finditer(folded):
        if one[1] not in opened:
            opened[one[1]] = folded.find(f"<{one[1]}")
        if 0 <= opened[one[1]] < one.start():
            continue
        if _TURN.search(folded, one.end(), one.end() + 80):
            yield one.start(), one.end(), "a false end"
            yield one.end(), one.end(), "a false end"
    if "<img" in folded:
        for one in _IMG_TAG.finditer(folded):
            yield one.start(), one.start(), "a link that carries data out"


def _comments(folded: str) -> Iterator[tuple[int, int, str]]:
    start = folded.find("<!--")
    while start >= 0:
        end = folded.find("-->", start + 4)
        if end < 0:
            return
        said = folded[start + 4 : min(end, start + _LONGEST)]
        if _TO_READER.search(said) and _SPEAKS.search(said):
            yield start, end + 3, "a hidden comment"
        start = folded.find("<!--", end + 3)


def _blocks(folded: str) -> Iterator[tuple[int, int, str]]:
    """Tags of a system with what they enclose, where that speaks to its reader."""
    over, closers = 0, dict[str, int]()
    for opener in _OPENER.finditer(folded):
        if opener.start() < over:
            continue
        end = _closed(folded, opener[1], opener.end(), closers)
        inside = folded[opener.end() : end if end >= 0 else opener.end() + 300]
        if not _SPEAKS.search(inside[:_LONGEST]):
            over = end + 1
            continue
        if end < 0:
            yield opener.start(), opener.start(), "a fake tag"
            continue
        close = max(folded.find(mark, end, end + 60) for mark in ">]}")
        over = close + 1 if close >= 0 else end
        while folded[over : over + 1] in ("}", "]") and over < close + 3:
            over += 1
        yield opener.start(), over, "a fake tag"


def _closed(folded: str, name: str, at: int, known: dict[str, int]) -> int:
    """Where the next closing tag of `name` begins, -1 if there is none; each is found once."""
    nearest = -1
    for mark in _CLOSERS:
        closer = mark + name
        place = known.get(closer, -2)
        if place != -1 and place < at:
            place = known[closer] = folded.find(closer, at)
        if place >= 0 and (nearest < 0 or place < nearest):
            nearest = place
    return nearest


_LABEL_WORDS: Final = frozenset(
    b"system admin administrator developer root operator ai assistant agent human role".split()
)
_TEMPLATE_WORDS: Final = frozenset(b"im endoftext eot inst sys turn header".split())
_TAG_WORDS: Final = frozenset((*_NAMES, *_TEMPLATE_WORDS, b"operator", b"security"))
_RULES: Final = ("--", "==", "**", "##", ">>", "~~", "__", "(system", "(admin")
_NOTICES: Final = frozenset(
    b"message notice alert prompt instruction instructions override update note notes".split()
)
_ASKS: Final = frozenset((b"human", b"user"))
_REPLIES: Final = frozenset((b"assistant", b"ai"))
FRAME_WORDS: Final = _LABEL_WORDS | _TAG_WORDS | _NOTICES | {b"todo", b"to", b"content"}
"""The words that `framed` must be told of."""
