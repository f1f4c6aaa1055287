/** The tests of what speaks on plain connections once more, by public API alone: as where a runtime has no bare handles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBareStream, usePublicWires } from '../../src/probe/open-wire.ts'

usePublicWires(true)

test('everything in this file goes by net.Socket', () => {
  assert.equal(isBareStream(), false)
})

await import('./probe-http.test.ts')
await import('./probe-http-options.test.ts')
await import('./probe-http2.test.ts')
await import('./probe-grpc.test.ts')
await import('./probe-tcp-exchange.test.ts')
await import('./probe-reuse.test.ts')
