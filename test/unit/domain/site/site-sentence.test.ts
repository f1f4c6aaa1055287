import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SITE_NAME_MAX, SITE_SENTENCE_MAX_BYTES } from '../../../../src/domain/limits.ts'
import type { SiteView, Vote } from '../../../../src/domain/site/quorum.ts'
import { siteSentence } from '../../../../src/domain/site/site-sentence.ts'

const seen = (votes: Readonly<Record<string, Vote | undefined>>): readonly SiteView[] =>
  Object.entries(votes).map(([site, vote]) => ({ site, vote }))

describe('the sentence on who sees what', () => {
  it('names the sites, those that see it OFFLINE first', () => {
    assert.equal(
      siteSentence(seen({ nyc: 'ONLINE', fra: 'OFFLINE', ams: 'OFFLINE' })),
      'OFFLINE from fra and ams, ONLINE from nyc',
    )
    assert.equal(
      siteSentence(seen({ a: 'ONLINE', b: 'ONLINE', c: 'ONLINE', d: undefined })),
      'ONLINE from a, b and c, nothing known from d',
    )
    assert.equal(siteSentence(seen({ fra: 'OFFLINE' })), 'OFFLINE from fra')
  })

  it('has numbers where the names would not fit into a detail', () => {
    const names = Array.from({ length: 16 }, (_, i) => `${i}`.padStart(SITE_NAME_MAX, 'x'))
    const votes = names.map((name, i) => [name, i < 9 ? 'OFFLINE' : i < 14 ? 'ONLINE' : undefined] as const)
    const sentence = siteSentence(seen(Object.fromEntries(votes)))
    assert.equal(sentence, 'OFFLINE from 9 sites, ONLINE from 5 sites, nothing known from 2 sites')
    assert.ok(sentence.length <= SITE_SENTENCE_MAX_BYTES)
  })
})
