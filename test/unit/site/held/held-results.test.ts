/** Verdicts that cannot be sent: what the next process finds, also after the disk was full or the host lost its power. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { VerdictWrite } from '../../../../src/domain/prober/check.ts'
import { SiteAway } from '../../../../src/site/away.ts'
import { HeldFiles } from '../../../../src/site/held/held-files.ts'
import { HELD_FILE } from '../../../../src/site/held/held-log.ts'
import { HeldResults } from '../../../../src/site/held/held-results.ts'
import { folderOfTest } from '../../../support/folders.ts'
import { keepingLog } from '../../../support/prober.ts'
import { aVerdict } from '../../../support/verdicts.ts'

const AWAY = new SiteAway('NATS is away')

interface Sent {
  readonly owner: string
  readonly rows: readonly VerdictWrite[]
}

/** A process that holds results below this folder; NATS is away until `reach` is called. */
function holding(siteFolder: string, owner: string) {
  const log = keepingLog()
  const counted = { members: 0, damaged: 0, diskFailures: 0 }
  const metrics = {
    held: (members: number) => void (counted.members = members),
    damaged: (pieces: number) => void (counted.damaged += pieces),
    diskFailed: () => void counted.diskFailures++,
  }
  const sent: Sent[] = []
  let isAway = true
  const results = new HeldResults({
    files: new HeldFiles({ siteFolder, owner, metrics, log }),
    owner,
    send: (of, rows) => {
      if (isAway) return Promise.reject(AWAY)
      if (rows.length > 0) sent.push({ owner: of, rows })
      return Promise.resolve()
    },
    metrics,
    log,
  })
  return { results, sent, log, counted, reach: () => void (isAway = false) }
}

/** The host was started anew: the number of the process that was stopped belongs to another one now. */
function afterRestart(siteFolder: string, owner: string): string {
  const name = readdirSync(siteFolder).find((entry) => entry.startsWith(`${owner}.`)) ?? ''
  const next = `${owner}.${process.pid}.another-start`
  renameSync(join(siteFolder, name), join(siteFolder, next))
  return join(siteFolder, next, HELD_FILE)
}

const membersOf = (sent: readonly Sent[]) =>
  sent.flatMap(({ owner, rows }) => rows.map(({ memberId }) => `${owner} ${memberId}`)).toSorted()

test('the host lost its power: a torn end is passed over with a line of the log, and the rest is sent', async () => {
  const folder = folderOfTest()
  const first = holding(folder, 'first')
  for (const member of ['a', 'b', 'c']) await first.results.hold([aVerdict(member, 1, 1)], AWAY)
  assert.equal(first.counted.members, 3)
  await first.results.close()
  const file = afterRestart(folder, 'first')
  appendFileSync(file, Buffer.alloc(100))

  const next = holding(folder, 'next')
  await assert.rejects(next.results.flush(), SiteAway)
  next.reach()
  await next.results.flush()
  assert.deepEqual(membersOf(next.sent), ['first a', 'first b', 'first c'])
  assert.equal(next.counted.damaged, 1)
  const warned = next.log.lines.filter(({ message }) => message.includes('damaged'))
  assert.equal(warned.length, 1)
  assert.equal(existsSync(file), false)
})

test('a file without its last bytes, and one of nothing but zeros, keep nobody from sending the others', async () => {
  const folder = folderOfTest()
  for (const owner of ['cut', 'zeros', 'whole']) {
    const one = holding(folder, owner)
    for (const member of ['a', 'b']) await one.results.hold([aVerdict(member, 1, 1)], AWAY)
    await one.results.close()
    const file = afterRestart(folder, owner)
    if (owner === 'cut') truncateSync(file, statSync(file).size - 1)
    if (owner === 'zeros') writeFileSync(file, Buffer.alloc(512))
  }
  const next = holding(folder, 'next')
  next.reach()
  await next.results.flush()
  assert.deepEqual(membersOf(next.sent), ['cut a', 'whole a', 'whole b'])
  assert.equal(next.counted.damaged, 2)
  assert.deepEqual(readdirSync(folder), [])
})

test('what was sent is not sent again with what came after it', async () => {
  const folder = folderOfTest()
  const first = holding(folder, 'first')
  first.reach()
  await first.results.hold([aVerdict('a', 1, 1), aVerdict('b', 2, 1)], AWAY)
  await first.results.flush()
  assert.equal(first.results.isEmpty, true)
  await first.results.hold([aVerdict('a', 1, 2)], AWAY)
  await first.results.close()
  afterRestart(folder, 'first')
  const next = holding(folder, 'next')
  next.reach()
  await next.results.flush()
  assert.deepEqual(
    next.sent.flatMap(({ rows }) =>
      rows.map((row) => [row.memberId, row.transitions.map((t) => t.sequence)]),
    ),
    [['a', [2]]],
  )
})

test('results of a process that runs are its own', async () => {
  const folder = folderOfTest()
  const first = holding(folder, 'first')
  await first.results.hold([aVerdict('a', 1, 1)], AWAY)
  const next = holding(folder, 'next')
  next.reach()
  await next.results.flush()
  assert.deepEqual(next.sent, [])
  await first.results.close()
})

test('the disk refuses: results are held in memory, the log says it, and nothing is lost', async () => {
  const folder = folderOfTest()
  // A file where the folder should be.
  const siteFolder = join(folder, 'fra')
  mkdirSync(siteFolder)
  const one = holding(siteFolder, 'one')
  rmSync(siteFolder, { recursive: true })
  writeFileSync(siteFolder, '')
  await one.results.hold([aVerdict('a', 1, 1)], AWAY)
  await one.results.hold([aVerdict('b', 1, 1)], AWAY)
  assert.deepEqual([one.counted.diskFailures, one.counted.members], [1, 2])
  assert.equal(one.log.lines.filter(({ message }) => message.includes('cannot be held on disk')).length, 1)
  rmSync(siteFolder)
  one.reach()
  await one.results.flush()
  assert.deepEqual(membersOf(one.sent), ['one a', 'one b'])
  await one.results.close()
})
