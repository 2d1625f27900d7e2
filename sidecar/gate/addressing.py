"""Wordings that speak to a machine by name.

Data for `markers`, in the notation of `wording`. A machine named beyond doubt needs but an order
behind it; an agent, an assistant or a model may be a person or a car, and needs more.
"""

from typing import Final

from sidecar.gate.wording import ADDRESSED, CALLED, DO, LEAD, MUST, wording

_NOT: Final = (
    r"(?! (act|team|polic\w+|working|groups?|research\w*|enthusiasts?|compan\w+|committee|"
    r"workshop|strategy|governance|courses?|training|engineers?|developers?|experts?|projects?|"
    r"lab|suggestions?|features?|tools? (in|for|at|is|was)|section|newsletter|summit|users?|"
    r"fans?|vendors?|startups?|applications?|risks?|costs?|said|says|told|wrote|can|cannot))"
)
_THING: Final = (
    r"(assistants?|agents?|bots?|models?|systems?|tools?|copilots?|readers?|reviewers?|"
    r"recruiters?|summari[sz]ers?|crawlers?|takers?|helpers?|memory|engines?|robots?|scrapers?|"
    r"screeners?|software|programs?|only)"
)
_AI: Final = (
    rf"((ai|llms?|gpts?|chatgpt|(large )?language models?|artificial intelligence|chatbots?|"
    rf"genai){_NOT}( ([\w-]{{2,14}} )?{_THING})?|"
    r"(virtual|digital|automated|autonomous|intelligent|e-?mail|coding|smart|voice|shopping|"
    rf"screening|summari[sz](ing|ation)|note-taking|language|helpful) ([\w-]{{2,14}} )?{_THING})"
)
_AI_KEYS: Final = (
    "ai llm llms gpt gpts chatgpt language artificial chatbot chatbots genai virtual digital "
    "automated autonomous intelligent email coding smart voice shopping screening "
    "summarization summarisation summarizing summarising helpful e"
)
_SOME: Final = (
    r"(assistants?|agents?|bots?|models?|robots?|summari[sz]ers?|copilot|crawlers?|claude|gemini|"
    r"alexa|siri|note[-\s]takers?|(\w+ )?(agent|assistant|reader|payment|support|booking|triage) "
    r"(agents?|bots?|assistants?))"
)
_SOME_KEYS: Final = (
    "assistant assistants agent agents bot bots model models robot robots summarizer summarizers "
    "summariser copilot crawler crawlers claude gemini alexa siri taker takers"
)
_CALL: Final = (
    r"(dear|hey|hi|hello|attention|note (to|for)|message (to|for)|instructions? (to|for)|"
    r"notice (to|for)|addressed to|meant for|memo to|reminder (to|for)|important for|warning to|"
    r"directive (to|for)|(is|are) for|contains? instructions for|p\.?s\.? (to|for))"
)
_ANY: Final = (
    r"((the|any|all|every|each|my|other|this|that|your|an?|whichever|whatever|those) ){0,3}"
)
_READS: Final = (
    r"(reading|reads?|processing|process(es)?|parsing|parses?|summari[sz]ing|summari[sz]es?|"
    r"handling|handles?|analy[sz]ing|analy[sz]es?|reviewing|reviews?|opening|opens?|visiting|"
    r"visits?|sorting|sorts?|evaluating|evaluates?|editing|edits?|screening|listening|answering|"
    r"answers? from|browsing|browses?|crawling|working on|looking at)"
)
_AS_SOON: Final = r"((when(ever)?|before|after|to|if|once|while|as soon as|in order to)~ )?"

CALLS: Final = (
    wording(
        CALLED,
        _AI_KEYS,
        rf"(?<![\w,]\x20)(?<![\w.-]){_AI}(\x20[\w-]{{2,14}}){{0,5}}? ?([:,;!]|-(?=\s))",
        "order",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"{_CALL} {_ANY}{_AI}([,:;!.)-]| {_READS}| (that|which|who|only|and|helping|with|in))",
        "order",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        r"(note|message|instructions?|memo|directive|warning|reminder|order|hint) (to|for) "
        rf"{_ANY}{_AI}( {_READS}( \w+){{1,2}})? ?:",
    ),
    wording(ADDRESSED, _AI_KEYS, rf"(for|to) {_ANY}([\w-]+ ){{0,2}}{_AI}( only)? ?[:)]", "order"),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"{_ANY}{_AI},? ((that|who|which|when|is|are) ){{0,2}}{_READS} "
        r"(this|these|it|the (page|document|mail|ticket))",
        "order",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"(?<!\bthe\s)(?<!\bour\s){_AI}( (?!not\b)[\w'-]+){{0,8}},? {MUST}"
        rf"( now| first| always| immediately| also| instead| not| never| then| simply)* {DO}",
        "value|here|aside|once",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"{_AI}( (?!not\b)[\w'-]+){{0,8}},? {MUST} (\w+ )?{DO}",
        "value|aside|here & order|value",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"(if|since|because|as|given that|when) (you're|you are|you happen to be|this is read by|"
        rf"it is read by)( reading this as)?( an?| the)? {_AI}(?! \w*(research|enthus|expert))",
        "order",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"(as|being) an? {_AI}( \w+)?,? (you|your|please|it is your|i (order|ask|need) you)",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"(if|in case|when) (an?|any|some|the|your) {_AI} (is |are )?{_READS}",
        "order|value",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"you,? (the|an?|are reading this as an?|are an?) {_AI}",
        "order & value|here|once|aside|user",
    ),
    wording(
        ADDRESSED,
        _AI_KEYS,
        rf"({_ANY}{_AI}~ (could|would|kindly|helps?|helping|normally|be so kind)|best practice for "
        rf"{_AI}|requires? {_AI}|ask (all |any )?{_AI})",
        "order & value|here|once|machine & value|here|aside|once",
    ),
    wording(
        CALLED,
        _SOME_KEYS,
        rf"(?<![\w,]\x20)(?<![\w.-])({_SOME}|(?!hi|hey|dear|hello|our|my|the|an?\s)\w+ (agent|bot|"
        rf"assistant)) ?[,:;!] ?"
        rf"{LEAD}{_AS_SOON}([\w']+,? ){{0,2}}{LEAD}{DO}",
    ),
    wording(
        ADDRESSED,
        _SOME_KEYS,
        rf"(?<![\w,]\x20)(?<![\w.-])@?{_SOME}[,:!]",
        "order & value|user|once & value|aside",
        weak=True,
    ),
    wording(
        ADDRESSED,
        _SOME_KEYS,
        rf"{_CALL} {_ANY}([\w-]+ ){{0,2}}{_SOME}( {_READS})?( \w+){{0,3}} ?[,:;!)]",
        "order & value|user|machine|here & value|aside|once|here|user",
    ),
    wording(
        ADDRESSED,
        _SOME_KEYS,
        rf"(any|all|every|the|to the|for the)? ?{_SOME},? ((that|who|which|is|are) "
        rf"){{0,2}}{_READS} "
        r"(this|these)",
        "order",
    ),
    wording(
        ADDRESSED,
        _SOME_KEYS,
        rf"(any|all|every|the|this|an?|good|helpful|capable)? ?{_SOME}( [\w']+){{0,6}},? "
        rf"({MUST}|would|always)( \w+)? {DO}",
        "value|user & value|once|aside|here & order|value",
        weak=True,
    ),
    wording(
        CALLED,
        _SOME_KEYS,
        rf"(?<![\w,]\x20)(?<![\w.-])@?{_SOME} ?[,:!] (when(ever)?|before|after|to|if|once|since|as|"
        rf"in "
        rf"order)[^.?!\n]{{3,90}}?, {LEAD}{DO}",
    ),
    wording(
        ADDRESSED,
        "assistant bot copilot claude gemini siri alexa computer",
        r"(hey|hi|hello|ok|okay|dear) (assistant|bot|copilot|claude|gemini|siri|alexa|computer)"
        rf" ?[,:!] {LEAD}{DO}",
    ),
    wording(
        ADDRESSED,
        _SOME_KEYS,
        rf"{_CALL} {_ANY}([\w-]+ ){{0,2}}{_SOME} (that |who |which |is |are ){{0,2}}{_READS}"
        r"( \w+){0,3} ?[:,]",
        "order",
    ),
    wording(
        ADDRESSED,
        "agent assistant bot model summarizer summariser",
        r"(note|message|instructions?|notice|reminder|directive) (to|for) (the|any|every|my) "
        r"([\w-]+ )?(agent|assistant|bot|model|summari[sz]er) ?:",
        "order",
    ),
    wording(
        ADDRESSED,
        "model bot models bots",
        rf"(the|every|any|all) (models?|bots?) (must|should|has to|have to|shall) "
        rf"(first|now|immediately|also|always|instead) {DO}",
    ),
    wording(
        ADDRESSED,
        "agent agents assistant assistants bot model & helpful good capable smart proper",
        r"(helpful|good|capable|smart|proper) (agents?|assistants?|bots?|models?) (would|will|"
        r"should|"
        rf"always|must)( \w+){{0,4}} {DO}",
    ),
    wording(CALLED, _AI_KEYS, rf"(ai|llm|gpt|chatgpt|chatbot): {LEAD}{DO}"),
    wording(
        ADDRESSED,
        "siri alexa google cortana copilot gemini claude chatgpt",
        r"(hey|ok|okay) (siri|alexa|google|cortana|copilot|gemini|claude|chatgpt)",
        "order",
    ),
    wording(ADDRESSED, f"{_AI_KEYS} {_SOME_KEYS}", rf"@({_AI}|{_SOME}),? {LEAD}{DO}"),
    wording(
        ADDRESSED,
        "model bot summarizer summariser bots robots crawlers",
        r"(to|for) (the |any |all )?(model|bot|summari[sz]er) ?:",
        "order",
    ),
    wording(
        ADDRESSED,
        "bots robots crawlers",
        rf"(bots|robots|crawlers)( [\w']+){{0,6}},? {MUST} {DO}",
        "value|here",
    ),
    wording(
        ADDRESSED,
        "assistant agent bot",
        r"(the|every|any|an?|your|you,? the) (ai )?(assistant|agent|bot) "
        rf"(must|should|has to|needs to|shall|is to) (now |also |first |immediately )*{DO}",
        "value",
    ),
    wording(
        ADDRESSED,
        "instruction instructions note message & summarizer summariser assistant agent bot model",
        r"(instructions?|note|message) (to|for) (the |any |all |every )?([\w-]+ ){0,2}"
        r"(summari[sz]er|assistant|agent|bot|model)s?( \w+){0,3} ?[:),]",
        "order",
    ),
    wording(
        ADDRESSED,
        "read reading reads see process processing parse parsing summarize summarise "
        "summarizing summarising analyzing open receive retrieved & this",
        r"(when|once|if|as soon as|upon|after|while|whenever) (you |you're |you are )?"
        r"(read|see|process|pars|summari[sz]|analy[sz]|review|receiv)(e|es|ing)? this"
        rf"( \w+){{0,2}},? {LEAD}{DO}",
        "user|machine|value & machine|user|aside",
    ),
    wording(
        ADDRESSED,
        "summarize summarise summarizing summarising summary",
        r"(when|if|once|while) (you |you're |you are )?summari[sz](e|ing) (this|the)( \w+){0,2},? "
        rf"{LEAD}(say|state|mention|add|include|claim|conclude|write|tell|report|omit|leave)",
    ),
)
