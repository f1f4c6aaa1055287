/**
 * One reading of all pools, or of all members, as text of Prometheus, compressed and kept. The lines of a metric have
 * to stand together, and rows come once, in parts: so each metric has its own text, cut into pieces that are compressed
 * by another thread. gzip allows that pieces which were compressed apart follow each other (RFC 1952 section 2.2).
 */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import {
  FIGURES_BYTES_MAX,
  FIGURES_CHUNK,
  FIGURES_EVERY_MS,
  FIGURES_MAX,
  FIGURES_MS,
  FIGURES_REST,
  FIGURES_RETRY_MS,
} from '../../domain/limits.ts'
import { type FigureTable, ownFamilies } from '../metrics/figure-table.ts'
import type { MetricRow } from '../metrics/metric-row.ts'

/** Calls with every row, some at a time, until it is answered false; resolves to how many rows there are. */
export type ReadRows<Row> = (take: (rows: readonly Row[]) => Promise<boolean>) => Promise<number>

const compressed = promisify(gzip)
/** Repeated labels: a higher level takes twice the time for a fifth less. */
const LEVEL = { level: 1 }

/** `\` and `"` and line breaks are escaped (exposition formats of Prometheus, text). */
export function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (found) => (found === '\n' ? String.raw`\n` : `\\${found}`))
}

function labelsText(labels: Readonly<Record<string, string>>): string {
  let text = ''
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escaped(labels[name] ?? '')}"`
  return text
}

/** The text of one metric. */
class FamilyText {
  readonly name: string
  readonly pieces: Buffer[] = []
  #text: string

  constructor(name: string, { help, type }: Pick<MetricRow, 'help' | 'type'>) {
    this.name = name
    this.#text = `# HELP ${name} ${help.replaceAll('\\', '\\\\')}\n# TYPE ${name} ${type}\n`
  }

  add(labels: string, value: number): void {
    this.#text += labels === '' ? `${this.name} ${value}\n` : `${this.name}{${labels}} ${value}\n`
  }

  get isFull(): boolean {
    return this.#text.length >= FIGURES_CHUNK
  }

  /** Returns the bytes that were added. */
  async compress(): Promise<number> {
    if (this.#text === '') return 0
    const text = this.#text
    this.#text = ''
    const piece = await compressed(text, LEVEL)
    this.pieces.push(piece)
    return piece.length
  }
}

/** What bounds a reading. */
export interface FigureBounds {
  readonly rows: number
  readonly bytes: number
  readonly ms: number
}

export interface ReadingParts<Row> {
  readonly table: FigureTable<Row>
  readonly read: ReadRows<Row>
  /** Absent: those of limits. */
  readonly bounds?: FigureBounds
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

/** Reads at most every FIGURES_EVERY_MS, and never twice at one time: who asks meanwhile gets the same. */
export class FigureReading<Row> {
  readonly #parts: ReadingParts<Row>
  readonly #now: () => number
  readonly #bounds: FigureBounds
  #kept: Promise<readonly Buffer[]> | undefined
  #nextMs = Number.NEGATIVE_INFINITY
  #isRunning = false

  constructor(parts: ReadingParts<Row>) {
    this.#parts = parts
    this.#now = parts.now ?? (() => performance.now())
    this.#bounds = parts.bounds ?? {
      rows: FIGURES_MAX[parts.table.what],
      bytes: FIGURES_BYTES_MAX,
      ms: FIGURES_MS,
    }
  }

  /** Pieces of the text, each compressed by gzip. Rejects with the error of the reading, until the next one. */
  pieces(): Promise<readonly Buffer[]> {
    if (this.#kept === undefined || (!this.#isRunning && this.#now() >= this.#nextMs))
      this.#kept = this.#run()
    return this.#kept
  }

  async #run(): Promise<readonly Buffer[]> {
    this.#isRunning = true
    const startedMs = this.#now()
    try {
      const pieces = await this.#read(startedMs)
      const endedMs = this.#now()
      this.#nextMs = Math.max(startedMs + FIGURES_EVERY_MS, endedMs + FIGURES_REST * (endedMs - startedMs))
      return pieces
    } catch (error) {
      this.#nextMs = this.#now() + FIGURES_RETRY_MS
      throw error
    } finally {
      this.#isRunning = false
    }
  }

  async #read(startedMs: number): Promise<readonly Buffer[]> {
    const { table, read } = this.#parts
    const readAt = Date.now() / 1000
    const texts = Object.entries(table.families).map(([name, family]) => ({
      family,
      text: new FamilyText(name, family),
    }))
    let [rowCount, bytes] = [0, 0]
    const total = await read(async (rows) => {
      const taken = rows.slice(0, this.#bounds.rows - rowCount)
      for (const row of taken) {
        const shared = labelsText(table.labels(row))
        for (const { family, text } of texts) {
          for (const { labels, value } of family.figures(row))
            text.add(labels === undefined ? shared : `${shared},${labelsText(labels)}`, value)
        }
      }
      rowCount += taken.length
      for (const { text } of texts) if (text.isFull) bytes += await text.compress()
      const isInTime = this.#now() - startedMs < this.#bounds.ms
      return rowCount < this.#bounds.rows && bytes < this.#bounds.bytes && isInTime
    })
    for (const { text } of texts) await text.compress()
    const own = await this.#own({
      leftOut: Math.max(0, total - rowCount),
      seconds: (this.#now() - startedMs) / 1000,
      readAt,
    })
    return [...own, ...texts.flatMap(({ text }) => text.pieces)]
  }

  async #own(facts: { readonly leftOut: number; readonly seconds: number; readonly readAt: number }) {
    const values = [facts.leftOut > 0 ? 1 : 0, facts.leftOut, facts.seconds, facts.readAt]
    return await Promise.all(
      Object.entries(ownFamilies(this.#parts.table.what)).map(async ([name, family], i) => {
        const text = new FamilyText(name, family)
        text.add('', values[i] ?? 0)
        await text.compress()
        return text.pieces[0] ?? Buffer.alloc(0)
      }),
    )
  }
}
