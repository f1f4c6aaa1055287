import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkLookUps } from '../../../../src/api/public/link-look-ups.ts'
import {
  PUBLIC_LOOK_UP_WAIT_MS,
  PUBLIC_LOOK_UPS,
  PUBLIC_LOOK_UPS_WAITING,
  PUBLIC_UNKNOWN_PER_CLIENT,
} from '../../../../src/domain/limits.ts'

const absent = (): Promise<undefined> => Promise.resolve(undefined)

/** Looks up unknown links until the client is refused: how many there were. */
async function unknownUntilRefused(lookUps: LinkLookUps, client: string): Promise<number> {
  for (let unknown = 0; unknown <= PUBLIC_UNKNOWN_PER_CLIENT; unknown++) {
    try {
      await lookUps.run(client, absent)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'TOO_MANY_ATTEMPTS')
      return unknown
    }
  }
  return assert.fail('a client is never refused')
}

test('look-ups that fail, as while PostgreSQL is away, are not counted as unknown links', async () => {
  const lookUps = new LinkLookUps(() => 0)
  for (let i = 0; i < 2 * PUBLIC_UNKNOWN_PER_CLIENT; i++) {
    await assert.rejects(
      lookUps.run('client', () => Promise.reject(new Error('the database is away'))),
      /the database is away/,
    )
  }
  assert.equal(await unknownUntilRefused(lookUps, 'client'), PUBLIC_UNKNOWN_PER_CLIENT)
})

test('look-ups that wait too long, or behind too many, are not counted as unknown links', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lookUps = new LinkLookUps(() => 0)
  let find: (found: string) => void = () => undefined
  const held = new Promise<string>((resolve) => (find = resolve))
  const count = PUBLIC_LOOK_UPS + PUBLIC_LOOK_UPS_WAITING + 1
  const running = Array.from({ length: count }, () => lookUps.run('client', () => held))
  t.mock.timers.tick(PUBLIC_LOOK_UP_WAIT_MS)
  find('found')
  const ends = await Promise.allSettled(running)
  const refused = ends.filter((end) => end.status === 'rejected')
  assert.ok(
    refused.length > PUBLIC_LOOK_UPS_WAITING,
    'one found too many waiting, the others waited too long',
  )
  for (const { reason } of refused) assert.equal((reason as { code?: string }).code, 'PROJECT_BUSY')
  assert.equal(await unknownUntilRefused(lookUps, 'client'), PUBLIC_UNKNOWN_PER_CLIENT)
})
