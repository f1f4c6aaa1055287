/**
 * FNV-1a with 64 bits of the UTF-8 of a text, as 16 hexadecimal digits (draft-eastlake-fnv). In two halves of 32 bits: a step of
 * BigInt for each byte takes tens of times as long. Not for secrets: texts with one digest can be made.
 */
export function fnv1a(text: string): string {
  // The prime is 2^40 + 0x1b3.
  let high = 0xcb_f2_9c_e4
  let low = 0x84_22_23_25
  for (const byte of new TextEncoder().encode(text)) {
    const mixed = (low ^ byte) >>> 0
    const product = mixed * 0x1_b3
    low = product >>> 0
    high = (Math.imul(high, 0x1_b3) + Math.floor(product / 0x1_00_00_00_00) + (mixed << 8)) >>> 0
  }
  return [high, low].map((half) => half.toString(16).padStart(8, '0')).join('')
}
