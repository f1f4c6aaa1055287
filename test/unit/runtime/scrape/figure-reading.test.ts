import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { PoolFigures } from '../../../../src/domain/status/figures.ts'
import { FIGURES_EVERY_MS, FIGURES_REST, FIGURES_RETRY_MS } from '../../../../src/domain/limits.ts'
import { escaped, FigureReading, type ReadRows } from '../../../../src/runtime/scrape/figure-reading.ts'
import { POOL_TABLE } from '../../../../src/runtime/metrics/figure-table.ts'

function aPool(n: number): PoolFigures {
  return {
    id: `pool-${n}`,
    name: `app ${n}`,
    projectId: 'p',
    status: 'DEGRADED',
    members: { ONLINE: 2, OFFLINE: 1, UNKNOWN: 0, DISABLED: 0, NO_MONITOR: 0 },
    pending: 0,
    latencyUs: { p50: 1_500, p99: 899 },
    lastTransitionAt: new Date(1_000_000_500),
    certificateExpiresAt: new Date(2_000_000_000_000),
  }
}

/** Gives `count` pools, `part` at a time. */
function pools(count: number, part: number, onPart = () => undefined as void): ReadRows<PoolFigures> {
  return async (take) => {
    for (let n = 0; n < count; n += part) {
      const rows = Array.from({ length: Math.min(part, count - n) }, (_, i) => aPool(n + i))
      onPart()
      if (!(await take(rows))) break
    }
    return count
  }
}

async function textOf(pieces: readonly Buffer[]): Promise<string> {
  return (await promisify(gunzip)(Buffer.concat(pieces))).toString()
}

const wide = { rows: 1000, bytes: 1e9, ms: 1e9 }

test('the rows of a metric stand together, whatever parts they came in, and the pieces are one gzip text', async () => {
  const reading = new FigureReading({ table: POOL_TABLE, read: pools(5, 2), bounds: wide })
  const text = await textOf(await reading.pieces())
  const names = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^\w+/.exec(line)?.[0] ?? '')
  const runs = names.filter((name, i) => name !== names[i - 1])
  assert.equal(new Set(runs).size, runs.length, 'no metric comes twice')
  assert.match(text, /^hm_pool_status\{pool_id="pool-4",pool="app 4",project_id="p",status="DEGRADED"\} 1$/m)
  assert.match(text, /^hm_pool_status\{pool_id="pool-4",pool="app 4",project_id="p",status="ERROR"\} 0$/m)
  assert.match(text, /^hm_pool_members\{.*pool_id="pool-0".*state="ONLINE"\} 2$/m)
  assert.match(text, /^hm_pool_latency_p50_seconds\{pool_id="pool-0".*\} 0\.0015$/m)
  assert.match(text, /^hm_pool_latency_p99_seconds\{pool_id="pool-0".*\} 0\.000899$/m)
  assert.match(text, /^hm_pool_last_transition_timestamp_seconds\{pool_id="pool-0".*\} 1000000\.5$/m)
  assert.match(text, /^hm_pool_certificate_expiry_timestamp_seconds\{pool_id="pool-0".*\} 2000000000$/m)
  assert.match(text, /^hm_pools_truncated 0$/m)
  assert.match(text, /^hm_pools_left_out 0$/m)
})

test('a metric that does not apply to a row has no row: nothing is invented', async () => {
  const { latencyUs: _, lastTransitionAt: __, certificateExpiresAt: ___, ...bare } = aPool(0)
  const read: ReadRows<PoolFigures> = async (take) => {
    await take([bare])
    return 1
  }
  const text = await textOf(await new FigureReading({ table: POOL_TABLE, read, bounds: wide }).pieces())
  assert.doesNotMatch(text, /^hm_pool_latency/m)
  assert.doesNotMatch(text, /^hm_pool_last_transition/m)
  assert.doesNotMatch(text, /^hm_pool_certificate/m)
  assert.match(text, /^hm_pool_members_pending\{/m)
})

test('what is beyond the limit of rows, of bytes or of time is left out, and counted', async () => {
  for (const bounds of [
    { ...wide, rows: 5 },
    { ...wide, ms: 0 },
    { ...wide, bytes: 0 },
  ]) {
    const reading = new FigureReading({ table: POOL_TABLE, read: pools(9, 3), bounds })
    const text = await textOf(await reading.pieces())
    const there = text.match(/^hm_pool_members_pending\{/gm)?.length ?? 0
    assert.equal(there, bounds.rows === 5 ? 5 : 3)
    assert.match(text, /^hm_pools_truncated 1$/m)
    assert.match(text, new RegExp(`^hm_pools_left_out ${9 - there}$`, 'm'))
  }
})

test('there is one reading at a time, and it is served until the next one is due', async () => {
  let [nowMs, readings] = [0, 0]
  const read: ReadRows<PoolFigures> = (take) => {
    readings += 1
    nowMs += 4000
    return pools(1, 1)(take)
  }
  const reading = new FigureReading({ table: POOL_TABLE, read, bounds: wide, now: () => nowMs })
  const [one, other] = await Promise.all([reading.pieces(), reading.pieces()])
  assert.equal(one, other)
  nowMs = FIGURES_EVERY_MS
  assert.equal(await reading.pieces(), one, 'it rests for a multiple of what it took')
  nowMs = 4000 + FIGURES_REST * 4000
  assert.notEqual(await reading.pieces(), one)
  assert.equal(readings, 2)
})

test('a reading that failed is not repeated for each request, and tried again soon', async () => {
  let [nowMs, readings] = [0, 0]
  const read: ReadRows<PoolFigures> = (take) => {
    readings += 1
    return readings === 1 ? Promise.reject(new Error('away')) : pools(1, 1)(take)
  }
  const reading = new FigureReading({ table: POOL_TABLE, read, bounds: wide, now: () => nowMs })
  await assert.rejects(reading.pieces(), /away/)
  await assert.rejects(reading.pieces(), /away/)
  assert.equal(readings, 1)
  nowMs = FIGURES_RETRY_MS
  assert.ok((await reading.pieces()).length > 0)
})

test('values of labels are escaped as the format says', () => {
  assert.equal(escaped('a"b\\c\nd'), String.raw`a\"b\\c\nd`)
  assert.equal(escaped('äöü {x="1"} # 漢'), String.raw`äöü {x=\"1\"} # 漢`)
})
