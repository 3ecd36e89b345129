#!/usr/bin/env python3
"""A soleseat client in one page: takes the user's seat, prints what the broker says, gives the seat back.

    python_client.py ws://127.0.0.1:8080/v1/connect TOKEN MACHINE_ID [MACHINE_NAME]

The line "release" on stdin ends it. Exit status: 0 released, 3 refused or evicted for good.
"""
import asyncio, json, random, sys, threading
import websockets

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds


async def session(url, hello, releasing):
    """One connection, to its end. Gives the close code and the least and the widest wait before the next."""
    least, widest = 0.0, None
    async with websockets.connect(url, subprotocols=["soleseat.v1"]) as ws:
        await ws.send(json.dumps(hello))
        releaser = asyncio.create_task(release_when(releasing, ws))
        try:
            async for text in ws:  # pings are answered by the library
                print(text, flush=True)
                message = json.loads(text)
                if message["type"] == "welcome":
                    hello["resume"] = {key: message[key] for key in ("sessionId", "epoch")}
                if message["type"] == "draining":
                    widest = message["reconnectWithinMs"] / 1000
                least = message.get("retryAfterMs", 0) / 1000
        except websockets.ConnectionClosed:
            pass  # the code below says how
        releaser.cancel()
    return ws.close_code or 1006, least, widest


async def release_when(releasing, ws):
    await releasing.wait()
    await ws.send(json.dumps({"type": "release"}))


async def main(url, token, machine_id, machine_name=None):
    loop, releasing, failures = asyncio.get_running_loop(), asyncio.Event(), 0
    listen = lambda: any(line.strip() == "release" for line in sys.stdin) and loop.call_soon_threadsafe(releasing.set)
    threading.Thread(target=listen, daemon=True).start()
    hello = {"type": "hello", "token": token, "machine": {"id": machine_id, "name": machine_name or machine_id}}
    while True:
        before = hello.get("resume")
        try:
            code, least, widest = await session(url, hello, releasing)
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake):
            code, least, widest = 1006, 0.0, None
        if code == 1000 or 4500 <= code < 5000:  # released, or final: only a person may try again
            return 0 if code == 1000 else 3
        hello["onConflict"] = "deny"  # a reconnect never steals
        failures = failures + 1 if hello.get("resume") == before else 0  # a welcome: begin anew
        await asyncio.sleep(least + random.random() * min(LONGEST_WAIT, widest or FIRST_WAIT * 2**failures))


sys.exit(asyncio.run(main(*sys.argv[1:])))
