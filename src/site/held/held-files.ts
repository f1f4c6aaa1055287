/**
 * Files of verdicts that could not be sent: a folder per process below that of the site. Processes of one host, which see each
 * other, share the folder of a site.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VerdictWrite } from '../../domain/prober/check.ts'
import type { Log } from '../log.ts'
import { HELD_FILE, HeldLog } from './held-log.ts'
import { type HeldContent, readHeld } from './held-record.ts'
import { isRunning, markOf } from './process-mark.ts'

/** What is counted of them. */
export interface HeldMetrics {
  /** Members whose verdicts are held now. */
  held(members: number): void
  /** Pieces of files that were damaged, and were passed over. */
  damaged(pieces: number): void
  /** The disk has refused. */
  diskFailed(): void
}

/** What a process has left. */
export interface LeftResults {
  /** Of the prober that decided them. */
  readonly owner: string
  readonly rows: readonly VerdictWrite[]
  /** Removes them, when they were sent. */
  readonly remove: () => Promise<void>
}

export interface HeldFilesParts {
  readonly siteFolder: string
  /** Of the prober. */
  readonly owner: string
  readonly metrics: HeldMetrics
  readonly log: Log
}

export class HeldFiles {
  readonly #parts: HeldFilesParts
  readonly #name: string
  /** Of this process. */
  readonly log: HeldLog

  constructor(parts: HeldFilesParts) {
    this.#parts = parts
    this.#name = `${parts.owner}.${process.pid}.${markOf(process.pid)}`
    this.log = new HeldLog(join(parts.siteFolder, this.#name))
  }

  /** What processes that have ended have left. A file that cannot be read stays, and is logged. */
  async left(): Promise<readonly LeftResults[]> {
    const { siteFolder } = this.#parts
    await mkdir(siteFolder, { recursive: true, mode: 0o700 })
    const found: LeftResults[] = []
    for (const name of await readdir(siteFolder)) {
      const [owner, pid, mark] = name.split('.')
      if (name === this.#name || owner === undefined || pid === undefined || mark === undefined) continue
      if (isRunning(Number(pid), mark)) continue
      const folder = join(siteFolder, name)
      const rows = await this.#read(folder)
      if (rows !== undefined)
        found.push({ owner, rows, remove: () => rm(folder, { recursive: true, force: true }) })
    }
    return found
  }

  async #read(folder: string): Promise<readonly VerdictWrite[] | undefined> {
    const { log, metrics } = this.#parts
    try {
      const { rows, damaged, damagedBytes } = await contentOf(join(folder, HELD_FILE))
      if (damaged > 0) {
        metrics.damaged(damaged)
        log.warn(
          { folder, pieces: damaged, bytes: damagedBytes, members: rows.length },
          'a part of what a prober has left is damaged and is passed over; the rest is sent',
        )
      }
      return rows
    } catch (error) {
      log.error({ err: error, folder }, 'results that a prober has left cannot be read')
      return undefined
    }
  }
}

async function contentOf(path: string): Promise<HeldContent> {
  try {
    return await readHeld(await readFile(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { rows: [], damaged: 0, damagedBytes: 0 }
  }
}
