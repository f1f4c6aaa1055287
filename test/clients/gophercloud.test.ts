/** gophercloud v2, the SDK of most programs in Go that speak to Octavia. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { BUILT, CLIENTS, IDENTITIES, runClient, startForClients } from '../support/client-service.ts'

const PROGRAM = join(BUILT, 'gophercloud-life')

before(async () => {
  await runClient('go', ['build', '-C', join(CLIENTS, 'gophercloud'), '-o', PROGRAM, '.'], { GOWORK: 'off' })
})

for (const identity of IDENTITIES) {
  test(`a program of gophercloud creates, batches, pages, updates and deletes, with ${identity} identity`, async (t) => {
    const { env } = await startForClients(t, identity)
    const output = await runClient(PROGRAM, [], { ...env, OS_DOMAIN_NAME: 'Default' })
    t.diagnostic(`${output.match(/^ok /gm)?.length} steps`)
    assert.match(output, /^ok all$/m)
  })
}
