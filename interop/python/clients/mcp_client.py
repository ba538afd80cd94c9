"""The session of the Python SDK of MCP, without a framework."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import plan
from mcp import ClientSession, StdioServerParameters
from mcp.client import streamable_http
from mcp.client.stdio import stdio_client

# The SDK takes headers only with an HTTP client, whose own time limit of 5 s its default client does not have.
TIMEOUT_S = 30


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Any, Any]]:
    command = plan.stdio_command()
    if command is not None:
        async with stdio_client(StdioServerParameters(command=command[0], args=command[1])) as streams:
            yield streams[0], streams[1]
        return
    url, headers = plan.http_server()
    async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_S) as client:
        async with streamable_http.streamable_http_client(url, http_client=client) as streams:
            yield streams[0], streams[1]


async def main() -> None:
    plan.say_versions("mcp")
    async with connected() as (read, write), ClientSession(read, write) as session:
        await session.initialize()
        for each in plan.plans():
            call = each.first()
            while call is not None:
                result = await session.call_tool(call.tool, call.arguments)
                call = await asyncio.to_thread(each.after, result.content[0].text)


asyncio.run(main())
