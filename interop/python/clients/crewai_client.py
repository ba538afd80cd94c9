"""CrewAI: an agent with the tools of `MCPServerAdapter`.

The agent has `cache=False`: in a crew with `cache=True`, CrewAI would answer a repeated call from its cache, and the call
would never reach the guard.
"""

import json
from types import SimpleNamespace
from typing import Any

import plan
from crewai import Agent, Crew, Task
from crewai.llms.base_llm import BaseLLM
from crewai_tools import MCPServerAdapter
from mcp import StdioServerParameters


class PlanModel(BaseLLM):
    """Answers with the calls of a plan, as a model with native function calling."""

    plan: Any = None

    def call(self, messages: Any, *_: Any, **__: Any) -> Any:
        last = messages[-1] if isinstance(messages, list) else {}
        call = self.plan.after(str(last["content"])) if last.get("role") == "tool" else self.plan.first()
        if call is None:
            return "done"
        function = SimpleNamespace(name=call.tool, arguments=json.dumps(call.arguments))
        return [SimpleNamespace(id=f"call-{self.plan.calls}", type="function", function=function)]

    def supports_function_calling(self) -> bool:
        return True


def parameters() -> Any:
    command = plan.stdio_command()
    if command is not None:
        return StdioServerParameters(command=command[0], args=command[1])
    url, headers = plan.http_server()
    return {"url": url, "headers": headers, "transport": "streamable-http"}


def main() -> None:
    plan.say_versions("crewai", "crewai-tools", "mcpadapt", "mcp")
    with MCPServerAdapter(parameters()) as tools:
        for each in plan.plans():
            model = PlanModel(model="plan", plan=each)
            agent = Agent(role="clerk", goal="pay", backstory="pays", llm=model, tools=tools, cache=False)
            task = Task(description="pay the bill", expected_output="done", agent=agent)
            Crew(agents=[agent], tasks=[task]).kickoff()


main()
