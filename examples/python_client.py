#!/usr/bin/env python3
"""A soleseat client in one page: takes the user's seat, prints what the broker says, gives the seat back.

    python_client.py ws://127.0.0.1:8080/v1/connect TOKEN MACHINE_ID [MACHINE_NAME]

Send SIGTERM, or the line "release" on stdin, to end. Exit status: 0 released, 3 refused or evicted for good.
"""
import asyncio, json, os, random, signal, sys, threading
import websockets

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds


async def main(url, token, machine_id, machine_name=None):
    loop, releasing = asyncio.get_running_loop(), asyncio.Event()
    ask_release = lambda *_: loop.call_soon_threadsafe(releasing.set)
    signal.signal(signal.SIGTERM, ask_release)
    threading.Thread(target=watch_stdin, args=(ask_release,), daemon=True).start()
    machine = {"id": machine_id, **({"name": machine_name} if machine_name else {})}
    hello = {"type": "hello", "token": token, "machine": machine}  # a person started this: it may take over
    failures = 0
    while not releasing.is_set():
        code, least_wait, window = 1006, 0.0, min(LONGEST_WAIT, FIRST_WAIT * 2**failures)
        failures += 1
        try:
            async with websockets.connect(url, subprotocols=["soleseat.v1"]) as ws:
                await ws.send(json.dumps(hello))
                releaser = asyncio.create_task(release_when(releasing, ws))
                try:
                    async for text in ws:  # pings are answered by the library
                        print(text, flush=True)
                        message = json.loads(text)
                        if message["type"] in ("welcome", "lease"):
                            failures, window = 0, FIRST_WAIT
                        if message["type"] == "welcome":
                            hello["resume"] = {key: message[key] for key in ("sessionId", "epoch")}
                        if message["type"] == "draining":
                            window = min(LONGEST_WAIT, message["reconnectWithinMs"] / 1000)
                        least_wait = message.get("retryAfterMs", 0) / 1000 or least_wait
                finally:
                    releaser.cancel()
                    code = ws.close_code or code
        except (OSError, asyncio.TimeoutError, websockets.exceptions.WebSocketException):
            code = code  # no connection, or one that broke: the code below decides
        if code == 1000:
            return 0
        if 4500 <= code < 5000:  # final: only a person may try again
            return 3
        hello["onConflict"] = "deny"  # a reconnect never steals
        try:  # full jitter, so that many clients do not return together
            await asyncio.wait_for(releasing.wait(), least_wait + random.random() * window)
        except asyncio.TimeoutError:
            pass
    return 0
