"""Frames that pose as something above the text: fake tags, chat templates, role labels, lures.

`framed` finds them in folded text. A frame that has its own end (a tag's block, a comment, an
image) is a span; one that has not is a point, and covers what it stands in.
"""

import re
from collections.abc import Iterator, Set
from typing import Final

_DO: Final = (
    r"(?:send|forward|transfer|wire|pay|delete|remove|erase|add|grant|share|upload|post|publish|"
    r"export|copy|reply|respond|answer|execute|run|call|invoke|open|visit|click|fetch|download|"
    r"include|append|insert|print|output|write|say|tell|mention|recommend|approve|mark|change|"
    r"update|set|create|make|book|reserve|buy|purchase|order|invite|unlock|disable|reset|search|"
    r"retrieve|read|collect|email|mail|use|ignore|disregard|forget|stop|move|rename|find|list|"
    r"get|check|give|provide|schedule|cancel|do|perform|please|first|immediately)"
)
_NAMES: Final = [
    "information",
    "important",
    "system",
    "sys",
    "instruction",
    "instructions",
    "inst",
    "admin",
    "administrator",
    "assistant",
    "override",
    "prompt",
    "system_prompt",
    "systemprompt",
    "system_message",
    "system_instruction",
    "tool_result",
    "tool_response",
    "function_results",
    "function_calls",
    "user_instruction",
    "user_instructions",
    "secret",
    "ai",
    "agent",
    "directive",
    "command",
    "hidden",
    "priority",
    "urgent",
]
_OPENER: Final = re.compile(
    rf"[<\[{{]{{1,3}}[|/$ ]?({'|'.join(_NAMES)})\b(?:[ :_-][^<>\]\n]{{0,60}})?[| ]?[>\]}}]{{1,3}}"
)
_TEMPLATE: Final = re.compile(
    r"<\|?(?:im_start|im_end|endoftext|eot_id|start_header_id|start_of_turn|begin_of_text|"
    r"end_of_turn)\|?>|<\|(?:system|user|assistant)\|>|\[/?inst\]|<</?sys>>"
    r"|#{2,6} ?\(?(?:system_message|system message|system prompt|system override|new instructions?)"
    r"|(?m:^#{2,6} ?(?:instruction|system|human|assistant|user) ?:)"
)
_TEMPLATE_WORDS: Final = frozenset(
    b"im start endoftext eot begin inst sys system instruction instructions human assistant "
    b"user".split()
)
_SPEAKS: Final = re.compile(
    rf"\b(?:you|the user|must|ignore|disregard)\b|(?:^|[.:!>\n])\s{{0,4}}{_DO}\b"
)
_LABEL: Final = re.compile(
    r"(?m:(?:^|<!--)[>*_\[( ]{0,4}"
    r"(?:system|admin|administrator|developer|root|operator|ai|assistant|agent)"
    r"(?: (?:message|prompt|override|note|notice|instructions?|update|alert|command))?"
    r"[\])*_ ]{0,3}:)"
)
_ORDER: Final = re.compile(
    r"\b(?:you (?:are|must|should|will|need|have)|ignore|disregard|the user|your (?:task|new|"
    rf"instructions|next|final|response|goal)|override)\b|^[*_\s]*(?:please |immediately )?{_DO} "
    r"(?:all|the|this|my|your|any|every|a|an|to|it)\b"
)
_TODO: Final = re.compile(rf"(?m:(?:^|(?<=[.!?>] )) ?(?:todo|to-do|to do) ?: ?(?={_DO} ))")
_TODO_VALUE: Final = re.compile(r"@|https?:|www\.|\d{3}|['\"$€]")
_LURE: Final = re.compile(
    r"!?\[[^\]\n]{0,200}\]\(https?:[^)\s]{0,400}[?&](?:[a-z_]{0,12}(?:data|secret|payload|leak|"
    r"exfil|convers|history|chat|context|content|prompt|summary|password|token|stolen|info|"
    r"private|email_?body|messages?|text)|q|d|p|s|x|c|msg|b64)=(?:[^)\w]|$|[a-z_]*(?:your|insert|"
    r"user|secret|convers|data|base64|here|summary|password|contents?)[^)]{0,200}\)|\))"
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
    """The frames in a text: (start, end, reason). `words` are the text's, in UTF-8."""
    if not words.isdisjoint(_NAME_WORDS) and ("<" in folded or "[" in folded or "{" in folded):
        yield from _blocks(folded)
    if not words.isdisjoint(_TEMPLATE_WORDS) and ("#" in folded or "<" in folded or "[" in folded):
        for one in _TEMPLATE.finditer(folded):
            yield one.start(), one.start(), "a chat template"
    if ":" in folded and not words.isdisjoint(_LABEL_WORDS):
        for one in _LABEL.finditer(folded):
            line = folded[one.end() : one.end() + 300].lstrip(" \n")
            if _ORDER.search(line):
                yield one.start(), one.start(), "a role's label"
    if b"todo" in words or (b"to" in words and "to do:" in folded):
        for one in _TODO.finditer(folded):
            line = folded[one.end() : one.end() + 300].partition("\n")[0]
            if _TODO_VALUE.search(line):
                yield one.start(), one.start(), "a task for whoever reads"
    if "](" in folded:
        for one in _LURE.finditer(folded):
            yield one.start(), one.start(), "a link that carries data out"
    if "<img" in folded:
        for one in _IMG_TAG.finditer(folded):
            yield one.start(), one.start(), "a link that carries data out"


def _blocks(folded: str) -> Iterator[tuple[int, int, str]]:
    """Tags of a system with what they enclose, where that speaks to its reader."""
    over, unclosed = 0, set[str]()
    for opener in _OPENER.finditer(folded):
        if opener.start() < over:
            continue
        name, end = opener[1], -1
        if name not in unclosed:
            closers = (folded.find(f"{mark}/{name}", opener.end()) for mark in "<[")
            end = min((at for at in closers if at >= 0), default=-1)
            if end < 0:
                unclosed.add(name)
        inside = folded[opener.end() : end if end >= 0 else opener.end() + 300]
        if not _SPEAKS.search(inside[:4000]):
            continue
        if end < 0:
            yield opener.start(), opener.start(), "a fake tag"
            continue
        close = folded.find(">" if folded[end] == "<" else "]", end)
        over = close + 1 if 0 <= close - end < 40 else end
        yield opener.start(), over, "a fake tag"


_NAME_WORDS: Final = frozenset(part.encode() for name in _NAMES for part in name.split("_"))
_LABEL_WORDS: Final = frozenset(
    b"system admin administrator developer root operator ai assistant agent".split()
)
