#!/usr/bin/env python3
"""Connects to `sudoagent mcp guard` with the Python SDK of MCP: over stdio and HTTP, with and without elicitation.

    python3 -m venv venv && venv/bin/pip install mcp
    venv/bin/python interop/python/mcp_guard.py

Needs a built clone and `node`. Prints one line for each combination, and exits with 0 if all results are as expected. If
the package `mcp` is not installed, prints that and exits with 0.
"""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    from mcp import ClientSession, StdioServerParameters, types
    from mcp.client.stdio import stdio_client
except ImportError:
    print("the Python package `mcp` is not installed: skipped")
    sys.exit(0)

ROOT = Path(__file__).resolve().parents[2]
CLI = ROOT / "apps/cli/bin/sudoagent.cjs"
SERVER = ROOT / "packages/mcp/test/fixtures/hostile-server.mjs"
TOKEN = "a-token-for-the-python-client"
# Longer than every operation here takes on a busy machine.
TIMEOUT_S = 60

POLICY = """export const policy = {
  policyId: 'python',
  version: '1',
  evaluate: ({ action }) =>
    action === 'files/read' ? { decision: 'allow', reason: 'reads are fine' }
    : action === 'files/write' ? { decision: 'require_approval', reason: 'writes are looked at' }
    : { decision: 'deny', reason: 'not on the list' },
}
"""


def guard(folder, *options, mode="plain"):
    """Returns the guard's command line with a small server. Pending calls are answered after a second."""
    args = ["mcp", "guard", "--policy", f"{folder}/policy.mjs", "--ledger", f"{folder}/ledger.sqlite"]
    args += ["--server", "files", "--hold", "1", "--elicitation", *options]
    return [str(CLI), *args, "--", "node", str(SERVER), mode]


@contextlib.asynccontextmanager
async def over_stdio(folder):
    async with stdio_client(StdioServerParameters(command="node", args=guard(folder))) as (read, write):
        yield read, write


@contextlib.asynccontextmanager
async def over_http(folder, mode="plain"):
    env = {**os.environ, "SUDOAGENT_MCP_TOKEN": TOKEN}
    command = ["node", *guard(folder, "--http", "127.0.0.1:0", mode=mode)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True)
    try:
        line = await asyncio.get_running_loop().run_in_executor(None, process.stdout.readline)
        url = re.fullmatch(r"url +(\S+)\n", line).group(1)
        async with http_client(url, {"Authorization": f"Bearer {TOKEN}"}) as streams:
            yield streams[0], streams[1]
    finally:
        process.terminate()
        if process.wait(timeout=TIMEOUT_S) != 0:
            raise AssertionError(f"the guard exited with {process.returncode}")


@contextlib.asynccontextmanager
async def http_client(url, headers):
    """Connects over HTTP. The SDK's function has two names, with two ways to set headers."""
    from mcp.client import streamable_http

    if hasattr(streamable_http, "streamable_http_client"):
        try:
            import httpx2 as httpx
        except ImportError:
            import httpx

        async with httpx.AsyncClient(headers=headers, timeout=TIMEOUT_S) as client:
            async with streamable_http.streamable_http_client(url, http_client=client) as streams:
                yield streams
    else:
        async with streamable_http.streamablehttp_client(url, headers=headers) as streams:
            yield streams


async def approve(_context, _params):
    return types.ElicitResult(action="accept", content={"decision": "approve"})


async def check(session, can_be_asked):
    await session.initialize()
    tools = [tool.name for tool in (await session.list_tools()).tools]
    assert tools == ["read", "write", "drop", "sudoagent_wait"], tools

    async def call(name):
        result = await session.call_tool(name, {"path": "a.txt"})
        return bool(result.is_error if hasattr(result, "is_error") else result.isError), result.content[0].text

    failed, text = await call("read")
    assert not failed and text == "ran read", text
    failed, text = await call("drop")
    assert failed and text.startswith("denied: not on the list") and "Do not retry it unchanged" in text, text
    failed, text = await call("write")
    if can_be_asked:
        assert not failed and text == "ran write", text
    else:
        assert failed and text.startswith("pending: "), text


async def main():
    for name, connect in (("stdio", over_stdio), ("HTTP", over_http)):
        for can_be_asked in (True, False):
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "policy.mjs").write_text(POLICY)
                callback = approve if can_be_asked else None
                async with connect(folder) as (read, write):
                    async with ClientSession(read, write, elicitation_callback=callback) as session:
                        await asyncio.wait_for(check(session, can_be_asked), TIMEOUT_S)
                verified = subprocess.run(["node", str(CLI), "verify", f"{folder}/ledger.sqlite", "--quiet"])
                assert verified.returncode == 0, "the ledger does not verify"
                print(f"{name}, {'with' if can_be_asked else 'without'} elicitation: passed")
    # Version 2 of the SDK rejects events above 1 MiB, so a larger result must arrive as one JSON text.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "policy.mjs").write_text(POLICY)
        async with over_http(folder, mode="large") as (read, write):
            async with ClientSession(read, write) as session:
                await session.initialize()
                result = await asyncio.wait_for(session.call_tool("read", {"path": "a.txt"}), TIMEOUT_S)
                assert len(result.content[0].text) == 5 * 1024 * 1024, "the result is not what the server sent"
        print("HTTP, a result of 5 MiB: passed")


if __name__ == "__main__":
    asyncio.run(main())
