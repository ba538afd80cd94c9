"""OpenAI Agents: an agent with the tools of an MCP server, and its defaults. A call has 5 seconds."""

import asyncio
import json
from typing import Any

import plan
from agents import Agent, ModelResponse, Runner, Usage, set_tracing_disabled
from agents.mcp import MCPServer, MCPServerStdio, MCPServerStreamableHttp
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText


class PlanModel(Model):
    """Answers with the calls of a plan. The framework converts each tool result to an item of the input."""

    def __init__(self, followed: plan.Plan) -> None:
        self.plan = followed

    async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> ModelResponse:
        result = text_of(input[-1]["output"]) if isinstance(input, list) and "output" in input[-1] else None
        call = self.plan.first() if result is None else await asyncio.to_thread(self.plan.after, result)
        if call is None:
            text = ResponseOutputText(text="done", type="output_text", annotations=[])
            output: Any = ResponseOutputMessage(
                id="m", content=[text], role="assistant", status="completed", type="message"
            )
        else:
            output = ResponseFunctionToolCall(
                call_id=f"call-{self.plan.calls}",
                name=call.tool,
                arguments=json.dumps(call.arguments),
                type="function_call",
            )
        return ModelResponse(output=[output], usage=Usage(), response_id=None)

    def stream_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


def text_of(output: Any) -> str:
    return output if isinstance(output, str) else "".join(part.get("text", "") for part in output)


def server() -> MCPServer:
    command = plan.stdio_command()
    if command is not None:
        return MCPServerStdio({"command": command[0], "args": command[1]})
    url, headers = plan.http_server()
    return MCPServerStreamableHttp({"url": url, "headers": headers})


async def main() -> None:
    plan.say_versions("openai-agents", "mcp")
    set_tracing_disabled(True)
    async with server() as guard:
        for each in plan.plans():
            agent = Agent(name="clerk", model=PlanModel(each), mcp_servers=[guard])
            await Runner.run(agent, "pay the bill")


asyncio.run(main())
