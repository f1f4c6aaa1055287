/** `openstack loadbalancer …` and openstacksdk, as Debian has them, through the whole life of a health monitor. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { CLIENTS, IDENTITIES, runClient, startForClients } from '../support/client-service.ts'

for (const identity of IDENTITIES) {
  test(`every command of a health monitor's life passes, those that wait too, with ${identity} identity`, async (t) => {
    const { api, env } = await startForClients(t, identity)
    const output = await runClient('bash', [join(CLIENTS, 'cli-probe.sh'), `${api}/load-balancer`], env)
    const totals = output.trim().split('\n').at(-1)
    t.diagnostic(`openstack loadbalancer: ${totals}`)
    assert.match(totals ?? '', /^60 passed, 0 failed$/)
  })

  test(`openstacksdk creates, finds, changes and deletes, and is refused in its own words, with ${identity} identity`, async (t) => {
    const { env } = await startForClients(t, identity)
    const output = await runClient('/usr/bin/python3', [join(CLIENTS, 'sdk-probe.py'), 'envvars'], env)
    assert.match(output, /^ok [0-9.]+s$/m)
  })
}
