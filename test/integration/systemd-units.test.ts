/** The units of deploy/systemd, as systemd's own tool judges them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseConfig } from '../../src/runtime/config/config.ts'
import { VARIABLES } from '../../src/runtime/config/variables.ts'
import { folderOfTest } from '../support/folders.ts'

const FOLDER = 'deploy/systemd'
const PROGRAM = '/opt/healthmonitor/current/bin/healthmonitor'
/** The highest exposure, of 100, that `systemd-analyze security` may find. */
const EXPOSURE_MAX = '20'

/** The units with a program that exists here, and a prober as an instance: paths of the copies. */
function units(): readonly string[] {
  const folder = join(folderOfTest(), 'units')
  mkdirSync(folder)
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.service'))
  assert.equal(names.length, 5)
  for (const name of names) {
    const text = readFileSync(`${FOLDER}/${name}`, 'utf8')
    assert.ok(text.includes(PROGRAM), name)
    writeFileSync(join(folder, name.replace('@', '@1')), text.replaceAll(PROGRAM, process.execPath))
  }
  // A prober of a site: the same unit with a drop-in.
  const ofSite = 'healthmonitor-prober@2.service'
  copyFileSync(join(folder, 'healthmonitor-prober@1.service'), join(folder, ofSite))
  mkdirSync(join(folder, `${ofSite}.d`))
  copyFileSync(`${FOLDER}/site-prober.conf`, join(folder, `${ofSite}.d`, 'site-prober.conf'))
  return [...names.map((name) => name.replace('@', '@1')), ofSite].map((name) => join(folder, name))
}

test('systemd accepts the units, and finds them little exposed', (t) => {
  if (spawnSync('systemd-analyze', ['--version']).error !== undefined)
    return t.skip('needs systemd-analyze (package systemd)')
  for (const unit of units()) {
    const verified = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
    // It also looks at what the units need, and at the host's own units of that name.
    const ofOurs = verified.stderr.split('\n').filter((line) => line.includes('healthmonitor'))
    assert.deepEqual([verified.status, ofOurs], [0, []])
    const args = ['security', '--offline=yes', `--threshold=${EXPOSURE_MAX}`, unit]
    const judged = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
    assert.equal(judged.status, 0, judged.stdout)
  }
})

/** NAME=value lines, those that are commented out too. */
function environmentOf(file: string): Readonly<Record<string, string>> {
  const lines = readFileSync(`${FOLDER}/${file}`, 'utf8').matchAll(/^#?([A-Z_]+)=(.*)$/gm)
  return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
}

test('the example settings of a relay and of a prober of a site are accepted', () => {
  const relay = { ...environmentOf('relay.env'), DATABASE_URL: 'postgresql://db.example.org/healthmonitor' }
  const { nats } = parseConfig(relay)
  assert.deepEqual(nats?.sites, ['fra', 'ams'])
  assert.equal(nats.credentialsDir, '/etc/healthmonitor/nats')
  const { HM_LOG_LEVEL_FILE: _, ...prober } = environmentOf('site-prober.env')
  const ofSite = parseConfig(prober)
  assert.deepEqual([ofSite.site, ofSite.nats?.heldDir], ['fra', '/var/lib/healthmonitor'])
  for (const name of [...Object.keys(relay), ...Object.keys(prober)]) assert.ok(name in VARIABLES, name)
})

test('the example settings are accepted, once their files are there', () => {
  const all = { ...environmentOf('healthmonitor.env'), ...environmentOf('api.env') }
  const files = Object.entries(all).filter(([name]) => name.endsWith('_FILE'))
  assert.ok(files.length >= 3)
  const folder = folderOfTest()
  const values: Readonly<Record<string, string>> = {
    DATABASE_URL_FILE: 'postgresql://healthmonitor:x@db.example.org/healthmonitor\n',
    HM_KEYSTONE_PASSWORD_FILE: 'x\n',
    HM_AMQP_URL_FILE: 'amqp://healthmonitor:x@mq.example.org\n',
    HM_LOG_LEVEL_FILE: 'info\n',
  }
  const replaced = files.map(([name]) => {
    const path = join(folder, name)
    writeFileSync(path, values[name] ?? '')
    return [name, path] as const
  })
  const config = parseConfig({ ...all, ...Object.fromEntries(replaced) })
  assert.equal(config.auth, 'keystone')
  assert.deepEqual([config.webhookAllow.length, config.webhookDeny.length], [1, 2])
  assert.equal(config.amqp?.exchange, 'octavia')
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 9876 })
  for (const name of Object.keys(all)) assert.ok(name.replace(/_FILE$/, '') in VARIABLES, name)
})
