/**
 * Writes to standard output and standard error that never block the process, whether or not anybody reads them.
 *
 * Of pipes and sockets Node's own streams neither block nor close their descriptor. On files and terminals they write
 * and wait, so there a thread of libuv's pool writes. A terminal is opened once more for that, without blocking: a
 * person who has stopped it (Ctrl-S) would keep the thread, and a process cannot end before its threads.
 */
import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'

export interface StreamWriter {
  /**
   * Begins to write the chunk, or a part of it, and calls `done` once with the number of bytes written; never before it
   * has returned.
   */
  readonly write: (chunk: Buffer, done: Written) => void
  /** Writes before it returns. Returns how many bytes were written; throws when that is none. */
  readonly writeNow: (chunk: Buffer) => number
}

type Written = (error: NodeJS.ErrnoException | null, bytes: number) => void

const STREAMS = { 1: () => process.stdout, 2: () => process.stderr } as const

/** The way to descriptor 1 or 2. */
export function writerOf(descriptor: keyof typeof STREAMS): StreamWriter {
  const kind = fstatSync(descriptor)
  if (kind.isFIFO() || kind.isSocket()) return throughStream(descriptor)
  return throughThread(kind.isCharacterDevice() ? openedAgain(descriptor) : descriptor)
}

function throughStream(descriptor: keyof typeof STREAMS): StreamWriter {
  const stream = STREAMS[descriptor]()
  // A failed write calls its callback; without a listener it would also end the process.
  stream.on('error', () => undefined)
  return {
    write: (chunk, done) => {
      stream.write(chunk, (error) => done(error ?? null, chunk.length))
    },
    writeNow: (chunk) => writeSync(descriptor, chunk),
  }
}

function throughThread(descriptor: number): StreamWriter {
  return {
    write: (chunk, done) => write(descriptor, chunk, done),
    writeNow: (chunk) => writeSync(descriptor, chunk),
  }
}

function openedAgain(descriptor: number): number {
  try {
    const flags = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY
    return openSync(`/proc/self/fd/${descriptor}`, flags)
  } catch {
    return descriptor
  }
}
