/** Pages whose rows are rendered once, also when several requests for them come together. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiContext } from '../../../../src/api/http/context.ts'
import { RenderedRows } from '../../../../src/api/http/rendered-rows.ts'
import { versionedPage } from '../../../../src/api/http/versioned-page.ts'
import type { VersionedList } from '../../../../src/store/configuration/versioned-rows.ts'

interface Row {
  readonly id: string
  readonly value: number
}

const LIST = { filters: [], sort: [], limit: 10, reverse: false }
const render = (row: Row): object => row

/** A list of two rows that counts what is read of it; a read ends when `answer` says so. */
class CountedList implements VersionedList<Row> {
  version = 1
  /** The ids of each read. */
  readonly reads: (readonly string[])[] = []
  readonly #answers: ((error?: Error) => void)[] = []

  readonly versions: VersionedList<Row>['versions'] = () =>
    Promise.resolve(['a', 'b'].map((id) => ({ id, version: String(this.version) })))

  readonly rows: VersionedList<Row>['rows'] = (ids) => {
    this.reads.push(ids)
    return new Promise((resolve, reject) => {
      this.#answers.push((error) =>
        error === undefined ? resolve(ids.map((id) => ({ id, value: this.version }))) : reject(error),
      )
    })
  }

  /** Answers the oldest read, when there is one. */
  async answer(error?: Error): Promise<void> {
    for (let turns = 0; this.#answers.length === 0; turns++) {
      assert.ok(turns < 100, 'somebody reads')
      await new Promise(setImmediate)
    }
    this.#answers.shift()?.(error)
  }
}

/** One application, of which requests of two projects come. */
function pagesOf(source: CountedList) {
  const renderedRows = new RenderedRows()
  return (projectId = 'p') => {
    const state = {
      admission: { page: (_sharer: string, _rows: number, work: () => Promise<unknown>) => work() },
      identity: { projectId },
      renderedRows,
    }
    // What a page takes of a request is only this.
    const ctx = { state } as unknown as ApiContext
    return versionedPage(ctx, { list: LIST, shown: LIST.limit, source, render })
  }
}

test('requests that come together read a row once, and all show it', async () => {
  const source = new CountedList()
  const page = pagesOf(source)
  const answers = [page(), page(), page()]
  await source.answer()
  for (const { texts } of await Promise.all(answers))
    assert.deepEqual(texts, ['{"id":"a","value":1}', '{"id":"b","value":1}'])
  assert.deepEqual(source.reads, [['a', 'b']])
  source.version = 2
  const later = page()
  await source.answer()
  assert.deepEqual((await later).texts, ['{"id":"a","value":2}', '{"id":"b","value":2}'])
})

test('a request whose neighbour fails reads its rows itself', async () => {
  const source = new CountedList()
  const page = pagesOf(source)
  const failing = page()
  const waiting = page()
  const refused = assert.rejects(failing, /away/)
  await source.answer(new Error('away'))
  await refused
  await source.answer()
  assert.equal((await waiting).texts.length, 2)
  assert.equal(source.reads.length, 2)
})

test('a request waits for no other project', async () => {
  const source = new CountedList()
  const page = pagesOf(source)
  const answers = [page('p'), page('q')]
  await source.answer()
  await source.answer()
  await Promise.all(answers)
  assert.equal(source.reads.length, 2)
})
