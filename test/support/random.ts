/** Random choices that can be made again: the seed is printed, and HM_TEST_SEED sets it. */
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'

/** A whole number from 0 to `below` - 1. The seed is another in each run. */
export function seededRandom(t: TestContext, name: string): (below: number) => number {
  const seed = process.env['HM_TEST_SEED'] ?? String(Date.now())
  t.diagnostic(`HM_TEST_SEED=${seed} makes these choices again`)
  let n = 0
  return (below) => {
    const hash = createHash('sha256').update(`${seed} ${name} ${n++}`).digest()
    return hash.readUInt32BE(0) % below
  }
}
