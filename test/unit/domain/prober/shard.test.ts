import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SHARD_COUNT } from '../../../../src/domain/limits.ts'
import { shardOf } from '../../../../src/domain/prober/shard.ts'

describe('shards', () => {
  it('are a number below SHARD_COUNT that follows from the id alone', () => {
    assert.equal(shardOf('00000000-0000-4000-8000-0000000000ff'), 255)
    assert.equal(shardOf('00000000-0000-4000-8000-000000000000'), 0)
    assert.equal(SHARD_COUNT, 256)
  })
})
