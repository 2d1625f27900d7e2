"""Wordings that put a text above the task: overrides, false givers, secrecy, new roles.

Data for `markers`, in the notation of `wording`. Nothing here names a tool, a person or a value.
What is addressed to a machine, or says what to answer, is in `addressing`; other languages are
in `tongues`.
"""

from typing import Final

from sidecar.gate.wording import DO, OVERRIDE, POSING, ROLE, SECRECY, wording

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
_MASTER: Final = r"(user|operator|creator|developer|developers|principal|master|maker|programmer)"

WORDINGS: Final = (
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
    wording(
        POSING,
        "message note instruction request instructions reminder & me & you",
        r"(message|note|instructions?|request|reminder)( \w+)? from me,?~,? to you(?! all)",
        "machine|value|user|order & machine|value|user",
    ),
    wording(
        POSING,
        "user user's operator creator developer developers principal master maker programmer "
        "system "
        "assistant & message note instruction instructions request reminder order notice",
        r"(message|note|instructions?|request|reminder|order|notice)( \w+)? (from|by|of) "
        rf"(your|the) ({_MASTER}|user's|system|assistant)",
        "order",
    ),
    wording(
        POSING,
        "user operator creator developer principal owner",
        r"(this is|i am|i'm|it is|it's|here is) (your (user|operator|creator|developer|principal|"
        r"owner|master)|the user|the owner of (this|your) (mailbox|inbox|account|assistant))",
    ),
    wording(
        POSING,
        "administrator admin supervisor support",
        r"(i am|i'm|this is|as) (your |the )(\w+ )?(administrator|admin|supervisor|operator)"
        r"( of \w+( \w+)?)?[,.:;]? ?(i|and|please|provide|give|hereby|we)",
        "machine|value|aside|once|user|secret",
    ),
    wording(
        POSING,
        "supervisor administrator operator owner developer creator master",
        r"as your (\w+ )?(supervisor|administrator|operator|owner|developer|creator|master),? i "
        r"(\w+ )?(order|command|instruct|authori[sz]e|ask|tell) you",
    ),
    wording(POSING, "behalf name", rf"(on behalf|in the name) of the user ?: {DO}"),
    wording(
        POSING,
        "authorise authorize order instruct command & i & you",
        r"i (\w+ )?(authori[sz]e|order|instruct|command) you to",
        "value|machine|aside|user|once",
    ),
    wording(
        POSING,
        "openai anthropic google microsoft developers creators",
        r"(this is|message from|on behalf of|we are) (the )?(\w+ )?(openai|anthropic|google|"
        r"microsoft|developers|creators)",
        "machine & order",
    ),
    wording(
        POSING,
        "user operator creator developer principal",
        rf"your {_MASTER} (\w+ ){{0,2}}(asks?|wants?|has|have|requires?|expects?|needs?|decided|"
        r"requested|pre-?approved|would like|authori[sz]ed|instructs?|ordered|told)",
    ),
    wording(
        POSING,
        "owner & account mailbox inbox calendar device workspace",
        r"the owner of this (account|mailbox|inbox|calendar|device|workspace)",
        "order",
    ),
    wording(
        POSING,
        "user & permission confirmed agreed approved authorised authorized consented consent "
        "granted changed requested wants asked",
        r"(the|your) user( \w+){0,3} (permission|confirmed|agreed|approved|authori[sz]ed|"
        r"consent\w*|granted)|(authori[sz]ed|approved|confirmed|permitted) by the user|"
        r"(on behalf|in the name) of the user",
        "order & aside|value|once|machine|order",
        weak=True,
    ),
    wording(
        POSING,
        "user & permission confirmed agreed approved authorised authorized consented",
        r"you (have|are|were)( been)?( \w+)? (authori[sz]ed|approved|permitted|cleared) by the "
        rf"user to {DO}|the user( \w+)? (has |have )?(already )?(confirmed|agreed|approved|"
        r"permission|given permission|consented)( \w+){0,8}[.,;:]? (so |therefore |and )?"
        r"(no confirmation|no need|go ahead|proceed|do not ask|without)",
    ),
    wording(
        POSING,
        "user's user & fulfil fulfill complete solve finish answer satisfy continue",
        r"(in order )?to (fulfil+|complete|solve|finish|answer|satisfy|continue with) the user's "
        r"(request|task|question|query)~,? (you|first|must|need|should|have)",
    ),
    wording(
        POSING,
        "task request question query job instructions & gave given asked assigned",
        r"(task|request|question|query|job|instructions) (that |which )?"
        r"((i|the user|your user|was|were) (originally |initially |previously )?(gave|given|asked|"
        r"assigned)( you| to you| by| at first| in the beginning| before|,? first)|"
        r"you (were|have been)( \w+)? (given|asked|assigned))",
        "order & machine|value|user|once|aside",
    ),
    wording(
        POSING,
        "before prior & task request user query question prompt solve summary answer & you",
        r"(before|prior to) (you |you're )?(can |may |could |able to )?(solv|answer|complet|"
        r"finish|continu|"
        r"proceed|respond|reply|summari[sz]|resum|start|begin|do|provid|help|execut|process|go on|"
        r"present)\w*~ "
        r"(task|request|user|user's|query|question|prompt|anything else|summary|results)~,? "
        r"(you must|you need to|you should|you are|please do|please first|do the following|first|"
        rf"perform|make sure|always|{DO})",
        "value|user|machine|aside|once",
    ),
    wording(
        POSING,
        "before prior & answering replying responding continuing proceeding answer reply respond "
        "continue proceed doing anything",
        r"(before|prior to) ((answering|replying|responding|continuing|proceeding)|you (answer|"
        r"reply|"
        rf"respond|continue|proceed))~,? (please|you must|you should|first|also)? ?{DO}|"
        rf"before (doing )?anything else",
        "user|machine & value & order|user",
    ),
    wording(
        POSING,
        "following & first instead immediately before",
        r"(do|perform|execute|complete|carry out) (the|these) following"
        r"( \w+){0,2} (first|instead|before (anything else|you|answering|continuing))",
        "user|machine|value",
        weak=True,
    ),
    wording(
        POSING,
        "task request question & continue resume solve return proceed carry",
        r"(continue|resume|solve|return|go back|proceed|carry on) (to |with |solving |answering )?"
        r"(the|your) ((original|initial|user's|previous|main) (task|request|query)|user's "
        r"question)",
        "user|machine|value",
    ),
    wording(
        POSING,
        "also & when whenever each every time if once & must should always",
        r"(when(ever)?|if|once|(each|every) time) (any|some|a|an|the|you|no)\w* ([\w']+ ){1,10}"
        rf"you (must|should|have to|need to|are to) also {DO}",
        "value",
    ),
    wording(
        SECRECY,
        "user owner operator principal human user's",
        r"(?<!must\s)(do not|don't|dont|without|avoid|refrain from) (ever )?(telling|informing|"
        r"notifying|alerting|tell|inform|notify|alert|mention(ing)?|reveal(ing)?|bring\w*|asking|"
        r"disclos(e|ing)|let|waiting for|ask)( \w+){0,5} (the|your) (user|operator|principal)",
    ),
    wording(
        SECRECY,
        "user user's & not never hidden hide secret without unaware notice invisible",
        r"(hid(e|den|ing)|keep|kept|conceal\w*|secret|invisible|unnoticed)( \w+){0,5} "
        r"(from|to|by) (the|your) user",
    ),
    wording(
        SECRECY,
        "user & know notice informed told aware find realise realize learn",
        r"(the|your) user (must not|must never|should not|should never|need not|"
        r"do(es)? not need to|doesn't need to|does not have to|is not to|will not|won't|cannot) "
        r"(\w+ )?(know|notice|informed|told|aware|find out|realise|realize|learn)",
    ),
    wording(
        SECRECY,
        "quietly silently secretly discreetly unnoticed",
        r"(quietly|silently|secretly|discreetly|unnoticed)",
        "value|user|machine",
    ),
    wording(
        SECRECY,
        "without",
        r"(?<!not\s)(?<!n.t\s)without ((asking|confirming|consulting|checking|waiting|requesting|"
        r"seeking)( \w+){0,3} (me|owner|confirmation|permission|approval|human|again|maintainer)|"
        r"(any |further |additional )*(confirmation|approval|permission|consent|further checks))",
        "machine & order|value",
        weak=True,
    ),
    wording(
        SECRECY,
        "confirmation permission approval ask asking again & no not don dont never",
        r"((do not|don't|dont|no need to|never) (ask|wait|check)( \w+){0,3} "
        r"(confirmation|permission|approval|again)|no (need for )?(\w+ )?(confirmation|approval) "
        r"(by the user )?(is )?(needed|required|necessary|by the user)|and (do not|don't) ask)",
        "machine|user",
    ),
    wording(
        SECRECY,
        "mention refer reference reveal acknowledge",
        r"(do not|don't|dont|never) (mention|refer to|reference|reveal|acknowledge) (this|these|"
        r"that|any of this)( \w+){0,3} ((in|to|from) (your|the) (final )?"
        r"(response|reply|answer|summary|output|user)|instructions?|prompt|sentence)",
    ),
    wording(
        ROLE,
        "you & ai assistant agent bot chatbot mode model dan unrestricted restricted bound "
        "jailbroken shell terminal",
        r"you(('re| are) (now|no longer)| will now (be|become|act as)| have become) "
        r"(\w+ ){0,4}(ai|assistant(?! \w*manager)|agent(?! of)|bot|\w+bot|chatbot|mode|model|dan|"
        r"unrestricted|jailbroken|(un)?restricted (by|agent|ai)|bound by|shell)",
        "order",
    ),
    wording(
        ROLE,
        "unrestricted jailbroken dan uncensored",
        r"you(('re| are) now| will now be| have become) (\w+ ){0,3}(unrestricted|jailbroken|dan|"
        r"uncensored)",
    ),
    wording(
        ROLE,
        "act & bot ai agent assistant terminal shell console",
        r"act as (the|an?) (\w+ ){0,3}(terminal|shell|console)|you (will|must|shall|should)( now)? "
        r"act as (the|an?|my) (\w+ ){0,2}(bot|ai|agent|assistant)",
        "order",
    ),
    wording(
        ROLE,
        "bot ai chatbot llm shell dan",
        r"you('re| are) (the|an?) (\w+ ){0,2}(bot|ai|chatbot|llm|shell|dan)[,.:;!]",
        "order",
    ),
    wording(
        ROLE,
        "act pretend behave roleplay simulate imagine play role",
        r"(act|pretend|behave|roleplay|simulate|imagine|play|role) (as|like|to be|that|being|of|"
        r"you) (if )?(you )?(were |are |had |was )?(an? |the )?(\w+ ){0,3}(ai without|ai with no|"
        r"dan|jailbroken|unrestricted|evil|no (rules|restrictions|limits)|root shell)",
    ),
    wording(
        ROLE,
        "rules restrictions limits limitations filters constraints",
        r"(you are|you're|you have|you had|imagine|pretend|act|be)( [\w']+){0,9} "
        r"(without|no|free of)( any)? (rules|restrictions|limits|limitations|filters|constraints)",
        "order",
    ),
    wording(
        ROLE,
        "act pretend role behave",
        r"(act as( if)?|pretend( that| to)?|play the role of|behave (as|like))( \w+){0,6}",
        "order & machine|user|value|once",
        weak=True,
    ),
    wording(
        ROLE,
        "mode & developer debug maintenance god admin jailbreak unrestricted sudo root dan",
        r"((enter|activate|activated|enable|enabled|switch (in)?to|switching (in)?to) (the )?"
        r"(developer|god|admin|jailbreak|unrestricted|sudo|root|dan|override)|"
        r"you are (now )?in (\w+ )?(developer|debug|maintenance|god|admin|jailbreak|unrestricted|"
        r"sudo|root|dan|override)) mode(?! (on|in|for|of|by))|(enter|switch (in)?to) (debug|"
        r"maintenance) "
        rf"mode,? (and|then) (then )?{DO}",
    ),
)
