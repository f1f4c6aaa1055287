/** A TypeScript client generated from openapi.yaml compiles strictly and lives a whole life in each dialect. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLIENTS, runClient, startForClients } from '../support/client-service.ts'
import { folderOfTest } from '../support/folders.ts'

test('a client generated with openapi-typescript creates, waits for the verdict, changes and deletes, in each dialect', async (t) => {
  const { api } = await startForClients(t, 'development')
  const said = await runClient('bash', [join(CLIENTS, 'sdk-typescript/run.sh'), folderOfTest(), api], {})
  const totals = said.trim().split('\n').at(-1)
  t.diagnostic(`TypeScript: ${totals}`)
  assert.match(totals ?? '', /^ok, \d+ calls$/)
})
