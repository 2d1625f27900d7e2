"""Wordings that stage what only a machine's own session holds: its memory, its steps, its user.

Data for `markers`, in the notation of `wording`. A text from outside has no business writing into
a memory, reporting a tool's result, or speaking as if the user had typed it.
"""

from typing import Final

from sidecar.gate.wording import (
    ADDRESSED,
    CALLED,
    DO,
    LEAD,
    MUST,
    OUTPUT,
    OVERRIDE,
    POSING,
    SECRECY,
    TOOLS,
    wording,
)

_PERSON: Final = r"((account |page |mailbox )?(owner|holder)|user|human|operator|principal)"
_WORKER: Final = (
    r"(graders?|moderators?|screeners?|classifiers?|copilot|claude|gemini|gpt|llms?|chatbots?|bots?|"
    r"agents?|assistants?|models?|machines?)"
)
_WORKERS: Final = (
    "grader graders moderator moderators screener screeners classifier classifiers copilot claude "
    "gemini gpt llm llms chatbot chatbots bot bots agent agents assistant assistants model models "
    "machine machines"
)
_STEP: Final = r"(thought|observation|action|action input|final answer|tool call|function output)"

STAGED: Final = (
    wording(
        POSING,
        "though if & user owner holder human operator",
        rf"as (though|if) (it |they |this )?(\w+ ){{0,2}}(the|your) {_PERSON} (had|has|have) "
        r"(\w+ )?(typed|written|said|asked|sent|entered|ordered|wrote)( \w+)?",
    ),
    wording(
        POSING,
        "treat consider regard take handle read & system user developer operator",
        r"(treat|consider|regard|take|handle|read)( \w+){1,6} as (coming|sent|written|given|typed|"
        r"an order|a message|orders|instructions) (from|by|of) (the|your) "
        r"(system|user|developer|operator)",
    ),
    wording(
        POSING,
        "user & trusted verified authenticated real actual new",
        rf"(trusted|verified|authenticated|real|actual|new) user ?: {LEAD}{DO}",
    ),
    wording(
        POSING,
        "user & now",
        r"i('m| am) (the|your) (new |real |actual |only )?user( now)?",
    ),
    wording(
        POSING,
        "model assistant agent ai bot & administrator admin creator owner developer",
        r"i('m| am) the (administrator|admin|creator|owner|developer) of (this|the|your) "
        r"(model|assistant|agent|ai|bot)(?! \w)",
    ),
    wording(
        OVERRIDE,
        "priority precedence & user user's",
        r"(higher|more|absolute|top) (priority|precedence)( \w+){0,2} (than|over) (the|your) "
        r"(user|user's|system)",
    ),
    wording(
        OVERRIDE,
        "configuration programming persona alignment & your",
        r"your (\w+ )?(configuration|programming|persona|alignment)( \w+){0,2} (is|are|was|were|"
        r"has|have)( been| now| hereby)? (void|null|obsolete|replaced|revoked|superseded|disabled|"
        r"reset|cleared|overridden)(?! of)",
        "order & machine|user|value|aside|once",
    ),
    wording(
        OVERRIDE,
        "filters filter safeguards guardrails safety",
        r"(consider|regard|treat|assume|with)( that)?( all| any| the| your){0,2} "
        r"((content|safety) (filters?|checks?)|safeguards|guardrails)( \w+){0,2} "
        r"(disabled|off|lifted|suspended|gone|inactive)",
    ),
    wording(
        OVERRIDE,
        "safety & off disabled layer",
        r"(the|your) safety (layer|mode|filter|module|system) (is|has been|was) (\w+ )?(off|"
        r"disabled|switched off|deactivated|removed)(?!\s\w)",
        "order",
    ),
    wording(
        OVERRIDE,
        "task job assignment goal mission objective & real actual true",
        r"(your|the) (real|actual|true) (task|job|assignment|goal|mission|objective)( is)? ?[:-]",
        "order",
    ),
    wording(
        OVERRIDE,
        "user & aside drop forget abandon leave",
        r"(set|put|leave|lay) (aside|away) what(ever)? (the|your) user( \w+)?",
    ),
    wording(
        OVERRIDE,
        "ignore_previous_instructions ignore override bypass disregard",
        r"(ignore|override|bypass|disregard)_(all_|any_|the_)?(previous|prior|system|user|safety|"
        r"earlier)_(instructions?|prompts?|rules|checks?|limits?)",
    ),
    wording(
        CALLED,
        _WORKERS,
        rf"([\w-]+ ){{0,2}}{_WORKER}( ai)? ?: {LEAD}{DO}( \w+){{0,3}} (this|full|as|the latest|all|"
        r"every|top|our|it)",
    ),
    wording(
        CALLED,
        "ai",
        rf"([\w-]+ ){{1,2}}ai ?: {LEAD}({DO}|auto-?reply|auto-?forward)",
    ),
    wording(
        ADDRESSED,
        "automated machine bot robot automatically",
        r"(reader|readers|whoever|recipient|reviewer)( \w+){0,3},? (if|when|that is) "
        r"(automated|a machine|a bot|a robot|not human)",
        "order",
    ),
    wording(
        ADDRESSED,
        "automatically",
        r"(whoever|whatever|who) (summari[sz]es|reads|processes|parses|handles|sorts|analy[sz]es)"
        rf"( \w+){{0,3}} automatically,? {MUST} (\w+ )?{DO}",
    ),
    wording(
        ADDRESSED,
        "assistant agent copilot chatbot",
        r"(my|dear|now|ok|okay|hey|please),? (ai )?(assistant|agent|copilot|chatbot),? "
        r"(forget|drop|skip|on ?to|back to|proceed to|move on to)",
    ),
    wording(
        ADDRESSED,
        "assistant agent bot & task tasks step steps todo",
        r"((assistant|agent|bot)('s)? (task|to-?do) list|(next|first|last) (step|task) for the "
        r"(assistant|agent|bot|model))( \(\w+\))? ?:",
    ),
    wording(
        TOOLS,
        "memory preference preferences",
        r"(memory (update|entry|note|write)|(save|store|write|add|commit)( \w+){0,3} "
        r"(to|in|into) (your|its|the (assistant's|agent's|model's)) ([\w-]+ ){0,2}memory)",
        "value|order|here",
    ),
    wording(
        TOOLS,
        "preference preferences",
        r"(store|save|remember|record) (this|the following|these|a new) (user )?preferences? ?: "
        rf"{LEAD}{DO}",
    ),
    wording(
        TOOLS,
        "tool function & call required output",
        r"(tool|function) (call|invocation) (required|requested|needed) ?:",
    ),
    wording(
        POSING,
        "thought observation & action",
        rf"{_STEP} ?: ?[^\n]{{0,200}}\n{{1,2}}{_STEP} ?: ?[^\n]{{0,200}}\n{{1,2}}{_STEP} ?:",
    ),
    wording(
        SECRECY,
        "user human operator & circumstances no never",
        r"(under no circumstances|in no case|never)( \w+)? (let|allow) (the|your) "
        r"(user|human|operator)( \w+)? (know|notice|see|learn|find)",
    ),
    wording(
        SECRECY,
        "asks inquires wants & user",
        r"when(ever)? (the|your) user (asks|inquires|wants)( \w+){0,4},? (say|claim|answer|state|"
        r"pretend|deny|tell)",
        "aside|here",
    ),
    wording(
        SECRECY,
        "mentioning & without answer reply response summary",
        r"without (mentioning|saying|noting|revealing|disclosing)( \w+){0,3} in (your|the) "
        r"(answer|reply|response|summary|output)",
        "value|user|machine",
    ),
    wording(
        OUTPUT,
        "repeat print output reveal show disclose & system above developer hidden initial",
        r"(repeat|print|output|reveal|show|disclose|recite|dump)( \w+){0,4} (the|your) "
        r"(system|developer|hidden|initial) (message|prompt|instructions?)|"
        r"repeat (everything|all|all the text)( \w+){0,2} above",
    ),
)
