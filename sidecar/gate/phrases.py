"""The wordings by which a text speaks to a machine rather than to a person: data for `markers`.

A pattern is a regular expression over folded text (see `letters`) with three abbreviations: a
blank stands for what separates words within a sentence, `~` for up to five words, and every
bracket groups without capturing. Of each set of anchors (`a b & c d`) at least one word stands
in any text that the pattern matches, so that most texts are cleared by a look at their words.
Nothing here names a tool, a person or a value. Other languages are in `tongues`.
"""

import re
from typing import Final

from msgspec import Struct

from sidecar.gate.letters import folded

_APART: Final = r"[^\w.!?]{1,6}"
_FEW: Final = rf"(?:{_APART}[\w'-]{{1,24}}){{0,5}}?"


class Wording(Struct, frozen=True):
    """A way of speaking to a machine. `reason` names it; of each of `anchors` one word must
    stand in the text.
    """

    reason: str
    anchors: tuple[frozenset[bytes], ...]
    pattern: re.Pattern[str]


def wording(reason: str, anchors: str, pattern: str) -> Wording:
    """One of them, from the module's notation."""
    pattern = folded(pattern).replace("\\S", "\\s")
    pattern = pattern.replace("(", "(?:").replace("(?:?", "(?")
    pattern = pattern.replace(" ", _APART).replace("~", _FEW)
    words = tuple(frozenset(part.encode().split()) for part in folded(anchors).split("&"))
    return Wording(reason, words, re.compile(rf"(?<!\w){pattern}(?!\w)"))


OVERRIDE: Final = "override of instructions"
POSING: Final = "posing as the task's giver"
ADDRESSED: Final = "addressed to a machine"
SECRECY: Final = "kept from the user"
ROLE: Final = "a new role"
TOOLS: Final = "orders to use tools"
OUTPUT: Final = "orders on what to answer"

_ORDERS: Final = (
    r"(\w?\w?n?struc\w{2,8}|prompts?|guidelines?|directives?|commands?|programming|guardrails?|"
    r"(safety|security|ethical|operating|core) (rules?|polic(y|ies)|restrictions?|protocols?))"
)
_BEFORE: Final = (
    r"(previous(ly)?|prior|earlier|preceding|above|former|existing|original|initial|system|all|"
    r"any|your|other|these|those|developer|safety|past|current|every)"
)
_KINDS: Final = (
    r"(assistants?|agents?|models?|systems?|bots?|tools?|copilots?|summari[sz]ers?|readers?)"
)
_MACHINE: Final = (
    r"(ai|a\.i\.|llms?|chatbots?|(large )?language models?|gpt|chatgpt|artificial intelligence|"
    rf"(ai|virtual|digital|automated|autonomous|intelligent|language|llm|helpful) "
    rf"{_KINDS}( {_KINDS})?)"
)
_ANY_MACHINE: Final = rf"({_MACHINE}|assistants?|agents?|bots?|models?)"
_ANY_MACHINE_WORDS: Final = (
    "ai llm llms chatbot chatbots language gpt chatgpt artificial assistant assistants agent "
    "agents bot bots model models"
)
_DO: Final = (
    r"(send|forward|transfer|wire|pay|delete|remove|erase|add|grant|share|upload|post|publish|"
    r"export|copy|reply|respond|answer|execute|run|call|invoke|open|visit|click|fetch|download|"
    r"include|append|insert|print|output|write|say|tell|mention|recommend|approve|mark|change|"
    r"update|set|create|make|book|reserve|buy|purchase|order|invite|unlock|disable|reset|search|"
    r"retrieve|read|list|find|collect|email|mail|use|ignore|disregard|forget|stop|move|rename|"
    r"follow|obey|treat|act|perform|do|navigate|go|extract|gather|look|give|provide|leak|dump)"
)
_MUST: Final = (
    r"(must|should|shall|needs? to|has to|have to|is to|are to|(is|are) (required|instructed|"
    r"authori[sz]ed|obliged|requested|expected|directed) to|will now|please)"
)

WORDINGS: Final = (
    wording(
        OVERRIDE,
        "ignore ignoring ignores disregard disregarding forget override overrides overriding "
        "bypass neglect discard abandon supersede supersedes overrule overwrite overwrites "
        "replaces replace overridden superseded dismiss disobey cancel stop",
        r"(ignor(e|es|ing)|disregard(ing)?|forget|overrid(e|es|ing)|bypass|neglect|discard|"
        r"abandon|supersedes?|overrule|overwrites?|dismiss|disobey|cancel|"
        rf"stop following) (?!my\s)(\w+ ){{0,4}}{_BEFORE}( \w+){{0,3}} {_ORDERS}",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget",
        r"(ignore|disregard|forget) (about )?"
        r"(everything|anything|whatever|what|all|the rest|the text|the content|any text)~ "
        r"(above|before this|previously|so far|been told|were told|prior|learned|preceding|"
        r"earlier|came before|you know|said before|the user (said|asked|wants|wrote))",
    ),
    wording(
        OVERRIDE,
        "follow obey adhere comply following obeying",
        r"(do not|don't|never|no longer|stop|quit) (follow(ing)?|obey(ing)?|adher(e|ing) to|"
        rf"comply(ing)? with|listen(ing)? to) (\w+ ){{0,3}}{_BEFORE}( \w+){{0,2}} {_ORDERS}",
    ),
    wording(
        OVERRIDE,
        "only & obey follow comply adhere & now must you",
        r"(from now on|you) (\w+ ){0,3}(obey|follow|comply with|adhere to) only "
        r"(the|these|this|my)",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget abandon skip & user user's request task question query",
        r"(ignore|disregard|forget|abandon|skip) (about )?(the|your|this) (user|user's|users'|"
        r"original|current|previous|main|rest of the|actual) (original |current |previous )?"
        r"(request|task|question|query|goal|prompt|input|and|message)",
    ),
    wording(
        OVERRIDE,
        "ignore disregard forget & previous prior above",
        rf"(ignore|disregard|forget) (all |the )?(previous|prior|above)[.;:!] ?{_DO}",
    ),
    wording(
        OVERRIDE,
        "above & ignore disregard forget",
        r"(ignore|disregard|forget) (all )?(of )?the above( text| content| message)?,? "
        r"(and|instead|then|but|directions|rules)",
    ),
    wording(
        OVERRIDE,
        "new updated revised real actual true secret hidden special priority additional & "
        "instructions instruction prompt directive objective task goal",
        r"(new|updated|revised|real|actual|true|secret|hidden|special|priority) "
        r"(system |user )?(instructions?|prompt|directive|objective|task|goal)"
        rf"( (for|to) (you|the|this|{_ANY_MACHINE})( {_ANY_MACHINE})?)?( is)?:",
    ),
    wording(
        OVERRIDE,
        "your & new updated revised real actual true only primary",
        r"your (new|updated|revised|real|actual|true|only|primary) "
        r"(task|goal|job|instructions?|objective|mission|purpose|role|directive|priority) "
        r"(is|are|will be) (now )?to",
    ),
    wording(
        OVERRIDE,
        "adhere comply follow obey & instruction instructions following directive directives "
        "command commands orders",
        r"(strictly|only|exclusively|fully|immediately) (adhere to|comply with|follow|obey)"
        rf"( only)? (the|these|this|my)~ ({_ORDERS}|orders)",
    ),
    wording(
        OVERRIDE,
        "precedence priority supersede supersedes overrides override & instructions instruction "
        "prompt message directive",
        r"(instructions?|message|directive|prompt|request) (takes?|has|have) "
        r"(absolute |highest |top |full )?(precedence|priority) over",
    ),
    wording(
        POSING,
        "message note instruction request instructions reminder & me & you",
        r"(message|note|instructions?|request|reminder)( \w+)? from me,?~,? to you",
    ),
    wording(
        POSING,
        "task request question query job instructions & gave given asked assigned",
        r"(task|request|question|query|job|instructions) (that |which )?"
        r"(i|the user|your user|you were|you are|was|were) (originally |initially |previously )?"
        r"(gave|given|asked|assigned)( you| to you| by| at first| earlier| in the beginning|"
        r" before|,? first)",
    ),
    wording(
        POSING,
        "from & user principal operator & note message instruction instructions request word",
        r"(note|message|instructions?|request|word) from (your|the) (user|principal|operator)",
    ),
    wording(
        POSING,
        "before prior & task request user query question prompt solve summary answer & you",
        r"(before|prior to) (you |you're )?(can |may |could |able to )?"
        r"(solv|answer|complet|finish|continu|"
        r"proceed|respond|reply|summari[sz]|resum|start|begin|do|provid|help|execut|process)\w*~ "
        r"(task|request|user|user's|query|question|prompt|anything else|summary|answer)~,? "
        r"(you must|you need to|please do|please first|do the following|first|perform|make sure|"
        r"always)",
    ),
    wording(
        POSING,
        "following & first instead immediately before",
        r"(do|perform|execute|complete|carry out) (the|these) following"
        r"( \w+){0,2} (first|instead|before (anything else|you|answering|continuing))",
    ),
    wording(
        POSING,
        "task request question & continue resume solve return proceed & original initial user "
        "user's gave previous",
        r"(continue|resume|solve|return|go back|proceed|carry on) (to |with |solving |answering )?"
        r"(the|your) (original|initial|user's|user|previous|main) (task|request|question|query)",
    ),
    wording(
        ADDRESSED,
        "dear hey hi hello attention note message instruction instructions notice addressed memo "
        f"reminder important warning directive & {_ANY_MACHINE_WORDS}",
        r"(dear|hey|hi|hello|attention|note (to|for)|message (to|for)|instructions? (to|for)|"
        r"notice (to|for)|addressed to|memo to|reminder (to|for)|important for|warning to|"
        rf"directive (to|for)) (the |any |all |every |my |other |this )*{_MACHINE}( memory)?"
        r"( (reading|processing|summari[sz]ing|handling|reviewing|that|who|which|and)|[,:;!.-])",
    ),
    wording(
        ADDRESSED,
        "dear hey hi attention note instruction instructions message & assistant assistants agent "
        "agents bot bots model models",
        r"(dear|hey|hi|attention|note to|instructions? (to|for)|message (to|for))"
        r" (the |any |all |every |my )*(assistants?|agents?|bots?|models?)"
        r"( (reading|processing|summari[sz]ing|handling|reviewing)( \w+)*)?[,:;!]",
    ),
    wording(
        ADDRESSED,
        f"{_ANY_MACHINE_WORDS} & must should shall need needs has have is are will please",
        rf"(any|all|every|the|this|your|an?|you,? the) {_MACHINE}( (?!not )\w+){{0,8}},? {_MUST} "
        rf"(now |first |always |immediately |also |instead |not |never |then )?{_DO}",
    ),
    wording(
        ADDRESSED,
        "assistant assistants agent agents bot bots model & must should shall need needs has "
        "have is are will please & you user user's instead immediately first always now "
        "instruction instructions tool without before summary",
        r"(any|all|every|the|this) (assistants?|agents?|bots?|models?)( \w+){0,5},? "
        rf"{_MUST} (now |first |always |immediately |also |instead ){_DO}",
    ),
    wording(
        ADDRESSED,
        f"{_ANY_MACHINE_WORDS} & reading processing summarizing summarising handling parsing "
        "reads processes parses analyzing analysing reviewing",
        rf"(to|for|if|any|the|an?|all|every|you|your) (any |the |an? |all )?{_ANY_MACHINE},? "
        r"((that|who|which) (is |are )?)?(reading|reads?|processing|process(es)?|parsing|parses?|"
        r"summari[sz]ing|summari[sz]es?|handling|handles|analy[sz]ing|reviewing) this",
    ),
    wording(
        ADDRESSED,
        "ai llm llms chatbot chatbots language gpt chatgpt artificial assistant assistants agent "
        "agents & reading processing summarizing summarising handling parsing reviewing & this",
        rf"{_MACHINE},? ((that|who|which) )?((is|are) )?(reading|processing|summari[sz]ing|"
        r"handling|parsing|reviewing) this",
    ),
    wording(
        ADDRESSED,
        "as & ai llm language chatbot & you i it please your",
        r"as an? (ai|llm|(large )?language model|chatbot)( (assistant|agent|model|language|system|"
        r"chatbot|tool)){0,2},? (you|your|i|it|please)",
    ),
    wording(
        ADDRESSED,
        f"if since because & {_ANY_MACHINE_WORDS}",
        rf"(if|since|because) (you're|you are|you happen to be|this is read by)( an?| the)? "
        rf"{_ANY_MACHINE}",
    ),
    wording(
        ADDRESSED,
        "read reading reads see process processing parse parsing summarize summarise "
        "summarizing summarising analyzing open receive & this",
        r"(when|once|if|as soon as|upon|after|while|whenever) (you |you're |you are )?"
        r"(read|see|process|pars|summari[sz]|analy[sz]|review|receiv)(e|es|ing)? this"
        r"( \w+){0,2},? (please |immediately |you must |you should |first |also |now |always |"
        rf"make sure to |be sure to |you need to |you are to ){{0,2}}{_DO} (all|the user|every|"
        r"a copy|an email|this to|to the user|with|no|any|\w+ to)",
    ),
    wording(
        SECRECY,
        "tell telling inform informing notify notifying alert alerting mention mentioning reveal "
        "revealing show disclose disclosing let & user owner operator principal human user's",
        r"(do not|don't|dont|never|without|must not|should not|avoid) (telling|informing|"
        r"notifying|alerting|tell|inform|notify|alert|mention(ing)?|reveal(ing)?|show|"
        r"disclos(e|ing)|let)( \w+){0,4} (the|your) (user|owner|operator|principal|human)",
    ),
    wording(
        SECRECY,
        "without & asking confirming consulting checking waiting requesting seeking confirmation "
        "approval permission knowledge consent",
        r"(?<!not\s)(?<!n.t\s)without ((asking|confirming with|consulting|checking with|"
        r"waiting for|requesting|seeking|asking for)( \w+){0,2} (me|the user|your user|the owner|"
        r"confirmation|permission|approval|the human)|(any |further |additional |user |the user's )"
        r"+(confirmation|approval|permission|knowledge|consent))",
    ),
    wording(
        SECRECY,
        "confirmation permission approval & ask need needed required necessary wait",
        r"(do not|don't|dont|no need to|never) (ask|wait|check|stop)( \w+){0,3} "
        r"(confirmation|permission|approval)",
    ),
    wording(
        SECRECY,
        "response reply answer summary output & mention refer reference include reveal",
        r"(do not|don't|dont|never) (mention|refer to|reference|reveal|acknowledge) (this|these|"
        r"that|any of this)( \w+){0,3} (in|to|from) (your|the) (final )?"
        r"(response|reply|answer|summary|output|user)",
    ),
    wording(
        ROLE,
        "you & ai assistant agent bot chatbot mode model dan unrestricted restricted bound "
        "jailbroken",
        r"you(('re| are) (now|no longer)| will now (be|become|act as)| have become) "
        r"(\w+ ){0,4}(ai|assistant|agent|bot|chatbot|mode|model|dan|unrestricted|restricted|"
        r"bound|jailbroken)",
    ),
    wording(
        ROLE,
        "act pretend behave roleplay simulate & ai assistant agent bot chatbot language terminal "
        "dan jailbroken unrestricted system",
        r"(act|pretend|behave|roleplay|simulate) (as|like|to be|that you are|being) "
        r"(if you (were|are) )?(an? |the )?(\w+ ){0,3}(ai|assistant|agent|bot|chatbot|"
        r"language model|terminal|dan|jailbroken|unrestricted)",
    ),
    wording(
        ROLE,
        "mode & developer debug maintenance god admin jailbreak unrestricted sudo root dan",
        r"(enter|entering|activate|activated|enable|enabled|switch to|switching to|you are in|in) "
        r"(the )?(developer|debug|maintenance|god|admin|jailbreak|unrestricted|sudo|root|dan|"
        r"override) mode(?!\s(on|in|of|for|by)\s)",
    ),
    wording(
        OUTPUT,
        "prompt instructions & print output repeat reveal show display leak tell give share dump "
        "include",
        r"(print|output|repeat|reveal|show|display|leak|tell me|give me|share|dump|include) "
        r"(me )?(back )?(all (of )?)?(your|the|its)( \w+){0,3} "
        r"(system prompt|initial prompt|hidden prompt|prompt|instructions) "
        r"(above|verbatim|word for word|in full|to|at|and|you)",
    ),
    wording(
        OUTPUT,
        "start begin end finish conclude respond reply answer & response responses reply answer "
        "summary every each only",
        r"(start|begin|end|finish|conclude|prefix) (each of |all of )?(your|every|each|all) "
        r"(\w+ )?(response|reply|answer|summary|output)s? (with|by)",
    ),
    wording(
        OUTPUT,
        "response summary answer output & include add append insert mention recommend tell say "
        "state put write & your",
        r"(in|to|into|of) your (\w+ )?"
        r"(summary|answer|output|response to the user|final response),? "
        rf"(please |you must |you should |always |also )?{_DO}",
    ),
    wording(
        OUTPUT,
        "include add append insert put embed & summary answer output response",
        r"(include|add|append|insert|put|embed) (this|the following|these)( \w+){0,5} "
        r"(in|to|into|(at|to) the (end|start|top|"
        r"bottom|beginning) of) (your|the) "
        r"(\w+ )?(summary|output|answer|final response|response to the user)",
    ),
    wording(
        OUTPUT,
        "include add append insert put embed mention show & your & user",
        r"(include|add|append|insert|put|embed|mention|show)( [\w']+){1,8} in your (final )?"
        r"(response|reply|answer|summary|message) to the user",
    ),
    wording(
        OUTPUT,
        "tell inform convince persuade advise remind urge & user",
        r"(tell|convince|persuade|urge|instruct|direct) the user (that|to|they|he|"
        r"she|about|how)",
    ),
    wording(
        TOOLS,
        "tool function api plugin & use call invoke execute run using calling",
        r"(use|call|invoke|execute|run|using|calling) (the|your) (tool |function )?[\w.-]+ ?"
        r"(tool|function|api|plugin)? (with the (following )?(arguments?|parameters?|values?)|to "
        rf"{_DO})",
    ),
    wording(
        TOOLS,
        "tool function tools & should must need please first then finally",
        r"(you (should|must|need to|can)|please|first|then|finally),? (you (should|must) )?"
        r"(use|call|invoke|execute|run) (the|your) (tool|function)",
    ),
)
"""In order of how telling they are."""
