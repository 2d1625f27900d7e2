"""Wordings that say what a machine shall answer or remember, and which of its tools to use.

Data for `markers`, in the notation of `wording`.
"""

from typing import Final

from sidecar.gate.wording import DO, LEAD, OUTPUT, TOOLS, wording

ANSWERS: Final = (
    wording(
        OUTPUT,
        "prompt instructions configuration & reveal print output repeat display leak dump recite "
        "show tell give share paste",
        r"(reveal|print|output|repeat|display|leak|dump|recite|show|tell|give|share|paste)( me)?"
        r"( back)?( all( of)?)? (your|the|its) ((\w+ )?(system|initial|hidden|secret) "
        r"(prompt|instructions|message)|prompt verbatim)",
    ),
    wording(
        OUTPUT,
        "prompt instructions configuration & reveal print output repeat display leak dump recite",
        r"(reveal|print|output|repeat|display|leak|dump|recite)( me)?( back)?( all( of)?)? your "
        r"(\w+ ){0,2}(prompt|instructions|configuration|rules)",
    ),
    wording(
        OUTPUT,
        "start begin end finish conclude prefix & response responses reply answer summary output",
        r"(start|begin|end|finish|conclude|prefix) (each of |all of )?(your|every|each|all) "
        r"(\w+ )?((response|output|summary)s? (with|by)|(reply|answer)s? (with|by) (the "
        r"(words?|sentence|phrase|line|link)|(?=[\"'])))",
    ),
    wording(
        OUTPUT,
        "respond reply answer output print & only exclusively solely",
        r"((respond|reply|answer)( to (each|every|all|any)( \w+){1,2})? "
        r"((only|exclusively|solely) with|with only)|only (respond|reply|answer|output) with|"
        r"output only(?= ?[\"']))",
    ),
    wording(
        OUTPUT,
        "answer response summary reply output",
        r"your (\w+ )?(answer|response|summary|reply|output) (has to|must|should|shall|needs to) "
        r"(contain|include|say|state|mention|recommend|consist)( \w+){0,3}(?=\s?[\"':])",
    ),
    wording(
        OUTPUT,
        "prompt instructions message & system initial hidden original & your",
        r"your (system|hidden|initial) (prompt|instructions|message)",
    ),
    wording(
        OUTPUT,
        "instructions prompt & what",
        r"what (are|is) your (\w+ )?(instructions|prompt)",
        "order",
    ),
    wording(
        OUTPUT,
        "respond reply answer & every each all",
        r"(respond|reply|answer)( to)? (every|each|all) (\w+ )?(questions?|messages?|requests?|"
        r"prompts?) with",
    ),
    wording(
        OUTPUT,
        "summary",
        rf"in your (\w+ )?summary( of \w+( \w+)?)?,? {LEAD}(say|state|claim|conclude|report|"
        rf"write) that",
    ),
    wording(
        OUTPUT,
        "include add append insert put embed mention show & user",
        r"(include|add|append|insert|put|embed|mention|show)( [\w']+){1,8} in your (final )?"
        r"(response|reply|answer|summary|message) to the user",
    ),
    wording(
        OUTPUT,
        "response summary answer output reply & user",
        rf"in your (\w+ )?(response|reply|answer|summary)( to the user)?,? {LEAD}{DO}",
        "user",
    ),
    wording(
        OUTPUT,
        "response summary answer output & include add append insert mention recommend tell say "
        "state put write",
        rf"(in|to|into|of) your (\w+ )?(summary|answer|output|final response),? {LEAD}{DO}",
        "value|user|machine",
    ),
    wording(
        OUTPUT,
        "include add append insert put embed & summary answer output response",
        r"(include|add|append|insert|put|embed) (this|the following|these)( \w+){0,5} "
        r"(in|to|into|(at|to) the (end|start|top|bottom|beginning) of) (your|the) "
        r"(\w+ )?(summary|output|answer|final response|response to the user)",
        "value|user|machine",
    ),
    wording(
        OUTPUT,
        "user users & tell inform convince persuade advise urge instruct direct ask believes "
        "believe remind",
        r"(tell|advise|instruct|direct|remind|ask) (the|your) users? (that|to|they|he|she|"
        r"about|how)",
        "value|aside|machine|here",
    ),
    wording(
        OUTPUT,
        "user users & convince persuade trick urge talk believes believe thinks",
        r"(convince|persuade|trick|urge|talk) (the|your) users? (that|to|into)|"
        r"(make sure|ensure)( that)? the user (believes|thinks)",
    ),
    wording(
        OUTPUT,
        "remember memorise memorize memory & future conversations sessions chats memory",
        r"(remember|memori[sz]e)( \w+){0,4} future (conversations|sessions|chats|tasks|requests|"
        r"runs)|(save|store|write|add|commit|put)( [\w']+){0,8} (to|in|into) (your|its|the ai)"
        r"( \w+)? memory",
    ),
    wording(
        OUTPUT,
        "translate following page document text & call tool send",
        r"while (doing so|you do|at it),? (call|use|run|send|also)",
        "machine|value|once",
        weak=True,
    ),
    wording(
        TOOLS,
        "tool function api plugin & use call invoke execute run using calling",
        r"(use|call|invoke|execute|run|using|calling) (the|your) "
        r"([\w.-]+_[\w.-]+|[\w.-]+ (tool|function|plugin)|(tool|function) [\"'`]?\w+_\w+[\"'`]?) ?"
        r"(tool|function|api|plugin)?"
        rf"( with| to {DO}| and| on)",
        "value|user|machine|once|aside",
    ),
    wording(
        TOOLS,
        "call invoke",
        r"(now|then|please|first|must|replying|step|and|should)?[,:]? ?(call|invoke) "
        r"\w+_\w+ (with|on|to|url|using|and)",
        "value|once|user|machine",
    ),
    wording(
        TOOLS,
        "tool function & call invoke use run",
        r"(call|invoke|use|run) the (tool|function) [\"'`]?\w+_\w+",
    ),
    wording(
        TOOLS,
        "tool function tools & should must need please first then finally",
        r"(you (should|must|need to|can)|please|first|then|finally),? (you (should|must) )?"
        r"(use|call|invoke|execute|run) (the|your) (tool|function)(?! key)",
        "value|user|machine",
    ),
)
