import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SHARE_PER_FREE } from '../../../../src/domain/limits.ts'
import { List, type ListNode } from '../../../../src/schedule/linked-list.ts'
import { type Sharer, Turns } from '../../../../src/schedule/share/turns.ts'

class Node implements ListNode {
  previous: ListNode = this
  next: ListNode = this
  readonly of: Project
  constructor(of: Project) {
    this.of = of
  }
}

class Project implements Sharer<Node> {
  previous: ListNode = this
  next: ListNode = this
  held = 0
  readonly queue = new List<Node>()
}

test('those who wait have one turn each, round and round, however many each of them lets wait', () => {
  const turns = new Turns<Node>()
  const [many, one, two] = [new Project(), new Project(), new Project()]
  for (let i = 0; i < 100_000; i++) turns.queue(many, new Node(many))
  turns.queue(one, new Node(one))
  for (let i = 0; i < 2; i++) turns.queue(two, new Node(two))
  const order = Array.from({ length: 6 }, () => turns.next(1_000_000)?.of)
  assert.deepEqual(
    order.map((project) => (project === many ? 'many' : project === one ? 'one' : 'two')),
    ['many', 'one', 'two', 'many', 'two', 'many'],
  )
})

test('a single sharer gets four fifths of all, two get four ninths each, and its own limit holds besides', () => {
  const shares = (count: number, total: number, most?: number): readonly number[] => {
    const turns = new Turns<Node>()
    const projects = Array.from({ length: count }, () => new Project())
    for (const project of projects) for (let i = 0; i < total; i++) turns.queue(project, new Node(project))
    let free = total
    for (let node = turns.next(free, most); node !== undefined; node = turns.next(free, most)) {
      node.of.held++
      free--
    }
    return projects.map(({ held }) => held)
  }
  assert.deepEqual(shares(1, 4032), [Math.ceil((4032 * 4) / 5)])
  assert.deepEqual(shares(2, 900), [400, 400])
  assert.deepEqual(shares(1, 1), [1])
  assert.deepEqual(shares(2, 900, 30), [30, 30])
})

test('whatever comes and goes in which order: no sharer exceeds its limit, and a waiting sharer below it is never left out', () => {
  const step = fc.record({
    what: fc.constantFrom('queue', 'queue', 'queue', 'take', 'take', 'end', 'leave'),
    who: fc.nat(3),
    which: fc.nat(20),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 200 }), (total, steps) => {
      const turns = new Turns<Node>()
      const projects = Array.from({ length: 4 }, () => new Project())
      const waiting: Node[] = []
      const taken: Node[] = []
      const take = (): boolean => {
        const free = total - taken.length
        const node = turns.next(free)
        if (node === undefined) {
          const left = waiting.filter(({ of }) => of.held < SHARE_PER_FREE * free)
          assert.deepEqual(left, [], 'nobody who may have one waits')
          return false
        }
        assert.ok(node.of.held < SHARE_PER_FREE * free)
        node.of.held++
        taken.push(...waiting.splice(waiting.indexOf(node), 1))
        return true
      }
      for (const { what, who, which } of steps) {
        const project = projects[who] ?? assert.fail()
        if (what === 'queue') {
          const node = new Node(project)
          waiting.push(node)
          turns.queue(project, node)
        } else if (what === 'take') take()
        else if (what === 'end' && taken.length > 0) {
          const [node] = taken.splice(which % taken.length, 1)
          if (node !== undefined) node.of.held--
          turns.reconsider()
        } else if (what === 'leave' && waiting.length > 0) {
          const [node] = waiting.splice(which % waiting.length, 1)
          if (node !== undefined) turns.leave(node.of, node)
        }
        assert.equal(turns.isWanted, waiting.length > 0)
      }
      for (let rounds = 0; waiting.length > 0; rounds++) {
        assert.ok(rounds < 300, 'all are served when things end')
        while (take());
        for (const node of taken.splice(0)) node.of.held--
        turns.reconsider()
      }
      assert.equal(turns.isWanted, false)
    }),
    { numRuns: 500 },
  )
})
