/** `healthmonitor probe`, as a process, against the whole program with real listeners. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SUBNET } from '../support/api-objects.ts'
import { eventually } from '../support/configuration.ts'
import { aTarget, DIALECTS } from '../support/probe-now.ts'
import { runProgram } from '../support/service.ts'
import { terminalWorld } from '../support/terminal.ts'

const LBAAS = DIALECTS.octavia

test('probe says what one probe found, and its exit code is that of the result', async (t) => {
  const world = await terminalWorld(t)
  const [first] = world.members
  const { code, out, err } = await world.run('probe', 'web-1', '--pool', 'app')
  assert.equal(code, 0, err)
  assert.match(out, new RegExp(`^member +web-1 \\(127\\.0\\.0\\.1:${first!.target.port}\\)$`, 'm'))
  assert.match(out, /^result +passed$/m)
  assert.match(out, new RegExp(`^probed +TCP 127\\.0\\.0\\.1:${first!.target.port}, for a connection$`, 'm'))
  assert.match(out, /^took +connect [\d.]+ ms, total [\d.]+ ms$/m)
  assert.match(out, /^counted +no: status and counters stay$/m)
  assert.ok(!out.includes('\u001b'), 'no colours in a pipe')

  const failed = await world.run('probe', 'web-3')
  assert.equal(failed.code, 1, failed.err)
  assert.match(failed.out, /^why +CONNECT_REFUSED: the target refused the connection: connect ECONNREFUSED$/m)

  const json = await world.run('probe', first!.id, '--counted', '--json')
  assert.equal(json.code, 0, json.err)
  const { probe } = JSON.parse(json.out)
  assert.deepEqual([probe.result, probe.counted, probe.evidence.port], ['passed', true, first!.target.port])

  for (const [args, message] of [
    [['probe'], /MEMBER/],
    [['probe', 'web-9'], /there is no member "web-9"/],
    [['probe', 'web-1', '--pool', 'nowhere'], /there is no pool "nowhere"/],
  ] as const) {
    const wrong = await world.run(...args)
    assert.equal(wrong.code, 2, args.join(' '))
    assert.match(wrong.err, message)
  }

  const path = `/pools/${world.poolId}/members`
  const fields = { name: 'off', address: '127.0.0.1', protocol_port: 9, admin_state_up: false }
  await world.create(path, 'member', fields)
  const off = await world.run('probe', 'off')
  assert.deepEqual([off.code, /the member is switched off/.test(off.err)], [2, true], off.err)
  const nobody = await runProgram(['probe', 'web-1', '--url', 'http://127.0.0.1:1'])
  assert.equal(nobody.code, 3, nobody.err)
})

test('while another probe of the member is under way, the exit code says that the same may succeed later', async (t) => {
  const world = await terminalWorld(t)
  const loadBalancer = await world.create('/loadbalancers', 'loadbalancer', { vip_subnet_id: SUBNET })
  const silent = await aTarget(t)
  const pool = { loadbalancer_id: loadBalancer, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }
  const poolId = await world.create('/pools', 'pool', pool)
  const fields = { name: 'silent', address: '127.0.0.1', protocol_port: silent.port }
  const memberId = await world.create(`/pools/${poolId}/members`, 'member', fields)
  const monitor = { pool_id: poolId, type: 'HTTP', delay: 60, timeout: 20, max_retries: 1 }
  await world.create('/healthmonitors', 'healthmonitor', monitor)
  await eventually('the first probe is in flight', () => Promise.resolve(silent.open.size === 1))
  const path = `${LBAAS}/pools/${poolId}/members/${memberId}/probe`
  const asked = fetch(`${world.service.api}${path}`, { method: 'POST' })
  await eventually('the probe is in flight', () => Promise.resolve(silent.open.size === 2))
  const { code, err } = await world.run('probe', 'silent')
  assert.equal(code, 3, err)
  assert.match(err, /A probe of this member was asked for already and has not ended/)
  await silent.stop()
  assert.equal((await asked).status, 200)
})

test('the help of probe and that of probe-once say which of them is meant', async () => {
  const [probe, once] = await Promise.all([
    runProgram(['probe', '--help']),
    runProgram(['probe-once', '--help']),
  ])
  assert.match(
    probe.out.replaceAll(/\s+/g, ' '),
    /`healthmonitor probe-once` probes any address from this host instead/,
  )
  assert.match(once.out.replaceAll(/\s+/g, ' '), /`healthmonitor probe` probes a member through the service/)
})
