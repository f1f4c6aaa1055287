/** The file of held verdicts: brought to the disk, and no longer than what is held needs. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { SITE_HELD_REWRITE_BYTES, SITE_HELD_SYNC_EVERY_MS } from '../../../../src/domain/limits.ts'
import { HELD_FILE, HeldLog } from '../../../../src/site/held/held-log.ts'
import { readHeld } from '../../../../src/site/held/held-record.ts'
import { eventually } from '../../../support/configuration.ts'
import { folderOfTest } from '../../../support/folders.ts'
import { aVerdict } from '../../../support/verdicts.ts'

const entry = (sequence: number, detail = '') => ({
  shard: 1,
  round: 0,
  rows: [aVerdict('a', 1, sequence, { detail })],
})

test('what is added is on the disk a second later, and not more often', async () => {
  const log = new HeldLog(join(folderOfTest(), 'mine'))
  await log.append([entry(1)])
  await eventually('the first is on the disk', () => log.isSynced)
  const begunMs = performance.now()
  await log.append([entry(2)])
  assert.equal(log.isSynced, false)
  await eventually('the second is on the disk', () => log.isSynced)
  assert.ok(performance.now() - begunMs > SITE_HELD_SYNC_EVERY_MS / 2)
  await log.append([entry(3)])
  await log.close()
  assert.equal(log.isSynced, true, 'a prober that ends does not wait')
})

test('it is long when most of it is old, and is written anew', async () => {
  const folder = join(folderOfTest(), 'mine')
  const log = new HeldLog(folder)
  const detail = randomBytes(SITE_HELD_REWRITE_BYTES / 2).toString('base64')
  await log.append([entry(1, detail)])
  assert.equal(log.isLong, false)
  await log.append([entry(2, detail)])
  assert.equal(log.isLong, true)
  await log.rewrite([entry(3)])
  assert.equal(log.isLong, false)
  await log.append([entry(4)])
  await log.close()
  const { rows } = await readHeld(readFileSync(join(folder, HELD_FILE)))
  assert.deepEqual(
    rows.map(({ transitions }) => transitions.map(({ sequence }) => sequence)),
    [[3, 4]],
  )
  assert.ok(statSync(join(folder, HELD_FILE)).size < 10_000)
})
