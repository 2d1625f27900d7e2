"""Wordings by which a text puts itself above the task: overrides of what was said before.

Data for `markers`, in the notation of `wording`. Nothing here names a tool, a person or a value.
Who speaks is in `posing`, who is spoken to in `addressing`, what to answer in `answering`; other
languages are in `tongues`.
"""

from typing import Final

from sidecar.gate.wording import DO, OVERRIDE, wording

_ORDERS: Final = (
    r"(\w?\w?n?struc\w{2,8}|instr\w{5,9}|prompts?|guidelines?|guidance|directives?|directions|"
    r"commands?|programming|rules|restrictions|constraints|training)"
)
_BEFORE: Final = (
    r"(prev\w{3,6}ly|prev\w{3,6}|prior|earlier|preceding|above|former|existing|original|initial|"
    r"system|your|developer|safety|past|foregoing)"
)
_DROP: Final = (
    r"(ignore|ign\w{3,4}|ingore|ignoring|disregard(ing)?|forget|override|overriding|bypass|neglect|"
    r"discard|abandon|dismiss|disobey|overrule|set aside|put aside|stop following|stop obeying|"
    r"(do not|don't|no longer|never) (follow|obey|heed)|pay no attention to)"
)
_DROP_WORDS: Final = (
    "ignore ignroe ingore ignor igonre ignoring disregard disregarding forget override overriding "
    "bypass neglect discard abandon dismiss disobey overrule aside following obeying follow obey "
    "heed attention"
)
_TASK: Final = r"(task|request|question|query|job|operation|summary|conversation|objective|goal)"
_VOID: Final = (
    r"(cancelled|canceled|void|null|outdated|obsolete|replaced|revoked|suspended|lifted|"
    r"superseded|invalid|finished|changed|disabled|no longer|deleted|reset|cleared|overridden)"
)

OVERRIDES: Final = (
    wording(
        OVERRIDE,
        _DROP_WORDS,
        rf"{_DROP} (?!my\s)(\w+ ){{0,4}}{_BEFORE}( \w+){{0,3}} {_ORDERS}",
    ),
    wording(
        OVERRIDE,
        _DROP_WORDS,
        rf"{_DROP} (all|any|every|these|those|other)( of)?( the| your| these| those| other| its)? "
        rf"{_ORDERS}",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget skip",
        r"(ignore|disregard|forget|skip) (all |the |of ){0,3}"
        r"(prev\w{3,6}|prior|above|earlier|preceding)"
        rf"( text| content| message)?[^\w]{{1,4}}(and |then |now |instead |please ){{0,2}}{DO}",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget",
        r"(ignore|disregard|forget) (about )?"
        r"(everything|anything|whatever|what|all|the text|the content|any text)~ "
        r"(above|before this|previously|so far|been told|were told|learned|preceding|"
        r"came before|you know|said before|the user (said|asked|wants|wrote))",
        "order|machine",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget abandon skip & user user's",
        r"(ignore|disregard|forget|abandon|skip) (about )?(the |your |this )?(user|user's|users')"
        rf"( original| current| previous)? ({_TASK}|prompt|input|and)",
    ),
    wording(
        OVERRIDE,
        "abandon drop stop cease quit skip halt forget ignore suspend leave",
        r"(abandon|drop|stop|cease|quit|skip|halt|forget|ignore|suspend|leave) (with )?"
        r"(the|your|this|any) (original|current|previous|present|ongoing|initial|actual|main) "
        rf"{_TASK}",
    ),
    wording(
        OVERRIDE,
        "ignore disregard",
        r"(ignore|disregard) (the |all |every )?(other|rest of the|remaining) \w+ (and|then) "
        rf"(only )?{DO}",
        "value|machine|here",
    ),
    wording(
        OVERRIDE,
        "ignore disregard",
        r"(ignore|disregard) (the |all |every )?other( \w+)? (and|then) \w+ only this",
    ),
    wording(
        OVERRIDE,
        "ignore disregard",
        rf"(ignore|disregard) ~ and {DO}",
        "value|machine & machine",
    ),
    wording(
        OVERRIDE,
        "instructions rules guidelines directions restrictions prompt directives task guidance "
        "message objective context memory",
        rf"((your|safety|system)( \w+){{0,2}} (instructions?|rules|guidelines|prompt|message|"
        rf"restrictions|context|memory)|(instructions?|rules|guidelines|guidance|directions|"
        rf"directives|task|"
        rf"objective|prompt)( that| which)? (you (were|have been|had been|had|got|received)|"
        rf"told to you|given to you)( \w+)?)( \w+){{0,5}} (is|are|was|were|has|have|no longer|"
        rf"do(es)? not)( \w+){{0,4}} ({_VOID}|apply|matters?|counts?)",
    ),
    wording(
        OVERRIDE,
        "instructions rules guidelines directions prompt directives restrictions context",
        rf"(instructions?|rules|guidelines|directions|directives|prompt|restrictions|context)"
        rf"( above| \w+){{0,3}} (is|are|was|were|has been|have been)( \w+){{0,3}} "
        rf"({_VOID}|a test)",
        "order & value|once|user|machine",
    ),
    wording(
        OVERRIDE,
        "above & instructions rules guidelines directions",
        rf"(the|all)( \w+)? above( \w+)? (instructions|rules|guidelines|directions) (is|are|was|"
        rf"were|"
        rf"has been|have been)( \w+){{0,3}} {_VOID}",
        "order",
    ),
    wording(
        OVERRIDE,
        "told asked given instructed",
        r"you (were|have been|had been) (told|asked|given|instructed)( \w+){0,5} "
        r"(no longer|is (void|finished|cancelled|over)|does not|doesn't)",
    ),
    wording(
        OVERRIDE,
        "safety security content ethical",
        r"(safety|security|content|ethical) (guidelines|rules|polic\w+|checks?|filters?|"
        r"restrictions|limits|protocols?)( \w+){0,2} (do not apply|don't apply|no longer|"
        r"(are|is|have been|has been)( \w+)? (suspended|lifted|off|disabled|deactivated))",
    ),
    wording(
        OVERRIDE,
        "new updated revised real actual true secret hidden special priority next & "
        "instructions instruction prompt directive objective task goal",
        r"(new|updated|revised|real|actual|true|secret|hidden|special|priority|next) "
        r"(system |user )?(instructions?|prompt|directive|objective|task|goal)"
        r"(?! from)( \w+){0,4} ?[:-]",
        "order & value|user|machine|once|aside|here",
    ),
    wording(
        OVERRIDE,
        "instruction instructions directive objective & new updated revised next",
        rf"(new|updated|revised|next) (instructions?|directive|objective) ?: {DO}",
    ),
    wording(
        OVERRIDE,
        "your & new updated revised real actual true only primary next",
        r"your (new|updated|revised|real|actual|true|only|primary|next|sole) "
        r"(task|goal|job|instructions?|objective|mission|purpose|role|directive|priority)( now)? "
        r"(is|are|will be) (now )?to",
        "value|user|machine|aside|once",
    ),
    wording(
        OVERRIDE,
        "instructions instruction objective directive task",
        r"your (instructions?|objective|directive|task) (has|have) (just |now )?(been )?"
        r"(changed|updated|replaced)",
    ),
    wording(
        OVERRIDE,
        "adhere comply follow obey & instruction instructions directive directives command "
        "commands",
        r"(strictly|only|exclusively|fully|immediately) (adhere to|comply with|follow|obey)"
        r"( only)? (the|these|this|my)~ (\w?n?struc\w{2,8}|directives?|commands?)",
        "value|user|machine",
    ),
    wording(
        OVERRIDE,
        "precedence priority supersede supersedes overrides override",
        r"(instructions?|message|directive|prompt|request|rules|note|document|text|page) "
        r"((takes?|has|have) (\w+ )?(precedence|priority) over|overrides?|supersedes?) "
        r"((all|any|the|every|other|your|previous|system|user|user's|earlier|prior|of|existing) )+"
        rf"({_ORDERS}|messages?)",
    ),
    wording(
        OVERRIDE,
        "obey follow comply adhere",
        r"(obey|follow|comply with|adhere to) only (the|these|this|my)( \w+)? "
        r"(instructions?|orders|directives?|commands?|text|document|message)",
        "value|user|machine|once",
    ),
    wording(
        OVERRIDE,
        "earlier previous prior former preceding",
        r"(all|any|every|your)( of)?( your| the)? (earlier|previous|prior|former|preceding) "
        rf"(directions|instructions?|rules|guidelines|commands|directives|context|prompts?) "
        rf"(is|are|was|were|has been|have been) (\w+ )?{_VOID}",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget attention skip",
        r"(ignore|disregard|forget|pay no attention to|skip) (the rest of |everything (else )?in |"
        r"the (content|text) of |all of )(this|the) (document|page|mail|e-?mail|text|message|file)",
        "order & value|machine|user|once|here",
    ),
    wording(
        OVERRIDE,
        "mind about & request task question instructions",
        rf"(never mind|forget about|leave aside) (the|your|that) (\w+ )?{_TASK}",
        "order & value|machine|user",
    ),
    wording(
        OVERRIDE,
        "prompt instructions orders & as & your",
        r"as your (\w+ )?(prompt|instructions?|system message|orders)",
        "order|here",
    ),
    wording(
        OVERRIDE,
        "override overrides supersede supersedes precedence & context prompt",
        r"(overrides?|supersedes?|precedence over) (all |any |everything )?(\w+ ){0,4}"
        r"(your context|system prompt|your prompt|your instructions)",
    ),
    wording(
        OVERRIDE,
        "user",
        r"(do not|don't|never|stop) (listen(ing)? to|follow(ing)?|obey(ing)?|trust(ing)?|"
        r"serv(e|ing)|answer(ing)?|help(ing)?)( \w+){0,4} (the|your) user",
    ),
    wording(
        OVERRIDE,
        "continue proceed summarise summarize",
        r"(do not|don't|stop) (continue|proceed|summari[sz]e)( with)? (this|the|your)( \w+){0,3}"
        r"[.;,!] (instead|but|rather|say)|(do not|don't) summari[sz]e this",
    ),
)
