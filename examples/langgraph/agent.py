"""A LangGraph agent; only where its tools come from is ours.

    python -m examples.langgraph.agent --intent "..." --tool files.read "what to do"

`graph` is what any LangGraph agent looks like: a model, its tools, and back. `leased` makes
LangChain tools of an AnyTeam run's, so each call goes through the gate: a refusal, or a
question that waits for a person, is told to the model in words. The model is any that speaks
the OpenAI API, as OPENAI_BASE_URL and OPENAI_API_KEY say.
"""

import argparse
import asyncio
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.tools import BaseTool, StructuredTool
from langchain_openai import ChatOpenAI
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

import anyteam


def graph(model: BaseChatModel, tools: list[BaseTool]) -> Any:
    """The agent: the model speaks, its calls are made, until it has nothing to call."""
    speaker = model.bind_tools(tools)

    async def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await speaker.ainvoke(state["messages"])]}

    built = StateGraph(MessagesState)
    built.add_node("model", speak)
    built.add_node("tools", ToolNode(tools))
    built.add_edge(START, "model")
    built.add_conditional_edges("model", tools_condition)
    built.add_edge("tools", "model")
    return built.compile()


def leased(tools: anyteam.Tools) -> list[BaseTool]:
    """A run's tools as LangChain's."""
    return [_leased(tools, offered.name, offered) for offered in tools.offered]


def _leased(tools: anyteam.Tools, name: str, offered: Any) -> BaseTool:
    async def call(**arguments: Any) -> str:
        return await tools.tell(name, arguments)

    return StructuredTool.from_function(
        coroutine=call,
        name=name.replace(".", "_"),
        description=offered.summary,
        args_schema=offered.arguments,
    )


async def work(agent: str, intent: str, names: list[str], effects: list[str], task: str) -> str:
    """Have the agent do `task` within one run; its last words."""
    async with anyteam.run(agent, intent, tools=names, effects=effects) as tools:
        made = graph(ChatOpenAI(model="small"), leased(tools))
        state = await made.ainvoke({"messages": [("user", task)]})
    print(f"run {tools.run} ended: {tools.ended[0]}")
    return str(state["messages"][-1].content)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--agent", default="outside")
    parser.add_argument("--intent", required=True)
    parser.add_argument("--tool", action="append", default=[])
    parser.add_argument("--effect", action="append", default=[])
    parser.add_argument("task")
    chosen = parser.parse_args()
    print(asyncio.run(work(chosen.agent, chosen.intent, chosen.tool, chosen.effect, chosen.task)))


if __name__ == "__main__":
    main()
