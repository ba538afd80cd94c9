"""AutoGen: an agent with an `McpWorkbench`, and its defaults. Over stdio, the server is given 5 seconds for a call."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import plan
from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, FunctionExecutionResultMessage, LLMMessage, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient
from autogen_ext.tools.mcp import McpWorkbench, StdioServerParams, StreamableHttpServerParams

INFO = ModelInfo(vision=False, function_calling=True, json_output=False, family="unknown", structured_output=False)


class PlanModel(ReplayChatCompletionClient):
    """Answers with the calls of a plan."""

    def __init__(self, followed: plan.Plan) -> None:
        super().__init__([], INFO)
        self.plan = followed

    async def create(self, messages: Sequence[LLMMessage], **_: Any) -> CreateResult:
        last = messages[-1]
        if isinstance(last, FunctionExecutionResultMessage):
            call = await asyncio.to_thread(self.plan.after, last.content[-1].content)
        else:
            call = self.plan.first()
        content: Any = "done"
        if call is not None:
            content = [FunctionCall(f"call-{self.plan.calls}", json.dumps(call.arguments), call.tool)]
        return CreateResult(
            finish_reason="stop" if call is None else "function_calls",
            content=content,
            usage=RequestUsage(prompt_tokens=0, completion_tokens=0),
            cached=False,
        )


def parameters() -> StdioServerParams | StreamableHttpServerParams:
    command = plan.stdio_command()
    if command is not None:
        return StdioServerParams(command=command[0], args=command[1])
    url, headers = plan.http_server()
    return StreamableHttpServerParams(url=url, headers=headers)


async def main() -> None:
    plan.say_versions("autogen-ext", "autogen-agentchat", "mcp")
    async with McpWorkbench(parameters()) as workbench:
        for each in plan.plans():
            agent = AssistantAgent(
                "clerk", PlanModel(each), workbench=workbench, max_tool_iterations=plan.CALLS_MAX + 1
            )
            await agent.run(task="pay the bill")


asyncio.run(main())
