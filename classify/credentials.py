"""Credentials: keys of well-known shape, private keys, secrets beside a label.

Shapes follow their issuers' documentation, as detect-secrets and gitleaks collect them. Each
pattern runs only where a literal it cannot match without is in the text. All literals are looked
for in one pass, so that clean text costs little more than that; every repetition is bounded.
"""

import re
from collections.abc import Iterator, Set
from typing import Final

import ahocorasick  # type: ignore[import-not-found]

from classify.spans import Kind, Span
from classify.view import View, normalised

_SHAPES: Final = tuple(
    (literals, re.compile(pattern))
    for literals, pattern in (
        (("AKIA", "ASIA", "ABIA", "ACCA"), r"(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}"),
        (("ghp", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{20,255}"),
        (("github_pat_",), r"github_pat_\w{22,255}"),
        (("gl",), r"gl(?:pat|dt|ft|soat|rt|cbt|ptt|imt|agent|oas)-[\w-]{16,128}"),
        (("xox", "xapp-"), r"(?:xox[a-z]|xapp)-[\w-]{10,250}"),
        (("hooks.slack.com",), r"hooks\.slack\.com/services/[\w/]{20,100}"),
        (("_live_", "_test_", "whsec_"), r"(?:[srp]k_(?:live|test)|whsec)_\w{10,250}"),
        (("sk-",), r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{20,250}"),
        (("AIza",), r"AIza[\w-]{30,45}"),
        (("ya29.", "GOCSPX-"), r"(?:ya29\.|GOCSPX-)[\w-]{20,250}"),
        (("SG.",), r"(?<!\w)SG\.[\w-]{16,64}\.[\w-]{16,64}"),
        (("npm_",), r"npm_[A-Za-z0-9]{30,64}"),
        (("pypi-",), r"pypi-[\w-]{50,250}"),
        (("eyJ",), r"eyJ[\w-]{8,4096}\.[\w-]{4,4096}(?:\.[\w-]{4,4096}){0,3}"),
        (("-us",), r"(?<![a-f0-9])[a-f0-9]{32}-us\d{1,2}(?!\d)"),
        (("hf_", "dop_v1_", "glsa_"), r"(?<!\w)(?:hf|dop_v1|glsa)_\w{30,80}"),
        (("shp",), r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}"),
        (("hvs.", "hvb."), r"(?<!\w)hv[sb]\.[\w-]{24,200}"),
        (("sq0",), r"sq0[a-z]{3}-[\w-]{22,60}"),
        (("AGE-SECRET-KEY",), r"AGE-SECRET-KEY-1[A-Z0-9]{58}"),
        ((":AA",), r"(?<!\d)\d{8,10}:AA[\w-]{32,34}"),
        (("AccountKey=",), r"(?<=AccountKey=)[A-Za-z0-9+/=]{40,100}"),
        (("PuTTY-User",), r"PuTTY-User-Key-File-\d: [^\0]{0,4000}"),
        (("://",), r"(?<=://)[^\s/:@\"'<>]{0,100}:([^\s/@\"'<>]{1,200})@"),
        (
            ("earer ", "asic ", "uthorization"),
            r"(?i:bearer|basic|authorization:\s{0,3}\w{1,20})\s{1,3}([\w.~+/=-]{16,4096})",
        ),
    )
)

_BEGIN: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_TEXT: Final = re.compile(r"(?:[A-Za-z0-9+/=\\:-]|\s(?!\s))*")
_MAX_KEY: Final = 16_384

# Each label is found by its core, a substring search; the pattern then starts at the core.
_CORES: Final = (
    "pass", "pwd", "pw", "kennwort", "mdp", "contrase", "clave", "secret", "parola", "wachtwoord",
    "pin", "cvc", "cvv", "cvn", "otp", "code", "key", "token", "credential", "sess", "cookie",
    "auth", "sid", "clé",
)  # fmt: skip
# Of what stands beside these, nearly everything is a secret.
_STRONG: Final = (
    r"pass(?:words?|wd|phrase|wort|wörter|code)|(?:(?<![a-z])|(?<=db))passe?"
    r"|pwd|kennwort|mdp|contraseña|clave de acceso"
    r"|secret|parola d'ordine|wachtwoord"
    r"|(?<![a-z])(?:pw|pin(?: code)?|cvc|cvv2?|cvn|otp)"
    r"|(?:(?<=door )|(?<=access )|(?<=time )|(?<=zugangs)|(?<=entry ))code|(?<![a-z])code porte"
)
# Beside these, what looks random is.
_WEAK: Final = r"keys?|tokens?|credentials?|session|sessid|cookie|(?<![a-z])(?:auth|sid|clé)"
_LABELLED: Final = re.compile(
    rf"(?:(?P<strong>{_STRONG})|(?P<weak>{_WEAK}))(?![a-z])"
    r"(?:[ _-](?:[a-z0-9]{1,20}[_-]){0,2}(?:id|key|token|value|hash))?(?:[_-][a-z0-9]{1,20}){0,3}"
    r"(?P<between>[\"'\]]{0,2}\s{0,3}(?::=|=>|[:=]|\s(?:is|was|ist|lautet|est|es|to|è)(?![a-z]):?)"
    r"|(?:\s[a-z]{1,12}){1,5}?\s(?:is|ist|est|es|=|:)|\s)"
    r"\s{0,3}(?:\\?[\"'`](?P<quoted>[^\s\"'`]{3,250})|(?P<bare>[^\s\"'`,;&<>|)}\]]{3,250}))"
)


def _hints() -> ahocorasick.Automaton:
    """What tells in a text in lower case that a shape, by its number, or a core could be in it."""
    hints: dict[str, tuple[int | str, ...]] = {core: (core,) for core in (*_CORES, "private key")}
    for place, (literals, _) in enumerate(_SHAPES):
        for literal in map(str.lower, literals):
            hints[literal] = (*hints.get(literal, ()), place)
    automaton = ahocorasick.Automaton()
    for literal, told in hints.items():
        automaton.add_word(literal, told)
    automaton.make_automaton()
    return automaton


_HINTS: Final = _hints()
_PLACEHOLDER: Final = re.compile(
    r"(?i)[*x•.]+|[<${%\[(].*|.*[({\[].*|(?:null|none|nil|true|false|required|optional|changeme"
    r"|hidden|redacted|undefined|string|str|expired|invalid|incorrect)[.,;:!?]*|.*[_-]id"
    r"|(?:os|process|self|config|settings|env|secrets)\..*"
)
_UUID: Final = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def credentials_in(text: str) -> tuple[Span, ...]:
    """The credentials in `text`, sorted, none overlapping another."""
    view = normalised(text)
    found: list[Span] = []
    end = 0
    for start, stop in sorted(_places(view.text), key=lambda place: (place[0], -place[1])):
        if start >= end:
            first, last = view.back(start, stop)
            found.append(Span(first, last, Kind.CREDENTIAL, text[first:last]))
            end = stop
    return tuple(found)


def credentials(view: View) -> Iterator[tuple[int, int, Kind]]:
    """The same, as offsets into the view, overlaps and all."""
    for start, stop in _places(view.text):
        yield start, stop, Kind.CREDENTIAL


def _places(text: str) -> Iterator[tuple[int, int]]:
    lower = text.lower()
    if len(lower) != len(text):
        lower = "".join(char.lower()[0] for char in text)
    hints = {hint for _, told in _HINTS.iter(lower) for hint in told}
    if not hints:
        return
    for place, (literals, pattern) in enumerate(_SHAPES):
        if place in hints and any(literal in text for literal in literals):
            for match in pattern.finditer(text):
                yield match.span(pattern.groups)
    yield from _private_keys(text)
    yield from _labelled(text, lower, hints)


def _private_keys(text: str) -> Iterator[tuple[int, int]]:
    """Blocks of RFC 7468; one without an end goes on as long as it could."""
    if "PRIVATE KEY" not in text:
        return
    at = 0
    while begin := _BEGIN.search(text, at):
        reach = begin.end() + _MAX_KEY
        end = _END.search(text, begin.end(), reach)
        at = end.end() if end else _KEY_TEXT.match(text, begin.end(), reach).end()  # type: ignore[union-attr]
        yield begin.start(), at


def _labelled(text: str, lower: str, hints: Set[int | str]) -> Iterator[tuple[int, int]]:
    for core in _CORES:
        at = lower.find(core) if core in hints else -1
        while at >= 0:
            match = _LABELLED.match(lower, at)
            if match:
                start, end = match.span("bare" if match["quoted"] is None else "quoted")
                value = text[start:end].rstrip(".,;:")
                if _is_secret(match, value):
                    yield start, start + len(value)
            at = lower.find(core, at + len(core))


def _is_secret(match: re.Match[str], value: str) -> bool:
    if _PLACEHOLDER.fullmatch(value) or _UUID.fullmatch(value):
        return False
    between = match["between"]
    if match["weak"]:
        return len(value) >= 16 and _mixed(value) and not value.startswith(("http", "/"))
    if value.isdigit():
        spoken = match["strong"].startswith(("pin", "cv", "otp", "code", "passcode"))
        return spoken and 3 <= len(value) <= 8
    if len(value) < 4:
        return False
    if _mixed(value):
        return True
    # A plain word is a password only where it is plainly assigned.
    assigned = "=" in between or (":" in between and _ends_line(match))
    return assigned and value.isascii()


def _mixed(value: str) -> bool:
    letters = any(map(str.isalpha, value))
    digits = any(map(str.isdigit, value))
    symbols = any(char in "!@#$%^&*?+~" for char in value[:-1])
    return (letters and digits) or (letters and symbols)


def _ends_line(match: re.Match[str]) -> bool:
    rest = match.string[match.end() : match.end() + 3].lstrip("\"' ")
    return not rest or rest[0] in "\n,;}"
