/** The variables of notifications over AMQP. */
import Joi from 'joi'
import { AMQP_NAME_MAX, AMQP_TOPICS_MAX, AMQP_URLS_MAX } from '../../domain/limits.ts'
import { AMQP_QUEUE_KINDS } from '../../domain/types.ts'
import { parseAll, parsed, type Variable } from './variable.ts'

/**
 * Brokers; a password may have a comma. A query is refused: it would set options of the AMQP client, which the service
 * sets.
 */
function parseAmqpUrls(text: string): readonly string[] | undefined {
  const urls = text.split(/[\s,]+(?=amqps?:)/).map(parseAmqpUrl)
  return urls.length <= AMQP_URLS_MAX && urls.every((url) => url !== undefined) ? urls : undefined
}

const HOST = /^[\w.-]+$|^\[[\da-f:.]+\]$/i

function parseAmqpUrl(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isBroker = url !== undefined && /^amqps?:$/.test(url.protocol) && HOST.test(url.hostname)
  return isBroker && url.search === '' && url.hash === '' ? text : undefined
}

const AMQP_NAME = new RegExp(`^(?!amq\\.)[\\w.:-]{1,${AMQP_NAME_MAX}}$`)

function parseTopics(text: string): readonly string[] | undefined {
  const topics = parseAll((item) => (AMQP_NAME.test(item) ? item : undefined))(text)
  const count = new Set(topics).size
  return topics !== undefined && count > 0 && count <= AMQP_TOPICS_MAX && count === topics.length
    ? topics
    : undefined
}

export const AMQP_VARIABLES = {
  HM_AMQP_URL: {
    schema: parsed(parseAmqpUrls, `at most ${AMQP_URLS_MAX} URLs amqp:// or amqps://, without a query`),
    secret: 'url password',
    values: 'list of amqp://user:password@host:port/virtual-host, or amqps://',
    meaning:
      'RabbitMQ that gets the events, as notifications of oslo.messaging. Several: the nodes of one cluster, the next one is taken when one does not answer',
  },
  HM_AMQP_EXCHANGE: {
    schema: Joi.string().pattern(
      AMQP_NAME,
      'a name of letters, digits and -_.: that does not begin with amq.',
    ),
    default: 'octavia',
    values: 'name',
    meaning: 'Topic exchange of the notifications: `control_exchange` of the listeners',
  },
  HM_AMQP_TOPICS: {
    schema: parsed(parseTopics, `a list of at most ${AMQP_TOPICS_MAX} names of letters, digits and -_.:`),
    default: 'notifications',
    values: 'list of names',
    meaning:
      'Each notification goes to the queue NAME.info of each of them. A listener that needs all notifications for itself needs its own',
  },
  HM_AMQP_QUEUES: {
    schema: Joi.valid(...AMQP_QUEUE_KINDS),
    default: 'durable',
    values: AMQP_QUEUE_KINDS.join(', '),
    meaning:
      'How the exchange and the queues are made if they are missing. It must be as the listeners declare them: durable with `amqp_durable_queues`, quorum with `rabbit_quorum_queue`, else transient, which loses what is in them when RabbitMQ restarts',
  },
} as const satisfies Record<string, Variable>
