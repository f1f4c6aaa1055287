/** Builds the receiver of events for RabbitMQ. */
import { hostname } from 'node:os'
import type { AmqpSettings } from '../../domain/types.ts'
import { amqpOpener } from '../../notify/amqp/amqp-connection.ts'
import { AmqpReceiver, routingKey } from '../../notify/amqp/amqp-receiver.ts'
import type { Receiver } from '../../notify/receiver.ts'
import type { Log } from '../../schedule/log.ts'

/** Empty if no broker is configured. `urlsNow`: the present URLs of the brokers, with their credentials. */
export function amqpReceivers(
  amqp: AmqpSettings | undefined,
  log: Log,
  urlsNow: () => readonly string[] | undefined = () => undefined,
): readonly Receiver[] {
  if (amqp === undefined) return []
  const { urls, exchange, topics, queueKind } = amqp
  const topology = { exchange, queues: topics.map(routingKey), kind: queueKind }
  return [
    new AmqpReceiver({
      open: amqpOpener({ urls: () => urlsNow() ?? urls, topology, log }),
      topics,
      publisherId: `healthmonitor.${hostname()}`,
    }),
  ]
}
