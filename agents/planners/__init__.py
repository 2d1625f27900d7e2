"""Planners: what a runtime's next step is, from its run's history alone."""

from agents.planners.planner import Ask, Finish, History, Planner, Propose, Step, Turn
from agents.planners.scripted import ScriptedPlanner, load_plan

__all__ = [
    "Ask",
    "Finish",
    "History",
    "Planner",
    "Propose",
    "ScriptedPlanner",
    "Step",
    "Turn",
    "load_plan",
]
