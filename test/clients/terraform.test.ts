/**
 * Terraform's OpenStack provider with ten writes at a time: apply, empty plan, change, empty plan, import, empty plan,
 * destroy. What it asked and was answered is compared with what the real Octavia answered.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import {
  BUILT,
  CLIENTS,
  IDENTITIES,
  runClient,
  startForClients,
  twoFreePorts,
  VECTORS,
} from '../support/client-service.ts'
import { folderOfTest } from '../support/folders.ts'

const TERRAFORM = join(CLIENTS, 'terraform')
const PROVIDER = join(BUILT, 'terraform-provider-openstack')

before(async () => {
  await runClient('bash', [join(TERRAFORM, 'build.sh'), PROVIDER], {})
})

/** The recording, with members of loopback as the configuration has them here: they are really probed. */
function golden(): string {
  const recorded = readFileSync(join(VECTORS, 'terraform-golden/openstack-v1.54.1.jsonl'), 'utf8')
  return recorded.replaceAll('192.0.2.', '127.0.2.').replaceAll('2001:db8::31', '::1')
}

for (const identity of IDENTITIES) {
  test(`Terraform applies, changes, imports and destroys, its plans are empty, and it asks and hears what Octavia heard, with ${identity} identity`, async (t) => {
    const { api, env } = await startForClients(t, identity)
    const dir = folderOfTest()
    const record = join(dir, 'requests.jsonl')
    const output = await runClient('bash', [join(TERRAFORM, 'run.sh'), PROVIDER], {
      ...env,
      RECORD: record,
      RECORD_ORIGINS: api,
      RECORD_PORT: String(await twoFreePorts()),
    })
    for (const line of output.trim().split('\n')) t.diagnostic(line)
    assert.match(output, /^PASS all$/m)
    // What the provider would have repeated in silence.
    const refused = [...readFileSync(record, 'utf8').matchAll(/"status": (409|429|5\d\d)/g)]
    assert.deepEqual(
      refused.map(([, status]) => status),
      [],
    )
    // Octavia's recording is of an own port, without the path that this service has in the catalogue.
    const heard = readFileSync(record, 'utf8').replaceAll('"path": "/load-balancer/', '"path": "/')
    writeFileSync(record, heard)
    writeFileSync(join(dir, 'golden.jsonl'), golden())
    const compare = [join(TERRAFORM, 'record.py'), '--compare', join(dir, 'golden.jsonl'), record]
    const compared = await runClient('/usr/bin/python3', compare, {})
    t.diagnostic(compared.trim())
    assert.match(compared, /^0 differences/m)
  })
}
