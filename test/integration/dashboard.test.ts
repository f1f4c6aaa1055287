/** The dashboard of deploy/grafana, on a real Prometheus that scrapes a real service. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'

const PROGRAM = resolve(import.meta.dirname, '../../bench/dashboard.js')
/** Milliseconds: a start, thirty seconds of scrapes, an end, on a busy machine. */
const RUN_MS = 180_000

test('every query of the dashboard has data, and no query of the alert rules is an error', (t) => {
  if (spawnSync('prometheus', ['--version']).error !== undefined)
    return t.skip('needs Prometheus (package prometheus)')
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, '--seconds', '30'], {
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
    timeout: RUN_MS,
  })
  assert.equal(status, 0, stdout + stderr)
  const [, withData, all] = /(\d+) of (\d+) queries of the dashboard have data/.exec(stdout) ?? []
  assert.ok(Number(all) > 40 && withData === all, stdout)
})

test('panels of the dashboard have distinct ids, a title, a unit, and the data source of the dashboard', () => {
  const text = readFileSync('deploy/grafana/healthmonitor.json', 'utf8')
  const { panels } = JSON.parse(text) as {
    readonly panels: readonly {
      readonly id: number
      readonly title: string
      readonly type: string
      readonly fieldConfig?: { readonly defaults: { readonly unit?: string } }
      readonly targets?: readonly { readonly datasource: { readonly uid: string } }[]
    }[]
  }
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
  for (const { title, type, fieldConfig, targets } of panels) {
    assert.notEqual(title, '')
    if (type === 'row') continue
    assert.notEqual(fieldConfig?.defaults.unit, undefined, title)
    for (const { datasource } of targets ?? []) assert.equal(datasource.uid, '${datasource}', title)
  }
})
