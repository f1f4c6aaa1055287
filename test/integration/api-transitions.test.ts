import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { query } from '../../src/store/database.ts'
import { makePool, PROJECT, type PoolApi, startPoolApi } from '../support/pool-api.ts'

const SUBNET = '03e1458a-fe0d-4e2f-bc4a-44f25a045287'

interface Known {
  readonly poolId: string
  readonly memberId: string
  readonly path: string
}

async function makeMember(api: PoolApi): Promise<Known> {
  const { poolId } = await makePool(api.db)
  const body = { member: { address: '127.0.0.1', protocol_port: 1, subnet_id: SUBNET } }
  const answer = await api.call('POST', `/pools/${poolId}/members`, { body })
  const memberId = answer.body.member.id as string
  return { poolId, memberId, path: `/pools/${poolId}/members/${memberId}/transitions` }
}

/** Writes the transitions `from`..`to` of a member, as a prober would: the nth at the nth second. */
async function writeTransitions(
  api: PoolApi,
  { poolId, memberId }: Known,
  from: number,
  to: number,
): Promise<void> {
  await query(
    api.db,
    `insert into member_transition (member_id, pool_id, project_id, at, from_state, to_state, reason, detail, evidence,
                                    generation, dropped, epoch, sequence)
     select ?, ?, ?, timestamptz '2026-11-01T00:00:00Z' + n * interval '1 second', 'ONLINE', 'OFFLINE',
            'CONNECT_REFUSED', 'n ' || n, jsonb_build_object('port', n), 1, 0, 1, n
     from generate_series(?::integer, ?::integer) n order by n`,
    [memberId, poolId, PROJECT, from, to],
  )
}

interface Wire {
  readonly id: string
  readonly detail: string
}
const details = (transitions: readonly Wire[]) => transitions.map((one) => Number(one.detail.slice(2)))

suite('transitions of a member', () => {
  test('newest first, with reason, detail and evidence; a member without history has an empty list', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    assert.deepEqual((await api.call('GET', known.path)).body, { transitions: [], transitions_links: [] })
    await writeTransitions(api, known, 1, 2)
    const { body } = await api.call('GET', known.path)
    assert.deepEqual(details(body.transitions as Wire[]), [2, 1])
    const { id, ...newest } = (body.transitions as Wire[])[0] ?? { id: '' }
    assert.match(id, /^\d+$/)
    assert.deepEqual(newest, {
      at: '2026-11-01T00:00:02.000Z',
      from: 'ONLINE',
      to: 'OFFLINE',
      reason: 'CONNECT_REFUSED',
      detail: 'n 2',
      evidence: { port: 2 },
      dropped: 0,
    })
    assert.deepEqual(body.transitions_links, [])
  })

  test('pages walk back in time by marker and end; page_reverse walks forward again', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 5)
    const pages: number[][] = []
    let url: string | undefined = `${known.path}?limit=2`
    let last = ''
    while (url !== undefined) {
      assert.ok(pages.length < 5, 'the walk ends')
      const { body } = await api.call('GET', url)
      pages.push(details(body.transitions as Wire[]))
      last = (body.transitions as Wire[]).at(-1)?.id ?? last
      url = (body.transitions_links as { rel: string; href: string }[]).find(
        (link) => link.rel === 'next',
      )?.href
    }
    assert.deepEqual(pages, [[5, 4], [3, 2], [1]])
    const back = await api.call('GET', `${known.path}?limit=2&marker=${last}&page_reverse=True`)
    assert.deepEqual(details(back.body.transitions as Wire[]), [3, 2])
  })

  test('a list without a limit ends at the largest page and links on', async (t) => {
    const api = await startPoolApi(t, { pageMax: 3 })
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 4)
    const { body } = await api.call('GET', known.path)
    assert.deepEqual(details(body.transitions as Wire[]), [4, 3, 2])
    const next = (body.transitions_links as { rel: string; href: string }[])[0]
    assert.equal(next?.rel, 'next')
    assert.deepEqual(details((await api.call('GET', next?.href ?? '')).body.transitions as Wire[]), [1])
  })

  test('history outlives the member and its pool', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    await writeTransitions(api, known, 1, 1)
    await api.call('DELETE', `/pools/${known.poolId}/members/${known.memberId}`)
    assert.deepEqual(details((await api.call('GET', known.path)).body.transitions as Wire[]), [1])
    await query(api.db, 'delete from pool where id = ?', [known.poolId])
    assert.deepEqual(details((await api.call('GET', known.path)).body.transitions as Wire[]), [1])
    assert.equal((await api.call('GET', known.path, { project: 'project-b' })).status, 404)
  })

  test('of another project there is nothing: no list, no marker', async (t) => {
    const api = await startPoolApi(t)
    const known = await makeMember(api)
    const other = await makeMember(api)
    await writeTransitions(api, known, 1, 3)
    await writeTransitions(api, other, 1, 1)
    const foreign = await api.call('GET', known.path, { project: 'project-b' })
    assert.deepEqual(
      [foreign.status, foreign.body.error_msg],
      [404, `pool ${known.poolId} could not be found.`],
    )
    const id = ((await api.call('GET', known.path)).body.transitions as Wire[])[0]?.id
    for (const marker of [id, '999999', 'x', randomUUID(), '9'.repeat(30), '-1']) {
      const answer = await api.call('GET', `${other.path}?limit=1&marker=${marker}`)
      assert.deepEqual(
        [answer.status, answer.body.error_msg],
        [404, `transition ${marker} could not be found.`],
      )
    }
  })

  test('a member that never was is 404, and a bad limit is 400', async (t) => {
    const api = await startPoolApi(t)
    const { poolId, path } = await makeMember(api)
    const id = randomUUID()
    const unknown = await api.call('GET', `/pools/${poolId}/members/${id}/transitions`)
    assert.deepEqual([unknown.status, unknown.body.error_msg], [404, `member ${id} could not be found.`])
    const refused = await api.call('GET', `${path}?limit=-1`)
    assert.deepEqual(
      [refused.status, refused.body.error_msg],
      [400, `Limit must be an integer 0 or greater and not '-1'`],
    )
  })
})
