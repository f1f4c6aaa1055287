/** A page of a list of which each row is rendered once: texts that are kept, and the other rows read by their ids. */
import { PAGE_MAX_BYTES } from '../../domain/limits.ts'
import type { ListQuery } from '../../store/configuration/lists.ts'
import type { RowVersion, VersionedList } from '../../store/configuration/versioned-rows.ts'
import type { ApiContext } from './context.ts'
import { jsonOfItem } from './json-body.ts'
import { sharerOf } from './sharer.ts'
import { inSlices } from './slices.ts'

/** What is answered of a page, in list order. */
export interface RenderedPage<Item> {
  /** Rows that were read. */
  readonly found: number
  readonly texts: readonly string[]
  readonly shown: readonly Item[]
  /** It ended before its limit, by its bytes. */
  readonly isCut: boolean
}

interface VersionedPage<Item extends { readonly id: string }> {
  readonly list: ListQuery
  /** Of the rows that are found, so many are shown. */
  readonly shown: number
  readonly source: VersionedList<Item>
  /** Always the same function for one kind of answer: texts are kept by it. */
  readonly render: (item: Item) => object
}

/** As `renderedPage`. Throws UnknownMarkerError. */
export async function versionedPage<Item extends { readonly id: string }>(
  ctx: ApiContext,
  { list, shown: most, source, render }: VersionedPage<Item>,
): Promise<RenderedPage<RowVersion>> {
  const { admission, identity } = ctx.state
  return await admission.page(sharerOf(identity), list.limit, async () => {
    const found = await source.versions(list)
    const asked = list.reverse ? found.slice(-most).reverse() : found.slice(0, most)
    const page = await new PageTexts(ctx, source, render).of(asked)
    const { shown, texts, isCut } = list.reverse
      ? { ...page, shown: page.shown.toReversed(), texts: page.texts.toReversed() }
      : page
    return { found: found.length, texts, shown, isCut }
  })
}

/** The texts of one page. */
class PageTexts<Item extends { readonly id: string }> {
  readonly #ctx: ApiContext
  readonly #source: VersionedList<Item>
  readonly #render: (item: Item) => object
  /** Rows that had no text; absent = not read yet, null = gone meanwhile. */
  readonly #texts = new Map<string, string | null>()
  /** The rows of which another page's texts were waited for. */
  readonly #waitedFor = new Set<string>()

  constructor(ctx: ApiContext, source: VersionedList<Item>, render: (item: Item) => object) {
    this.#ctx = ctx
    this.#source = source
    this.#render = render
  }

  /** Texts of rows in the order in which they are read, until they have PAGE_MAX_BYTES: the first is always shown. */
  async of(
    rows: readonly RowVersion[],
  ): Promise<Pick<RenderedPage<RowVersion>, 'texts' | 'shown' | 'isCut'>> {
    const texts: string[] = []
    const shown: RowVersion[] = []
    let room = PAGE_MAX_BYTES
    for (const [i, row] of rows.entries()) {
      while (this.#textOf(row) === undefined) await this.#readFrom(rows, i)
      const text = this.#textOf(row)
      if (typeof text !== 'string') continue
      room -= Buffer.byteLength(text) + 1
      if (room < 0 && texts.length > 0) return { texts, shown, isCut: true }
      texts.push(text)
      shown.push(row)
    }
    return { texts, shown, isCut: false }
  }

  #textOf(row: RowVersion): string | null | undefined {
    const read = this.#texts.get(row.id)
    return read === undefined ? this.#ctx.state.renderedRows.find(this.#render, row) : read
  }

  /**
   * Reads and renders what has no text, from a row on: as much as one statement gives, at least that row. Where another
   * page is reading that row, its texts are waited for instead, once: requests that come together read a row once.
   */
  async #readFrom(rows: readonly RowVersion[], start: number): Promise<void> {
    const { renderedRows, identity } = this.#ctx.state
    const missing = rows.slice(start).filter((row) => this.#textOf(row) === undefined)
    const first = `${missing[0]?.id} ${sharerOf(identity)}`
    const reading = renderedRows.reading(this.#render, first)
    if (reading !== undefined && !this.#waitedFor.has(first)) {
      this.#waitedFor.add(first)
      await reading
      return
    }
    await renderedRows.whileReading(this.#render, first, () => this.#readRows(missing))
  }

  async #readRows(missing: readonly RowVersion[]): Promise<void> {
    const { renderedRows, identity } = this.#ctx.state
    const sharer = sharerOf(identity)
    const items = await this.#source.rows(missing.map(({ id }) => id))
    const found = new Map(items.map((item) => [item.id, item]))
    // Of rows before the last one that came, those that did not come are gone.
    const last = items.at(-1)?.id
    const end = last === undefined ? missing.length : missing.findIndex(({ id }) => id === last) + 1
    await inSlices(sharer, missing.slice(0, end), (row) => {
      const item = found.get(row.id)
      const text = item === undefined ? null : jsonOfItem(this.#render(item))
      this.#texts.set(row.id, text)
      if (text !== null)
        renderedRows.keep(this.#render, row, text, { sharer, bytes: Buffer.byteLength(text) })
      return true
    })
  }
}
