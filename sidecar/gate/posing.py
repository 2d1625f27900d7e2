"""Wordings that pose as the task's giver, keep something from the user, or give a new role.

Data for `markers`, in the notation of `wording`.
"""

from typing import Final

from sidecar.gate.wording import DO, POSING, ROLE, SECRECY, wording

_MASTER: Final = r"(user|operator|creator|developer|developers|principal|master|maker|programmer)"

POSES: Final = (
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
        r"owner|master)(?! (licen[cs]e|account|portal|guide|manual|name|id|number|\w+ key))|"
        r"the user|the owner of (this|your) (mailbox|inbox|account|assistant))",
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
