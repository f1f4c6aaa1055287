/** Frames of HTTP/2 (RFC 9113 sections 4 and 6): those that a probe writes, and a reader that cuts bytes into frames. */

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const PRIORITY = 0x20

/** Error codes of GOAWAY and RST_STREAM that mean something to a probe (RFC 9113 section 7). */
export const NO_ERROR = 0
export const REFUSED_STREAM = 7

/** What every endpoint may send without being asked (RFC 9113 sections 4.2 and 6.9.2). */
export const FRAME_PAYLOAD_MAX = 16_384
export const INITIAL_WINDOW = 65_535

const HEADER_BYTES = 9
const WINDOW_MAX = 0x7fff_ffff

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  /** Of the reader's buffer: good until the next bytes are read. */
  readonly payload: Buffer
}

export function writeFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length)
  frame.writeUIntBE(payload.length, 0, 3)
  frame[3] = type
  frame[4] = flags
  frame.writeUInt32BE(stream, 5)
  frame.set(payload, HEADER_BYTES)
  return frame
}

/** Settings (RFC 9113 section 6.5.2) as six octets each. */
function writeSettings(settings: readonly (readonly [identifier: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6)
  settings.forEach(([identifier, value], index) => {
    payload.writeUInt16BE(identifier, index * 6)
    payload.writeUInt32BE(value, index * 6 + 2)
  })
  return writeFrame(FRAME.SETTINGS, 0, 0, payload)
}

const SETTING_HEADER_TABLE_SIZE = 1
const SETTING_ENABLE_PUSH = 2
export const SETTING_INITIAL_WINDOW_SIZE = 4

/**
 * How a client begins (RFC 9113 section 3.4): no header table, no pushes, and windows in which every body that a probe reads has
 * room, so that none has to be widened later. `streamWindow`: bytes.
 */
export function writePreface(streamWindow: number): Buffer {
  const connectionWindow = Buffer.alloc(4)
  connectionWindow.writeUInt32BE(WINDOW_MAX - INITIAL_WINDOW)
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
    writeSettings([
      [SETTING_HEADER_TABLE_SIZE, 0],
      [SETTING_ENABLE_PUSH, 0],
      [SETTING_INITIAL_WINDOW_SIZE, streamWindow],
    ]),
    writeFrame(FRAME.WINDOW_UPDATE, 0, 0, connectionWindow),
  ])
}

export const SETTINGS_ACK = writeFrame(FRAME.SETTINGS, ACK, 0, Buffer.alloc(0))

const NOTHING = Buffer.alloc(0)

export class FrameReader {
  /** The length of a frame that must not be that long: nothing after it can be read. */
  tooLong: number | undefined
  #pending: Buffer = NOTHING

  /** Adds bytes. The caller may reuse them once `next` has returned undefined. */
  add(chunk: Buffer): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
  }

  /** The next frame; undefined = more bytes are needed. */
  next(): Frame | undefined {
    const bytes = this.#pending
    if (bytes.length >= HEADER_BYTES) {
      const length = bytes.readUIntBE(0, 3)
      if (length > FRAME_PAYLOAD_MAX) {
        this.tooLong = length
      } else if (bytes.length >= HEADER_BYTES + length) {
        this.#pending = bytes.subarray(HEADER_BYTES + length)
        return {
          type: bytes[3] ?? 0,
          flags: bytes[4] ?? 0,
          stream: bytes.readUInt32BE(5) & 0x7fff_ffff,
          payload: bytes.subarray(HEADER_BYTES, HEADER_BYTES + length),
        }
      }
    }
    this.#pending = bytes.length === 0 ? NOTHING : Buffer.from(bytes)
    return undefined
  }

  /** Type of the current frame, complete or not; undefined = not known yet. */
  get pendingType(): number | undefined {
    return this.#pending[3]
  }
}
