/**
 * The file in which a process keeps verdicts that cannot be sent: records are added at its end, and it is written anew, by a
 * rename, when most of it is old. It is brought to the disk (fdatasync) at most once in SITE_HELD_SYNC_EVERY_MS, beside the
 * work: a host that loses its power loses the verdicts of the last second, and a process that is killed loses none.
 */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { SITE_HELD_REWRITE_BYTES, SITE_HELD_SYNC_EVERY_MS } from '../../domain/limits.ts'
import { type HeldEntry, recordsOf } from './held-record.ts'

/** Its name in the folder of the process. */
export const HELD_FILE = 'held'

export class HeldLog {
  readonly #folder: string
  readonly #stopping = new AbortController()
  #file: FileHandle | undefined
  #bytes = 0
  /** What it had when it was last written anew. */
  #wholeBytes = 0
  #isUnsynced = false
  #syncing: Promise<void> | undefined
  #syncedMs = Number.NEGATIVE_INFINITY
  #failure: unknown

  /** `folder`: of the process. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** Whether most of it is old. */
  get isLong(): boolean {
    return this.#bytes > SITE_HELD_REWRITE_BYTES && this.#bytes > 2 * this.#wholeBytes
  }

  /** Whether everything that it has been given is on the disk. */
  get isSynced(): boolean {
    return this.#syncing === undefined && this.#failure === undefined
  }

  /** Resolves when the operating system has them. Rejects when the disk refuses, also what it had taken before. */
  async append(entries: readonly HeldEntry[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#file ??= await this.#create()
    const records = await recordsOf(entries)
    await this.#file.appendFile(records)
    this.#bytes += records.length
    this.#syncSoon()
  }

  /** Has these and nothing else from here on, on the disk. Rejects when the disk refuses; it is as before then. */
  async rewrite(entries: readonly HeldEntry[]): Promise<void> {
    await this.#makeFolder()
    const path = join(this.#folder, HELD_FILE)
    const records = await recordsOf(entries)
    const next = await open(`${path}.new`, 'w', 0o600)
    try {
      await next.writeFile(records)
      await next.datasync()
      await rename(`${path}.new`, path)
    } catch (error) {
      await next.close()
      throw error
    }
    await next.close()
    await syncFolder(this.#folder)
    const old = this.#file
    this.#file = undefined
    await old?.close()
    this.#file = await open(path, 'a', 0o600)
    this.#bytes = records.length
    this.#wholeBytes = records.length
    this.#failure = undefined
  }

  /** Everything in it was sent. */
  async clear(): Promise<void> {
    await this.#file?.truncate(0)
    this.#bytes = 0
    this.#wholeBytes = 0
    this.#failure = undefined
    if (this.#file !== undefined) this.#syncSoon()
  }

  /** What is in it is on the disk then, and stays for the next process; an empty one is removed. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#syncing
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    await file.close()
    if (this.#bytes === 0) await rm(this.#folder, { recursive: true, force: true })
  }

  async #create(): Promise<FileHandle> {
    await this.#makeFolder()
    const file = await open(join(this.#folder, HELD_FILE), 'a', 0o600)
    await syncFolder(this.#folder)
    return file
  }

  async #makeFolder(): Promise<void> {
    const made = await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncFolder(dirname(this.#folder))
  }

  #syncSoon(): void {
    this.#isUnsynced = true
    this.#syncing ??= this.#sync()
  }

  async #sync(): Promise<void> {
    const { signal } = this.#stopping
    while (this.#isUnsynced) {
      const restMs = this.#syncedMs + SITE_HELD_SYNC_EVERY_MS - performance.now()
      if (restMs > 0) await wait(restMs, undefined, { signal }).catch(() => undefined)
      this.#isUnsynced = false
      this.#syncedMs = performance.now()
      try {
        await this.#file?.datasync()
      } catch (error) {
        // The kernel may have thrown away what it could not write: only a file that is written anew has everything.
        this.#failure = error
      }
    }
    this.#syncing = undefined
  }
}

/** So that the name of a new file is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
