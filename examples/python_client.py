#!/usr/bin/env python3
"""A soleseat client in one page: takes the user's seat, prints what the broker says, gives the seat back.
    python_client.py ws://127.0.0.1:8080/v1/connect TOKEN MACHINE_ID [MACHINE_NAME]
SIGTERM, or the line "release" on stdin, ends it. Exit status: 0 released, 3 refused or evicted for good.
"""
import asyncio, contextlib, json, random, secrets, signal, sys, threading
import websockets
from python_lease import Lease

FIRST_WAIT_MS, LONGEST_WAIT_MS = 500, 30_000
lease = Lease(lambda holds: print("holds", str(holds).lower(), flush=True))

async def session(url, hello, releasing, said):
    """One connection, to its end. `said` gets what matters afterwards."""
    async with websockets.connect(url, subprotocols=["soleseat.v1"], close_timeout=2) as ws:
        lease.asked()
        await ws.send(json.dumps(hello))
        releaser = asyncio.create_task(release_when(releasing, ws))
        with contextlib.suppress(websockets.ConnectionClosed, asyncio.TimeoutError):
            while True:
                text = await asyncio.wait_for(ws.recv(), lease.wait())  # pings are answered by the library
                print(text, flush=True)
                message = json.loads(text)
                lease.hear(message)
                if message.get("type") == "welcome":
                    hello["resume"] = {key: message[key] for key in ("sessionId", "epoch")}
                said.update({key: value for key, value in message.items() if value is not None and key.endswith("Ms")})
                said["well"] |= message.get("type") == "lease" and not lease.late  # a welcome alone is not enough
        releaser.cancel()
        await ws.close(4000)  # where it is still open: 1000 would give the seat back
    said["code"], said["reason"] = ws.close_code or 1006, ws.close_reason

async def release_when(releasing, ws):
    await releasing.wait()
    lease.clear()
    await ws.send(json.dumps({"type": "release"}))

async def main(url, token, machine_id, machine_name=None):
    loop, releasing, failures = asyncio.get_running_loop(), asyncio.Event(), 0
    release = lambda *_: loop.call_soon_threadsafe(releasing.set)
    signal.signal(signal.SIGTERM, release)
    threading.Thread(target=lambda: "release\n" in sys.stdin and release(), daemon=True).start()
    hello = {"type": "hello", "token": token, "machine": {"id": machine_id, "name": machine_name or machine_id}}
    hello.update(instance=secrets.token_hex(16), attempt=0)
    watching = asyncio.create_task(lease.watch())
    while not releasing.is_set():
        hello["attempt"], said = hello["attempt"] + 1, {"code": 1006, "reason": "", "well": False}
        with contextlib.suppress(OSError, asyncio.TimeoutError, websockets.InvalidHandshake):
            await session(url, hello, releasing, said)
        if 4500 <= said["code"] < 5000 or (said["code"] == 1000 and said["reason"] in ("released", "left")):
            return 3 if said["code"] >= 4500 else 0  # final: only a person may try again
        hello["onConflict"] = "deny"  # a reconnect never steals
        failures = 0 if said["well"] else min(failures + 1, 10)
        widest = said.get("reconnectWithinMs") or FIRST_WAIT_MS * 2**failures
        wait = said.get("retryAfterMs", 0) + random.random() * min(LONGEST_WAIT_MS, widest)
        await asyncio.wait([asyncio.ensure_future(releasing.wait())], timeout=wait / 1000)
    return 0  # released while there was no connection: the seat ends with its TTL

sys.exit(asyncio.run(main(*sys.argv[1:])))
