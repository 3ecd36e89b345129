/**
 * Asks the client whether it holds the seat. With SEAT_LOOKS it also prints when it asked, by the monotonic clock that all
 * processes of a machine share: the judge of test/clients/story.test.ts then need not guess how long a line was under way.
 */
export function tellLook(ask) {
  const beforeNs = process.hrtime.bigint();
  const holds = ask();
  if (process.env.SEAT_LOOKS) console.log(`look ${beforeNs} ${process.hrtime.bigint()} ${holds}`);
  return holds;
}
