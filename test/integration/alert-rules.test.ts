/** The alert rules of deploy/prometheus, as Prometheus' own tool judges them. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { METRIC_GROUPS } from '../../src/runtime/metrics/metric-table.ts'

const FOLDER = 'deploy/prometheus'
const RULES = 'healthmonitor.rules.yml'
const TESTS = 'healthmonitor.rules.test.yml'

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

interface Case {
  readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly object[] }[]
}

function rules(): readonly Rule[] {
  const { groups } = parse(readFileSync(`${FOLDER}/${RULES}`, 'utf8')) as {
    groups: readonly { rules: Rule[] }[]
  }
  return groups.flatMap((group) => group.rules)
}

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

test('promtool accepts the alert rules, and their tests pass', (t) => {
  if (!hasPromtool) return t.skip('needs promtool (package prometheus)')
  for (const args of [
    ['check', 'rules', RULES],
    ['test', 'rules', TESTS],
  ]) {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' })
    assert.equal(status, 0, stdout + stderr)
    assert.match(stdout, /SUCCESS/)
  }
})

test('every alert has a test in which it fires', () => {
  const { tests } = parse(readFileSync(`${FOLDER}/${TESTS}`, 'utf8')) as { tests: readonly Case[] }
  const fired = tests
    .flatMap(({ alert_rule_test }) => alert_rule_test)
    .filter(({ exp_alerts }) => exp_alerts.length > 0)
    .map(({ alertname }) => alertname)
  assert.deepEqual(
    [...new Set(fired)].toSorted(),
    rules()
      .map(({ alert }) => alert)
      .toSorted(),
  )
})

test('alerts use metrics that exist, have a known severity and say what is wrong', () => {
  const known = new Set(METRIC_GROUPS.flatMap(({ metrics }) => Object.keys(metrics)))
  for (const { alert, expr, labels, annotations } of rules()) {
    const names = [...expr.matchAll(/\b(?:hm|process)_[a-z_]+/g)].map(([name]) =>
      name.replace(/_bucket$/, ''),
    )
    assert.ok(names.length > 0, alert)
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
      alert,
    )
    assert.match(labels['severity'] ?? '', /^(critical|warning)$/, alert)
    assert.deepEqual(Object.keys(annotations), ['summary', 'description'], alert)
  }
})

test('docs/operations.md has a section for every alert, in the order of the rules', () => {
  const headings = [...readFileSync('docs/operations.md', 'utf8').matchAll(/^### (Healthmonitor\w+)$/gm)]
  assert.deepEqual(
    headings.map(([, name]) => name),
    rules().map(({ alert }) => alert),
  )
})
