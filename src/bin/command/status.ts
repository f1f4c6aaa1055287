/** `healthmonitor status`: what is wrong in a project, the worst first; once, or again at each event. */
import { followEvents, type StreamItem } from '../../client/event-reader.ts'
import { readStatus, type Status } from '../../client/status.ts'
import { statusLines } from '../../client/terminal/status-view.ts'
import { isWrong } from '../../client/trouble.ts'
import { fittedLine, styled } from '../../client/terminal/screen.ts'
import { EXIT, isPassing } from '../../client/failure.ts'
import { STATUS_POOLS, STATUS_POOLS_DEFAULT, WATCH_EVERY_MS, WATCH_PAUSE_MS } from '../../domain/limits.ts'
import {
  type Client,
  CLIENT_EXITS,
  JSON_FLAG,
  numberOf,
  SERVICE_FLAGS,
  SIGN_IN_TEXT,
  withService,
} from './client.ts'
import { type Command, parseFlags } from '../command-line.ts'
import { FullScreen } from './full-screen.ts'

const FLAGS = {
  watch: { type: 'boolean', what: 'keeps running, and shows the status again at each event; Ctrl-C ends it' },
  limit: {
    type: 'string',
    value: 'N',
    what: `shows at most N pools (${STATUS_POOLS_DEFAULT})`,
  },
  'all-projects': { type: 'boolean', what: 'of all projects; for administrators' },
  'exit-code': { type: 'boolean', what: 'exit code 1 when something is wrong' },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

interface StatusOptions {
  readonly limit: number
  readonly allProjects: boolean
  readonly asJson: boolean
}

export const statusCommand: Command = {
  summary: 'what is wrong, the worst first',
  about: [
    'Shows how many pools and members have each status. Lists the pools that are ERROR or DEGRADED or have OFFLINE members, with these members, since when and why.',
    SIGN_IN_TEXT,
  ],
  flags: FLAGS,
  isClient: true,
  exits: { 0: 'done', 1: 'something is wrong (with --exit-code)', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values } = parseFlags(args, FLAGS)
    const options = {
      limit: numberOf('limit', values.limit, { ...STATUS_POOLS, absent: STATUS_POOLS_DEFAULT }),
      allProjects: values['all-projects'] === true,
      asJson: values.json === true,
    }
    return await withService(values, environment, async (client) => {
      const status = await readStatus(client.service, options)
      if (values.watch === true) return await watch(client, status, options)
      client.print(shown(status, client, options))
      return values['exit-code'] === true && isWrong(status.overview) ? EXIT.no : EXIT.done
    })
  },
}

function shown(status: Status, { screen }: Client, { asJson }: StatusOptions): readonly string[] {
  if (!asJson) return statusLines(status, screen, Date.now())
  const { overview, pools, hasMore } = status
  const flat = pools.map(({ pool, members }) => ({ ...pool, members_in_trouble: members }))
  return [JSON.stringify({ ...overview, pools_in_trouble: flat, has_more: hasMore })]
}

/** Draws after each event, with a pause of at least WATCH_PAUSE_MS, and every WATCH_EVERY_MS, because ages change. */
async function watch(client: Client, first: Status, options: StatusOptions): Promise<number> {
  const { service, screen } = client
  const page = screen.isTerminal && !options.asJson ? new FullScreen() : undefined
  const filter = { project_id: options.allProjects ? undefined : service.projectId }
  const news = new News(followEvents(service, { after: first.overview.after, filter }))
  let status = first
  page?.open()
  try {
    for (;;) {
      const lines = shown(status, client, options)
      const trouble = news.trouble === undefined ? [] : [styled(news.trouble, 'red', screen)]
      if (page === undefined) client.print(lines)
      else page.draw([...trouble, ...lines].map((line) => fittedLine(line, screen.width)))
      await news.within(page === undefined ? undefined : WATCH_EVERY_MS)
      status = await readAgain(client, status, options, news)
    }
  } finally {
    page?.close()
  }
}

/** While the service does not answer, the last status stays. */
async function readAgain(
  client: Client,
  before: Status,
  options: StatusOptions,
  news: News,
): Promise<Status> {
  try {
    const status = await readStatus(client.service, options)
    news.trouble = undefined
    return status
  } catch (error) {
    if (!isPassing(error)) throw error
    news.trouble = `${error.message} (what follows is from ${before.overview.as_of})`
    return before
  }
}

/** Whether events came since the last call of `within`. */
class News {
  /** Why no events arrive; undefined = they do. */
  trouble: string | undefined
  #hasSome = false
  #failure: unknown
  #wake: (() => void) | undefined

  constructor(items: AsyncGenerator<StreamItem>) {
    this.#receive(items).catch((error: unknown) => {
      this.#failure = error
      this.#ring()
    })
  }

  /**
   * Resolves after the next event, or after `ms`, but at least WATCH_PAUSE_MS after the call. Throws the error that
   * ended the stream.
   */
  async within(ms: number | undefined): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, WATCH_PAUSE_MS))
    if (!this.#hasSome) {
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms - WATCH_PAUSE_MS)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#hasSome = false
    if (this.#failure !== undefined) throw this.#failure
  }

  async #receive(items: AsyncGenerator<StreamItem>): Promise<void> {
    for await (const { kind, ...each } of items) {
      if (kind === 'interrupted' && 'why' in each) this.trouble = each.why
      this.#ring()
    }
  }

  #ring(): void {
    this.#hasSome = true
    this.#wake?.()
  }
}
