const SLOTS = 16_384;

/** The slot of a Redis Cluster that a key belongs to: by its hash tag, where it has one. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  const isTagged = open >= 0 && close > open + 1;
  return crc16(Buffer.from(isTagged ? key.slice(open + 1, close) : key)) % SLOTS;
}

const tags = new Map<number, string>();
let tried = 0;

/**
 * A text that hashes to the slot, the same one at every node: the first of `0`, `1`, … `z`, `10`, … Keys with it as
 * their hash tag are in reach of the scripts of every org of the slot.
 */
export function tagOf(slot: number): string {
  for (;;) {
    const known = tags.get(slot);
    if (known !== undefined) return known;
    const text = tried.toString(36);
    tried += 1;
    const found = crc16(Buffer.from(text)) % SLOTS;
    if (!tags.has(found)) tags.set(found, text);
  }
}

/** CRC-16/XMODEM, as the cluster specification of Redis has it. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc;
}
