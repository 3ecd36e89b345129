"""The age of a lease, as PROTOCOL.md reckons it, for a client with one connection at a time. All times are in seconds."""
import asyncio, time

ANSWER_WITHIN = 10.0
# A clock that goes on while the machine sleeps. Windows has no clock_gettime, and its time.monotonic() goes on.
CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def now():
    return time.monotonic() if CLOCK is None else time.clock_gettime(CLOCK)


class Lease:
    def __init__(self, on_change):
        self.until, self.held, self.on_change = 0.0, False, on_change  # `until` outlives a connection

    def holds(self):
        """Whether the program may count on the seat at this moment."""
        return now() < self.until

    def asked(self):
        """`hello` goes out on a new connection, which has a base of its own."""
        self.asked_at = self.base = now()
        self.useful_until, self.late = self.asked_at + ANSWER_WITHIN, False

    def wait(self):
        """For how long this connection is worth waiting for."""
        return 0.0 if self.late else max(0.0, self.useful_until - now())

    def hear(self, message):
        """Any message. An older broker sends no elapsedMs: what it says counts from receipt."""
        kind, heard = message.get("type"), now()
        seconds = lambda name: (message.get(name) or 0) / 1000
        if message.get("elapsedMs") is None:
            sent = heard
        else:
            age, is_answer = seconds("elapsedMs"), kind in ("welcome", "conflict")
            self.base = self.asked_at - age if is_answer else min(self.base, heard - age)
            sent = self.base + age
        if kind in ("welcome", "lease"):  # the newest decides, also when it is less
            self.until = self.useful_until = sent + seconds("ttlMs")
            self.late = heard - sent > seconds("ttlMs") / 3
        elif kind == "jeopardy":  # the node tries on for that long, and says so with the next lease
            self.useful_until = max(self.until, sent + seconds("graceMs"))
        elif kind in ("evicted", "conflict"):
            self.clear()
        self.look()

    def clear(self):
        """The seat is gone, or given back. A connection that waits for a person has no end."""
        self.until, self.useful_until = 0.0, float("inf")
        self.look()

    def look(self):
        if self.held != self.holds():
            self.held = not self.held
            self.on_change(self.held)

    async def watch(self):
        while True:
            self.look()
            await asyncio.sleep(0.05)
