/**
 * Reading and writing on the handles of bare-tcp.ts: what `net.Socket` itself calls, without the stream around it. As
 * there, not a public API: it is looked at once, and where anything is not as expected there is none
 * (docs/adr/0010-bare-tcp-handle.md).
 */
import { type BareTcp, findBareTcp, processBinding, type TcpHandle } from './bare-tcp.ts'

/** A TCP handle that reads and writes. */
export interface StreamHandle extends TcpHandle {
  /** Called when something was read into the user's buffer; how much, or the errno, is in `BareStream.state`. */
  onread: (this: StreamHandle) => void
  useUserBuffer(buffer: Uint8Array): void
  readStart(): number
  writeBuffer(request: WriteRequest, bytes: Uint8Array): number
  /** Ours: who hears of it. */
  owner?: unknown
}

export interface WriteRequest {
  oncomplete: (this: WriteRequest, status: number) => void
  /** Ours: on which handle. */
  handle?: StreamHandle
  /** Ours: kept until they are sent. */
  bytes?: Uint8Array
}

export interface BareStream {
  readonly tcp: BareTcp
  readonly writeRequest: () => WriteRequest
  /** What the last callback or call says, at these places: bytes read or an errno, and whether the write goes on later. */
  readonly state: Int32Array
  readonly readBytesOrError: number
  readonly lastWriteWasAsync: number
}

const METHODS = ['useUserBuffer', 'readStart', 'writeBuffer'] as const

interface StreamBinding {
  readonly WriteWrap: new () => WriteRequest
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

/** The bare streams of this runtime; undefined where they are not what is expected. `bindingOf` is replaced in tests. */
export function findBareStream(
  bindingOf: (name: string) => unknown = processBinding,
): BareStream | undefined {
  try {
    const tcp = findBareTcp(bindingOf)
    if (tcp === undefined) return undefined
    const binding = bindingOf('stream_wrap') as StreamBinding
    const { WriteWrap, streamBaseState: state } = binding
    const bare: BareStream = {
      tcp,
      writeRequest: () => new WriteWrap(),
      state,
      readBytesOrError: binding.kReadBytesOrError,
      lastWriteWasAsync: binding.kLastWriteWasAsync,
    }
    return works(bare) ? bare : undefined
  } catch {
    // Refused or absent: the public way is always there.
    return undefined
  }
}

/** What can be tried without waiting: the fields are where they should be, and a handle without a connection refuses. */
function works({ tcp, writeRequest, state, ...indexes }: BareStream): boolean {
  const fields = [indexes.readBytesOrError, indexes.lastWriteWasAsync]
  if (!(state instanceof Int32Array) || !fields.every((at) => Number.isInteger(at) && at in state))
    return false
  if (new Set(fields).size !== fields.length) return false
  const handle = tcp.open() as StreamHandle
  const canBeCalled = METHODS.every((method) => typeof handle[method] === 'function')
  const refuses =
    canBeCalled && handle.readStart() < 0 && handle.writeBuffer(writeRequest(), new Uint8Array(1)) < 0
  handle.close()
  return refuses
}
