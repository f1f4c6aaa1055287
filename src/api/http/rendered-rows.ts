/**
 * Rows of lists as they were rendered, by their versions. Half a minute's rows are kept for another half a minute and
 * then rendered again: what nobody lists is forgotten, and nothing has to be counted down. A project may keep its share
 * (fair-share.ts); whatever has no place is rendered at each request.
 */
import { FairShare } from '../../domain/share/fair-share.ts'
import { RENDERED_ROW_BYTES, RENDERED_ROWS_KEPT_MS, RENDERED_ROWS_MAX_BYTES } from '../../domain/limits.ts'
import type { RowVersion } from '../../store/configuration/versioned-rows.ts'

/** The function that rendered a text: each dialect shows the same row in its own words. */
export type Renderer = (item: never) => object

export class RenderedRows {
  readonly #now: () => number
  #newer: Generation
  #older: Generation
  #since: number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#newer = new Generation()
    this.#older = new Generation()
    this.#since = now()
  }

  /** The JSON of a row in this version, if it is kept. */
  find(renderer: Renderer, row: RowVersion): string | undefined {
    this.#turn()
    return this.#newer.find(renderer, row) ?? this.#older.find(renderer, row)
  }

  /** Keeps the JSON of a row where the sharer (sharer.ts) has room for it; `bytes`: its length in UTF-8. */
  keep(
    renderer: Renderer,
    row: RowVersion,
    text: string,
    { sharer, bytes }: { readonly sharer: string; readonly bytes: number },
  ): void {
    this.#turn()
    if (this.#newer.room.take(sharer, bytes + RENDERED_ROW_BYTES)) this.#newer.keep(renderer, row, text)
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

/** What was rendered in half a minute. */
class Generation {
  readonly room = new FairShare(RENDERED_ROWS_MAX_BYTES / 2)
  readonly #texts = new Map<Renderer, Map<string, { readonly version: string; readonly text: string }>>()

  find(renderer: Renderer, { id, version }: RowVersion): string | undefined {
    const kept = this.#texts.get(renderer)?.get(id)
    return kept?.version === version ? kept.text : undefined
  }

  keep(renderer: Renderer, { id, version }: RowVersion, text: string): void {
    let ofRenderer = this.#texts.get(renderer)
    if (ofRenderer === undefined) this.#texts.set(renderer, (ofRenderer = new Map()))
    ofRenderer.set(id, { version, text })
  }
}
