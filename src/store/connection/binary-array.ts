/**
 * Arrays in PostgreSQL's binary format (array_recv in src/backend/utils/adt/arrayfuncs.c), for statements with
 * thousands of elements: the driver sends a Buffer as a binary parameter. The driver's own way makes a string of every
 * element, quotes it, and PostgreSQL parses all of it.
 *
 * Numbers are big-endian. Ahead of the elements: dimensions, whether there are nulls, the type of an element; then, of
 * one dimension, how many elements and the number of the first. Each element is its length, -1 = null, and its bytes.
 */

/** How one element is written. The numbers of the types are fixed (src/include/catalog/pg_type.dat). */
export interface ElementType<Value> {
  /** Its number in pg_type. */
  readonly oid: number
  /** Bytes of an element, without its length. */
  readonly bytesOf: (value: Value) => number
  readonly write: (into: DataView, at: number, value: Value) => void
}

const HEADER_BYTES = 20
const LENGTH_BYTES = 4
const NULL_LENGTH = -1
/** 2000-01-01: from when PostgreSQL counts the microseconds of a time. */
const EPOCH_MS = 946_684_800_000
const TWO_TO_32 = 2 ** 32

export const BOOLEAN: ElementType<boolean> = {
  oid: 16,
  bytesOf: () => 1,
  write: (into, at, value) => into.setUint8(at, value ? 1 : 0),
}

/** Safe integers only. */
export const BIGINT: ElementType<number> = { oid: 20, bytesOf: () => 8, write: writeInteger64 }

export const SMALLINT: ElementType<number> = {
  oid: 21,
  bytesOf: () => 2,
  write: (into, at, value) => into.setInt16(at, value),
}

export const INTEGER: ElementType<number> = {
  oid: 23,
  bytesOf: () => 4,
  write: (into, at, value) => into.setInt32(at, value),
}

/** Text of ASCII characters, as codes have: any other character is a RangeError. */
export const CODE: ElementType<string> = {
  oid: 25,
  bytesOf: ({ length }) => length,
  write: (into, at, code) => {
    for (let i = 0; i < code.length; i++) {
      const character = code.charCodeAt(i)
      if (character > 0x7f) throw new RangeError(`not a code: ${code}`)
      into.setUint8(at + i, character)
    }
  },
}

/** Milliseconds since 1970, of which fractions are cut off. */
export const TIMESTAMPTZ: ElementType<number> = {
  oid: 1184,
  bytesOf: () => 8,
  write: (into, at, ms) => writeInteger64(into, at, (Math.trunc(ms) - EPOCH_MS) * 1000),
}

/** As text with hyphens, in any case. */
export const UUID: ElementType<string> = {
  oid: 2950,
  bytesOf: () => 16,
  write: (into, at, id) => {
    let byte = at
    for (let i = 0; i < id.length; i++) {
      if (id.charCodeAt(i) === HYPHEN) continue
      into.setUint8(byte++, (hexDigit(id, i) << 4) | hexDigit(id, ++i))
    }
    if (byte !== at + 16) throw new RangeError(`not a UUID: ${id}`)
  },
}

const HYPHEN = 0x2d

function hexDigit(text: string, at: number): number {
  const character = text.charCodeAt(at)
  if (character >= 0x30 && character <= 0x39) return character - 0x30
  const letter = character | 0x20
  if (letter >= 0x61 && letter <= 0x66) return letter - 0x57
  throw new RangeError(`not a UUID: ${text}`)
}

function writeInteger64(into: DataView, at: number, value: number): void {
  const high = Math.floor(value / TWO_TO_32)
  into.setInt32(at, high)
  into.setUint32(at + 4, value - high * TWO_TO_32)
}

/** The array of what `read` says of each item; null = NULL. */
export function binaryArray<Item, Value>(
  type: ElementType<Value>,
  items: readonly Item[],
  read: (item: Item) => Value | null,
): Buffer {
  let bytes = HEADER_BYTES
  let hasNulls = false
  for (const item of items) {
    const value = read(item)
    hasNulls ||= value === null
    bytes += LENGTH_BYTES + (value === null ? 0 : type.bytesOf(value))
  }
  const array = Buffer.allocUnsafe(bytes)
  const view = new DataView(array.buffer, array.byteOffset, bytes)
  writeHeader(view, { oid: type.oid, hasNulls, count: items.length })
  let at = HEADER_BYTES
  for (const item of items) {
    const value = read(item)
    const length = value === null ? NULL_LENGTH : type.bytesOf(value)
    view.setInt32(at, length)
    at += LENGTH_BYTES
    if (value === null) continue
    type.write(view, at, value)
    at += length
  }
  return array
}

/** Of one dimension, also when it is empty: PostgreSQL makes its empty array of that. */
function writeHeader(
  view: DataView,
  { oid, hasNulls, count }: { readonly oid: number; readonly hasNulls: boolean; readonly count: number },
): void {
  view.setInt32(0, 1)
  view.setInt32(4, hasNulls ? 1 : 0)
  view.setInt32(8, oid)
  view.setInt32(12, count)
  view.setInt32(16, 1)
}
