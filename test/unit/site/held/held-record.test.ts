/** What a crash of the host leaves of a file of held verdicts: whole records are read, the rest is passed over and counted. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readHeld, recordsOf } from '../../../../src/site/held/held-record.ts'
import { aVerdict } from '../../../support/verdicts.ts'

const entry = (shard: number, member: string, sequence: number, round = 0) => ({
  shard,
  round,
  rows: [aVerdict(member, shard, sequence)],
})
const members = async (bytes: Buffer) => (await readHeld(bytes)).rows.map(({ memberId }) => memberId)

test('what was written is read, and one of many rows in several records', async () => {
  const rows = Array.from({ length: 1234 }, (_, i) => aVerdict(`m${i}`, 3, i))
  const read = await readHeld(await recordsOf([{ shard: 3, round: 0, rows }]))
  assert.deepEqual(read, { rows, damaged: 0, damagedBytes: 0 })
})

test('later verdicts of a member follow the earlier ones, unless those had been sent', async () => {
  const bytes = await recordsOf([entry(3, 'a', 1), entry(4, 'b', 1), entry(3, 'a', 2), entry(4, 'b', 2, 1)])
  const { rows } = await readHeld(bytes)
  const sequences = rows.map(({ memberId, transitions }) => [memberId, transitions.map((t) => t.sequence)])
  assert.deepEqual(sequences, [
    ['a', [1, 2]],
    ['b', [2]],
  ])
})

test('a file that ends anywhere gives every record before its end', async () => {
  const first = await recordsOf([entry(1, 'a', 1)])
  const both = Buffer.concat([first, await recordsOf([entry(2, 'b', 1)])])
  for (let length = 0; length < both.length; length++) {
    const cut = both.subarray(0, length)
    const { rows, damaged, damagedBytes } = await readHeld(cut)
    const whole = length < first.length ? 0 : first.length
    assert.equal(rows.length, whole === 0 ? 0 : 1)
    assert.deepEqual([damaged, damagedBytes], [length === whole ? 0 : 1, length - whole])
  }
})

test('a byte that is wrong anywhere costs the record that it is in, and no other', async () => {
  const names = ['a', 'b', 'c']
  const records = await Promise.all(names.map((name, i) => recordsOf([entry(i, name, 1)])))
  const all = Buffer.concat(records)
  let end = 0
  for (const [index, { length }] of records.entries()) {
    const kept = names.filter((_, i) => i !== index)
    for (let at = end; at < end + length; at++) {
      const wrong = Buffer.from(all)
      wrong.writeUInt8(wrong.readUInt8(at) ^ 0x40, at)
      assert.deepEqual(await members(wrong), kept, `byte ${at}`)
    }
    end += length
  }
})

test('blocks of zeros, which a file system leaves, are passed over', async () => {
  const [one, other] = [await recordsOf([entry(1, 'a', 1)]), await recordsOf([entry(2, 'b', 1)])]
  const { damaged, damagedBytes } = await readHeld(Buffer.concat([one, Buffer.alloc(4096), other]))
  assert.deepEqual([damaged, damagedBytes], [1, 4096])
  assert.deepEqual(await members(Buffer.concat([one, Buffer.alloc(4096), other])), ['a', 'b'])
})
