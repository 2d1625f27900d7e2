"""The built-in patterns. A workspace's policy may replace or extend them; see `Pattern`.

They are chosen so that honest work seldom meets one: what leads to a question or a halt asks
for a destination that is not the rep's own, a secret, or the gate's own repeated objection.
What merely deserves a look is flagged. Those that ask for destinations or records are met in
the gate, which sees them; the others in the supervisor's own process as well.
"""

from typing import Final

from schemas.names import Classification
from schemas.patterns import FactKind, Pattern, Property, Response, Step
from schemas.tools import Policy

_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400

_SEEN: Final = (FactKind.READ, FactKind.ARRIVAL)
_CALLS: Final = (FactKind.READ, FactKind.EFFECT)
_STRANGER: Final = Step(kinds=(FactKind.EFFECT,), outside=True, named=False)

RETRIEVAL_THEN_EGRESS: Final = Pattern(
    name="retrieval-then-egress",
    description="after reading confidential content the run reaches outside, to somebody whom"
    " neither its intent nor the rep's own records name",
    steps=(Step(kinds=_SEEN, sensitivity=Classification.CONFIDENTIAL), _STRANGER),
    within_s=_HOUR,
    response=Response.HOLD,
)
SECRET_THEN_EGRESS: Final = Pattern(
    name="secret-then-egress",
    description="after seeing a credential the run reaches outside the organisation",
    steps=(Step(kinds=_SEEN, credential=True), Step(kinds=_CALLS, outside=True)),
    within_s=_HOUR,
    response=Response.FLAG,
)
SECRET_THEN_STRANGER: Final = Pattern(
    name="secret-then-stranger",
    description="after seeing a credential the run reaches outside, to somebody whom neither"
    " its intent nor the rep's own records name",
    steps=(Step(kinds=_SEEN, credential=True), _STRANGER),
    within_s=_HOUR,
    response=Response.HOLD,
)
RELAY: Final = Pattern(
    name="relay",
    description="one run of the agent reads restricted content, and shortly after the agent"
    " reaches outside, to somebody whom no rep named",
    steps=(Step(kinds=_SEEN, sensitivity=Classification.RESTRICTED), _STRANGER),
    within_s=10 * _MINUTE,
    scope="agent",
    response=Response.HOLD,
)
FAN_OUT: Final = Pattern(
    name="fan-out",
    description="one run reaches many destinations outside that the rep did not name",
    steps=(
        Step(
            kinds=(FactKind.EFFECT,),
            outside=True,
            named=False,
            at_least=5,
            distinct=Property.DESTINATION,
        ),
    ),
    within_s=10 * _MINUTE,
    response=Response.HOLD,
)
BROADCAST: Final = Pattern(
    name="broadcast",
    description="one run reaches very many destinations outside, whoever named them",
    steps=(
        Step(kinds=(FactKind.EFFECT,), outside=True, at_least=50, distinct=Property.DESTINATION),
    ),
    within_s=_HOUR,
    response=Response.FLAG,
)
SLOW_DRIP: Final = Pattern(
    name="slow-drip",
    description="an agent reaches the same destination outside again and again over a day,"
    " though no rep named it: small pieces add up",
    steps=(Step(kinds=(FactKind.EFFECT,), outside=True, named=False, at_least=8),),
    within_s=_DAY,
    scope="agent",
    group_by=Property.DESTINATION,
    response=Response.HOLD,
)
COMMON_STRANGER: Final = Pattern(
    name="common-stranger",
    description="several runs reach the same destination outside, though no rep named it",
    steps=(
        Step(
            kinds=(FactKind.EFFECT,), outside=True, named=False, at_least=3, distinct=Property.RUN
        ),
    ),
    within_s=_DAY,
    scope="workspace",
    group_by=Property.DESTINATION,
    response=Response.HOLD,
)
MASS_MUTATION: Final = Pattern(
    name="mass-mutation",
    description="one run changes or removes many records within minutes, whatever the tool",
    steps=(
        Step(
            kinds=(FactKind.EFFECT,), effects=("mutation",), at_least=40, distinct=Property.OBJECT
        ),
    ),
    within_s=5 * _MINUTE,
    response=Response.HOLD,
)
MASS_MUTATION_BY_PARTS: Final = Pattern(
    name="mass-mutation-by-parts",
    description="an agent's runs together change or remove very many records within minutes",
    steps=(
        Step(
            kinds=(FactKind.EFFECT,), effects=("mutation",), at_least=150, distinct=Property.OBJECT
        ),
    ),
    within_s=10 * _MINUTE,
    scope="agent",
    response=Response.HOLD,
)
EFFECT_BURST: Final = Pattern(
    name="effect-burst",
    description="an agent's runs together have very many effects within minutes",
    steps=(Step(kinds=(FactKind.EFFECT,), at_least=200),),
    within_s=5 * _MINUTE,
    scope="agent",
    response=Response.FLAG,
)
SWEEP_THEN_EGRESS: Final = Pattern(
    name="sweep-then-egress",
    description="one run reads many different records and then reaches outside",
    steps=(
        Step(kinds=(FactKind.READ,), at_least=50, distinct=Property.OBJECT),
        Step(kinds=(FactKind.EFFECT,), outside=True),
    ),
    within_s=_HOUR,
    response=Response.HOLD,
)
READING_SPREE: Final = Pattern(
    name="reading-spree",
    description="one run reads very often and then pays, sends or publishes",
    steps=(
        Step(kinds=(FactKind.READ,), at_least=100),
        Step(kinds=(FactKind.EFFECT,), effects=("egress", "payment", "communication")),
    ),
    within_s=_HOUR,
    response=Response.FLAG,
)
PROBING: Final = Pattern(
    name="probing",
    description="a run keeps asking for what its lease, its intent or its tools do not carry",
    steps=(Step(kinds=(FactKind.REFUSAL,), layers=(2, 4, 5), at_least=4),),
    within_s=10 * _MINUTE,
    response=Response.HOLD,
)
PROBING_ON: Final = Pattern(
    name="probing-on",
    description="a run goes on asking for what it may not have, long after it was refused",
    steps=(Step(kinds=(FactKind.REFUSAL,), layers=(2, 4, 5), at_least=10),),
    within_s=_HOUR,
    response=Response.HALT,
)
PROBING_BY_PARTS: Final = Pattern(
    name="probing-by-parts",
    description="several runs of an agent ask for what they may not have",
    steps=(
        Step(kinds=(FactKind.REFUSAL,), layers=(1, 2, 4, 5), at_least=3, distinct=Property.RUN),
    ),
    within_s=_HOUR,
    scope="agent",
    response=Response.FLAG,
)
TURNED: Final = Pattern(
    name="turned",
    description="after reading text from an untrusted source the run keeps trying what the gate"
    " must refuse: it may be following that text",
    steps=(
        Step(kinds=_SEEN, trust="untrusted"),
        Step(kinds=(FactKind.REFUSAL,), layers=(2, 4, 5, 7, 8, 10), at_least=3),
    ),
    within_s=_HOUR,
    response=Response.HOLD,
)
RUBBER_STAMP: Final = Pattern(
    name="rubber-stamp",
    description="many of an agent's questions were approved within a minute: perhaps nobody"
    " read them",
    steps=(Step(kinds=(FactKind.APPROVAL,), at_least=8),),
    within_s=_MINUTE,
    scope="agent",
    response=Response.FLAG,
)
HALTED_BY_PATTERN: Final = Pattern(
    name="halted-by-pattern",
    description="the gate's own supervision refused this run, which is to stay stopped until an"
    " admin has looked at it",
    steps=(Step(kinds=(FactKind.REFUSAL,), layers=(13,)),),
    within_s=_MINUTE,
    response=Response.HALT,
)
OFTEN_SUPERVISED: Final = Pattern(
    name="often-supervised",
    description="supervision held or refused several runs of one agent within a day",
    steps=(
        Step(
            kinds=(FactKind.HOLD, FactKind.REFUSAL),
            layers=(13,),
            at_least=3,
            distinct=Property.RUN,
        ),
    ),
    within_s=_DAY,
    scope="agent",
    response=Response.FLAG,
)

DEFAULT_PATTERNS: Final[tuple[Pattern, ...]] = (
    RETRIEVAL_THEN_EGRESS,
    SECRET_THEN_EGRESS,
    SECRET_THEN_STRANGER,
    RELAY,
    FAN_OUT,
    BROADCAST,
    SLOW_DRIP,
    COMMON_STRANGER,
    MASS_MUTATION,
    MASS_MUTATION_BY_PARTS,
    EFFECT_BURST,
    SWEEP_THEN_EGRESS,
    READING_SPREE,
    PROBING,
    PROBING_ON,
    PROBING_BY_PARTS,
    TURNED,
    RUBBER_STAMP,
    HALTED_BY_PATTERN,
    OFTEN_SUPERVISED,
)


def patterns_of(policy: Policy) -> tuple[Pattern, ...]:
    """The patterns a policy asks for: its own, or the built-in ones where it names none."""
    return policy.patterns if policy.patterns is not None else DEFAULT_PATTERNS
