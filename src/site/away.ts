/** What is thrown while a site cannot reach the service: NATS or the relay is away, slow or full. What was asked is kept. */
export class SiteAway extends Error {
  constructor(what: string, cause?: unknown) {
    super(cause === undefined ? what : `${what}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
    this.name = 'SiteAway'
  }
}

/** Makes every failure of a request SiteAway; `what` says in the log what could not be done. */
export async function reaching<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    throw error instanceof SiteAway ? error : new SiteAway(what, error)
  }
}
