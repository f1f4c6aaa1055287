/**
 * A request as HTTP/2 sends it. Each probe of a check sends the same one, so its headers are encoded once, and on a new
 * connection it is sent as it was the first time, preface included.
 */
import { HTTP_BODY_MAX_BYTES } from '../../domain/limits.ts'
import type { Header } from '../../domain/target/probe-target.ts'
import { encodeHeaders } from './hpack.ts'
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  FRAME_PAYLOAD_MAX,
  INITIAL_WINDOW,
  writeFrame,
  writePreface,
} from './http2-frames.ts'

/** Twice the largest body that is read, so that flow control never holds one back. */
const PREFACE = writePreface(2 * HTTP_BODY_MAX_BYTES)
/** Clients' streams are odd. */
export const FIRST_STREAM = 1

export class Http2Request {
  readonly bodyBytes: number
  readonly #headerBlock: Uint8Array
  readonly #body: Uint8Array | undefined
  #opening: Buffer | undefined

  /** `headers`: names in lower case, pseudo-headers first. */
  constructor(headers: readonly Header[], body: Uint8Array | undefined) {
    this.#headerBlock = encodeHeaders(headers)
    this.#body = body
    this.bodyBytes = body?.length ?? 0
  }

  /**
   * Whether it fits into the initial windows. No other flow control is needed: no option allows a larger body
   * (OPTION_BODY_MAX), and a later stream with a smaller window gets a new connection.
   */
  get fits(): boolean {
    return this.bodyBytes <= INITIAL_WINDOW
  }

  /** How a connection begins: the preface, and the request on its first stream. Never to be changed. */
  get opening(): Buffer {
    return (this.#opening ??= Buffer.concat([PREFACE, ...this.#framesOn(FIRST_STREAM)]))
  }

  /** The request on a later stream. */
  on(stream: number): Buffer {
    const frames = this.#framesOn(stream)
    return frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames)
  }

  #framesOn(stream: number): Buffer[] {
    const body = this.#body ?? new Uint8Array(0)
    const frames = writeHead(this.#headerBlock, stream, body.length === 0 ? END_STREAM : 0)
    for (let from = 0; from < body.length; from += FRAME_PAYLOAD_MAX) {
      const part = body.subarray(from, from + FRAME_PAYLOAD_MAX)
      const flags = from + part.length === body.length ? END_STREAM : 0
      frames.push(writeFrame(FRAME.DATA, flags, stream, part))
    }
    return frames
  }
}

interface Rendered {
  readonly variant: string
  readonly request: Http2Request | undefined
}

/** Requests that were rendered, each found by the object that it was made of. */
export class Http2Requests {
  readonly #rendered = new WeakMap<object, Rendered>()

  /**
   * What `render` makes of `source`, in the variant that it was asked for last: all checks of a monitor ask for the same.
   * Undefined = something in it must not go on the wire.
   */
  of(source: object, variant: string, render: () => Http2Request | undefined): Http2Request | undefined {
    const known = this.#rendered.get(source)
    if (known?.variant === variant) return known.request
    const request = render()
    this.#rendered.set(source, { variant, request })
    return request
  }
}

/** HEADERS, and CONTINUATION for the part that does not fit. */
function writeHead(block: Uint8Array, stream: number, flags: number): Buffer[] {
  const frames: Buffer[] = []
  for (let from = 0; from === 0 || from < block.length; from += FRAME_PAYLOAD_MAX) {
    const part = block.subarray(from, from + FRAME_PAYLOAD_MAX)
    const ends = from + part.length === block.length ? END_HEADERS : 0
    frames.push(
      from === 0
        ? writeFrame(FRAME.HEADERS, flags | ends, stream, part)
        : writeFrame(FRAME.CONTINUATION, ends, stream, part),
    )
  }
  return frames
}
