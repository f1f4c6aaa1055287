/**
 * The answers for strangers. The answer of a link is made at most once in some seconds by each process, and shared; a link is
 * looked up at most once a second. What the answer costs counts as work of its project, and the memory of answers is divided
 * by project. A link that nobody has made costs one look into an index, under a bound for each client.
 */
import { createHash } from 'node:crypto'
import { DomainError } from '../../domain/errors.ts'
import {
  PUBLIC_ANSWER_KEPT_MS,
  PUBLIC_ANSWER_MS,
  PUBLIC_ANSWER_OVERHEAD_BYTES,
  PUBLIC_ANSWERS_BYTES,
  PUBLIC_LINK_MS,
} from '../../domain/limits.ts'
import { FairShare } from '../../domain/share/fair-share.ts'
import type { PublicPage } from '../../store/configuration/public-pages.ts'
import { LinkLookUps } from './link-look-ups.ts'
import type { PageAnswer } from './page-answer.ts'

export interface PublicAnswersOptions {
  /** The page of a link by the SHA-256 of its token. */
  readonly find: (hash: Buffer) => Promise<PublicPage | undefined>
  readonly make: (page: PublicPage) => Promise<PageAnswer>
  /** Does work when the sharer may; throws PROJECT_BUSY. */
  readonly admit: (sharer: string, work: () => Promise<void>) => Promise<void>
  /** Monotonic milliseconds. */
  readonly now?: () => number
}

interface Entry {
  readonly key: string
  page: PublicPage
  checkedAt: number
  usedAt: number
  made: { readonly answer: PageAnswer; readonly at: number } | undefined
  making: Promise<PageAnswer> | undefined
  checking: Promise<PublicPage | undefined> | undefined
  /** Of the memory of answers; 0 = it was forgotten. */
  bytes: number
}

/** Of all who look up links that this process does not know yet: they share one place, whoever they are. */
export const STRANGERS = 'strangers'
/**
 * Of all known links that are looked up again, at most once a second each: not work of their projects, so that a revoked link
 * ends as soon, and an answer that is kept is given, while the project asks for too much.
 */
export const KNOWN_LINKS = 'known links'

export class PublicAnswers {
  readonly #options: PublicAnswersOptions
  readonly #now: () => number
  readonly #lookUps: LinkLookUps
  readonly #memory = new FairShare(PUBLIC_ANSWERS_BYTES)
  /** Look-ups under way, by client and digest. */
  readonly #looking = new Map<string, Promise<PublicPage | undefined>>()
  /** By digest; the one that was used last is the last. */
  readonly #entries = new Map<string, Entry>()

  constructor(options: PublicAnswersOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#lookUps = new LinkLookUps(this.#now)
  }

  /** The answer of a link; undefined = there is no such link. Throws PROJECT_BUSY, TOO_MANY_ATTEMPTS. */
  async answerOf(token: string, client: string): Promise<PageAnswer | undefined> {
    const entry = await this.#entryOf(token, client)
    if (entry === undefined) return undefined
    const { made } = entry
    if (made !== undefined && this.#now() - made.at < PUBLIC_ANSWER_MS) return made.answer
    entry.making ??= this.#make(entry).finally(() => {
      entry.making = undefined
    })
    try {
      return await entry.making
    } catch (error) {
      // The project asks for too much at this moment: its page is a little older then, and says of when it is.
      const isBusy = error instanceof DomainError && error.code === 'PROJECT_BUSY'
      if (isBusy && made !== undefined && this.#now() - made.at < PUBLIC_ANSWER_KEPT_MS) return made.answer
      throw error
    }
  }

  /** Whether there is such a link. Throws as `answerOf`. */
  async isKnown(token: string, client: string): Promise<boolean> {
    return (await this.#entryOf(token, client)) !== undefined
  }

  /** Forgets a page that was changed or deleted in this process. Others find that out within a second. */
  forget(pageId: string): void {
    for (const [key, { page }] of this.#entries) if (page.id === pageId) this.#evict(key)
  }

  async #entryOf(token: string, client: string): Promise<Entry | undefined> {
    const hash = createHash('sha256').update(token).digest()
    const key = hash.toString('base64')
    const known = this.#entries.get(key)
    const page =
      known === undefined ? await this.#lookedUp(key, hash, client) : await this.#checked(known, hash)
    if (page === undefined) {
      this.#evict(key)
      return undefined
    }
    return this.#used(key, page)
  }

  /** Many who come at one time through one proxy, as for the badges of a document, are one look-up. */
  async #lookedUp(key: string, hash: Buffer, client: string): Promise<PublicPage | undefined> {
    const whose = `${client} ${key}`
    const known = this.#looking.get(whose)
    if (known !== undefined) return await known
    const looking = this.#lookUps
      .run(client, () => this.#find(hash, STRANGERS))
      .finally(() => this.#looking.delete(whose))
    this.#looking.set(whose, looking)
    return await looking
  }

  async #checked(entry: Entry, hash: Buffer): Promise<PublicPage | undefined> {
    if (this.#now() - entry.checkedAt < PUBLIC_LINK_MS) return entry.page
    entry.checking ??= this.#find(hash, KNOWN_LINKS)
      .then((page) => {
        entry.checkedAt = this.#now()
        return page
      })
      .finally(() => {
        entry.checking = undefined
      })
    return await entry.checking
  }

  async #find(hash: Buffer, sharer: string): Promise<PublicPage | undefined> {
    let page: PublicPage | undefined
    await this.#options.admit(sharer, async () => {
      page = await this.#options.find(hash)
    })
    return page
  }

  /** Throws PROJECT_BUSY when the project's answers take too much memory. */
  #used(key: string, page: PublicPage): Entry {
    const now = this.#now()
    const known = this.#entries.get(key)
    if (known !== undefined) {
      if (known.page.updatedAt.getTime() !== page.updatedAt.getTime()) known.made = undefined
      Object.assign(known, { page, usedAt: now })
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known
    }
    this.#evictUnused(now)
    const bytes = PUBLIC_ANSWER_OVERHEAD_BYTES
    this.#take(page.projectId, bytes)
    const entry: Entry = {
      key,
      page,
      checkedAt: now,
      usedAt: now,
      made: undefined,
      making: undefined,
      checking: undefined,
      bytes,
    }
    this.#entries.set(key, entry)
    return entry
  }

  async #make(entry: Entry): Promise<PageAnswer> {
    let answer: PageAnswer | undefined
    const { page } = entry
    await this.#options.admit(page.projectId, async () => {
      answer = await this.#options.make(page)
    })
    if (answer === undefined) throw new Error('the answer of a public page was not admitted')
    this.#keep(entry, answer)
    return answer
  }

  #keep(entry: Entry, answer: PageAnswer): void {
    // It was forgotten while the answer was made.
    if (entry.bytes === 0) return
    const { projectId } = entry.page
    // The text, and the values that it was made from.
    const bytes = PUBLIC_ANSWER_OVERHEAD_BYTES + 4 * answer.json.length
    this.#evict(entry.key)
    this.#take(projectId, bytes)
    entry.bytes = bytes
    entry.made = { answer, at: this.#now() }
    this.#entries.set(entry.key, entry)
  }

  /** Makes room by the answers of the same project that were used least recently. */
  #take(projectId: string, bytes: number): void {
    if (this.#memory.take(projectId, bytes)) return
    for (const { key, page } of this.#entries.values()) {
      if (page.projectId !== projectId) continue
      this.#evict(key)
      if (this.#memory.take(projectId, bytes)) return
    }
    throw new DomainError('PROJECT_BUSY', 'Too many public pages are being read. Please try again.')
  }

  #evictUnused(now: number): void {
    for (const [key, { usedAt }] of this.#entries) {
      if (now - usedAt < PUBLIC_ANSWER_KEPT_MS) return
      this.#evict(key)
    }
  }

  #evict(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    if (entry.bytes > 0) this.#memory.give(entry.page.projectId, entry.bytes)
    entry.bytes = 0
  }
}
