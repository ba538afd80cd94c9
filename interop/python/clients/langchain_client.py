"""LangChain: an agent with the tools of `MultiServerMCPClient.get_tools()`, which opens a session for each call.

Over stdio, each session starts a guard of its own, which ends with the call.
"""

import asyncio
from typing import Any

import plan
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_mcp_adapters.client import MultiServerMCPClient
from langgraph.prebuilt import create_react_agent


class PlanModel(BaseChatModel):
    """Answers with the calls of a plan."""

    plan: Any

    @property
    def _llm_type(self) -> str:
        return "plan"

    def bind_tools(self, tools: Any, **_: Any) -> "PlanModel":
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        last = messages[-1]
        call = self.plan.after(text_of(last.content)) if isinstance(last, ToolMessage) else self.plan.first()
        message = AIMessage("done")
        if call is not None:
            asked = {"name": call.tool, "args": call.arguments, "id": f"call-{self.plan.calls}", "type": "tool_call"}
            message = AIMessage("", tool_calls=[asked])
        return ChatResult(generations=[ChatGeneration(message=message)])


def text_of(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def connection() -> dict[str, Any]:
    command = plan.stdio_command()
    if command is not None:
        return {"transport": "stdio", "command": command[0], "args": command[1]}
    url, headers = plan.http_server()
    return {"transport": "streamable_http", "url": url, "headers": headers}


async def main() -> None:
    plan.say_versions("langchain-mcp-adapters", "langgraph", "langchain-core", "mcp")
    tools = await MultiServerMCPClient({"bank": connection()}).get_tools()
    for each in plan.plans():
        await create_react_agent(PlanModel(plan=each), tools).ainvoke({"messages": [("user", "pay the bill")]})


asyncio.run(main())
