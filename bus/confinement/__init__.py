"""A run's process confines itself, before it is given its secrets or any content.

`confine` builds every wall that the kernel allows and says which stand; `cut_off` then takes
away the means to open a connection, once the one to the bus is there. Neither can be undone.
See docs/decisions/0023-a-process-confines-itself.md.
"""

from bus.confinement.errors import ConfinementError
from bus.confinement.process import NOTHING, Cell, confine, cut_off, hide_memory, look_up_code

__all__ = [
    "NOTHING",
    "Cell",
    "ConfinementError",
    "confine",
    "cut_off",
    "hide_memory",
    "look_up_code",
]
