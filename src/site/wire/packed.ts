/** Values as bytes: compressed JSON in which bytes are allowed. Both ends are ours; what a message may unpack to is bounded. */
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import { SITE_UNPACKED_MAX_BYTES } from '../../domain/limits.ts'

const compress = promisify(deflateRaw)
const expand = promisify<Buffer | Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw)

/** What stands for bytes: an object with this key alone. */
const BYTES = '\u0000b'

export async function pack(value: unknown): Promise<Uint8Array> {
  return await compress(JSON.stringify(value, toText), { level: 6 })
}

/** Rejects for what is no such message, or too large. */
export async function unpack(bytes: Uint8Array): Promise<unknown> {
  const text = await expand(bytes, { maxOutputLength: SITE_UNPACKED_MAX_BYTES })
  return JSON.parse(text.toString('utf8'), fromText)
}

function toText(this: unknown, key: string, value: unknown): unknown {
  // Buffers have become objects by toJSON before this is called.
  const original = (this as Record<string, unknown>)[key]
  return original instanceof Uint8Array
    ? { [BYTES]: Buffer.from(original.buffer, original.byteOffset, original.byteLength).toString('base64') }
    : value
}

function fromText(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(BYTES in value)) return value
  return new Uint8Array(Buffer.from(String(value[BYTES]), 'base64'))
}
