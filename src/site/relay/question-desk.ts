/** Answers what probers ask of the database. A question that fails is answered: the prober need not wait for its time. */
import type { Msg, Subscription } from '@nats-io/transport-node'
import type { Log } from '../log.ts'
import type { SiteConnection } from '../connection.ts'
import { QUESTIONS, type Question, type SiteNames } from '../subjects.ts'
import { pack, unpack } from '../wire/packed.ts'
import type { Questions } from '../wire/questions.ts'
import type { RelayDatabase } from './relay-database.ts'

export interface QuestionDeskParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  readonly database: RelayDatabase
  readonly log: Log
}

/** Answers from now on; the returned subscription ends it. */
export async function openQuestionDesk(parts: QuestionDeskParts): Promise<Subscription> {
  const { connection } = await parts.connection.reach()
  return connection.subscribe(parts.names.asked, {
    callback: (error, message) => {
      if (error === null) void answer(parts, message)
    },
  })
}

async function answer({ database, log }: QuestionDeskParts, message: Msg): Promise<void> {
  const question = QUESTIONS.find((name) => message.subject.endsWith(`.${name}`))
  try {
    if (question === undefined) throw new Error('the question is unknown')
    const asked = (await unpack(message.data)) as Questions[Question]
    message.respond(await pack({ answer: await database.answer(question, asked) }))
  } catch (error) {
    if (!database.isAway(error)) log.warn({ err: error, question }, 'a question of a prober is not answered')
    message.respond(await pack({ away: true }))
  }
}
