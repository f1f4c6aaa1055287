/**
 * Rows of lists as they were rendered, by their versions. Half a minute's rows are kept for another half a minute; those
 * that are listed meanwhile stay, and what nobody lists is forgotten. After some minutes a row is rendered again all the
 * same: a standby that took over may have given a version to something else. A project may keep its share
 * (fair-share.ts); whatever has no place is rendered at each request.
 */
import { FairShare } from '../../domain/share/fair-share.ts'
import {
  RENDERED_ROW_AGE_MS,
  RENDERED_ROW_BYTES,
  RENDERED_ROWS_KEPT_MS,
  RENDERED_ROWS_MAX_BYTES,
} from '../../domain/limits.ts'
import type { RowVersion } from '../../store/configuration/versioned-rows.ts'

/** The function that rendered a text: each dialect shows the same row in its own words. */
export type Renderer = (item: never) => object

export class RenderedRows {
  readonly #now: () => number
  #newer: Generation
  #older: Generation
  #since: number
  readonly #reading = new Map<Renderer, Map<string, Promise<void>>>()

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#newer = new Generation()
    this.#older = new Generation()
    this.#since = now()
  }

  /** The JSON of a row in this version, if it is kept. */
  find(renderer: Renderer, row: RowVersion): string | undefined {
    this.#turn()
    const newer = this.#newer.find(renderer, row)
    const kept = newer ?? this.#older.find(renderer, row)
    if (kept === undefined || this.#now() - kept.since >= RENDERED_ROW_AGE_MS) return undefined
    if (newer === undefined) this.#newer.keep(renderer, row.id, kept)
    return kept.text
  }

  /** Keeps the JSON of a row where the sharer (sharer.ts) has room for it; `bytes`: its length in UTF-8. */
  keep(
    renderer: Renderer,
    row: RowVersion,
    text: string,
    { sharer, bytes }: { readonly sharer: string; readonly bytes: number },
  ): void {
    this.#turn()
    this.#newer.keep(renderer, row.id, { version: row.version, text, sharer, bytes, since: this.#now() })
  }

  /**
   * Resolves when the rows are read that begin with this one; undefined where nobody is reading them. A name of rows has the
   * sharer in it: nobody waits for another project.
   */
  reading(renderer: Renderer, first: string): Promise<void> | undefined {
    return this.#reading.get(renderer)?.get(first)
  }

  /** Others can wait for what is read here: rows that begin with `first`. They never see its error. */
  async whileReading(renderer: Renderer, first: string, read: () => Promise<void>): Promise<void> {
    let ofRenderer = this.#reading.get(renderer)
    if (ofRenderer === undefined) this.#reading.set(renderer, (ofRenderer = new Map()))
    const done = read()
    const ended = done.catch(() => undefined)
    ofRenderer.set(first, ended)
    try {
      await done
    } finally {
      if (ofRenderer.get(first) === ended) ofRenderer.delete(first)
    }
  }

  #turn(): void {
    const age = this.#now() - this.#since
    if (age < RENDERED_ROWS_KEPT_MS) return
    // After a pause of more than two turns both are too old.
    this.#older = age < 2 * RENDERED_ROWS_KEPT_MS ? this.#newer : new Generation()
    this.#newer = new Generation()
    this.#since = this.#now()
  }
}

interface RenderedRow {
  readonly version: string
  readonly text: string
  readonly sharer: string
  readonly bytes: number
  /** When it was rendered, by the clock of RenderedRows. */
  readonly since: number
}

/** What was rendered or listed in half a minute. */
class Generation {
  readonly #room = new FairShare(RENDERED_ROWS_MAX_BYTES / 2)
  readonly #rows = new Map<Renderer, Map<string, RenderedRow>>()

  find(renderer: Renderer, { id, version }: RowVersion): RenderedRow | undefined {
    const kept = this.#rows.get(renderer)?.get(id)
    return kept?.version === version ? kept : undefined
  }

  /** Keeps it in the place of an older version, where its sharer has room for it. */
  keep(renderer: Renderer, id: string, row: RenderedRow): void {
    let ofRenderer = this.#rows.get(renderer)
    if (ofRenderer === undefined) this.#rows.set(renderer, (ofRenderer = new Map()))
    const before = ofRenderer.get(id)
    if (before !== undefined) this.#room.give(before.sharer, before.bytes + RENDERED_ROW_BYTES)
    if (this.#room.take(row.sharer, row.bytes + RENDERED_ROW_BYTES)) ofRenderer.set(id, row)
    else ofRenderer.delete(id)
  }
}
