import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Executed, isExecuted } from '../../../bench/mutation/coverage.ts'
import { mutantsOf } from '../../../bench/mutation/operators.ts'

/** Every text that a mutant makes of a code. */
function wrongs(code: string): string[] {
  return mutantsOf(code).map(
    ({ start, end, replacement }) => code.slice(0, start) + replacement + code.slice(end),
  )
}

test('a condition is always and never met, a comparison is off by one, operands and signs are others', () => {
  assert.deepEqual(wrongs('if (a < b) c()').toSorted(), [
    'if ((a) <= (b)) c()',
    'if (a < b) ;',
    'if (false) c()',
    'if (true) c()',
  ])
  assert.ok(wrongs('x = a && !b').includes('x = (a) || (!b)'))
  assert.ok(wrongs('x = a && !b').includes('x = a && (b)'))
  assert.ok(wrongs('x = a ?? b').includes('x = a'))
  assert.ok(wrongs('x = a + 1').includes('x = (a) - (1)'))
})

test('texts are not added up otherwise, and what only logs or counts is left alone', () => {
  assert.deepEqual(wrongs("const x = 'a' + b"), [])
  assert.deepEqual(wrongs("this.options.log.info({ n: 1 }, 'x')"), [])
  assert.deepEqual(wrongs('metrics.flushed(1)'), [])
})

test('constants, calls, throws and filters are changed or left out', () => {
  assert.deepEqual(wrongs('const x = 41'), ['const x = 42'])
  assert.deepEqual(wrongs('const x = true'), ['const x = false'])
  assert.deepEqual(wrongs('const x = all.every(f)'), ['const x = all.some(f)'])
  assert.deepEqual(wrongs('const x = all.filter(f)'), ['const x = all'])
  assert.ok(wrongs('async () => { await a.b(c) }').includes('async () => { ; }'))
  assert.ok(wrongs('if (a) throw b').includes('if (a) ;'))
})

test('statements of SQL lose their predicates, locks and notifications, in either kind of text', () => {
  const template = 'query(`select id from a where b = $1 and c > $2\n for update skip locked`)'
  const made = wrongs(template)
  for (const expected of [
    'query(`select id from a where true or b = $1 and c > $2\n for update skip locked`)',
    'query(`select id from a where b = $1 or c > $2\n for update skip locked`)',
    'query(`select id from a where b = $1 and c >= $2\n for update skip locked`)',
    'query(`select id from a where b = $1 and c > $2\n for update`)',
  ]) {
    assert.ok(made.includes(expected), expected)
  }
  assert.ok(
    wrongs("query('select a from b where c = $1')").includes("query('select a from b where true or c = $1')"),
  )
  assert.deepEqual(wrongs("const x = 'this and that'"), [])
})

test('every mutant can be parsed', () => {
  const code =
    'export function f(a) { if (a.b >= 1 && !a.c) { a.d(); return a.e ?? 2 } while (a.next()) a.n -= 1; return `x${a}` }'
  for (const wrong of wrongs(code)) assert.doesNotThrow(() => mutantsOf(wrong), wrong)
})

test('a place is run when it lies within what was run', () => {
  const executed: Executed = { 'src/a.js': [10, 20, 40, 50] }
  const run = [9, 10, 19, 20, 45, 50].map((offset) => isExecuted(executed, 'src/a.js', offset))
  assert.deepEqual(run, [false, true, true, false, true, false])
  assert.equal(isExecuted(executed, 'src/b.js', 10), false)
})
