/**
 * Clients generated from openapi.yaml compile strictly and live a whole life in each dialect: TypeScript by openapi-typescript,
 * Python and Go by openapi-generator.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLIENTS, runClient, startForClients } from '../support/client-service.ts'
import { folderOfTest } from '../support/folders.ts'

for (const language of ['typescript', 'python', 'go']) {
  test(`a client generated for ${language} creates, waits for the verdict, changes and deletes, in each dialect`, async (t) => {
    const { api } = await startForClients(t, 'development')
    const output = await runClient(
      'bash',
      [join(CLIENTS, `sdk-${language}`, 'run.sh'), folderOfTest(), api],
      {},
    )
    const totals = output.trim().split('\n').at(-1)
    t.diagnostic(`${language}: ${totals}`)
    assert.match(totals ?? '', /^ok, \d+ calls$/)
  })
}
