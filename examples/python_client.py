#!/usr/bin/env python3
"""A soleseat client in one page: takes the user's seat, prints what the broker says, gives the seat back.

    python_client.py ws://127.0.0.1:8080/v1/connect TOKEN MACHINE_ID [MACHINE_NAME]

SIGTERM, or the line "release" on stdin, ends it. Exit status: 0 released, 3 refused or evicted for good.
"""
import asyncio, contextlib, json, random, signal, sys, threading
import websockets

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds


async def session(url, hello, releasing):
    """One connection, to its end. Gives the close code, the least and the widest wait, and whether it held."""
    least, widest, held = 0.0, None, False
    async with websockets.connect(url, subprotocols=["soleseat.v1"]) as ws:
        await ws.send(json.dumps(hello))
        releaser = asyncio.create_task(release_when(releasing, ws))
        with contextlib.suppress(websockets.ConnectionClosed):  # the close code says how it ended
            async for text in ws:  # pings are answered by the library
                print(text, flush=True)
                message = json.loads(text)
                if message["type"] == "welcome":
                    hello["resume"] = {key: message[key] for key in ("sessionId", "epoch")}
                widest = message.get("reconnectWithinMs", 0) / 1000 or widest
                least = message.get("retryAfterMs", 0) / 1000 or least
                held = held or message["type"] == "lease"  # a renewal: more than a welcome in a crash loop
        releaser.cancel()
    return ws.close_code or 1006, least, widest, held


async def release_when(releasing, ws):
    await releasing.wait()
    await ws.send(json.dumps({"type": "release"}))


async def main(url, token, machine_id, machine_name=None):
    loop, releasing, failures = asyncio.get_running_loop(), asyncio.Event(), 0
    release = lambda *_: loop.call_soon_threadsafe(releasing.set)
    signal.signal(signal.SIGTERM, release)
    listen = lambda: any(line.strip() == "release" for line in sys.stdin) and release()
    threading.Thread(target=listen, daemon=True).start()
    hello = {"type": "hello", "token": token, "machine": {"id": machine_id, "name": machine_name or machine_id}}
    while not releasing.is_set():
        try:
            code, least, widest, held = await session(url, hello, releasing)
        except (OSError, asyncio.TimeoutError, websockets.InvalidHandshake):
            code, least, widest, held = 1006, 0.0, None, False
        if code == 1000 or 4500 <= code < 5000:  # released, or final: only a person may try again
            return 0 if code == 1000 else 3
        hello["onConflict"] = "deny"  # a reconnect never steals
        failures = 0 if held else min(failures + 1, 10)
        wait = least + random.random() * min(LONGEST_WAIT, widest or FIRST_WAIT * 2**failures)
        await asyncio.wait([asyncio.ensure_future(releasing.wait())], timeout=wait)
    return 0  # released while there was no connection: the seat ends with its TTL


sys.exit(asyncio.run(main(*sys.argv[1:])))
