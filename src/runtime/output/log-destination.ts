/**
 * Where log lines go: a descriptor that may be full, closed, or read by nobody. Nothing here ever waits for it. One
 * write is under way at a time, the next lines wait in a bounded buffer, and lines that cannot be written are dropped
 * and counted. The first write that works again logs how many.
 */
import {
  LOG_BUFFER_MAX_BYTES,
  LOG_FLUSH_WITHIN_MS,
  LOG_RETRY_MS,
  LOG_SLOW_RETRY_MS,
  LOG_WRITE_MAX_BYTES,
} from '../../domain/limits.ts'
import type { StreamWriter } from './standard-streams.ts'

export interface LogDestinationOptions {
  readonly writer: StreamWriter
  /** Called at each loss. */
  readonly onDropped: (lines: number) => void
  /** The line, newline included, that says how many are missing at its place. */
  readonly notice: (lines: number) => string
}

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

export class LogDestination {
  readonly #options: LogDestinationOptions
  /** Whole lines that wait, oldest first, and their bytes. */
  #waiting: string[] = []
  #waitingBytes = 0
  /** What is being written, or has to be tried again. A notice comes first; so many bytes of it are left. */
  #chunk = NOTHING
  #noticeBytes = 0
  /** Lost lines that this notice reports. */
  #noticed = 0
  #isWriting = false
  /** A loss cut a line off: what follows begins on a new one. */
  #isTorn = false
  /** Lines that are lost and in no notice yet. */
  #unreported = 0
  #retry: NodeJS.Timeout | undefined
  #whenIdle: (() => void)[] = []

  constructor(options: LogDestinationOptions) {
    this.#options = options
  }

  /** Takes one line that ends in a newline. Never throws and never waits. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#waitingBytes + bytes > LOG_BUFFER_MAX_BYTES) return this.#lose(1)
    this.#waiting.push(line)
    this.#waitingBytes += bytes
    if (!this.#isWriting && this.#retry === undefined) this.#writeNext()
  }

  /** Calls back when everything is written, and after LOG_FLUSH_WITHIN_MS all the same. */
  flush(done: () => void): void {
    if (this.#chunk.length === 0 && this.#waiting.length === 0) return done()
    const settle = (): void => {
      clearTimeout(late)
      this.#whenIdle = this.#whenIdle.filter((each) => each !== settle)
      done()
    }
    const late = setTimeout(settle, LOG_FLUSH_WITHIN_MS)
    this.#whenIdle.push(settle)
  }

  /** One try to write what waits, for a process that ends without another turn of its event loop. */
  flushSync(): void {
    if (this.#isWriting) return
    try {
      while (this.#fill()) this.#advance(this.#options.writer.writeNow(this.#chunk))
    } catch {
      // The process ends: no later line could report this loss.
    }
  }

  #writeNext(): void {
    if (!this.#fill()) {
      for (const settle of this.#whenIdle) settle()
      return
    }
    this.#isWriting = true
    this.#options.writer.write(this.#chunk, (error, bytes) => {
      this.#isWriting = false
      if (error !== null) return this.#failed(error)
      this.#advance(bytes)
      this.#writeNext()
    })
  }

  /** Returns whether there is something to write: the rest of the chunk, or the next one. */
  #fill(): boolean {
    if (this.#chunk.length > 0) return true
    if (this.#waiting.length === 0 && this.#unreported === 0) return false
    let bytes = 0
    let count = 0
    while (count < this.#waiting.length && bytes < LOG_WRITE_MAX_BYTES) {
      bytes += Buffer.byteLength(this.#waiting[count] ?? '')
      count += 1
    }
    const lines = this.#waiting.splice(0, count).join('')
    this.#waitingBytes -= bytes
    this.#noticed = this.#unreported
    const notice = this.#noticed === 0 ? '' : this.#options.notice(this.#noticed)
    const head = Buffer.from(this.#isTorn ? `\n${notice}` : notice)
    this.#noticeBytes = head.length
    this.#chunk = Buffer.concat([head, Buffer.from(lines)])
    return true
  }

  #advance(bytes: number): void {
    if (bytes === 0) return
    this.#isTorn = this.#chunk[bytes - 1] !== NEWLINE
    this.#chunk = this.#chunk.subarray(bytes)
    if (this.#noticeBytes === 0) return
    this.#noticeBytes = Math.max(0, this.#noticeBytes - bytes)
    if (this.#noticeBytes === 0) this.#unreported -= this.#noticed
  }

  /** A slow reader gets the same chunk again; what a full or closed target refuses is lost. */
  #failed({ code }: NodeJS.ErrnoException): void {
    const isSlow = code === 'EAGAIN' || code === 'EBUSY'
    if (!isSlow) this.#loseChunk()
    this.#retry = setTimeout(
      () => {
        this.#retry = undefined
        this.#writeNext()
      },
      isSlow ? LOG_SLOW_RETRY_MS : LOG_RETRY_MS,
    )
    this.#retry.unref()
  }

  #loseChunk(): void {
    let lines = 0
    for (const byte of this.#chunk.subarray(this.#noticeBytes)) if (byte === NEWLINE) lines += 1
    this.#chunk = NOTHING
    this.#noticeBytes = 0
    this.#lose(lines)
  }

  #lose(lines: number): void {
    if (lines === 0) return
    this.#unreported += lines
    this.#options.onDropped(lines)
  }
}
