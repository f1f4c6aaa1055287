/**
 * Files of verdicts that could not be sent: a folder per process below that of the site, a file per shard. A file is replaced
 * as a whole, so that one which is there can be read. Processes of one host, which see each other, share the folder of a site.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VerdictWrite } from '../../domain/prober/check.ts'
import type { Log } from '../log.ts'
import { pack, unpack } from '../wire/packed.ts'

/** What a process has left. */
export interface LeftResults {
  /** Of the prober that decided them. */
  readonly owner: string
  readonly rows: readonly VerdictWrite[]
  /** Removes them, when they were sent. */
  remove(): Promise<void>
}

export class HeldFiles {
  readonly #siteFolder: string
  readonly #folder: string
  readonly #log: Log

  /** `owner`: the id of the prober. */
  constructor(siteFolder: string, owner: string, log: Log) {
    this.#siteFolder = siteFolder
    this.#folder = join(siteFolder, `${owner}.${process.pid}`)
    this.#log = log
  }

  /** What processes that have ended have left. One that cannot be read stays, and is logged. */
  async left(): Promise<readonly LeftResults[]> {
    await mkdir(this.#siteFolder, { recursive: true, mode: 0o700 })
    const found: LeftResults[] = []
    for (const name of await readdir(this.#siteFolder)) {
      const [owner, pid] = name.split('.')
      if (owner === undefined || pid === undefined || isRunning(Number(pid))) continue
      const folder = join(this.#siteFolder, name)
      const rows = await this.#read(folder)
      if (rows !== undefined)
        found.push({ owner, rows, remove: () => rm(folder, { recursive: true, force: true }) })
    }
    return found
  }

  async write(shard: number, rows: readonly VerdictWrite[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, String(shard))
    await writeFile(`${path}.new`, await pack(rows), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async remove(shard: number): Promise<void> {
    await rm(join(this.#folder, String(shard)), { force: true })
  }

  async #read(folder: string): Promise<readonly VerdictWrite[] | undefined> {
    const rows: VerdictWrite[] = []
    try {
      for (const name of await readdir(folder)) {
        // A half of a file, whose whole is beside it.
        if (name.endsWith('.new')) continue
        rows.push(...((await unpack(await readFile(join(folder, name)))) as readonly VerdictWrite[]))
      }
      return rows
    } catch (error) {
      this.#log.error({ err: error, folder }, 'results that a prober has left cannot be read')
      return undefined
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
